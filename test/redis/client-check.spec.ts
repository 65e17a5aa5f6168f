/**
 * The options of `redisStore()`, and what it accepts as a client: everything else is refused with
 * the name of what is wrong and with the remedy.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  type RedisClient,
  type RedisStoreOptions,
  redisStore,
} from '../../src/stores/redis/index.js';
import { SessionConfigError } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { DRIVERS, openScene } from '../unit/stores/redis.scene.kit.js';

const require = createRequire(import.meta.url);

/** The problems that `redisStore` names. */
function problemsOf(options: unknown): readonly string[] {
  try {
    redisStore(options as RedisStoreOptions);
    return [];
  } catch (error) {
    if (error instanceof SessionConfigError) return error.problems;
    throw error;
  }
}

describe('the options', () => {
  it.each([
    ['an address', { url: 'redis://localhost' }],
    ['everything in the address', { url: 'rediss://user:p%40ss@[::1]:6380/3' }],
    ['a Unix socket', { url: 'unix:///run/redis.sock', password: 'x' }],
    ['Sentinels', { sentinels: [{ host: 'a' }, { host: 'b', port: 26_380 }], name: 'sessions' }],
    ['a cluster', { cluster: ['redis://a:7000', { host: 'b', port: 7001 }] }],
    ['TLS options', { url: 'redis://localhost', tls: { rejectUnauthorized: true } }],
    ['a prefix', { url: 'redis://localhost', prefix: 'app:' }],
    ['replicas', { url: 'redis://localhost', waitReplicas: 2 }],
    [
      'undefined for what is not given',
      { url: 'redis://localhost', client: undefined, db: undefined },
    ],
  ])('take %s', (_, options) => {
    expect(problemsOf(options)).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /redisStore needs a server/],
    ['an empty object', {}, /exactly one of url, sentinels, cluster and client \(none is given/],
    ['a variable that is not set', { url: undefined }, /or the variable is not set/],
    ['two ways', { url: 'redis://a', cluster: ['redis://a'] }, /\(not url and cluster\)/],
    ['text instead of options', 'redis://a', /redisStore must be a plain object/],
    ['an unknown option', { url: 'redis://a', prefx: 'a' }, /did you mean redisStore\.prefix\?/],
    ['an empty URL', { url: '' }, /url is empty: set the environment variable/],
    ['another protocol', { url: 'http://a' }, /must begin with redis:\/\//],
    ['no URL', { url: 'localhost:6379' }, /must begin with redis:\/\//],
    ['a query', { url: 'redis://a?family=6' }, /nothing behind \?/],
    ['no number of a database', { url: 'redis://a/x' }, /number of the database/],
    ['no list of nodes', { cluster: 'redis://a' }, /must be a list of 1 to 1000 addresses/],
    ['no nodes', { cluster: [] }, /must be a list of 1 to 1000 addresses/],
    ['a node without a host', { cluster: [{ port: 1 }] }, /must have a host in every address/],
    ['a port that is none', { cluster: [{ host: 'a', port: 70_000 }] }, /ports from 1 to 65535/],
    ['more than an address', { cluster: [{ host: 'a', tls: {} }] }, /nothing but host and port/],
    ['a database of a cluster', { cluster: ['redis://a/1'] }, /cannot name a database/],
    [
      'a database beside a cluster',
      { cluster: ['redis://a'], db: 1 },
      /db does not go with cluster/,
    ],
    ['Sentinels without a name', { sentinels: [{ host: 'a' }] }, /name is missing/],
    ['a name without Sentinels', { url: 'redis://a', name: 'x' }, /name only goes with sentinels/],
    ['a braced prefix', { url: 'redis://a', prefix: 'a{b}' }, /prefix must be .* without braces/],
    ['an empty prefix', { url: 'redis://a', prefix: '' }, /prefix must be a text/],
    [
      'half a replica',
      { url: 'redis://a', waitReplicas: 0.5 },
      /waitReplicas must be a whole number from 0 to 5/,
    ],
    [
      'a number as password',
      { url: 'redis://a', password: 1 },
      /password must be a text .* \(got a number\)/,
    ],
    ['odd TLS', { url: 'redis://a', tls: 'yes' }, /tls must be true or options of tls\.connect/],
  ])('refuse %s', (_, options, expected) => {
    expect(problemsOf(options).join('\n')).toMatch(expected);
  });

  it('name all mistakes at once, and show no secret', () => {
    const secret = 'secret-of-the-test';
    const problems = problemsOf({
      url: `http://user:${secret}@${secret}`,
      password: [secret],
      prefix: '{',
      db: -1,
      tls: secret,
    });
    expect(problems).toHaveLength(5);
    expect(problems.join()).not.toContain(secret);
  });
});

describe.each(DRIVERS)('a client of %s', (driver) => {
  const { Redis, Cluster } = require(driver) as typeof import('ioredis');
  const SAFE = {
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1_000,
  };
  const redis = (options: object = {}): RedisClient => new Redis({ ...SAFE, ...options });
  const cluster = (options: object = {}): RedisClient =>
    new Cluster(['redis://a'], { lazyConnect: true, retryDelayOnFailover: 0, ...options });

  it('is taken if it fails fast', () => {
    expect(problemsOf({ client: redis() })).toEqual([]);
    expect(problemsOf({ client: cluster() })).toEqual([]);
    expect(problemsOf({ client: redis({ sentinels: [{ host: 'a' }], name: 'x' }) })).toEqual([]);
  });

  it.each<[string, () => RedisClient, RegExp]>([
    [
      'retries for ever',
      () => redis({ maxRetriesPerRequest: null }),
      /maxRetriesPerRequest: null.*client\.duplicate\(\{.*redisStore\(\{ url \}\)/s,
    ],
    [
      'sends twice',
      () => redis({ autoResendUnfulfilledCommands: true }),
      /autoResendUnfulfilledCommands/,
    ],
    [
      'sends twice to a cluster',
      () => cluster({ retryDelayOnFailover: 100 }),
      /retryDelayOnFailover/,
    ],
    ['reads from replicas', () => cluster({ scaleReads: 'slave' }), /scaleReads: 'master'/],
    ['reads from somewhere', () => cluster({ scaleReads: () => [] }), /scaleReads: 'master'/],
    ['prefixes keys', () => redis({ keyPrefix: 'app:' }), /keyPrefix.*option prefix of redisStore/],
    [
      'pins the slot',
      () => redis({ keyPrefix: '{app}:' }),
      /whose brace would put all sessions into one slot/,
    ],
    [
      'prefixes keys of a cluster',
      () => cluster({ redisOptions: { keyPrefix: 'app:' } }),
      /keyPrefix/,
    ],
  ])('is refused if it %s', (_, make, expected) => {
    const [problem = '', ...more] = problemsOf({ client: make() });
    expect(problem).toMatch(expected);
    expect(problem).toMatch(/^redisStore\.client /);
    expect(more).toEqual([]);
  });

  it('is refused with default options, and taken after what the message says', () => {
    const client = new Redis({ lazyConnect: true });
    const [problem = ''] = problemsOf({ client });
    expect(problem).toMatch(/autoResendUnfulfilledCommands/);
    const [, remedy = ''] = /client\.duplicate\(\{ (.*?) \}\)/.exec(problem) ?? [];
    const options = Object.fromEntries(
      remedy
        .split(', ')
        .map((pair) =>
          pair
            .split(': ')
            .map((part) => JSON.parse(/^[a-z]+[A-Z]/.test(part) ? `"${part}"` : part) as unknown),
        ),
    ) as object;
    expect(problemsOf({ client: client.duplicate(options) })).toEqual([]);
  });

  it('goes with nothing that would have to be said where it is made', () => {
    const problems = problemsOf({
      client: redis(),
      password: 'x',
      db: 1,
      tls: true,
      username: 'x',
    });
    expect(problems).toHaveLength(4);
    for (const problem of problems) expect(problem).toMatch(/does not go with client/);
  });

  describe('and a server', () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server.stop());

    it('stays open when the store is closed', async () => {
      const client = new Redis(server.url, SAFE);
      const listeners = client.eventNames().length;
      const scene = await openScene(redisStore({ client }));
      const login = await scene.login();
      expect(await scene.verdict(login)).toBe('active current');
      await scene.close();
      expect(client.status).toBe('ready');
      expect(client.eventNames()).toHaveLength(listeners);
      const again = await openScene(redisStore({ client }));
      expect(await again.verdict(login)).toBe('active current');
      await again.close();
      client.disconnect();
    });

    it('is warned about if it keeps commands without end', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
      const client = new Redis(server.url, {
        ...SAFE,
        enableOfflineQueue: true,
        commandTimeout: undefined,
      });
      const scene = await openScene(redisStore({ client }));
      expect(warn.mock.calls).toEqual([
        [expect.stringContaining('enableOfflineQueue'), { code: 'NSK_REDIS_CLIENT' }],
      ]);
      warn.mockRestore();
      await scene.close();
      client.disconnect();
    });

    it('says so if the application closed it', async () => {
      const client = new Redis(server.url, SAFE);
      const scene = await openScene(redisStore({ client }));
      client.disconnect();
      await expect(scene.login()).rejects.toThrow('the client was closed');
      await scene.close();
    });
  });
});

describe('what is no client of ioredis', () => {
  class RedisClientOfSomebody {
    status = 'ready';
    sendCommand(): void {}
    connect(): void {}
  }
  it.each<[string, unknown, RegExp]>([
    [
      'of another driver',
      new RedisClientOfSomebody(),
      /\(node-redis is another driver\); found an object of class RedisClientOfSomebody/,
    ],
    ['a plain object', {}, /found a plain object/],
    ['a class', RedisClientOfSomebody, /not the class/],
    ['text', 'redis://a', /must be a client of ioredis/],
    ['null', null, /must be a client of ioredis/],
    [
      'hostile',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
      /throws when it is read/,
    ],
  ])('is refused: %s', (_, client, expected) => {
    expect(problemsOf({ client }).join()).toMatch(expected);
  });

  it('is refused: an ioredis 4', () => {
    const method = (): void => undefined;
    class Redis {
      status = 'ready';
      options = { dropBufferSupport: false };
      evalsha = method;
      eval = method;
      call = method;
      duplicate = method;
      connect = method;
      disconnect = method;
      on = method;
      off = method;
    }
    expect(problemsOf({ client: new Redis() }).join()).toMatch(
      /class Redis of ioredis 4: npm install ioredis@latest/,
    );
  });
});

describe('a server', () => {
  /** Says what it is told to say of itself. */
  const pretend = (info: string): Promise<{ server: Server; url: string; sockets: Socket[] }> =>
    new Promise((resolve) => {
      const sockets: Socket[] = [];
      const server = createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => undefined);
        socket.on('data', (data) => {
          const isInfo = /\binfo\r\n/i.test(String(data));
          const rest = isInfo ? String(data).split(/\binfo\r\n/i).length - 1 : 0;
          const commands = (String(data).match(/^\*\d+/gm) ?? []).length;
          socket.write('+OK\r\n'.repeat(Math.max(0, commands - rest)));
          socket.write(`$${info.length}\r\n${info}\r\n`.repeat(rest));
        });
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        resolve({ server, sockets, url: `redis://127.0.0.1:${port}` });
      });
    });

  it.each([
    ['redis_version:6.2.14', /needs Redis 7\.0 or Valkey 7\.2 or newer \(found Redis 6\.2\.14\)/],
    ['redis_version:7.2.4\r\nvalkey_version:7.1.0', /found Valkey 7\.1\.0/],
    [
      'redis_version:7.0.0\r\ncluster_enabled:1',
      /is a node of a cluster: use redisStore\(\{ cluster/,
    ],
  ])('that says %s is refused', async (info, expected) => {
    const { server, url, sockets } = await pretend(`${info}\r\n`);
    const store = redisStore({ url });
    const error = await openScene(store).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error?.name).toBe('SessionConfigError');
    expect(error?.message).toMatch(expected);
    await store.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
