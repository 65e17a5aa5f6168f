/**
 * A store that refuses, hangs or loses replies: nobody gets in, nobody is logged out, and everybody
 * gets an answer.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  SessionModule,
  type SessionModuleOptions,
  SessionService,
  memoryStore,
} from '../../src/index.js';
import {
  type FaultPlan,
  type FaultyStore,
  type StoreOperation,
  withFaults,
} from '../../src/testing/index.js';
import { ADAPTERS, SECRET, type TestApp, startApp } from '../support/app.js';
import { type Answer, Client } from '../support/client.js';
import { LogKeeper, create } from './programs/application.js';

const DEADLINE = 120;
/** RULE 1b says 100 ms; the rest is what a busy machine may add. */
const IN_TIME = DEADLINE + 100 + 700;

const UNAVAILABLE = (code: string): object => ({
  statusCode: 503,
  message: 'Sessions are temporarily unavailable',
  error: 'Service Unavailable',
  code,
});

describe.each(ADAPTERS)('a store with faults behind %s', (adapter) => {
  const running: TestApp[] = [];
  const stores: FaultyStore[] = [];
  afterEach(async () => {
    stores.splice(0).forEach((store) => {
      store.plan({});
      store.release();
    });
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (plan: FaultPlan = {}, session: SessionModuleOptions = {}) => {
    const store = withFaults(memoryStore(), plan);
    stores.push(store);
    const options = { store, storeDeadline: `${DEADLINE}ms`, ...session } as const;
    const app = await startApp(adapter, { session: options });
    running.push(app);
    return { ...app, store, client: new Client(app.url) };
  };

  const expectUnavailable = (answer: Answer, code: string): void => {
    expect(answer.body).toEqual(UNAVAILABLE(code));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(answer.setCookies).toEqual([]);
  };

  const faults = [
    ['refuses', { fail: 'before' }, 'ERR_SESSION_STORE'],
    ['loses its replies', { fail: 'after' }, 'ERR_SESSION_STORE'],
    ['hangs', { hang: 'before' }, 'ERR_SESSION_STORE_TIMEOUT'],
    ['hangs with the reply', { hang: 'after' }, 'ERR_SESSION_STORE_TIMEOUT'],
  ] as const;

  describe.each(faults)('that %s', (_what, fault, code) => {
    it('F-01, P1: guarded routes answer 503, public ones 200, and nobody is logged out', async () => {
      const { client, store } = await start();
      await client.login('alice');
      const cookies = client.cookies;
      store.plan({ all: fault });
      const begun = Date.now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/me')));
      expect(Date.now() - begun).toBeLessThan(IN_TIME);
      answers.forEach((answer) => expectUnavailable(answer, code));

      const calls = { ...store.calls };
      expect((await client.get('/public')).status).toBe(200);
      expect((await new Client(running[0]?.url ?? '').get('/me')).status).toBe(401);
      expect(store.calls).toEqual(calls);

      // F-02: as if nothing had been.
      store.plan({});
      expect(client.cookies).toBe(cookies);
      expect((await client.get('/me')).body).toMatchObject({ userId: 'alice' });
      // What comes too late is nobody's answer.
      store.release();
      expect((await client.get('/me')).status).toBe(200);
    });

    it('F-01: a public route that asks is not told "anonymous"', async () => {
      const { client, store } = await start();
      await client.login('alice');
      store.plan({ resolve: fault });
      expectUnavailable(await client.get('/who'), code);
      expectUnavailable(await client.get('/session/status'), code);
      expectUnavailable(await client.get('/data'), code);
      expectUnavailable(await client.post('/data/x', { value: 'y' }), code);
      store.plan({});
      expect((await client.get('/who')).body).toEqual({ active: true, userId: 'alice' });
    });

    it('F-03: no cookie without a stored session, and none cleared without a stored logout', async () => {
      const { client, store } = await start();
      await client.login('alice');
      const operations: [StoreOperation, () => Promise<Answer>][] = [
        ['create', () => client.post('/login', { user: 'alice' })],
        ['rotate', () => client.post('/rotate')],
        ['revoke', () => client.post('/logout')],
        ['revokeUser', () => client.post('/devices/revoke-all')],
        ['list', () => client.get('/devices')],
        ['write', () => client.post('/count')],
      ];
      const takesEffect = Object.values(fault).includes('after');
      for (const [operation, act] of takesEffect ? [] : operations) {
        store.plan({ [operation]: fault });
        expectUnavailable(await act(), code);
        store.plan({});
        expect((await client.get('/me')).status).toBe(200);
      }
      // Where the command took effect, its outcome is unknown to the caller; still no cookie moves.
      const cookies = client.cookies;
      store.plan({ create: fault, revoke: fault });
      expectUnavailable(await client.post('/login', { user: 'alice' }), code);
      expect(client.cookies).toBe(cookies);
    });

    it('P1: boots, says so once, and serves as soon as the store answers', async () => {
      const store = withFaults(memoryStore(), { open: fault });
      stores.push(store);
      const logger = new LogKeeper();
      const session = SessionModule.forRoot({
        secret: SECRET,
        store,
        storeDeadline: `${DEADLINE}ms`,
        cleanup: false,
      });
      const begun = Date.now();
      const app = await create(adapter, { imports: [session] }, { logger });
      await app.init();
      expect(Date.now() - begun).toBeLessThan(IN_TIME + 2_000);
      const errors = logger.of('error').map(({ message }) => message);
      expect(errors).toEqual([expect.stringMatching(`\\(${code}\\); requests get 503 until`)]);
      const service = app.get(SessionService);
      await expect(service.ping()).rejects.toMatchObject({ code });
      store.plan({});
      await expect(service.ping()).resolves.toMatchObject({ status: 'pong' });
      await app.close();
    });

    it('P1: an outage is in the log once, and so is its end', async () => {
      const store = withFaults(memoryStore());
      stores.push(store);
      const logger = new LogKeeper();
      const session = SessionModule.forRoot({
        secret: SECRET,
        store,
        storeDeadline: `${DEADLINE}ms`,
        cleanup: false,
      });
      const app = await create(adapter, { imports: [session] }, { logger });
      await app.init();
      const service = app.get(SessionService);
      const told = (level: 'error' | 'log'): unknown[] =>
        logger.of(level).flatMap(({ message }) => (/store/.test(message) ? [message] : []));
      for (let outage = 0; outage < 2; outage++) {
        store.plan({ all: fault });
        for (let i = 0; i < 3; i++) await expect(service.ping()).rejects.toMatchObject({ code });
        expect(told('error')).toEqual([
          expect.stringMatching(`\\(${code}\\); requests get 503 until`),
        ]);
        store.plan({});
        await service.ping();
        await service.ping();
        // The second one follows within 10 seconds: a store that comes and goes fills no log.
        expect(told('log')).toEqual(['the session store answers again']);
      }
      await app.close();
    });

    it('P1: does not keep the application from closing', async () => {
      const store = withFaults(memoryStore(), { close: fault });
      stores.push(store);
      const logger = new LogKeeper();
      const session = SessionModule.forRoot({
        secret: SECRET,
        store,
        storeDeadline: `${DEADLINE}ms`,
        cleanup: false,
      });
      const app = await create(adapter, { imports: [session] }, { logger });
      await app.init();
      const begun = Date.now();
      await app.close();
      expect(Date.now() - begun).toBeLessThan(IN_TIME);
      const warnings = logger.of('warn').map(({ message }) => message);
      expect(warnings).toEqual([expect.stringContaining(code)]);
    });
  });

  it('P1: a store that is only slow is waited for', async () => {
    const { client, store } = await start({}, { storeDeadline: '5s' });
    store.plan({ all: { delayBefore: 50, delayAfter: 50 } });
    await client.login('alice');
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/me')));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  });

  it('a store that fails once costs one request: the next one asks again', async () => {
    const { client, store } = await start();
    await client.login('alice');
    store.plan({ resolve: { fail: 'before', times: 1 } });
    expectUnavailable(await client.get('/me'), 'ERR_SESSION_STORE');
    expect((await client.get('/me')).status).toBe(200);
  });
});
