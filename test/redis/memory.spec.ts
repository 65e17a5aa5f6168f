import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Scene, fillUp, openScene, plainStores } from '../unit/stores/redis.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

/** The figure at a million sessions is in bench/README.md. */
const SESSIONS = 20_000;
/** What connect-redis keeps for the same user, device and fields, without any index. */
const BYTES_OF_CONNECT_REDIS = 596;
const USER = '7b6a5c4d-3e2f-4a1b-9c8d-';

let server: RedisServer;
let client: Redis;
let scene: Scene;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url, { enableAutoPipelining: true });
  scene = await openScene(plainStores(() => client)('nsk:'));
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
}

/** A session as the goal describes it: one for each user. */
async function logIn(number: number): Promise<void> {
  await scene.login({
    user: scene.user(`${USER}${String(number).padStart(12, '0')}`),
    device: { client: 'Chrome 131', platform: 'Windows', address: '203.0.113.195' },
    fields: { theme: '"dark"', locale: '"en-GB"' },
    concurrency: { max: 5, atLimit: 'evict-oldest' },
  });
}

describe('memory of the server', () => {
  it('is at most 1.35 times what connect-redis needs without an index', async () => {
    // The first sessions pay for what is there once: scripts, counters, the layout.
    await fillUp(scene, 2_000, logIn);
    const before = await usedMemory();
    await fillUp(scene, SESSIONS, (number) => logIn(2_000 + number));
    const bytes = ((await usedMemory()) - before) / SESSIONS;
    console.log(`redis: ${bytes.toFixed(0)} bytes a session`);
    expect(bytes).toBeLessThanOrEqual(1.35 * BYTES_OF_CONNECT_REDIS);
  }, 300_000);

  it('stays small because both hashes keep their compact encoding', async () => {
    const user = scene.user();
    const { id } = await scene.login({
      user,
      device: { client: 'c'.repeat(64), platform: 'p'.repeat(64), address: 'a'.repeat(64) },
      claims: 'x'.repeat(1_024),
      fields: { long: `"${'x'.repeat(10_000)}"`, name: '"short"' },
      ownLimits: { idle: 60_000 },
    });
    const keys = (await client.keys('nsk:*')).filter(
      (key) => key.endsWith(id) || key.endsWith(user.userKey),
    );
    const encodings = await Promise.all(
      keys.map(async (key) => [key.split(':')[2], await client.object('ENCODING', key)]),
    );
    expect(Object.fromEntries(encodings)).toEqual({ s: 'listpack', f: 'hashtable', u: 'listpack' });
  });

  it('of large fields is out of the way of requests, and is given back', async () => {
    const login = await scene.login({ fields: { long: `"${'x'.repeat(10_000)}"` } });
    const { id } = login;
    const resolved = await scene.resolve(login);
    expect(resolved).toMatchObject({ status: 'active', complete: false });
    await scene.write(login, { kind: 'set', name: 'long', value: '"short"' });
    expect(await scene.resolve(login)).toMatchObject({ status: 'active', complete: true });
    expect((await client.keys(`nsk:*:f:${id}`)).length).toBe(0);
  });
});
