import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisStore } from '../../src/stores/redis/index.js';
import { describeStoreContract } from '../../src/testing/index.js';
import { TESTS_AT_ONCE, redisHarness } from '../unit/stores/redis.kit.js';
import {
  USER_NAME,
  addMinimalUser,
  asMinimalUser,
  denials,
} from '../support/servers/minimal-user.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { together } from '../support/together.js';

let server: RedisServer;
/** Looks behind the stores and may do everything; the stores may do what the guide says. */
let observer: Redis;

beforeAll(async () => {
  server = await startRedis();
  await addMinimalUser([server], { prefix: 'test' });
  observer = new Redis(server.url);
}, 60_000);

afterAll(async () => {
  observer.disconnect();
  await server.stop();
});

describeStoreContract(
  'redis',
  { describe, expect, it: together(TESTS_AT_ONCE) },
  redisHarness(
    () => observer,
    (prefix) => redisStore({ url: asMinimalUser(server.url), prefix }),
    { effort: 0.25, timeout: 120_000 },
  ),
);

describe('the user of the store', () => {
  it('S-06: needed no right that it does not have', async () => {
    expect(await denials([server])).toEqual([]);
    // They would have been noticed.
    const client = new Redis(asMinimalUser(server.url));
    for (const [name = '', ...args] of FORBIDDEN) {
      await expect(client.call(name, ...args)).rejects.toThrow('NOPERM');
    }
    client.disconnect();
    expect(await denials([server])).toHaveLength(FORBIDDEN.length);
    // A server may refuse it to everybody before it looks at rights.
    const debug = await observer.call('ACL', 'DRYRUN', USER_NAME, 'DEBUG', 'SLEEP', '0');
    expect(String(debug)).toContain('no permissions');
  });
});

const FORBIDDEN = [
  ['KEYS', 'test*'],
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['CONFIG', 'GET', 'dir'],
  ['MONITOR'],
  ['SCRIPT', 'KILL'],
  ['ACL', 'LIST'],
  ['HGETALL', 'other:key'],
  ['EVAL', "return redis.call('HGETALL', KEYS[1])", '1', 'other:data'],
  ['PUBLISH', 'other:channel', 'x'],
];
