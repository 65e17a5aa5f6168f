import { beforeEach, describe, expect, it } from '@jest/globals';
import { SessionConfigError, SessionStoreError } from '../../../src/core/errors.js';
import type { CreateRequest, StoreSettings } from '../../../src/core/store.js';
import { type MemorySessionStore, memoryStore } from '../../../src/stores/memory/memory.store.js';
import { type ManualClock, manualClock } from '../../../src/testing/clock.js';

const HOUR = 3_600_000;

const settings: StoreSettings = {
  limits: { default: { idle: 1_000, absolute: 10_000 } },
  touchInterval: 0,
  rotation: { grace: 1_000, maxForks: 3, onReuse: 'revoke' },
  maxSessionBytes: 65_536,
  maxFields: 256,
  maxTombstones: 3,
  buckets: 256,
  deadline: 1_000,
  margin: 1_000,
};

let clock: ManualClock;
let store: MemorySessionStore;
let ids = 0;

async function openStore(maxSessions?: number): Promise<void> {
  clock = manualClock();
  store = memoryStore({ clock: clock.now, ...(maxSessions !== undefined && { maxSessions }) });
  await store.open(settings);
}

const userOf = (name: string): { bucket: number; userKey: string; userId: string } => ({
  bucket: 1,
  userKey: `key of ${name}`,
  userId: name,
});

function request(name: string | undefined, more: Partial<CreateRequest> = {}): CreateRequest {
  const id = `session ${ids++}`;
  return {
    session: {
      id,
      token: { verifier: `verifier of ${id}`, keyId: 0, generation: 0 },
      limitClass: 'default',
      device: {},
      fields: new Map(),
      ...(name !== undefined && { user: userOf(name) }),
    },
    notAfter: Infinity,
    ...more,
  };
}

async function login(name: string | undefined, more: Partial<CreateRequest> = {}): Promise<string> {
  const wanted = request(name, more);
  const reply = await store.create(wanted);
  if (reply.status !== 'created') throw new Error(`create answered ${reply.status}`);
  return wanted.session.id;
}

const resolve = (id: string): ReturnType<MemorySessionStore['resolve']> =>
  store.resolve({
    id,
    token: { verifier: `verifier of ${id}`, generation: 0, traits: '' },
    touch: true,
  });

const sweep = async (limit = 1_000): Promise<readonly string[]> => {
  const reply = await store.sweep({ limit, notAfter: Infinity });
  return reply.status === 'swept' ? reply.ended.map(({ id }) => id) : [];
};

beforeEach(() => openStore());

