/**
 * The ways to a server: each keeps the contract, with both supported versions of ioredis.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Cluster, Redis } from 'ioredis';
import { type RedisStoreOptions, redisStore } from '../../src/stores/redis/index.js';
import { ask } from '../support/servers/ask.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { type RedisSentinel, startSentinel } from '../support/servers/sentinel.js';
import { isMaster } from '../support/servers/replication.js';
import { until } from '../support/until.js';
import { adminOf, adminOfCluster } from '../unit/stores/redis.faults.kit.js';
import {
  DRIVERS,
  type RedisEntry,
  importRedis,
  openScene,
} from '../unit/stores/redis.scene.kit.js';

describe('on one server', () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis();
    admin = adminOf(server);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  it('works from the first call on, however many come at once', async () => {
    const store = redisStore({ url: server.url, prefix: 'burst:' });
    const scene = await openScene(store, { deadline: 5_000 });
    const logins = await Promise.all(Array.from({ length: 300 }, () => scene.login()));
    expect(new Set(await scene.verdicts(logins))).toEqual(new Set(['active current']));
    await scene.close();
  });

  it('can be closed and opened again', async () => {
    const store = redisStore({ url: server.url, prefix: 'again:' });
    const first = await openScene(store);
    const login = await first.login();
    await first.close();
    await first.close();
    await expect(store.stats()).rejects.toThrow('the session store is not open');
    const second = await openScene(store, { deadline: 700 });
    expect(await second.verdict(login)).toBe('active current');
    await second.close();
  });

  it('leaves no connection behind', async () => {
    const count = async (): Promise<number> =>
      String(await admin.client('LIST')).split('nestjs-session-kit').length - 1;
    const store = redisStore({ url: server.url, prefix: 'quiet:' });
    const scene = await openScene(store);
    const end = store.bus.subscribe({});
    expect(await count()).toBeGreaterThan(0);
    end();
    await scene.close();
    while ((await count()) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await count()).toBe(0);
  });
});

describe.each(DRIVERS)('with %s', (driver) => {
  let entry: RedisEntry;
  const servers: RedisServer[] = [];
  beforeEach(async () => {
    entry = await importRedis(driver);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  const start = async (options: Parameters<typeof startRedis>[0]): Promise<RedisServer> => {
    const server = await startRedis(options);
    servers.push(server);
    return server;
  };
  const tryOut = async (options: RedisStoreOptions): Promise<string> => {
    const store = entry.redisStore(options);
    try {
      const scene = await openScene(store);
      return await scene.verdict(await scene.login());
    } catch (error) {
      return (error as Error).message;
    } finally {
      await store.close();
    }
  };

  it('connects with a password and a database', async () => {
    const server = await start({ password: 'p@ss/word:of#the?test' });
    expect(await tryOut({ url: `${server.url}/5` })).toBe('active current');
    const admin = adminOf({ ...server, password: 'p@ss/word:of#the?test' });
    expect(await admin.info('keyspace')).toMatch(/^db5:/m);
    admin.disconnect();
  });

  it('connects through a Unix socket', async () => {
    const server = await start({ socket: true });
    expect(await tryOut({ url: `unix://${server.socket}` })).toBe('active current');
  });

  it('connects with TLS to a server that it can trust, and to no other', async () => {
    const server = await start({ tls: true });
    const { ca = '', url } = server;
    expect(await tryOut({ url, tls: { ca } })).toBe('active current');
    expect(await tryOut({ url })).toMatch(/the connection failed \((DEPTH|SELF|UNABLE)_/);
    expect(await tryOut({ url: url.replace('rediss', 'redis') })).toMatch(/session store/);
  });
});

describe('on a cluster', () => {
  let cluster: RedisCluster;
  let admin: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    admin = adminOfCluster(cluster.urls);
  }, 60_000);
  afterAll(async () => {
    admin.disconnect();
    await cluster.stop();
  });

  describe.each(DRIVERS)('with %s', (driver) => {
    let entry: RedisEntry;
    beforeAll(async () => {
      entry = await importRedis(driver);
    });
    it('works from the first call on, however many come at once', async () => {
      const store = entry.redisStore({ cluster: cluster.urls, prefix: 'burst:' });
      const scene = await openScene(store, { deadline: 5_000 });
      const logins = await Promise.all(Array.from({ length: 300 }, () => scene.login()));
      expect(new Set(await scene.verdicts(logins))).toEqual(new Set(['active current']));
      await scene.close();
    });

    it('follows slots that move', async () => {
      const { redisStore: make } = entry;
      const scene = await openScene(make({ cluster: cluster.urls.slice(0, 1), prefix: 'move:' }));
      const logins = await Promise.all(Array.from({ length: 50 }, () => scene.login()));
      const [from, to] = cluster.nodes;
      const [key = ''] = (
        await Promise.all(admin.nodes('master').map((node) => node.keys('move:*:s:*')))
      ).flat();
      const owner = await cluster.ownerOf(key);
      const target = owner === from ? to : from;
      if (target === undefined) throw new Error('there is no other node');
      const slot = await cluster.slotOf(key);
      const move = await cluster.beginMove(owner, target, slot);
      expect(new Set(await scene.verdicts(logins))).toEqual(new Set(['active current']));
      await move.finish();
      expect(new Set(await scene.verdicts(logins))).toEqual(new Set(['active current']));
      await scene.close();
    });

    it('V-11: validates on the master, however far behind its replicas are', async () => {
      // On a busy machine a replica may have taken over.
      const isServing = await Promise.all(cluster.nodes.map(isMaster));
      const masters = cluster.nodes.filter((_, i) => isServing[i]);
      const replicas = cluster.nodes.filter((_, i) => !isServing[i]);
      const prefix = `${driver}-lag:`;
      const scene = await openScene(entry.redisStore({ cluster: cluster.urls, prefix }));
      const logins = await Promise.all(Array.from({ length: 20 }, () => scene.login()));
      const known = async (): Promise<number> => {
        const lists = await Promise.all(
          replicas.map((replica) => ask(replica, 'KEYS', `${prefix}*:s:*`)),
        );
        return (lists as string[][]).flat().length;
      };
      await until(known, (count) => count === logins.length);
      // They lose their masters, cannot come back, and go on answering with what they have.
      const allow = (sign: string): Promise<unknown> =>
        Promise.all(
          masters.map((node) =>
            ask(node, 'ACL', 'SETUSER', 'default', `${sign}psync`, `${sign}sync`),
          ),
        );
      await allow('-');
      for (const node of masters) await ask(node, 'CLIENT', 'KILL', 'TYPE', 'replica');
      for (const node of replicas) await ask(node, 'CONFIG', 'RESETSTAT');
      await Promise.all(logins.map((login) => scene.revoke(login)));
      expect(new Set(await scene.verdicts(logins))).toEqual(new Set(['ended revoked']));
      expect(await known()).toBe(logins.length);
      for (const node of replicas) {
        expect(String(await ask(node, 'INFO', 'commandstats'))).not.toMatch(/cmdstat_evalsha/);
      }
      await allow('+');
      await cluster.whole();
      await scene.close();
    }, 30_000);
  });

  it('is needed where the server is a node of one', async () => {
    const [url = ''] = cluster.urls;
    const store = redisStore({ url });
    await expect(openScene(store)).rejects.toThrow('use redisStore({ cluster: [url] })');
    await store.close();
  });
});

describe('with Sentinels', () => {
  let sentinel: RedisSentinel;
  beforeAll(async () => {
    sentinel = await startSentinel();
  }, 60_000);
  afterAll(() => sentinel.stop());

  it.each(DRIVERS)('finds the master with %s, also if the first Sentinel hangs', async (driver) => {
    const entry = await importRedis(driver);
    const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
    const connect = async (): Promise<string> => {
      const store = entry.redisStore({ sentinels, name: sentinel.name, prefix: `${driver}:` });
      const scene = await openScene(store, { deadline: 3_000 });
      const verdict = await scene.verdict(await scene.login());
      await scene.close();
      return verdict;
    };
    expect(await connect()).toBe('active current');
    const [first] = sentinel.sentinels;
    await first?.freeze();
    expect(await connect()).toBe('active current');
    await first?.thaw();
  });
});
