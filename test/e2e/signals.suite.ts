/**
 * Signals over HTTP: a session that is used from elsewhere is reported, and where the application
 * says so it has to prove itself once more.
 */
import { Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { expect } from '@jest/globals';
import {
  AllowPending,
  CurrentSession,
  RequestSession,
  SessionGuard,
  SessionService,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import type { TestApp } from '../support/app.js';
import { type Answer, Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0';
const NEWER = FIREFOX.replaceAll('131.0', '132.0');
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';

/** What rotates most often has the shortest grace; the test does not depend on it. */
const ROTATIONS = {
  moved: { interval: 10 * 60_000, grace: 30_000 },
  real: { interval: 4_000, grace: 1_000 },
};

@Controller('s')
@UseGuards(SessionGuard)
class ProofController {
  @AllowPending()
  @Post('prove')
  @HttpCode(204)
  async prove(@CurrentSession() session: RequestSession): Promise<void> {
    await session.elevate({ methods: ['otp'] });
  }
}

export function describeSignals(stage: Stage): void {
  const defaults = { module: { controllers: [ProofController] }, trustProxy: true };
  const suite = (scenario: Scenario): void => {
    describeClients(scenario);
    describeNetworks(scenario);
    describeCosts(scenario);
    // They reach no store, whichever it is.
    if (stage.clock === 'moved') describeForgeries(scenario);
  };
  describeScenarios('signals', stage, suite, defaults);
  const { interval, grace } = ROTATIONS[stage.clock];
  const rotating = (scenario: Scenario): void => describeRotating(scenario, interval);
  describeScenarios('signals of rotating sessions', stage, rotating, {
    ...defaults,
    session: { rotation: { interval: `${interval}ms`, grace: `${grace}ms` } },
    mostlyWait: true,
  });
}

const changes = (app: TestApp): object[] => {
  const events: object[] = [];
  app.app.get(SessionService).on('session.client-changed', (event) => void events.push(event));
  return events;
};
const login = (client: Client, agent = FIREFOX): Promise<Answer> =>
  client.post('/login', { user: 'alice' }, { 'user-agent': agent });
const me = (client: Client, agent: string): Promise<Answer> =>
  client.get('/me', { 'user-agent': agent });

function describeClients(scenario: Scenario): void {
  scenario(
    'L-07: another program keeps 200 and is reported once; an update of it is not',
    async ({ start }) => {
      const app = await start();
      const events = changes(app);
      const client = new Client(app.url);
      await login(client);
      expect((await me(client, NEWER)).status).toBe(200);
      expect(events).toEqual([]);
      for (let i = 0; i < 5; i += 1) expect((await me(client, CHROME)).status).toBe(200);
      expect(events).toMatchObject([
        { signal: 'client-changed', action: 'report', userId: 'alice' },
      ]);
    },
  );

  scenario('L-07: off compares nothing', async ({ start }) => {
    const app = await start({ signals: { addressChange: 'off', clientChange: 'off' } });
    const events = changes(app);
    const client = new Client(app.url);
    await login(client);
    expect((await me(client, CHROME)).status).toBe(200);
    expect(events).toEqual([]);
  });

  scenario(
    'L-07: enforce asks for a proof where one can be given, and takes it for that place',
    async ({ start }) => {
      const client = new Client((await start({ signals: { clientChange: 'enforce' } })).url);
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
    },
  );

  scenario('the hook can end the session', async ({ start }) => {
    const app = await start({ signals: { onRisk: async () => 'revoke' as const } });
    const client = new Client(app.url);
    await login(client);
    expect((await me(client, CHROME)).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
    expect((await me(client, FIREFOX)).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
  });
}

function describeNetworks(scenario: Scenario): void {
  scenario(
    'L-07: another network keeps 200 and is reported, with enforce it needs a proof',
    async ({ start }) => {
      for (const mode of ['report', 'enforce'] as const) {
        const app = await start({ signals: { addressChange: mode } });
        const events = changes(app);
        const client = new Client(app.url);
        await client.post('/login', { user: 'alice' }, { 'x-forwarded-for': '203.0.113.7' });
        const from = (address: string): Promise<Answer> =>
          client.get('/me', { 'x-forwarded-for': address });
        expect((await from('203.0.113.200')).status).toBe(200);
        expect((await from('198.51.100.1')).status).toBe(mode === 'report' ? 200 : 401);
        expect((await from('198.51.100.2')).status).toBe(mode === 'report' ? 200 : 401);
        const action = mode === 'report' ? 'report' : 'step-up';
        expect(events).toMatchObject([{ signal: 'address-changed', action }]);
      }
    },
  );
}

function describeCosts(scenario: Scenario): void {
  scenario(
    'a request without a signal asks no hook and costs one store call',
    async ({ connect, start }) => {
      let asked = 0;
      const store = withFaults(connect());
      const onRisk = () => {
        asked += 1;
        return 'allow' as const;
      };
      const client = new Client((await start({ store, signals: { onRisk } })).url);
      await login(client);
      const before = store.calls.resolve;
      for (let i = 0; i < 20; i += 1) await me(client, FIREFOX);
      expect([asked, store.calls.resolve - before]).toEqual([0, 20]);
      for (let i = 0; i < 20; i += 1) expect((await me(client, CHROME)).status).toBe(200);
      expect(asked).toBe(1);
    },
  );
}

function describeForgeries(scenario: Scenario): void {
  scenario(
    'L-07: 1,000 forged tokens: one event, no store call, no token anywhere',
    async ({ connect, start }) => {
      const store = withFaults(connect());
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
    },
  );
}

function describeRotating(scenario: Scenario, interval: number): void {
  scenario('a demand survives a rotation in the same request', async ({ start, passTime }) => {
    const client = new Client((await start({ signals: { clientChange: 'enforce' } })).url);
    await login(client);
    await passTime(interval + 1);
    const answers = [await me(client, CHROME), await me(client, CHROME)];
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(answers[0]?.setCookies).toHaveLength(1);
  });
}
