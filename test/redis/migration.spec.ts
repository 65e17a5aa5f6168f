import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { type SessionStore, SessionStoreError } from '../../src/index.js';
import { redisStore } from '../../src/stores/redis/index.js';
import { RedisKeys, type Scene, openScene } from '../unit/stores/redis.kit.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';

type Login = Awaited<ReturnType<Scene['login']>>;

let cluster: RedisCluster;
let client: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
  client = new Cluster([...cluster.urls]);
}, 60_000);

afterAll(async () => {
  client.disconnect();
  await cluster.stop();
});

const stores: SessionStore[] = [];

function open(prefix: string): SessionStore {
  const store = redisStore({ cluster: cluster.urls, prefix });
  stores.push(store);
  return store;
}

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

/** Uses sessions until it is told to stop; keeps what was acknowledged, tried and refused. */
class Load {
  readonly acknowledged = new Map<Login, number>();
  readonly attempted = new Map<Login, number>();
  readonly errors: unknown[] = [];
  readonly verdicts = new Set<string>();
  readonly #scene: Scene;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(scene: Scene, logins: readonly Login[]) {
    this.#scene = scene;
    this.#running = Promise.all(logins.map((login) => this.#use(login)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #use(login: Login): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.verdicts.add(await this.#scene.verdict(login));
        this.attempted.set(login, (this.attempted.get(login) ?? 0) + 1);
        const change = { kind: 'increment', name: 'n', by: 1 } as const;
        const { status } = await this.#scene.write(login, change);
        if (status === 'written') {
          this.acknowledged.set(login, (this.acknowledged.get(login) ?? 0) + 1);
        }
      } catch (error) {
        this.errors.push(error);
      }
    }
  }
}

describe('a cluster that changes under load', () => {
  it('loses no session and no acknowledged write while slots move and a master changes', async () => {
    const prefix = 'moving:';
    const store = open(prefix);
    const scene = await openScene(store, { buckets: 32, deadline: 3_000 });
    const logins = await Promise.all(Array.from({ length: 60 }, () => scene.login()));
    const load = new Load(scene, logins);
    const keys = new RedisKeys(prefix, 32);
    const [first, second] = cluster.nodes;
    if (first === undefined || second === undefined) throw new Error('there must be nodes');
    const slots = await Promise.all(keys.buckets.map(({ counters }) => cluster.slotOf(counters)));
    const owners = await Promise.all(keys.buckets.map(({ counters }) => cluster.ownerOf(counters)));
    const moving = slots.filter((_slot, index) => owners[index] === first);
    await cluster.migrateSlots(first, second, moving);
    await cluster.failover(second);
    await load.stop();

    expect([...load.verdicts]).toEqual(['active current']);
    expect(load.errors.filter((error) => !(error instanceof SessionStoreError))).toEqual([]);
    for (const login of logins) {
      const stored = Number((await scene.fields(login))?.['n'] ?? 0);
      expect(stored).toBeGreaterThanOrEqual(load.acknowledged.get(login) ?? 0);
      expect(stored).toBeLessThanOrEqual(load.attempted.get(login) ?? 0);
    }
    expect(await scene.store.stats()).toMatchObject({ active: 60, created: 60 });
    expect((await scene.pages(25)).length).toBe(60);
    const calls = [...load.attempted.values()].reduce((sum, each) => sum + each, 0);
    console.log(`migration: ${load.errors.length} of ${calls} calls were refused`);
  }, 120_000);

  it('answers for a half moved slot with the truth or not at all', async () => {
    const prefix = 'half:';
    const store = open(prefix);
    const scene = await openScene(store, { buckets: 1, deadline: 500 });
    const logins = await Promise.all(Array.from({ length: 10 }, () => scene.login()));
    const { counters } = new RedisKeys(prefix, 1).buckets[0] ?? { counters: '' };
    const from = await cluster.ownerOf(counters);
    const others = await Promise.all(
      ['{a}', '{b}', '{c}', '{d}', '{e}'].map((key) => cluster.ownerOf(key)),
    );
    const to = others.find((node) => node !== from);
    if (to === undefined) throw new Error('there must be another master');
    const move = await cluster.beginMove(from, to, await cluster.slotOf(counters));
    for (let step = 0; step < 5; step++) {
      await move.moveKeys(4);
      const verdicts = await Promise.allSettled(logins.map((login) => scene.verdict(login)));
      const wrong = verdicts.filter((verdict) =>
        verdict.status === 'fulfilled'
          ? verdict.value !== 'active current'
          : !(verdict.reason instanceof SessionStoreError),
      );
      expect(wrong).toEqual([]);
    }
    await move.finish();
    expect(new Set(await scene.verdicts(logins))).toEqual(new Set(['active current']));
    expect(await scene.store.stats()).toMatchObject({ active: 10, created: 10 });
  }, 60_000);

  it('does nothing by halves while a slot begins to move', async () => {
    const prefix = 'begun:';
    const store = open(prefix);
    const long = `"${'x'.repeat(100)}"`;
    const limits = { default: { idle: 60_000, absolute: 60_000 }, short: { idle: 1, absolute: 2 } };
    const scene = await openScene(store, { buckets: 1, deadline: 500, limits });
    const user = scene.user();
    const login = await scene.login({ user, fields: { large: long } });
    await scene.login({ user });
    await scene.login({ anonymous: true });
    // An end that waits to be announced, so that there is one of every key.
    const short = await scene.login({ limitClass: 'short' });
    await scene.passTo(short.record.absoluteAt);
    await scene.store.sweep({ limit: 10, notAfter: scene.notAfter });
    const { counters } = new RedisKeys(prefix, 1).buckets[0] ?? { counters: '' };
    const from = await cluster.ownerOf(counters);
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    const move = await cluster.beginMove(from, to, await cluster.slotOf(counters));

    // Each takes the last thing out of a key and goes on with it, or would have to make it anew.
    const written = await scene.write(
      login,
      { kind: 'delete', name: 'large' },
      { kind: 'set', name: 'other', value: long },
    );
    expect(written.status).toBe('written');
    const before = await scene.list(user);
    expect(await scene.store.eraseUser({ user })).toMatchObject({ status: 'erased' });
    const announced = [short.id, login.id];
    const confirmed = await scene.store
      .sweep({ limit: 1, announced, notAfter: scene.notAfter })
      .catch((error: Error) => error.message);
    // What it goes on with is kept in several keys, one of which is not there.
    expect(confirmed).toMatch(/did not answer within|the slot is being moved/);

    await move.finish();
    const { sessions, tombstones, epoch } = await scene.list(user);
    expect({ sessions, tombstones }).toEqual({ sessions: [], tombstones: [] });
    expect(epoch).toBeGreaterThan(before.epoch);
    expect(await scene.verdict(login)).toBe('gone');
    expect(await scene.sweepAll()).toEqual([]);
    expect(await scene.store.stats()).toMatchObject({
      active: 0,
      ended: { revoked: 2, idle: 1 },
    });
  }, 60_000);
});
