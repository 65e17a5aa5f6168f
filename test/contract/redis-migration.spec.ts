import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { type StoreHarness, describeStoreContract } from '../../src/testing/index.js';
import { TESTS_AT_ONCE, redisHarness } from '../unit/stores/redis.kit.js';
import { DRIVERS, type RedisEntry, importRedis } from '../unit/stores/redis.scene.kit.js';
import { Movers, refusalsOf } from '../unit/stores/redis.unrest.kit.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';
import { together } from '../support/together.js';

let server: RedisCluster;
let client: Cluster;
let movers: Movers;

beforeAll(async () => {
  server = await startCluster();
  client = new Cluster([...server.urls]);
  movers = new Movers(server, 16);
}, 60_000);

afterAll(async () => {
  await movers.stop();
  client.disconnect();
  await server.stop();
});

/** Only the look behind the store needs the keys to be still: it goes from master to master. */
function harnessOf(driver: string, entry: () => RedisEntry): StoreHarness {
  const harness = redisHarness(
    () => client,
    (prefix) => entry().redisStore({ cluster: server.urls, prefix }),
    { effort: 0.02, timeout: 120_000 },
  );
  return {
    ...harness,
    create: async (settings) => {
      const underTest = await harness.create(settings);
      const inspect = (): ReturnType<NonNullable<typeof underTest.inspect>> =>
        movers.whileStill(async () => underTest.inspect?.() ?? nothing());
      return { ...underTest, inspect, close: () => movers.whileStill(() => underTest.close()) };
    },
  };
}

function nothing(): never {
  throw new Error('there is no way to look behind the store');
}

describe.each(DRIVERS)('with %s', (driver) => {
  let entry: RedisEntry;
  beforeAll(async () => {
    entry = await importRedis(driver);
  });

  describeStoreContract(
    'redis, a cluster whose slots move all the time',
    { describe, expect, it: together(TESTS_AT_ONCE) },
    harnessOf(driver, () => entry),
  );
});

it('the slots did move, and stores did meet them', async () => {
  const met = {
    moves: movers.moves,
    TRYAGAIN: await refusalsOf(server, 'TRYAGAIN'),
    MOVED: await refusalsOf(server, 'MOVED'),
  };
  console.log(`slots that moved, and refusals: ${JSON.stringify(met)}`);
  expect(Math.min(...Object.values(met))).toBeGreaterThan(20);
});
