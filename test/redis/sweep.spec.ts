import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { EndedSession } from '../../src/index.js';
import {
  RedisSessionStore,
  type Scene,
  TestRunner,
  fillUp,
  openScene,
  plainStores,
} from '../unit/stores/redis.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

const MINUTE = 60_000;
/** Long enough for what has to happen within it, also on a busy machine. */
const LEASE = 1_500;
const LIMITS = {
  default: { idle: 200, absolute: 10 * MINUTE },
  long: { idle: 10 * MINUTE, absolute: 10 * MINUTE },
};

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url, { enableAutoPipelining: true });
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

function storeWith(prefix: string, lease: number): RedisSessionStore {
  return new RedisSessionStore(new TestRunner(client), { prefix, lease });
}

/** A process that runs the cleanup to its end. */
async function runner(
  scene: Scene,
  store: RedisSessionStore,
  batch: number,
): Promise<readonly EndedSession[]> {
  return scene.sweepAll(batch, { store });
}

describe('several sweepers', () => {
  // Three processes and 100,000 sessions: sweepers.spec.ts.
  it('K-07: hand out each end exactly once', async () => {
    const prefix = 'crowd:';
    const scene = await openScene(plainStores(() => client)(prefix), { limits: LIMITS });
    const count = 5_000;
    await fillUp(scene, count);
    await scene.pass(201);
    const stores = [1, 2, 3].map(() => storeWith(prefix, MINUTE));
    await Promise.all(stores.map((store) => store.open(scene.settings)));
    const ended = (await Promise.all(stores.map((store) => runner(scene, store, 500)))).flat();
    expect(ended.length).toBe(count);
    expect(new Set(ended.map(({ id }) => id)).size).toBe(count);
    const stats = await scene.store.stats();
    expect(stats).toMatchObject({ created: count, active: 0, ended: { idle: count } });
  });

  it('hand out again, under the same id, what a runner never confirmed', async () => {
    const prefix = 'death:';
    const dying = storeWith(prefix, LEASE);
    const scene = await openScene(dying, { limits: LIMITS });
    const logins = await Promise.all(Array.from({ length: 40 }, () => scene.login()));
    await scene.pass(201);
    const { notAfter } = scene;
    const first = await dying.sweep({ limit: 25, notAfter });
    if (first.status !== 'swept') throw new Error('it came too late');
    // The runner dies here. Nobody gets its ends before the lease is over.
    const other = storeWith(prefix, LEASE);
    await other.open(scene.settings);
    const early = await runner(scene, other, 10);
    const atOnce = new Set([...first.ended, ...early].map(({ id }) => id));
    expect({ first: first.ended.length, early: early.length }).toEqual({ first: 25, early: 15 });
    expect(atOnce.size).toBe(40);
    await scene.pass(LEASE + 1);
    const again = await runner(scene, other, 10);
    expect(again.toSorted(byId)).toEqual(first.ended.toSorted(byId));
    await scene.pass(LEASE + 1);
    expect(await runner(scene, other, 10)).toEqual([]);
    expect(await scene.store.stats()).toMatchObject({ ended: { idle: logins.length } });
  });

  it('do not keep a session from being used that its user has just touched', async () => {
    const scene = await openScene(plainStores(() => client)('race:'), {
      limits: LIMITS,
      touchInterval: 0,
    });
    const logins = await Promise.all(Array.from({ length: 50 }, () => scene.login()));
    const stop = new AbortController();
    const sweeping = (async () => {
      const all: EndedSession[] = [];
      while (!stop.signal.aborted) all.push(...(await scene.sweepAll(10)));
      return all;
    })();
    const alive = new Set(logins);
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        [...alive].map(async (login) => {
          const reply = await scene.resolve(login);
          // On a busy machine one may come too late; then it is over for good.
          if (reply.status !== 'active') alive.delete(login);
        }),
      );
    }
    stop.abort();
    const ended = new Set((await sweeping).map(({ id }) => id));
    const verdicts = await scene.verdicts([...alive]);
    const lost = [...alive].filter(({ id }, index) => {
      return ended.has(id) && verdicts[index] === 'active current';
    });
    expect(lost).toEqual([]);
  });
});

describe('a policy that was tightened', () => {
  it('is followed by the sweep, though no session was used since', async () => {
    const prefix = 'tight:';
    const scene = await openScene(plainStores(() => client)(prefix), {
      limits: { default: LIMITS.long },
    });
    const logins = await Promise.all(Array.from({ length: 100 }, () => scene.login()));
    expect(await scene.sweepAll()).toEqual([]);
    await scene.store.open({
      ...scene.settings,
      limits: { default: { idle: 1, absolute: MINUTE } },
    });
    await scene.pass(2);
    const ended = await scene.sweepAll(30);
    expect(ended.length).toBe(logins.length);
    expect(await scene.store.stats()).toMatchObject({ active: 0, ended: { idle: 100 } });
  });

  it('is followed in many short calls, each of which goes on where the last one stopped', async () => {
    const prefix = 'slices:';
    const settings = { limits: { default: LIMITS.long }, buckets: 1 };
    const scene = await openScene(plainStores(() => client)(prefix), settings);
    const count = 3_000;
    await Promise.all(Array.from({ length: count }, () => scene.login()));
    // A call of the sweep gets a quarter of the deadline.
    const deadline = 4;
    const limits = { default: { idle: 1, absolute: MINUTE } };
    await scene.store.open({ ...scene.settings, limits, deadline });
    await scene.pass(2);
    const ended = new Set<string>();
    let calls = 0;
    for (let more = true; more && calls < count; calls++) {
      const reply = await scene.store.sweep({ limit: count, notAfter: scene.notAfter });
      if (reply.status !== 'swept') throw new Error('it came too late');
      for (const { id } of reply.ended) ended.add(id);
      more = reply.more;
    }
    expect(calls).toBeGreaterThan(2);
    expect(calls).toBeLessThan(count);
    expect(ended.size).toBe(count);
  });
});

function byId(a: EndedSession, b: EndedSession): number {
  return a.id < b.id ? -1 : 1;
}
