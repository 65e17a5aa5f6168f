/**
 * Signals over HTTP: a session that is used from elsewhere is reported, and where the application
 * says so it has to prove itself once more.
 */
import { Controller, Get, HttpCode, Post, UseGuards } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AllowPending,
  CurrentSession,
  RequestSession,
  SessionGuard,
  type SessionModuleOptions,
  SessionService,
  memoryStore,
} from '../../src/index.js';
import { manualClock, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { type Answer, Client } from '../support/client.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0';
const NEWER = FIREFOX.replaceAll('131.0', '132.0');
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';

@Controller('s')
@UseGuards(SessionGuard)
class ProofController {
  @AllowPending()
  @Post('prove')
  @HttpCode(204)
  async prove(@CurrentSession() session: RequestSession): Promise<void> {
    await session.elevate({ methods: ['otp'] });
  }

  @Get('claims')
  claims(@CurrentSession() session: RequestSession): object {
    return session.info ?? {};
  }
}

describe.each(ADAPTERS)('signals on %s', (adapter) => {
  const running: TestApp[] = [];
  const start = async (session: SessionModuleOptions = {}): Promise<TestApp> => {
    const app = await startApp(adapter, {
      session,
      module: { controllers: [ProofController] },
      prepare: (made) => {
        if (adapter === 'express') (made as NestExpressApplication).set('trust proxy', true);
      },
    });
    running.push(app);
    return app;
  };
  const changes = (app: TestApp): object[] => {
    const events: object[] = [];
    app.app.get(SessionService).on('session.client-changed', (event) => void events.push(event));
    return events;
  };
  const login = (client: Client, agent = FIREFOX): Promise<Answer> =>
    client.post('/login', { user: 'alice' }, { 'user-agent': agent });
  const me = (client: Client, agent: string): Promise<Answer> =>
    client.get('/me', { 'user-agent': agent });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('L-07: another program keeps 200 and is reported once; an update of it is not', async () => {
    const app = await start();
    const events = changes(app);
    const client = new Client(app.url);
    await login(client);
    expect((await me(client, NEWER)).status).toBe(200);
    expect(events).toEqual([]);
    for (let i = 0; i < 5; i += 1) expect((await me(client, CHROME)).status).toBe(200);
    expect(events).toMatchObject([{ signal: 'client-changed', action: 'report', userId: 'alice' }]);
  });

  it('L-07: off compares nothing', async () => {
    const app = await start({ signals: { addressChange: 'off', clientChange: 'off' } });
    const events = changes(app);
    const client = new Client(app.url);
    await login(client);
    expect((await me(client, CHROME)).status).toBe(200);
    expect(events).toEqual([]);
  });

  it('L-07: enforce asks for a proof where one can be given, and takes it for that place', async () => {
    const app = await start({ signals: { clientChange: 'enforce' } });
    const client = new Client(app.url);
    await login(client);
    const refused = await me(client, CHROME);
    expect(refused.status).toBe(401);
    expect(refused.body).toMatchObject({ code: 'ERR_SESSION_STEP_UP', stepUp: {} });
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_user_authentication');
    expect(refused.setCookies).toEqual([]);
    expect((await me(client, FIREFOX)).status).toBe(200); // the rightful one is not locked out
    const proof = await client.post('/s/prove', {}, { 'user-agent': CHROME });
    expect(proof.status).toBe(204);
    expect((await me(client, CHROME)).status).toBe(200);
    expect((await me(client, FIREFOX)).status).toBe(200);
    expect((await me(client, 'curl/8.5.0')).status).toBe(401);
  });

  it('a demand survives a rotation in the same request', async () => {
    const clock = manualClock();
    const app = await start({
      store: memoryStore({ clock: clock.now }),
      rotation: { interval: '10m' },
      signals: { clientChange: 'enforce' },
    });
    const client = new Client(app.url);
    await login(client);
    clock.advance(11 * 60_000);
    const answers = [await me(client, CHROME), await me(client, CHROME)];
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
  });

  it('the hook can end the session', async () => {
    const app = await start({ signals: { onRisk: async () => 'revoke' as const } });
    const client = new Client(app.url);
    await login(client);
    expect((await me(client, CHROME)).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
    expect((await me(client, FIREFOX)).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
  });

  it('a request without a signal asks no hook and costs one store call', async () => {
    let asked = 0;
    const store = withFaults(memoryStore());
    const onRisk = () => {
      asked += 1;
      return 'allow' as const;
    };
    const app = await start({ store, signals: { onRisk } });
    const client = new Client(app.url);
    await login(client);
    const before = store.calls.resolve;
    for (let i = 0; i < 20; i += 1) await me(client, FIREFOX);
    expect([asked, store.calls.resolve - before]).toEqual([0, 20]);
    for (let i = 0; i < 20; i += 1) expect((await me(client, CHROME)).status).toBe(200);
    expect(asked).toBe(1);
  });

  it('L-07: 1,000 forged tokens: one event, no store call, no token anywhere', async () => {
    const store = withFaults(memoryStore());
    const app = await start({ store });
    const events: object[] = [];
    app.app.get(SessionService).on('session.forgery-burst', (event) => void events.push(event));
    const client = new Client(app.url);
    client.cookies = `__Host-sid=nsk_${'Q'.repeat(96)}`;
    for (let i = 0; i < 20; i += 1) {
      await Promise.all(Array.from({ length: 50 }, () => client.get('/me')));
    }
    expect(events).toMatchObject([{ count: 100, window: 60_000 }]);
    expect(JSON.stringify(events)).not.toContain('nsk_');
    expect(store.calls.resolve).toBe(0);
  });
});

describe('signals behind a proxy', () => {
  it('L-07: another network keeps 200 and is reported, with enforce it needs a proof', async () => {
    for (const mode of ['report', 'enforce'] as const) {
      const app = await startApp('express', {
        session: { signals: { addressChange: mode } },
        prepare: (made) => void (made as NestExpressApplication).set('trust proxy', true),
      });
      try {
        const events: object[] = [];
        app.app
          .get(SessionService)
          .on('session.client-changed', (event) => void events.push(event));
        const client = new Client(app.url);
        await client.post('/login', { user: 'alice' }, { 'x-forwarded-for': '203.0.113.7' });
        const from = (address: string): Promise<Answer> =>
          client.get('/me', { 'x-forwarded-for': address });
        expect((await from('203.0.113.200')).status).toBe(200);
        expect((await from('198.51.100.1')).status).toBe(mode === 'report' ? 200 : 401);
        expect((await from('198.51.100.2')).status).toBe(mode === 'report' ? 200 : 401);
        const action = mode === 'report' ? 'report' : 'step-up';
        expect(events).toMatchObject([{ signal: 'address-changed', action }]);
      } finally {
        await app.close();
      }
    }
  });
});
