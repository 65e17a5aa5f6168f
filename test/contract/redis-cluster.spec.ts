import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { redisStore } from '../../src/stores/redis/index.js';
import { describeStoreContract } from '../../src/testing/index.js';
import { redisHarness } from '../unit/stores/redis.kit.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';

let server: RedisCluster;
let client: Cluster;

beforeAll(async () => {
  server = await startCluster();
  client = new Cluster([...server.urls]);
}, 60_000);

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describeStoreContract(
  'redis, a cluster of three masters',
  { describe, expect, it },
  redisHarness(
    () => client,
    (prefix) => redisStore({ cluster: server.urls, prefix }),
    { effort: 0.05, timeout: 120_000 },
  ),
);
