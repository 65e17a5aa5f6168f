/**
 * Changes of privilege over HTTP: second factor, step-up, one confirmation for one action, and what
 * a revocation takes with it.
 */
import { expect } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';
import { describeImpersonation } from './privileges-impersonation.suite.js';
import { describeLimit } from './privileges-limit.suite.js';
import { type Spans, complete, demandingWith } from './privileges.kit.js';
import { PrivilegesController } from './programs/privileges.js';

const MINUTE = 60_000;

const SPANS: Record<Stage['clock'], Spans> = {
  moved: {
    fresh: 10 * MINUTE,
    confirmation: 5 * MINUTE,
    impersonation: 60 * MINUTE,
    grace: 30_000,
  },
  real: { fresh: 5_000, confirmation: 5_000, impersonation: 8_000, grace: 1_000 },
};

/** One suite for all parts, so that they wait at the same time where the clock cannot be moved. */
export function describePrivileges(stage: Stage): void {
  const spans = SPANS[stage.clock];
  const { impersonation } = spans;
  describeScenarios(
    'privileges',
    stage,
    (scenario) => {
      describeProofs(scenario, spans);
      describeImpersonation(scenario, spans);
      describeRevocations(scenario);
      describeLimit(scenario, stage.clock);
    },
    {
      session: {
        rotation: { grace: spans.grace },
        timeouts: {
          impersonation: { idle: `${0.95 * impersonation}ms`, absolute: `${impersonation}ms` },
        },
      },
      module: { controllers: [PrivilegesController, demandingWith(spans)] },
      mostlyWait: true,
    },
  );
}

