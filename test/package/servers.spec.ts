import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

describe.each(['redis', 'valkey', 'redis8'] as const)('a %s server for the tests', (version) => {
  let server: RedisServer;
  let client: Redis;

  beforeAll(async () => {
    server = await startRedis({ version, socket: true });
    client = new Redis(server.url, { commandTimeout: 500 });
  }, 120_000);

  afterAll(async () => {
    client?.disconnect();
    await server?.stop();
  });

  it('answers', async () => {
    expect(await client.ping()).toBe('PONG');
  });
});
