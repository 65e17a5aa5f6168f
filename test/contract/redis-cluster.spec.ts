import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { describeStoreContract } from '../../src/testing/index.js';
import { TESTS_AT_ONCE, redisHarness } from '../unit/stores/redis.kit.js';
import { DRIVERS, type RedisEntry, importRedis } from '../unit/stores/redis.scene.kit.js';
import { addMinimalUser, asMinimalUser, denials } from '../support/servers/minimal-user.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';
import { together } from '../support/together.js';

let server: RedisCluster;
/** Looks behind the stores and may do everything; the stores may do what the guide says. */
let observer: Cluster;

beforeAll(async () => {
  server = await startCluster();
  await addMinimalUser(server.nodes, { prefix: 'test', cluster: true });
  observer = new Cluster([...server.urls]);
}, 60_000);

afterAll(async () => {
  observer.disconnect();
  await server.stop();
});

describe.each(DRIVERS)('with %s', (driver) => {
  let entry: RedisEntry;
  beforeAll(async () => {
    entry = await importRedis(driver);
  });

  describeStoreContract(
    'redis, a cluster of three masters',
    { describe, expect, it: together(TESTS_AT_ONCE) },
    redisHarness(
      () => observer,
      (prefix) => entry.redisStore({ cluster: server.urls.map(asMinimalUser), prefix }),
      { effort: 0.02, timeout: 120_000 },
    ),
  );
});

describe('the user of the store', () => {
  it('S-06: needed no right that it does not have, on any node', async () => {
    expect(await denials(server.nodes)).toEqual([]);
  });
});
