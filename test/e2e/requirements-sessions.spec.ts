/**
 * Security requirements that concern time, ends and concurrency of sessions.
 * `docs/security/requirements.md` lists them all.
 */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  type SessionModuleOptions,
  SessionService,
  type SessionStore,
  memoryStore,
} from '../../src/index.js';
import { manualClock, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const running: TestApp[] = [];
const startOn = async (
  adapter: (typeof ADAPTERS)[number],
  session: SessionModuleOptions,
): Promise<TestApp> => {
  const app = await startApp(adapter, { session });
  running.push(app);
  return app;
};
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(running.splice(0).map((app) => app.close()));
});

describe.each(ADAPTERS)('requirements on sessions, on %s', (adapter) => {
  const start = (session: SessionModuleOptions): Promise<TestApp> => startOn(adapter, session);

  it.each([
    ['long before', Date.UTC(2026, 0, 2)],
    ['long after', Date.UTC(2050, 0, 1)],
  ])('E-03: only the clock of the store counts, one %s ours', async (_what, moment) => {
    const clock = manualClock(moment);
    const { url } = await start({ store: memoryStore({ clock: clock.now }) });
    const client = new Client(url);
    await client.login('alice');
    const real = Date.now;
    for (const skew of [HOUR, -HOUR, 48 * HOUR]) {
      jest.spyOn(Date, 'now').mockImplementation(() => real() + skew);
      clock.advance(29 * MINUTE);
      expect((await client.get('/me')).status).toBe(200);
    }
    clock.advance(30 * MINUTE);
    expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_IDLE' });
  });

  it('E-06: what has expired stays dead when the timeout grows', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock: clock.now });
    const client = new Client((await start({ store, timeouts: { idle: '1m' } })).url);
    await client.login('alice');
    clock.advance(MINUTE);
    await running.splice(0)[0]?.close();
    const restarted = new Client((await start({ store, timeouts: { idle: '12h' } })).url);
    restarted.cookies = client.cookies;
    expect((await restarted.get('/me')).status).toBe(401);
  });

  it('V-05: when a user is shut out, the next request anywhere is refused', async () => {
    const store = memoryStore();
    const [a, b] = [await start({ store }), await start({ store })];
    const clients = [new Client(a.url), new Client(b.url)];
    for (const client of clients) await client.login('alice');
    const other = new Client(b.url);
    await other.login('bob');
    expect(await a.app.get(SessionService).revokeUser('alice')).toBe(2);
    for (const client of clients) {
      for (const { url } of [a, b]) {
        const copy = new Client(url);
        copy.cookies = client.cookies;
        expect((await copy.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      }
    }
    expect((await other.get('/me')).status).toBe(200);
  });

  it('K-04: requests that only read make no write of data', async () => {
    const store = withFaults(memoryStore());
    const client = new Client((await start({ store })).url);
    await client.login('alice');
    await client.post('/data/a', { value: 'b' });
    const before = { ...store.calls };
    for (let i = 0; i < 100; i++) expect((await client.get('/data')).body).toEqual({ a: 'b' });
    const { resolve, read, ...others } = store.calls;
    expect(resolve).toBe(before.resolve + 100);
    expect({ ...others, resolve: before.resolve, read: before.read }).toEqual(before);
    expect(read).toBe(before.read);
  });

  it('F-02: a store that was away and comes back logs nobody out', async () => {
    const store = withFaults(memoryStore());
    const client = new Client((await start({ store })).url);
    await client.login('alice');
    store.plan({ all: { fail: 'before' } });
    const failed = await client.get('/me');
    expect(failed.status).toBe(503);
    expect(failed.setCookies).toEqual([]);
    store.plan({});
    expect((await client.get('/me')).body).toMatchObject({ userId: 'alice' });
  });
});

