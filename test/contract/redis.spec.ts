import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisStore } from '../../src/stores/redis/index.js';
import { describeStoreContract } from '../../src/testing/index.js';
import { redisHarness } from '../unit/stores/redis.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
}, 60_000);

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describeStoreContract(
  'redis',
  { describe, expect, it },
  redisHarness(
    () => client,
    (prefix) => redisStore({ url: server.url, prefix }),
    { effort: 0.25, timeout: 120_000 },
  ),
);