function describeProofs(scenario: Scenario, spans: Spans): void {
  scenario(
    'R-06: no ordinary route lets a session in that waits for its second factor',
    async ({ start }) => {
      const client = new Client((await start()).url);
      expect((await client.post('/p/password', { user: 'alice' })).status).toBe(204);
      const refused = await client.get('/me');
      expect(refused.status).toBe(401);
      expect(refused.body).toMatchObject({ code: 'ERR_SESSION_PENDING', stepUp: {} });
      expect((await client.post('/p/transfer')).status).toBe(401);
      // On a public route it is nobody, where the proof is given it is somebody.
      expect((await client.get('/who')).body).toEqual({ active: true, userId: null });
      for (const what of ['devices', 'revokeAll', 'credentialChanged']) {
        const { status, body } = await client.post(`/p/open/${what}`);
        expect([what, status, body]).toMatchObject([what, 401, { code: 'ERR_SESSION_PENDING' }]);
      }
      expect((await client.get('/p/whose')).body).toEqual({ userId: 'alice' });
      const half = client.clone();
      expect((await client.post('/p/otp')).setCookies).toHaveLength(1);
      expect((await client.get('/who')).body).toEqual({ active: true, userId: 'alice' });
      expect((await client.get('/me')).status).toBe(200);
      expect((await half.get('/me')).status).toBe(401);
      expect((await client.get('/p/claims')).body).toMatchObject({
        level: 2,
        isPending: false,
        methods: [{ method: 'pwd' }, { method: 'otp' }],
      });
    },
  );

  scenario(
    'E-10: asks for a fresh proof in the form of RFC 9470, and takes it',
    async ({ start, passTime }) => {
      const client = new Client((await start()).url);
      await complete(client, 'alice');
      expect((await client.post('/p/transfer')).status).toBe(201);
      await passTime(1.2 * spans.fresh);
      const refused = await client.post('/p/transfer');
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe(
        'Session error="insufficient_user_authentication", ' +
          'error_description="a more recent or stronger proof of identity is required", ' +
          'acr_values="otp 2", max_age="' +
          `${spans.fresh / 1000}"`,
      );
      expect(refused.body).toMatchObject({
        code: 'ERR_SESSION_STEP_UP',
        stepUp: { maxAge: spans.fresh / 1000, methods: ['otp'], level: 2 },
      });
      expect(refused.setCookies).toEqual([]);
      await client.post('/rotate');
      expect((await client.post('/p/transfer')).status).toBe(401); // a rotation proves nothing
      await client.post('/p/otp');
      expect((await client.post('/p/transfer')).status).toBe(201);
    },
  );

  scenario('a login without the method or the level is not fresh', async ({ start }) => {
    const client = new Client((await start()).url);
    await client.login('alice');
    expect((await client.post('/p/transfer')).body).toMatchObject({ code: 'ERR_SESSION_STEP_UP' });
  });

  scenario(
    'R-03: step-up kills the old token without ending the session',
    async ({ start, passTime }) => {
      const client = new Client((await start()).url);
      await complete(client, 'alice');
      const old = client.clone();
      const id = ((await client.get('/me')).body as { id: string }).id;
      await client.post('/p/otp');
      expect((await old.get('/me')).status).toBe(401);
      expect((await client.get('/me')).body).toMatchObject({ id });
      await passTime(2 * spans.grace); // past the grace it is a copy, and the session ends
      expect((await old.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
      expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
    },
  );

  scenario(
    'one confirmation is good for one action, once, also for parallel requests',
    async ({ start, passTime }) => {
      const client = new Client((await start()).url);
      await complete(client, 'alice');
      const refused = await client.post('/p/delete/7');
      expect(refused.body).toMatchObject({
        code: 'ERR_SESSION_STEP_UP',
        stepUp: { action: 'delete:7', maxAge: spans.confirmation / 1000 },
      });
      await client.post('/p/otp', { action: 'delete:7' });
      expect((await client.post('/p/delete/8')).status).toBe(401);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => client.clone().post('/p/delete/7')),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
      await client.post('/p/otp', { action: 'delete:9' });
      await passTime(1.2 * spans.confirmation);
      expect((await client.post('/p/delete/9')).status).toBe(401);
      expect((await client.get('/data')).body).toEqual({});
    },
  );
}

function describeRevocations(scenario: Scenario): void {
  scenario(
    'V-07: a changed password ends the other sessions and renews this one',
    async ({ start }) => {
      const { url } = await start();
      const [laptop, phone] = [new Client(url), new Client(url)];
      await laptop.login('alice');
      await phone.login('alice');
      const before = laptop.clone();
      expect((await laptop.post('/p/password-changed')).body).toEqual({ ended: 1 });
      expect((await phone.get('/me')).status).toBe(401);
      expect((await before.get('/me')).status).toBe(401);
      expect((await laptop.get('/me')).status).toBe(200);
    },
  );

  scenario(
    'V-06: a login that began before all sessions were revoked cannot complete after it',
    async ({ start, passTime }) => {
      const { app } = await start();
      const sessions = app.get(SessionService);
      const ticket = await sessions.beginLogin('alice');
      await sessions.revokeUser('alice');
      await expect(sessions.create('alice', { ticket })).rejects.toMatchObject({
        code: 'ERR_SESSION_SUPERSEDED',
      });
      const second = await sessions.beginLogin('alice');
      await sessions.revokeEveryone();
      await expect(sessions.create('alice', { ticket: second })).rejects.toMatchObject({
        code: 'ERR_SESSION_SUPERSEDED',
      });
      await passTime(1);
      const third = await sessions.beginLogin('alice');
      await expect(sessions.create('bob', { ticket: third })).rejects.toMatchObject({
        code: 'ERR_SESSION_USER_ID',
      });
      await expect(sessions.create('alice', { ticket: third })).resolves.toBeDefined();
    },
  );

  scenario(
    'S-14: revokeEveryone ends all sessions created until a moment, and no others',
    async ({ start, passTime, now }) => {
      const { app, url } = await start();
      const sessions = app.get(SessionService);
      const [old, young] = [new Client(url), new Client(url)];
      await old.login('alice');
      await passTime(10);
      const moment = await now();
      await passTime(10);
      await young.login('alice');
      await sessions.revokeEveryone(moment);
      expect((await old.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      expect((await young.get('/me')).status).toBe(200);
      await sessions.revokeEveryone();
      expect((await young.get('/me')).status).toBe(401);
    },
  );
}
