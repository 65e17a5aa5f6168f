import { Cluster, type Redis } from 'ioredis';
import type { SessionStore, StoreSettings } from '../../../src/core/store.js';
import { RedisKeys } from '../../../src/stores/redis/redis.keys.js';
import { RedisSessionStore } from '../../../src/stores/redis/redis.store.js';
import { Scene } from '../../../src/testing/contract/scene.js';
import type { StoreContents, StoreHarness } from '../../../src/testing/index.js';
import { Random } from '../../../src/testing/random.js';
import { SCRIPTS } from '../../../src/stores/redis/scripts.gen.js';
import { TestRunner } from './redis.runner.kit.js';
import { DEFAULTS } from './redis.settings.kit.js';

/** All keys of all masters. */
export async function scanKeys(client: Redis | Cluster, match = '*'): Promise<string[]> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  const found = new Set<string>();
  for (const node of nodes) {
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', match, 'COUNT', 1_000);
      for (const key of keys) found.add(key);
      cursor = next;
    } while (cursor !== '0');
  }
  return [...found].toSorted();
}

/** What is really kept, found by looking at every key. */
export async function inspectRedis(
  client: Redis | Cluster,
  keys: RedisKeys,
  now: number,
): Promise<StoreContents> {
  const contents = { sessions: 0, tombstones: 0, indexEntries: 0 };
  for (const key of await scanKeys(client, `${keys.prefix}*`)) {
    const kind = keys.parse(key)?.kind;
    if (kind === 's') contents.sessions += 1;
    if (kind === 'd' || kind === 'a') contents.indexEntries += await client.zcard(key);
    if (kind !== 'u') continue;
    for (const [field, value] of Object.entries(await client.hgetallBuffer(key))) {
      if (field.length !== 11) continue;
      const isLive = (value[0] ?? 0) < 97;
      if (isLive) contents.indexEntries += 1;
      else if (now < value.readDoubleBE(9)) contents.tombstones += 1;
    }
  }
  return contents;
}

export { DEFAULTS, RedisKeys, RedisSessionStore, SCRIPTS, Scene, TestRunner };

/** A scene on a store of its own; the random choices follow the seed of the run. */
export async function openScene(
  store: SessionStore,
  settings: Partial<StoreSettings> = {},
): Promise<Scene> {
  const underTest = {
    store,
    settings: { ...DEFAULTS, ...settings },
    close: async () => {},
  };
  return Scene.open(underTest, new Random(Number(process.env['TEST_SEED'] ?? 1)));
}

/** Many sessions of as many users, a steady number of them under way. */
export async function fillUp(
  scene: Scene,
  count: number,
  logIn: (number: number) => Promise<unknown> = () => scene.login(),
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await logIn(next++);
  };
  await Promise.all(Array.from({ length: 1_000 }, work));
}

/** Calls of commands since the last `CONFIG RESETSTAT`, without those made by scripts. */
export async function countCommands(
  client: Redis,
  run: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  await client.config('RESETSTAT');
  await run();
  const text = await client.info('commandstats');
  const counts: Record<string, number> = {};
  for (const [, name = '', calls] of text.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g)) {
    if (['evalsha', 'eval', 'unlink', 'scan'].includes(name)) counts[name] = Number(calls);
  }
  return counts;
}

/** Stores of the same data, told apart by the prefix of their keys. */
export type MakeStore = (prefix: string) => SessionStore;

/** Stores over a client, with no more than that between them. */
export function plainStores(client: () => Redis | Cluster): MakeStore {
  return (prefix) => new RedisSessionStore(new TestRunner(client()), { prefix });
}

/** The server has a clock of its own, so the tests mostly wait; more of them are late too often. */
export const TESTS_AT_ONCE = 6;

/** Also those of other drivers: what a failover brings back of one is in the way of no other. */
let prefixes = 0;

/** Holds stores to the contract; every test gets a prefix of its own. `client` looks behind them. */
export function redisHarness(
  client: () => Redis | Cluster,
  makeStore: MakeStore,
  options: Pick<StoreHarness, 'effort' | 'timeout'> = {},
): StoreHarness {
  return {
    ...options,
    seed: Number(process.env['TEST_SEED'] ?? 1),
    capabilities: {
      movableClock: { missing: 'the server has a clock of its own' },
      severalInstances: true,
      inspection: true,
    },
    create: async (settings) => {
      const prefix = `test${++prefixes}:`;
      const store = makeStore(prefix);
      const keys = new RedisKeys(prefix, settings.buckets);
      return {
        store,
        settings,
        connect: async () => makeStore(prefix),
        inspect: async () => inspectRedis(client(), keys, (await store.ping()).now),
        close: async () => {
          const left = await scanKeys(client(), `${prefix}*`);
          await Promise.all(left.map((key) => client().unlink(key)));
        },
      };
    },
  };
}
