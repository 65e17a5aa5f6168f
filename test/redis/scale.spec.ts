import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Scene, fillUp, openScene, plainStores } from '../unit/stores/redis.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

const FEW = 1_000;
/** What a million costs is measured in bench; here the work of the server is counted. */
const MANY = 20_000;
const OWN = 5;

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

/** Every command that the server ran, those of scripts included: what an operation really does. */
async function workOf(
  operation: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  // An expiry that already reaches as far is not set again: the millisecond has to be another one.
  await scene.pass(1);
  await client.config('RESETSTAT');
  await operation();
  const text = await client.info('commandstats');
  const counts: Record<string, number> = {};
  for (const [, name = '', calls] of text.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g)) {
    if (name !== 'info' && name !== 'config|resetstat') counts[name] = Number(calls);
  }
  return counts;
}

/** The work that the operations on one user take, with all their sessions in the index. */
async function workOnOneUser(): Promise<Readonly<Record<string, unknown>>> {
  const user = scene.user();
  for (let count = 0; count < OWN; count++) await scene.login({ user });
  const [first, second] = (await scene.list(user)).sessions;
  if (first === undefined || second === undefined) throw new Error('there must be five');
  return {
    list: await workOf(() => scene.list(user)),
    revoke: await workOf(() => scene.revoke(first)),
    peek: await workOf(() => scene.store.peek({ id: second.id, touch: false })),
    login: await workOf(() =>
      scene.login({ user, concurrency: { max: OWN, atLimit: 'evict-oldest' } }),
    ),
    revokeUser: await workOf(() => scene.store.revokeUser({ user, reason: 'revoked' })),
  };
}

describe('what one user costs', () => {
  it(`is the same among ${FEW} and among ${MANY} sessions`, async () => {
    await fillUp(scene, FEW);
    await workOnOneUser();
    const amongFew = await workOnOneUser();
    await fillUp(scene, MANY - FEW);
    expect(await workOnOneUser()).toEqual(amongFew);
  }, 240_000);

  it('is one command of each kind for a list', async () => {
    const user = scene.user();
    await scene.login({ user });
    const { evalsha, hgetall, zscore, scan, keys } = await workOf(() => scene.list(user));
    expect({ evalsha, hgetall, zscore, scan, keys }).toEqual({ evalsha: 1, hgetall: 1 });
  });
});