describe('requirements on the service', () => {
  const clock = manualClock();
  const start = async (session: SessionModuleOptions = {}): Promise<SessionService> => {
    const store = memoryStore({ clock: clock.now });
    const { app } = await startOn('express', { store, ...session });
    return app.get(SessionService);
  };
  const isActive = async (service: SessionService, token: string): Promise<boolean> =>
    (await service.resolve(token, { touch: false })).status === 'active';

  it('E-04: the touch interval ends a session early at most, never late', async () => {
    const [idle, touchInterval] = [10 * MINUTE, 30 * SECOND];
    const service = await start({ timeouts: { idle, absolute: 400 * 24 * HOUR, touchInterval } });
    const login = async (): Promise<string> => (await service.create('alice')).token.token.reveal();
    let token = await login();
    const [early, late]: [number[], number[]] = [[], []];
    let random = 12_345;
    for (let i = 0; i < 1_000; i++) {
      random = (random * 48_271) % 0x7fff_ffff;
      const gap = i % 10 === 0 ? idle - touchInterval + (random % 60_001) : random % idle;
      clock.advance(gap);
      const { status } = await service.resolve(token);
      if (status === 'active' && gap >= idle) late.push(gap);
      if (status !== 'active' && gap < idle - touchInterval) early.push(gap);
      if (status !== 'active') token = await login();
    }
    expect({ early, late }).toEqual({ early: [], late: [] });
  });

  it('V-04: an administrator ends all sessions of one user, or of everybody', async () => {
    const service = await start({ concurrency: { max: 1_000 } });
    const create = async (user: string): Promise<string> =>
      (await service.create(user)).token.token.reveal();
    const alice = await Promise.all(Array.from({ length: 1_000 }, () => create('alice')));
    const others = await Promise.all(Array.from({ length: 1_000 }, (_, i) => create(`u${i}`)));
    expect(await service.revokeUser('alice')).toBe(1_000);
    for (const token of alice) expect(await isActive(service, token)).toBe(false);
    expect(await isActive(service, others[0] ?? '')).toBe(true);
    clock.advance(1);
    await service.revokeEveryone();
    for (const token of others) expect(await isActive(service, token)).toBe(false);
  });

  it('K-05, V-02: commands for a session that ended change nothing, and bring nothing back', async () => {
    const seen: { readonly name: string; readonly request: unknown }[] = [];
    const inner = memoryStore({ clock: clock.now });
    const store = new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (request: unknown): unknown => {
          seen.push({ name: String(name), request });
          return (value as (given: unknown) => unknown).call(target, request);
        };
      },
    }) as SessionStore;
    const { url } = await startOn('express', { store });
    const client = new Client(url);
    await client.login('alice');
    await client.post('/data/a', { value: 'b' });
    await client.get('/me');
    await client.post('/rotate');
    const copy = client.clone();
    await client.post('/logout');
    const statuses: Record<string, string> = {};
    for (const { name, request } of seen.slice()) {
      if (!['create', 'resolve', 'write', 'rotate', 'revoke'].includes(name)) continue;
      const reply = await (inner[name as 'revoke'] as (given: unknown) => Promise<object>)(request);
      statuses[name] = (reply as { status: string }).status;
    }
    expect(statuses).toEqual({
      create: 'taken',
      resolve: 'ended',
      write: 'gone',
      rotate: 'gone',
      revoke: 'gone',
    });
    expect((await copy.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
  });

  it('K-06: the list of a user is the set of their live sessions, after any history', async () => {
    const service = await start({ concurrency: { max: 3 }, timeouts: { idle: '10m' } });
    const users = ['alice', 'bob', 'carol'];
    const held: { readonly user: string; readonly id: string; readonly token: string }[] = [];
    let random = 1;
    const next = (below: number): number => {
      random = (random * 48_271) % 0x7fff_ffff;
      return random % below;
    };
    for (let i = 0; i < 1_500; i++) {
      const user = users[next(3)] ?? '';
      const one = held[next(Math.max(held.length, 1))];
      const action = next(20);
      if (action < 8) {
        const { session, token } = await service.create(user);
        held.push({ user, id: session.id, token: token.token.reveal() });
      } else if (action < 13) await service.resolve(one?.token ?? '');
      else if (action < 15 && one) await service.revoke(one.id);
      else if (action === 15) await service.revokeUser(user);
      else if (action === 16) await service.sweep({ batch: 10, budget: 1_000 });
      else clock.advance(next(5 * MINUTE));
      if (i % 25 > 0) continue;
      for (const name of users) {
        const listed = (await service.list(name)).sessions.map(({ id }) => id);
        const own = held.filter((session) => session.user === name);
        const live = await Promise.all(own.map(({ token }) => isActive(service, token)));
        expect(listed.toSorted()).toEqual(
          own
            .filter((_, k) => live[k])
            .map(({ id }) => id)
            .toSorted(),
        );
      }
      held.splice(0, Math.max(0, held.length - 60));
    }
  });

  it('K-07: three cleanups at once end each expired session once, and no live one', async () => {
    const store = memoryStore({ clock: clock.now });
    const services = await Promise.all([1, 2, 3].map(() => start({ store })));
    const [service] = services;
    if (service === undefined) throw new Error('three were started');
    const ended: string[] = [];
    for (const one of services) {
      one.on('session.ended', ({ sessionId }) => void ended.push(sessionId));
    }
    for (let i = 0; i < 300; i++) await service.create(`old-${i}`);
    clock.advance(29 * MINUTE);
    const { token } = await service.create('alice');
    clock.advance(MINUTE);
    const reports = await Promise.all(
      services.map((one) => one.sweep({ batch: 20, budget: 10_000 })),
    );
    expect(reports.reduce((sum, report) => sum + report.ended, 0)).toBe(300);
    expect(ended).toHaveLength(300);
    expect(new Set(ended).size).toBe(300);
    expect(await isActive(service, token.token.reveal())).toBe(true);
  });

  it('L-02: a life of sessions gives exactly the events it should, once each', async () => {
    const store = memoryStore({ clock: clock.now });
    const concurrency = { max: 2 };
    const [a, b] = [await start({ store, concurrency }), await start({ store, concurrency })];
    const events: string[] = [];
    for (const service of [a, b]) {
      service.on('session.created', ({ sessionId }) => void events.push(`created ${sessionId}`));
      service.on('session.ended', (e) => void events.push(`${e.reason} ${e.sessionId}`));
      service.on('session.login-failed', ({ userId }) => void events.push(`failed ${userId}`));
    }
    const login = async (service: SessionService): Promise<string> => {
      clock.advance(1);
      return (await service.create('alice')).session.id;
    };
    await a.recordLoginFailure('alice');
    const [one, two, three] = [await login(a), await login(b), await login(a)];
    await b.revoke(two);
    const four = await login(b);
    await a.revoke(three, { reason: 'logout' });
    clock.advance(30 * MINUTE);
    await Promise.all([a, b].map((service) => service.sweep({ batch: 10, budget: 1_000 })));
    expect(events).toEqual([
      'failed alice',
      `created ${one}`,
      `created ${two}`,
      `evicted ${one}`,
      `created ${three}`,
      `revoked ${two}`,
      `created ${four}`,
      `logout ${three}`,
      `idle ${four}`,
    ]);
  });

  it('L-08: the figures are right after timeouts that nobody noticed, and name nobody', async () => {
    const service = await start();
    for (let i = 0; i < 30; i++) await service.create(`user-of-note-${i % 10}`);
    expect(await service.stats()).toMatchObject({ active: 30, users: { active: 10, max: 3 } });
    clock.advance(30 * MINUTE);
    const stats = await service.stats();
    expect(stats).toMatchObject({ active: 0, created: 30, users: { active: 0 } });
    expect(JSON.stringify(stats)).not.toContain('user-of-note');
  });

  it('Q-06: pages are bounded, and together they are complete', async () => {
    const service = await start();
    const ids = new Set<string>();
    for (let i = 0; i < 250; i++) ids.add((await service.create(`u${i}`)).session.id);
    await expect(service.page({ limit: 101 })).rejects.toThrow(RangeError);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await service.page({ limit: 100, ...(cursor !== undefined && { cursor }) });
      expect(page.sessions.length).toBeLessThanOrEqual(100);
      seen.push(...page.sessions.map(({ id }) => id));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(seen).toHaveLength(250);
    expect(new Set(seen)).toEqual(ids);
  });
});
