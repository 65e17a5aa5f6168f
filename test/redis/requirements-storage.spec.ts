/**
 * Requirements on what is stored, told and counted, on a real server. `requirements-damage` and
 * `requirements-secrets` have the others.
 */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type SessionModuleOptions, SessionService } from '../../src/index.js';
import { redisStore } from '../../src/stores/redis/index.js';
import { type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { useRedis } from '../support/servers/hooks.js';
import { until } from '../support/until.js';
import { LogKeeper } from '../e2e/programs/application.js';
import { flatten } from './requirements.kit.js';

const PASSWORD = 'pa55word-0d3e';
const PAYLOAD = 'payload-77ac';

const server = useRedis({ password: PASSWORD });

describe('requirements on storage, on a server', () => {
  const running: TestApp[] = [];
  let admin: Redis;
  beforeAll(() => {
    admin = new Redis(server().url);
  });
  afterAll(() => admin.disconnect());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
    await admin.flushall();
  });

  const start = async (
    session: SessionModuleOptions = {},
    logger?: LogKeeper,
  ): Promise<TestApp> => {
    const app = await startApp('fastify', {
      session: { store: redisStore({ url: server().url }), storeDeadline: '10s', ...session },
      ...(logger && { logger }),
    });
    running.push(app);
    return app;
  };

  it('S-05: values come back as they were, small and large, from another instance too', async () => {
    const [a, b] = [await start(), await start()];
    const client = new Client(a.url);
    await client.login('alice');
    const values: Record<string, unknown> = {
      big: '9007199254740993',
      micros: 1_764_000_000_123_456,
      safe: Number.MAX_SAFE_INTEGER,
      small: 1e-7,
      third: 1 / 3,
      list: [],
      object: {},
      nested: { list: [[], {}, [[]]], none: null },
      zero: '\u0000',
      smile: '😀',
      long: '\u0000😀"\\'.repeat(50),
      many: Array.from({ length: 200 }, (_, i) => ({ i, empty: [], none: {} })),
    };
    for (const [name, value] of Object.entries(values)) {
      expect((await client.post(`/data/${name}`, { value })).status).toBe(204);
    }
    const other = new Client(b.url);
    other.cookies = client.cookies;
    expect((await other.get('/data')).body).toEqual(values);
    const deep = JSON.parse(`${'['.repeat(1_500)}${']'.repeat(1_500)}`) as never;
    const { session } = await a.app.get(SessionService).create('bob');
    await expect(session.set({ deep } as never)).rejects.toMatchObject({
      code: 'ERR_SESSION_TOO_LARGE',
    });
  });

  it('S-09: neither logs nor answers nor errors tell a host, password, token, key or payload', async () => {
    const logger = new LogKeeper();
    const { app, url } = await start({ storeDeadline: '1s' }, logger);
    const service = app.get(SessionService);
    const client = new Client(url);
    await client.login('alice');
    await client.post('/data/note', { value: PAYLOAD });
    const token = client.cookies.slice('__Host-sid='.length);
    const [counters = ''] = await admin.keys('nsk:*:c');
    const told: unknown[] = [];
    const fail = async (
      what: string,
      run: () => Promise<unknown>,
      undo: () => Promise<unknown>,
    ) => {
      await run();
      const answer = await client.post('/data/note', { value: PAYLOAD });
      expect([what, answer.status]).toEqual([what, 503]);
      const thrown: unknown = await service
        .create('alice', { data: { note: PAYLOAD } })
        .catch((error: unknown) => error);
      const listed: unknown = await service.list('alice').catch((error: unknown) => error);
      told.push(
        answer.body,
        [...answer.headers],
        thrown,
        listed instanceof Error ? listed : undefined,
      );
      expect([what, thrown instanceof Error]).toEqual([what, true]);
      await undo();
      await until(
        () => client.get('/me'),
        ({ status }) => status === 200,
      ).catch((error: unknown) => {
        throw new Error(`after ${what}`, { cause: error });
      });
    };
    const dump = await admin.dumpBuffer(counters);
    const configured = (name: string, value: string) => () => admin.config('SET', name, value);
    await fail(
      'WRONGTYPE',
      () => admin.set(counters, PAYLOAD),
      () => admin.restore(counters, 0, dump, 'REPLACE'),
    );
    await fail('OOM', configured('maxmemory', '1'), configured('maxmemory', '0'));
    await fail(
      'READONLY',
      () => admin.replicaof('127.0.0.1', 1),
      () => admin.replicaof('NO', 'ONE'),
    );
    await fail(
      'NOPERM',
      () => admin.acl('SETUSER', 'default', '-hset', '-hmget'),
      () => admin.acl('SETUSER', 'default', '+@all'),
    );
    await fail(
      'timeout',
      () => server().freeze(),
      () => server().thaw(),
    );
    const text = `${flatten(told)}\n${flatten(logger.of('error'))}\n${flatten(logger.of('warn'))}`;
    expect(text).toContain('ERR_SESSION_STORE_TIMEOUT');
    const secrets = [PASSWORD, PAYLOAD, token, counters, 'nsk:', server().host, `${server().port}`];
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it('L-08: the figures are those of the store, also after ends that nobody noticed', async () => {
    const { app } = await start({
      timeouts: { classes: { brief: { idle: '500ms', absolute: '1h' } } },
    });
    const service = app.get(SessionService);
    const names = (value: unknown): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([name, part]) => [name, ...names(part)])
        : [];
    const before = names(await service.stats());
    const creates = Array.from({ length: 600 }, (_, i) =>
      service.create(`user-of-note-${i % 200}`, i % 3 === 0 ? { limitClass: 'brief' } : {}),
    );
    const created = await Promise.all(creates);
    await service.revoke(created[1]?.session.id ?? '');
    await until(
      () => service.stats(),
      ({ active }) => active === 399,
    );
    const stats = await service.stats();
    let live = 0;
    let cursor: string | undefined;
    do {
      const page = await service.page({ limit: 100, ...(cursor !== undefined && { cursor }) });
      live += page.sessions.length;
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(stats).toMatchObject({ active: live, created: 600, ended: { revoked: 1 } });
    // What would be a series each: as many as before the first user.
    expect(names(stats)).toEqual(before);
    expect(stats.duration.classes.length + stats.users.distribution.length).toBeLessThan(20);
    expect(JSON.stringify(stats)).not.toContain('user-of-note');
    expect(JSON.stringify(stats)).not.toContain(created[0]?.session.id);
  });

  it('S-07: a plain connection over a network is warned of, unless it is meant', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      redisStore({ url: 'redis://localhost' });
      redisStore({ url: 'redis://[::1]:6379' });
      redisStore({ url: 'unix:///run/redis.sock' });
      redisStore({ url: 'rediss://redis.example' });
      redisStore({ url: 'redis://redis.example', tls: false });
      redisStore({ cluster: [{ host: '127.0.0.1' }, { host: 'redis.example' }], tls: true });
      expect(warn.mock.calls).toEqual([]);
      redisStore({ url: 'redis://user:secret@redis.example' });
      redisStore({ cluster: [{ host: '127.0.0.1' }, { host: '192.0.2.1' }] });
      redisStore({ name: 'main', sentinels: [{ host: 'sentinel.example' }] });
      const told = [expect.stringContaining('rediss://'), { code: 'NSK_REDIS_PLAIN' }];
      expect(warn.mock.calls).toEqual([told, told, told]);
      expect(JSON.stringify(warn.mock.calls)).not.toMatch(/example|secret|user:/);
    } finally {
      warn.mockRestore();
    }
  });
});
