import { describe, expect, it } from '@jest/globals';
import { SessionStoreError, memoryStore } from '../../src/index.js';
import { type FaultyStore, manualClock, withFaults } from '../../src/testing/index.js';

const SETTINGS: Parameters<FaultyStore['open']>[0] = {
  limits: { default: { idle: 60_000, absolute: 60_000 } },
  touchInterval: 0,
  rotation: { grace: 1_000, maxForks: 3, onReuse: 'revoke' },
  maxSessionBytes: 1_000,
  maxFields: 10,
  maxTombstones: 3,
  buckets: 16,
  deadline: 1_000,
  margin: 1_000,
};

async function faultyStore(
  ...args: [plan?: Parameters<FaultyStore['plan']>[0]]
): Promise<FaultyStore> {
  const store = withFaults(memoryStore(), ...args);
  await store.open(SETTINGS);
  return store;
}

const failures = async (store: FaultyStore): Promise<number> => (await store.stats()).loginFailures;

describe('withFaults', () => {
  it('passes everything on while nothing is planned, and counts the calls', async () => {
    const store = await faultyStore();
    await store.countLoginFailure();
    await store.countLoginFailure();
    expect(await failures(store)).toBe(2);
    expect(store.name).toBe('memory');
    expect(store.calls).toMatchObject({ open: 1, countLoginFailure: 2, stats: 1, resolve: 0 });
  });

  it('fails before the store is reached', async () => {
    const store = await faultyStore({ countLoginFailure: { fail: 'before' } });
    await expect(store.countLoginFailure()).rejects.toThrow(SessionStoreError);
    expect(await failures(store)).toBe(0);
    expect(store.calls.countLoginFailure).toBe(1);
  });

  it('loses the reply after the command took effect', async () => {
    const store = await faultyStore({ countLoginFailure: { fail: 'after' } });
    await expect(store.countLoginFailure()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
    expect(await failures(store)).toBe(1);
  });

  it('fails as often as planned, then no more', async () => {
    const store = await faultyStore({ ping: { fail: 'before', times: 2 } });
    const calls = [1, 2, 3].map(() =>
      store.ping().then(
        () => 'pong',
        () => 'error',
      ),
    );
    expect(await Promise.all(calls)).toEqual(['error', 'error', 'pong']);
  });

  it('hangs until it is released', async () => {
    const store = await faultyStore({ countLoginFailure: { hang: 'after' } });
    let isDone = false;
    const call = store.countLoginFailure().then(() => {
      isDone = true;
    });
    expect(await failures(store)).toBe(1);
    expect(isDone).toBe(false);
    store.plan({});
    await store.countLoginFailure();
    expect(isDone).toBe(false);
    store.release();
    await call;
    expect(isDone).toBe(true);
  });

  it('plans for all operations but those that are named', async () => {
    const store = await faultyStore();
    store.plan({ all: { fail: 'before' }, stats: {} });
    await expect(store.ping()).rejects.toThrow(SessionStoreError);
    await expect(store.list({ user: { bucket: 0, userKey: 'key' } })).rejects.toThrow(
      'a planned fault',
    );
    expect(await failures(store)).toBe(0);
  });

  it('delays calls, so that they overtake each other', async () => {
    const store = withFaults(memoryStore(), {}, { seed: 1 });
    await store.open(SETTINGS);
    store.plan({ all: { delayBefore: 60, delayAfter: 60 } });
    const sent = Array.from({ length: 10 }, (_, index) => index);
    const done: number[] = [];
    await Promise.all(sent.map((index) => store.ping().then(() => done.push(index))));
    expect(done.toSorted((a, b) => a - b)).toEqual(sent);
    expect(done).not.toEqual(sent);
  });
});

describe('manualClock', () => {
  it('moves when told to, and forward only', () => {
    const { now, advance } = manualClock(1_000);
    advance(0);
    advance(500);
    expect(now()).toBe(1_500);
    for (const ms of [-1, 0.5, NaN, Infinity]) expect(() => advance(ms)).toThrow(RangeError);
    expect(now()).toBe(1_500);
  });

  it('starts at a moment at which tokens can exist', () => {
    expect(manualClock().now()).toBeGreaterThan(Date.UTC(2026, 0, 1));
  });
});
