/**
 * When open responses learn that their session is over, and what that costs. The timers are moved
 * by hand, the clock of the store, too.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { resolveOptions } from '../../../src/core/config.js';
import { SessionService } from '../../../src/core/service.js';
import { memoryStore } from '../../../src/index.js';
import { manualClock, withFaults } from '../../../src/testing/index.js';
import { Wire } from '../../support/wire.js';

const SECRET = 'tests-only-5d1f9a7c3be84620a9d8e1c47f30b6a2';
const SECOND = 1_000;

function setUp({ idle = '30m', bus = false } = {}) {
  const clock = manualClock();
  const wire = new Wire();
  const memory = withFaults(memoryStore({ clock: clock.now }));
  const store = { ...memory, ...(bus && { bus: wire }) };
  const config = resolveOptions({
    secret: SECRET,
    storeDeadline: '100ms',
    timeouts: { idle, absolute: '1h', touchInterval: 0 },
  });
  const service = new SessionService(config, store);
  const open = async (count = 1) => {
    const { session, token } = await service.create('alice');
    const ends: number[] = [];
    const stops = Array.from({ length: count }, (_, at) => session.watch(() => ends.push(at)));
    return { id: session.id, token: token.token.reveal(), ends, stops };
  };
  /** Of the store and of the timers. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await jest.advanceTimersByTimeAsync(ms);
  };
  return { clock, wire, memory, service, open, pass };
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('the watch over sessions', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance', 'setImmediate', 'nextTick', 'Date'] });
  });
  afterEach(() => void jest.useRealTimers());

  it.each([false, true])(
    'V-12: costs one timer and one look for 200 streams of a session, and leaves nothing (bus: %s)',
    async (bus) => {
      const { memory, wire, open } = setUp({ bus });
      const { stops, ends } = await open(200);
      // By now nothing is left of the deadline of the login's own call.
      await pass(3 * SECOND);
      expect([jest.getTimerCount(), memory.calls.peek]).toEqual([1, 0]);
      await pass(2 * SECOND);
      expect(memory.calls.peek).toBe(1);
      await pass(SECOND);
      expect([jest.getTimerCount(), wire.listeners]).toEqual([1, bus ? 1 : 0]);
      for (const stop of stops.slice(1)) stop();
      expect(jest.getTimerCount()).toBe(1);
      stops[0]?.();
      stops[0]?.();
      expect([jest.getTimerCount(), wire.listeners]).toEqual([0, 0]);
      await pass(60 * SECOND);
      expect([memory.calls.peek, ends]).toEqual([1, []]);
    },
  );

  it('V-12: learns at once of an end in this process', async () => {
    const { memory, service, open } = setUp();
    const { id, ends } = await open(2);
    const other = await open();
    await service.revoke(id);
    expect([ends, other.ends, memory.calls.peek]).toEqual([[0, 1], [], 0]);
    await service.revokeUser('alice');
    expect(other.ends).toEqual([0]);
  });

  it('V-12: finds within 5 s what only the store knows, at any time', async () => {
    const { memory, open } = setUp();
    const open8 = await Promise.all(Array.from({ length: 8 }, () => open()));
    for (const [at, { id, ends }] of open8.entries()) {
      await memory.revoke({ id, reason: 'revoked' });
      await pass(5 * SECOND);
      expect(ends).toEqual([0]);
      expect(open8.slice(at + 1).flatMap((later) => later.ends)).toEqual([]);
    }
  });

  it('V-12: with the bus looks once at the beginning, then seldom, and hears of ends', async () => {
    const { memory, wire, open } = setUp({ bus: true });
    const [heard, early, missed] = [await open(), await open(), await open()];
    // Between its request and the first look: the message went unheard.
    await memory.revoke({ id: early.id, reason: 'revoked' });
    await pass(5 * SECOND);
    expect([early.ends, memory.calls.peek]).toEqual([[0], 3]);
    await pass(15 * SECOND);
    expect(memory.calls.peek).toBe(3);
    wire.publish([{ kind: 'rotated', sessionId: heard.id, generation: 1 }]);
    expect(heard.ends).toEqual([]);
    wire.publish([{ kind: 'ended', sessionId: heard.id, reason: 'revoked' }]);
    expect(heard.ends).toEqual([0]);
    await memory.revoke({ id: missed.id, reason: 'revoked' });
    await pass(30 * SECOND);
    expect(missed.ends).toEqual([0]);
  });

  it.each(['a cut', 'the end of everyone'])(
    'V-12: trusts nothing that it knew before %s',
    async (what) => {
      const { memory, wire, open } = setUp({ bus: true });
      const [one, other] = [await open(), await open()];
      await pass(5 * SECOND);
      await memory.revoke({ id: one.id, reason: 'revoked' });
      if (what === 'a cut') wire.cut();
      else wire.publish([{ kind: 'everyone', until: 0, reason: 'revoked' }]);
      await pass(SECOND);
      expect([one.ends, other.ends]).toEqual([[0], []]);
      await memory.revoke({ id: other.id, reason: 'revoked' });
      if (what === 'a cut') await pass(5 * SECOND);
      else wire.publish([{ kind: 'ended', sessionId: other.id, reason: 'revoked' }]);
      expect(other.ends).toEqual([0]);
    },
  );

  it('V-12: relies on the bus again once it has looked since', async () => {
    const { memory, wire, open } = setUp({ bus: true });
    wire.isConnected = false;
    await open();
    await pass(20 * SECOND);
    expect(memory.calls.peek).toBeGreaterThanOrEqual(4);
    wire.connect();
    await pass(5 * SECOND);
    const { peek } = memory.calls;
    await pass(15 * SECOND);
    expect(memory.calls.peek).toBe(peek);
  });

  it('V-12: looks at the idle deadline, and anew at the next one if the session was used', async () => {
    const { memory, service, open, pass: passAll } = setUp({ idle: '2s' });
    const { token, ends } = await open();
    await passAll(1_500);
    await service.resolve(token);
    await passAll(600);
    expect([ends, memory.calls.peek]).toEqual([[], 1]);
    await passAll(1_000);
    expect([ends, memory.calls.peek]).toEqual([[], 1]);
    await passAll(600);
    expect([ends, memory.calls.peek]).toEqual([[0], 2]);
  });

  it('V-12: keeps a stream while the store fails, but none past its absolute deadline', async () => {
    const { clock, memory, service, open } = setUp();
    const { ends } = await open();
    memory.plan({ peek: { fail: 'before' } });
    await pass(20 * SECOND);
    expect(ends).toEqual([]);
    expect(memory.calls.peek).toBeGreaterThanOrEqual(7);
    expect(memory.calls.peek).toBeLessThanOrEqual(13);
    clock.advance(3_600 * SECOND);
    // Another call tells the time.
    await service.ping();
    await pass(3 * SECOND);
    expect([ends, jest.getTimerCount()]).toEqual([[0], 0]);
  });

  it('V-12: ends what nobody will watch any more', async () => {
    const { service, wire, open } = setUp({ bus: true });
    const { ends } = await open(3);
    await service.close();
    await pass(200);
    expect([ends, jest.getTimerCount(), wire.listeners]).toEqual([[0, 1, 2], 0, 0]);
  });
});
