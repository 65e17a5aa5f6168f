/**
 * What an error tells: enough to find the cause, and nothing else. Whatever a driver or a server
 * says, no address, name, password, key or value gets out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { ask } from '../support/servers/ask.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { until } from '../support/until.js';
import {
  adminOf,
  everythingIn,
  operationsOn,
  outcomesOf,
} from '../unit/stores/redis.faults.kit.js';
import {
  DRIVERS,
  type RedisEntry,
  Scene,
  importRedis,
  openScene,
} from '../unit/stores/redis.scene.kit.js';

const DEADLINE = 400;
const PASSWORD = 'pa55word-of-the-test';
const PAYLOAD = 'payload-of-the-test';
const PREFIX = 'prefix-of-the-test:';

/** The code of an error, once it is sure that it tells nothing. */
function codeOf(error: unknown, { host, port }: { host: string; port: number }): string {
  const text = everythingIn(error);
  for (const secret of [host, `${port}`, PASSWORD, PAYLOAD, PREFIX, 'evalsha', 'localhost']) {
    expect(text).not.toContain(secret);
  }
  const { name, code, message } = error as Error & { code: string };
  expect(name).toBe('SessionStoreError');
  return `${code}: ${message}`;
}

describe.each(DRIVERS)('S-09: errors with %s', (driver) => {
  let server: RedisServer;
  let entry: RedisEntry;
  let admin: Redis;
  const scenes: Scene[] = [];
  const servers: RedisServer[] = [];

  beforeEach(async () => {
    entry = await importRedis(driver);
    server = await startRedis({ password: PASSWORD });
    admin = adminOf({ ...server, password: PASSWORD });
  });

  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.close();
    admin.disconnect();
    for (const one of [server, ...servers.splice(0)]) await one.stop();
  });

  const open = async (options: object = {}): Promise<Scene> => {
    const store = entry.redisStore({ url: server.url, prefix: PREFIX, ...options });
    // On a busy machine the first connection may take longer than a call of these tests.
    const connect = (): Promise<Scene> => openScene(store, { deadline: DEADLINE });
    const scene = await until(
      () => connect().catch(() => undefined),
      (opened) => opened !== undefined,
    );
    if (scene === undefined) throw new Error('the server cannot be reached');
    scenes.push(scene);
    return scene;
  };
  const failureOf = async (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'none',
      (error: unknown) => codeOf(error, server),
    );
  const login = (scene: Scene): Promise<string> =>
    failureOf(scene.login({ fields: { a: PAYLOAD } }));

  it.each([
    ['no password', { username: undefined }, /^ERR_SESSION_STORE: .*\(NOAUTH\)$/],
    ['a wrong one', { password: `${PASSWORD}-not` }, /^ERR_SESSION_STORE: .*\(WRONGPASS\)$/],
    ['an unknown user', { username: 'nobody' }, /^ERR_SESSION_STORE: .*\(WRONGPASS\)$/],
  ])('name the cause of a refused login with %s, at once', async (_, access, expected) => {
    const url = `redis://${server.host}:${server.port}`;
    const password = 'password' in access ? access.password : PASSWORD;
    const store = entry.redisStore({
      url,
      ...('username' in access && access.username === undefined ? {} : { password }),
      ...('username' in access && access.username ? { username: access.username } : {}),
    });
    const start = performance.now();
    const failure = await failureOf(openScene(store, { deadline: 10_000 }));
    expect(failure).toMatch(expected);
    expect(performance.now() - start).toBeLessThan(5_000);
    await store.close();
  });

  it('say that a key is not ours', async () => {
    const scene = await open();
    const user = scene.user();
    await scene.login({ user });
    const [counters = ''] = await admin.keys(`${PREFIX}*:c`);
    await admin.set(counters, PAYLOAD);
    expect(await failureOf(scene.list(user))).toBe(
      'ERR_SESSION_STORE: the session store failed: a key holds something that is not ours (WRONGTYPE)',
    );
  });

  it('say that the server is full', async () => {
    const scene = await open();
    await admin.config('SET', 'maxmemory', '1mb');
    expect(await login(scene)).toBe(
      'ERR_SESSION_STORE_FULL: the session store failed: the server is out of memory (OOM)',
    );
  });

  it('say that the server is a replica', async () => {
    const scene = await open();
    await admin.replicaof('127.0.0.1', 1);
    // The first call may spend its deadline on looking for the master.
    const failure = await until(
      () => login(scene),
      (text) => /READONLY|MASTERDOWN/.test(text),
    );
    expect(failure).toMatch(/^ERR_SESSION_STORE: .*(READONLY|MASTERDOWN)\)$/);
  });

  it('say that a right is missing', async () => {
    const scene = await open();
    await admin.acl('SETUSER', 'default', '-hset');
    expect(await login(scene)).toMatch(/^ERR_SESSION_STORE: .*redisAclRules.*\(NOPERM\)$/);
  });

  it('say that the server cannot write to its disk', async () => {
    // Nobody can write there, whatever their rights.
    const blocked = await startRedis({ args: ['--dir', '/proc', '--save', '3600 1'] });
    const store = entry.redisStore({ url: blocked.url });
    const scene = await openScene(store, { deadline: DEADLINE });
    scenes.push(scene);
    servers.push(blocked);
    await ask(blocked, 'BGSAVE');
    await until(
      async () => String(await ask(blocked, 'INFO', 'persistence')),
      (info) => info.includes('rdb_last_bgsave_status:err'),
    );
    expect(await login(scene)).toMatch(/\(MISCONF\)$/);
  });

  it('say that nothing came back in time', async () => {
    const scene = await open();
    const operations = await operationsOn(scene, DEADLINE);
    await server.freeze();
    for (const { operation, error } of await outcomesOf(operations)) {
      expect(`${operation} ${codeOf(error, server)}`).toMatch(/^\w+ ERR_SESSION_STORE/);
    }
    await server.thaw();
  });

  it('say that the connection was lost on the way', async () => {
    const scene = await open();
    await server.freeze();
    const failure = login(scene);
    await sleep(50);
    await server.kill();
    expect(await failure).toMatch(/^ERR_SESSION_STORE: the session store failed: the connection/);
  });

  it('say that nothing listens there', async () => {
    const scene = await open();
    await server.kill();
    // The first call may end before the first attempt to connect again does.
    const failure = await until(
      () => login(scene),
      (text) => text.includes('ECONNREFUSED'),
    );
    expect(failure).toMatch(/^ERR_SESSION_STORE: .*\(ECONNREFUSED\)$/);
  });

  it('say that the name is unknown', async () => {
    const store = entry.redisStore({ url: 'redis://no-such-host.invalid:6379' });
    const failure = await failureOf(openScene(store, { deadline: 1_000 }));
    expect(failure).toMatch(/^ERR_SESSION_STORE/);
    expect(failure).not.toContain('no-such-host');
    await store.close();
  });

  it('say that the server takes no more clients', async () => {
    const scene = await open();
    const store = entry.redisStore({ url: server.url });
    await admin.config('SET', 'maxclients', '2');
    const failure = await failureOf(openScene(store, { deadline: DEADLINE }));
    expect(failure).toMatch(
      /^ERR_SESSION_STORE: .*(as many clients as it takes|connection was lost)/,
    );
    await store.close();
    await scene.close();
  });
});

describe.each(DRIVERS)('S-09: errors of a cluster with %s', (driver) => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ masters: 1 });
  }, 30_000);
  afterAll(() => cluster.stop());

  it('say that the cluster is down', async () => {
    const entry = await importRedis(driver);
    const [node] = cluster.nodes;
    if (node === undefined) throw new Error('there is no node');
    const store = entry.redisStore({ cluster: cluster.urls, prefix: PREFIX });
    const scene = await openScene(store, { deadline: 1_000 });
    await ask(node, 'CLUSTER', 'DELSLOTSRANGE', 0, 16_383);
    const failure = await scene.login({ fields: { a: PAYLOAD } }).then(
      () => 'none',
      (error: unknown) => codeOf(error, node),
    );
    expect(failure).toMatch(/^ERR_SESSION_STORE(_TIMEOUT)?: /);
    await ask(node, 'CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await node.kill();
    const gone = await scene.login({ fields: { a: PAYLOAD } }).then(
      () => 'none',
      (error: unknown) => codeOf(error, node),
    );
    expect(gone).toMatch(/^ERR_SESSION_STORE: /);
    await scene.close();
  });
});
