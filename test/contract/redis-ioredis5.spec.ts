import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { redisStore } from '../../src/stores/redis/index.js';
import { describeStoreContract } from '../../src/testing/index.js';
import { TESTS_AT_ONCE, redisHarness } from '../unit/stores/redis.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { together } from '../support/together.js';

let server: RedisServer;
let observer: Redis;
let client: Redis5;

beforeAll(async () => {
  server = await startRedis();
  observer = new Redis(server.url);
  client = new Redis5(server.url, {
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1_000,
  });
});

afterAll(async () => {
  client.disconnect();
  observer.disconnect();
  await server.stop();
});

describeStoreContract(
  'redis with a client of ioredis 5',
  { describe, expect, it: together(TESTS_AT_ONCE) },
  redisHarness(
    () => observer,
    (prefix) => redisStore({ client, prefix }),
    { effort: 0.05, timeout: 120_000 },
  ),
);
