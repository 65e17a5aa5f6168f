import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Cluster } from 'ioredis';
import { redisStore } from '../../src/stores/redis/index.js';
import { describeStoreContract } from '../../src/testing/index.js';
import { TESTS_AT_ONCE, redisHarness } from '../unit/stores/redis.kit.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';
import { together } from '../support/together.js';

// One node is enough to refuse every script that touches a key outside of its slot.
let server: RedisCluster;
let client: Cluster;

beforeAll(async () => {
  server = await startCluster({ masters: 1, version: 'valkey' });
  client = new Cluster([...server.urls]);
}, 300_000);

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describeStoreContract(
  'valkey, a cluster of one node',
  { describe, expect, it: together(TESTS_AT_ONCE) },
  redisHarness(
    () => client,
    (prefix) => redisStore({ cluster: server.urls, prefix }),
    { effort: 0.02, timeout: 120_000 },
  ),
);
