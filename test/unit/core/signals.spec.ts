import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/core/config.js';
import { SessionEventBus } from '../../../src/core/events.js';
import { KeyRing } from '../../../src/core/key-ring.js';
import { DevicePrivacy } from '../../../src/core/privacy.js';
import type { SessionDevice } from '../../../src/core/record.js';
import type { Session } from '../../../src/core/session.js';
import { type SignalRules, SessionSignals } from '../../../src/core/signals.js';

const SECRET = 'unit-tests-only-2b7e151628aed2a6abf7158809cf4f3c';
const HOME = { client: 'Firefox 131', platform: 'Linux', address: '203.0.113.7' };
const AWAY = { ...HOME, address: '198.51.100.9' };
const FORGED = `nsk_${'Q'.repeat(96)}`;

interface Bench {
  readonly signals: SessionSignals;
  readonly events: object[];
  tick(ms: number): void;
}

function bench(rules: Partial<SignalRules> = {}, deadline = 1_000): Bench {
  const bus = new SessionEventBus();
  const events: object[] = [];
  bus.on('session.client-changed', (event) => void events.push(event));
  bus.on('session.forgery-burst', (event) => void events.push(event));
  const privacy = new DevicePrivacy(new KeyRing([SECRET]), { address: 'full', userAgent: 'label' });
  let now = 0;
  const usual = {
    addressChange: 'report',
    clientChange: 'report',
    forgeryBurst: 'report',
  } as const;
  const signals = new SessionSignals(
    { ...usual, onRisk: undefined, ...rules },
    { privacy, events: bus, now: () => 1_000 + now, deadline },
    () => now,
  );
  return { signals, events, tick: (ms) => void (now += ms) };
}

function session(device: SessionDevice = HOME, id = 'session', place?: string): Session {
  const claims = { methods: [], level: 0, isPending: false, ...(place && { place }) };
  return { id, userId: 'alice', device, claims } as unknown as Session;
}