describe('a memory store that was not opened', () => {
  it('rejects every operation', async () => {
    const closed = memoryStore();
    await expect(closed.ping()).rejects.toThrow(SessionStoreError);
    await expect(closed.create(request('alice'))).rejects.toThrow('the session store is not open');
    await expect(closed.stats()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  });

  it('keeps its sessions over close and open', async () => {
    const id = await login('alice');
    await store.close();
    await store.open(settings);
    expect(await resolve(id)).toMatchObject({ status: 'active' });
  });
});

describe('maxSessions', () => {
  it.each([0, -1, 1.5, NaN, Infinity, '5' as unknown as number])('refuses %p', (maxSessions) => {
    expect(() => memoryStore({ maxSessions })).toThrow(SessionConfigError);
  });

  it("refuses the next session, users' and anonymous ones alike", async () => {
    await openStore(2);
    await login('alice');
    await login(undefined);
    for (const name of ['bob', undefined]) {
      await expect(store.create(request(name))).rejects.toMatchObject({
        code: 'ERR_SESSION_STORE_FULL',
        message: 'the memory store holds its maximum of 2 sessions',
      });
    }
    expect(await store.stats()).toMatchObject({ active: 1, anonymous: 1, created: 1 });
  });

  it('counts live sessions only', async () => {
    await openStore(2);
    await login('alice');
    const logout = await login('alice');
    await store.revoke({ id: logout, reason: 'logout' });
    await login('bob');
    clock.advance(1_000);
    await login('carol');
    await login('carol');
    await expect(store.create(request('carol'))).rejects.toThrow(SessionStoreError);
  });

  it('has room for a session that takes the place of another', async () => {
    await openStore(2);
    const first = await login('alice');
    await login('bob');
    const second = await login('alice', { replaces: { id: first, take: [] } });
    const third = await login('alice', { concurrency: { max: 1, atLimit: 'evict-oldest' } });
    expect(await resolve(second)).toMatchObject({ status: 'ended', reason: 'evicted' });
    expect(await resolve(third)).toMatchObject({ status: 'active' });
  });

  it('changes nothing when it refuses', async () => {
    await openStore(2);
    const old = await login('alice');
    await login('bob');
    clock.advance(1);
    await expect(
      store.create(request('carol', { concurrency: { max: 1, atLimit: 'evict-oldest' } })),
    ).rejects.toThrow(SessionStoreError);
    expect(await resolve(old)).toMatchObject({ status: 'active' });
    expect(await store.stats()).toMatchObject({ active: 2, created: 2 });
  });

  it('bounds the tombstones, the oldest go first', async () => {
    await openStore(5);
    const ended: string[] = [];
    for (let count = 0; count < 8; count++) {
      const id = await login(count % 2 === 0 ? `user ${count}` : undefined);
      await store.revoke({ id, reason: 'logout' });
      ended.push(id);
    }
    const replies = await Promise.all(ended.map((id) => resolve(id)));
    expect(replies.map(({ status }) => status)).toEqual([
      ...Array(3).fill('gone'),
      ...Array(5).fill('ended'),
    ]);
    expect(store.inspect()).toMatchObject({ sessions: 0, tombstones: 5, indexEntries: 0 });
  });

  it('bounds the ends that wait for a sweep, the newest are kept', async () => {
    await openStore(5);
    const all: string[] = [];
    for (let count = 0; count < 8; count++) {
      all.push(await login('alice'));
      clock.advance(1_000);
      await store.stats();
    }
    expect(store.inspect().unannounced).toBe(5);
    expect(await sweep()).toEqual(all.slice(-5));
  });
});

describe('tombstones in the memory store', () => {
  it('are as few as a lowered setting says, at once', async () => {
    for (let count = 0; count < 3; count++) {
      await store.revoke({ id: await login('alice'), reason: 'logout' });
    }
    await store.open({ ...settings, maxTombstones: 1 });
    const { tombstones } = await store.list({ user: userOf('alice') });
    expect(tombstones.map(({ id }) => id)).toEqual([`session ${ids - 1}`]);
  });
});

describe('timeouts in the memory store', () => {
  it('are counted at any time, though nobody swept', async () => {
    await login('alice');
    await login('alice');
    await login('bob');
    clock.advance(1_500);
    await login('bob');
    const stats = await store.stats();
    expect(stats).toMatchObject({
      active: 1,
      ended: { idle: 3 },
      duration: { count: 3, sum: 3_000 },
      sessionsPerUser: new Map([[1, 1]]),
    });
  });

  it('that a sweep of another policy would have found stay found', async () => {
    const id = await login('alice');
    await store.open({ ...settings, limits: { default: { idle: 100, absolute: 10_000 } } });
    clock.advance(500);
    await store.open(settings);
    expect(await resolve(id)).toMatchObject({ status: 'ended', reason: 'idle' });
    expect(await sweep()).toEqual([id]);
  });

  it('that others found are more to sweep', async () => {
    await login('alice');
    clock.advance(1_000);
    await store.stats();
    const nothing = { limit: 0, notAfter: Infinity };
    expect(await store.sweep(nothing)).toMatchObject({ ended: [], more: true });
    await sweep();
    expect(await store.sweep(nothing)).toMatchObject({ ended: [], more: false });
  });

  it('are handed out in the order of their deadlines', async () => {
    const idle: string[] = [];
    for (const [name, delay] of [
      ['a', 300],
      ['b', 100],
      ['c', 200],
    ] as const) {
      const wanted = request(name);
      const ownLimits = { idle: delay };
      await store.create({ ...wanted, session: { ...wanted.session, ownLimits } });
      idle.push(wanted.session.id);
    }
    clock.advance(400);
    expect(await sweep()).toEqual([idle[1], idle[2], idle[0]]);
  });

  it('never leave a session that was touched under a tighter policy out of the heap', async () => {
    const id = await login('alice');
    await store.open({ ...settings, limits: { default: { idle: 100, absolute: 10_000 } } });
    clock.advance(50);
    await resolve(id);
    await store.open(settings);
    clock.advance(100);
    expect(await sweep()).toEqual([id]);
  });
});

describe('epochs in the memory store', () => {
  it('are remembered for 24 hours, and never repeat', async () => {
    const user = userOf('alice');
    const { epoch } = await store.revokeUser({ user, reason: 'revoked' });
    clock.advance(24 * HOUR - 1);
    await sweep();
    const late = await store.create(request('alice', { epoch: epoch - 1 }));
    expect(late.status).toBe('superseded');
    clock.advance(1);
    await sweep();
    expect(store.inspect().epochs).toBe(0);
    expect((await store.list({ user })).epoch).toBe(0);
    const { epoch: next } = await store.revokeUser({ user, reason: 'revoked' });
    expect(next).toBeGreaterThan(epoch);
  });

  it('of a user who is revoked again are remembered anew', async () => {
    const [alice, bob] = [userOf('alice'), userOf('bob')];
    await store.revokeUser({ user: alice, reason: 'revoked' });
    clock.advance(12 * HOUR);
    await store.revokeUser({ user: bob, reason: 'revoked' });
    const { epoch } = await store.revokeUser({ user: alice, reason: 'revoked' });
    clock.advance(12 * HOUR);
    await sweep();
    expect((await store.list({ user: alice })).epoch).toBe(epoch);
    expect(store.inspect().epochs).toBe(2);
  });
});

describe('what the memory store costs', () => {
  it('stays flat over 100,000 logins, though nobody sweeps', async () => {
    await openStore(1_000);
    let most = 0;
    for (let count = 0; count < 100_000; count++) {
      await login(`user ${count % 100}`);
      clock.advance(10);
      const { sessions, tombstones, unannounced, indexEntries } =
        count % 1_000 === 0 ? store.inspect() : noContents;
      most = Math.max(most, sessions, tombstones, unannounced, indexEntries / 3);
    }
    expect(most).toBeLessThanOrEqual(1_000);
    clock.advance(10_000);
    await sweep(100_000);
    expect(store.inspect()).toMatchObject({ sessions: 0, tombstones: 0, indexEntries: 0 });
    expect(await store.stats()).toMatchObject({
      active: 0,
      created: 100_000,
      ended: { idle: 100_000 },
    });
  }, 120_000);

  it('is the same for one user among a thousand sessions and among a million', async () => {
    const costs: number[][] = [];
    await openStore(2_000_000);
    let others = 0;
    for (const size of [1_000, 1_000_000]) {
      for (; others < size; others++) await store.create(request(`user ${others >> 2}`));
      const before = store.inspect().steps;
      const own = [await login('alice'), await login('alice'), await login('alice')];
      const created = store.inspect().steps;
      const { sessions } = await store.list({ user: userOf('alice') });
      const listed = store.inspect().steps;
      await store.revokeUser({ user: userOf('alice'), reason: 'revoked' });
      const revoked = store.inspect().steps;
      expect(sessions.map(({ id }) => id)).toEqual(own.toReversed());
      costs.push([created - before, listed - created, revoked - listed]);
    }
    const [small, large] = costs as [number[], number[]];
    // A list moves nothing in the heap; the rest grows with the height of the heap alone.
    expect([small[1], large[1]]).toEqual([0, 0]);
    for (const cost of [...small, ...large]) expect(cost).toBeLessThanOrEqual(6 * 22);
  }, 120_000);
});

const noContents = { sessions: 0, tombstones: 0, unannounced: 0, indexEntries: 0 };
