/**
 * The deadline of store calls: whatever the store does, its caller gets an answer in time.
 */
import { describe, expect, it } from '@jest/globals';
import { SessionStoreError } from '../../../src/core/errors.js';
import { resolveOptions } from '../../../src/core/config.js';
import { StoreAccess } from '../../../src/core/store-access.js';
import { memoryStore } from '../../../src/index.js';
import { type FaultPlan, withFaults } from '../../../src/testing/index.js';

const DEADLINE = 100;
/** What a busy machine may add. */
const SLACK = 400;

const TIMEOUT = expect.objectContaining({
  name: 'SessionStoreError',
  code: 'ERR_SESSION_STORE_TIMEOUT',
  message: 'the session store did not answer within 100 ms',
});

describe('the deadline of a store call', () => {
  const { settings } = resolveOptions({ storeDeadline: '100ms' });
  const setUp = (plan: FaultPlan = {}) => {
    const store = withFaults(memoryStore(), plan);
    return { store, access: new StoreAccess(store, settings) };
  };

  it('passes replies and errors of the store on', async () => {
    const { access, store } = setUp();
    await expect(access.call((s) => s.ping())).resolves.toMatchObject({ status: 'pong' });
    store.plan({ ping: { fail: 'before' } });
    await expect(access.call((s) => s.ping())).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  });

  it('P1: rejects what hangs at the deadline, and is as good as new afterwards', async () => {
    const { access, store } = setUp();
    await access.layout();
    store.plan({ ping: { hang: 'before' } });
    const begun = performance.now();
    await expect(access.call((s) => s.ping())).rejects.toEqual(TIMEOUT);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(DEADLINE - 1);
    expect(performance.now() - begun).toBeLessThan(DEADLINE + SLACK);
    store.plan({});
    await expect(access.call((s) => s.ping())).resolves.toMatchObject({ status: 'pong' });
  });

  it('gives each of many calls its own deadline, in order, whatever is answered in between', async () => {
    const { access, store } = setUp();
    await access.layout();
    const ended: number[] = [];
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      store.plan({ ping: { hang: 'before' } });
      const call = access.call((s) => s.ping());
      calls.push(call.catch(() => ended.push(i)));
      store.plan({});
      await access.call((s) => s.ping());
      await new Promise((resolve) => setTimeout(resolve, 20)); // so that the deadlines differ
    }
    await Promise.all(calls);
    expect(ended).toEqual([0, 1, 2, 3, 4]);
  });

  it('ignores what comes too late, be it a reply or an error', async () => {
    const { access, store } = setUp();
    await access.layout();
    store.plan({ ping: { hang: 'after' }, list: { hang: 'after', fail: 'after' } });
    const user = { bucket: 1, userKey: 'k' };
    const calls = [access.call((s) => s.ping()), access.call((s) => s.list({ user }))];
    for (const call of calls) await expect(call).rejects.toEqual(TIMEOUT);
    store.release();
    // An unhandled rejection would fail the test (jest-circus listens for it).
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('covers opening: the total is one deadline, and a dead attempt is not joined', async () => {
    const { access, store } = setUp({ open: { hang: 'before', times: 1 } });
    const begun = performance.now();
    await expect(access.call((s) => s.ping())).rejects.toEqual(TIMEOUT);
    expect(performance.now() - begun).toBeLessThan(DEADLINE + SLACK);
    expect(store.calls.ping).toBe(0);
    // The first attempt still hangs; the next caller makes its own.
    await expect(access.call((s) => s.ping())).resolves.toMatchObject({ status: 'pong' });
    expect(store.calls.open).toBe(2);
  });

  it('does not begin an operation whose caller has given up during opening', async () => {
    const { access, store } = setUp({ open: { hang: 'before', times: 1 } });
    await expect(access.call((s) => s.countLoginFailure())).rejects.toEqual(TIMEOUT);
    store.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.calls.countLoginFailure).toBe(0);
  });

  it('covers closing', async () => {
    const { access } = setUp({ close: { hang: 'before' } });
    await access.layout();
    await expect(access.close()).rejects.toEqual(TIMEOUT);
  });

  it('reads replies that arrived during a pause of the process before it gives them up', async () => {
    const { access } = setUp();
    await access.layout();
    const now = Date.now();
    const call = access.call(
      () =>
        // Answers at half of the deadline, while the process does not listen.
        new Promise<{ status: 'pong'; now: number }>((resolve) => {
          setTimeout(() => setImmediate(() => resolve({ status: 'pong', now })), DEADLINE / 2);
        }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    const end = performance.now() + 2 * DEADLINE;
    while (performance.now() < end);
    await expect(call).resolves.toMatchObject({ status: 'pong' });
  });

  it('is an error of the store for everybody who asks', async () => {
    const { access, store } = setUp();
    store.plan({ all: { hang: 'before' } });
    const error = await access.call((s) => s.stats()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SessionStoreError);
  });
});