describe('session signals', () => {
  it('L-07: nothing fires while nothing changes, and nobody waits', () => {
    const { signals, events } = bench({ addressChange: 'enforce', clientChange: 'enforce' });
    expect(signals.review(session(), HOME)).toBeUndefined();
    expect(signals.review(session(), { ...HOME, client: 'Firefox 132' })).toBeUndefined();
    expect(signals.review(session(), { ...HOME, address: '203.0.113.99' })).toBeUndefined();
    expect(events).toEqual([]);
  });

  it('L-07: one event for each session and new value', () => {
    const { signals, events } = bench();
    for (let i = 0; i < 5; i += 1) expect(signals.review(session(), AWAY)).toBeUndefined();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      sessionId: 'session',
      userId: 'alice',
      signal: 'address-changed',
      action: 'report',
      hookFailed: false,
    });
    void signals.review(session(), { ...AWAY, client: 'curl/8' });
    void signals.review(session(HOME, 'other'), AWAY);
    expect(events).toHaveLength(3);
    expect(JSON.stringify(events)).not.toContain('198.51');
  });

  it('the id of an event is the same on every instance', () => {
    const [one, two] = [bench(), bench()];
    void one.signals.review(session(), AWAY);
    void two.signals.review(session(), AWAY);
    expect(one.events).toEqual(two.events);
  });

  it('a session that changes all the time fires a bounded number of times', () => {
    const { signals, events } = bench();
    for (let i = 0; i < 500; i += 1)
      void signals.review(session(), { ...HOME, client: `tool${i}x` });
    expect(events.length).toBeLessThanOrEqual(9);
  });

  it('off: not even compared; enforce: a further proof, until it was given from there', () => {
    const off = bench({ addressChange: 'off', clientChange: 'off' });
    expect(off.signals.review(session(), { client: 'curl/8', address: '::1' })).toBeUndefined();
    const { signals } = bench({ addressChange: 'enforce' });
    expect(signals.review(session(), AWAY)).toBe('step-up');
    expect(signals.review(session(), AWAY)).toBe('step-up');
    const place = signals.acceptance(session(), AWAY);
    expect(place).toMatch(/^#/);
    expect(signals.review(session(HOME, 'session', place), AWAY)).toBeUndefined();
    const further = { ...AWAY, address: '192.0.2.1' };
    expect(signals.review(session(HOME, 'session', place), further)).toBe('step-up');
    expect(signals.acceptance(session(), HOME)).toBeUndefined();
  });

  it.each([
    ['allow', undefined, 0],
    ['report', undefined, 1],
    ['step-up', 'step-up', 1],
    ['revoke', 'revoke', 1],
  ] as const)('the hook decides: %s', async (answer, review, count) => {
    let asked = 0;
    const { signals, events } = bench({
      onRisk: (signal) => {
        asked += 1;
        expect(signal).toMatchObject({ kind: 'address-changed', before: HOME, after: AWAY });
        return answer;
      },
    });
    const reviews = await Promise.all([
      Promise.resolve(signals.review(session(), AWAY)),
      Promise.resolve(signals.review(session(), AWAY)),
    ]);
    expect(reviews).toEqual([review, review]);
    expect(await signals.review(session(), AWAY)).toBe(review);
    expect(asked).toBe(1);
    expect(events).toHaveLength(count);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('hook');
      },
    ],
    ['rejects', () => Promise.reject(new Error('hook'))],
    ['never answers', () => new Promise<never>(() => undefined)],
    ['answers nonsense', () => 'let them in' as never],
  ] as const)(
    'a hook that %s: what holds without one, and it is asked again later',
    async (_, onRisk) => {
      let asked = 0;
      const counting: SignalRules['onRisk'] = () => {
        asked += 1;
        return onRisk();
      };
      const strict = bench({ addressChange: 'enforce', onRisk: counting }, 20);
      expect(await strict.signals.review(session(), AWAY)).toBe('step-up'); // lets nobody in
      expect(strict.events).toMatchObject([{ action: 'step-up', hookFailed: true }]);
      expect(await strict.signals.review(session(), AWAY)).toBe('step-up');
      expect(asked).toBe(1);
      strict.tick(10_000);
      await strict.signals.review(session(), AWAY);
      expect(asked).toBe(2);
      const lenient = bench({ onRisk: counting }, 20);
      expect(await lenient.signals.review(session(), AWAY)).toBeUndefined(); // locks nobody out
    },
  );

  it('L-07: a burst of forgeries is reported once a minute, and no token with it', () => {
    const { signals, events, tick } = bench();
    for (let i = 0; i < 99; i += 1) signals.countForgery(FORGED);
    signals.countForgery('no token at all');
    expect(events).toEqual([]);
    for (let i = 0; i < 1_000; i += 1) signals.countForgery(FORGED);
    expect(events).toMatchObject([{ count: 100, window: 60_000 }]);
    tick(60_000);
    for (let i = 0; i < 1_000; i += 1) signals.countForgery(FORGED);
    expect(events).toHaveLength(2);
    expect(JSON.stringify(events)).not.toContain('nsk_');
    const off = bench({ forgeryBurst: 'off' });
    for (let i = 0; i < 1_000; i += 1) off.signals.countForgery(FORGED);
    expect(off.events).toEqual([]);
  });
});

describe('the options signals and privacy', () => {
  const resolve = (options: object) =>
    resolveOptions({ secret: SECRET, ...options }, { production: false });

  it('report by default, and keep what users need to recognise a stranger', () => {
    const { signals, privacy } = resolve({});
    expect(signals).toEqual({
      addressChange: 'report',
      clientChange: 'report',
      forgeryBurst: 'report',
      onRisk: undefined,
    });
    expect(privacy).toEqual({ address: 'full', userAgent: 'label' });
  });

  it.each([
    [{ signals: { addressChange: 'revoke' } }, 'signals.addressChange must be'],
    [{ signals: { forgeryBurst: 'enforce' } }, "signals.forgeryBurst must be 'off' or 'report'"],
    [{ signals: { onRisk: 'allow' } }, 'signals.onRisk must be a function (got a string)'],
    [{ privacy: { address: '/24' } }, 'privacy.address must be'],
    [{ privacy: { userAgent: 'full' } }, 'privacy.userAgent must be'],
  ])('refuses %j', (options, problem) => {
    expect(() => resolve(options)).toThrow(problem);
  });
});
