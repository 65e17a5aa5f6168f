/**
 * Changes of privilege over HTTP: second factor, step-up, one confirmation for one action, and
 * acting in another user's name.
 */
import { Body, Controller, Get, HttpCode, Param, Post, type Type, UseGuards } from '@nestjs/common';
import { describe, expect } from '@jest/globals';
import {
  AllowPending,
  CurrentSession,
  CurrentUserId,
  Public,
  RequestSession,
  RequireFresh,
  SessionGuard,
  SessionService,
  StepUp,
} from '../../src/index.js';
import { Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';

const MINUTE = 60_000;

interface Spans {
  /** How fresh a proof of identity has to be. */
  readonly fresh: number;
  /** How long a confirmation waits to be used. */
  readonly confirmation: number;
  /** How long somebody can act in another user's name. */
  readonly impersonation: number;
  readonly grace: number;
}

const SPANS: Record<Stage['clock'], Spans> = {
  moved: {
    fresh: 10 * MINUTE,
    confirmation: 5 * MINUTE,
    impersonation: 60 * MINUTE,
    grace: 30_000,
  },
  real: { fresh: 5_000, confirmation: 5_000, impersonation: 8_000, grace: 1_000 },
};

function controllerWith(spans: Spans): Type {
  @Controller('p')
  @UseGuards(SessionGuard)
  class PrivilegedController {
    @Public()
    @Post('password')
    @HttpCode(204)
    async password(
      @Body() { user }: { user: string },
      @CurrentSession() session: RequestSession,
    ): Promise<void> {
      await session.login(user, { methods: ['pwd'], level: 1, pending: true });
    }

    @Public()
    @Post('choose')
    @HttpCode(204)
    async choose(
      @Body() { ticket, id }: { ticket: string; id: string },
      @CurrentSession() session: RequestSession,
    ): Promise<void> {
      await session.completeLogin(ticket, id);
    }

    @AllowPending()
    @Get('whose')
    whose(@CurrentUserId() userId: string): object {
      return { userId };
    }

    @AllowPending()
    @Post('otp')
    @HttpCode(204)
    async otp(
      @Body() { action }: { action?: string },
      @CurrentSession() session: RequestSession,
    ): Promise<void> {
      await session.elevate({ methods: ['otp'], level: 2, ...(action && { action }) });
    }

    @Public()
    @Post('open/:what')
    async open(
      @Param('what') what: 'devices' | 'revokeAll' | 'credentialChanged',
      @CurrentSession() session: RequestSession,
    ): Promise<void> {
      await session[what]();
    }

    @RequireFresh(`${spans.fresh}ms`, { methods: ['otp'], level: 2 })
    @Post('transfer')
    transfer(): object {
      return { done: true };
    }

    @StepUp({
      action: (request: { params: { id: string } }) => `delete:${request.params.id}`,
      maxAge: `${spans.confirmation}ms`,
    })
    @Post('delete/:id')
    remove(@Param('id') id: string): object {
      return { removed: id };
    }

    @Post('act-as/:user')
    @HttpCode(204)
    async actAs(
      @Param('user') user: string,
      @CurrentSession() session: RequestSession,
    ): Promise<void> {
      await session.impersonate(user);
    }

    @Post('stop')
    async stop(@CurrentSession() session: RequestSession): Promise<object> {
      return { back: await session.endImpersonation() };
    }

    @Post('password-changed')
    async changed(@CurrentSession() session: RequestSession): Promise<object> {
      return { ended: await session.credentialChanged() };
    }

    @Get('claims')
    async claims(@CurrentSession() session: RequestSession): Promise<object> {
      const verdict = await session.resolve();
      return verdict.status === 'active' ? verdict.session.claims : {};
    }
  }
  return PrivilegedController;
}

export function describePrivileges(stage: Stage): void {
  const spans = SPANS[stage.clock];
  const { impersonation } = spans;
  describeScenarios('privileges', stage, (scenario) => describeAll(scenario, stage.clock, spans), {
    session: {
      rotation: { grace: spans.grace },
      timeouts: {
        impersonation: { idle: `${0.95 * impersonation}ms`, absolute: `${impersonation}ms` },
      },
    },
    module: { controllers: [controllerWith(spans)] },
    mostlyWait: true,
  });
}

const complete = async (client: Client, user: string): Promise<void> => {
  await client.post('/p/password', { user });
  expect((await client.post('/p/otp')).status).toBe(204);
};

function describeAll(scenario: Scenario, clock: Stage['clock'], spans: Spans): void {
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

  scenario(
    'L-10: impersonation is a session of its own that knows who acts, without freshness',
    async ({ start }) => {
      const { url } = await start();
      const [admin, bob] = [new Client(url), new Client(url)];
      await bob.login('bob');
      await complete(admin, 'root');
      const before = admin.clone();
      expect((await admin.post('/p/act-as/bob')).status).toBe(204);
      expect((await before.get('/me')).status).toBe(401);
      expect((await admin.get('/me')).body).toMatchObject({ userId: 'bob' });
      expect((await admin.post('/p/transfer')).body).toMatchObject({ code: 'ERR_SESSION_STEP_UP' });
      const devices = (await bob.get('/devices')).body as { actor?: { userId: string } }[];
      expect(devices.map(({ actor }) => actor?.userId)).toEqual(['root', undefined]);
      expect((await admin.post('/p/act-as/carol')).status).toBe(500); // not from a borrowed session
      const borrowed = admin.clone();
      expect((await admin.post('/p/stop')).body).toEqual({ back: true });
      expect((await admin.get('/me')).body).toMatchObject({ userId: 'root' });
      expect((await borrowed.get('/me')).status).toBe(401);
      expect((await before.get('/me')).status).toBe(401);
      expect((await bob.get('/me')).status).toBe(200);
    },
  );

  scenario(
    'L-10: impersonation ends with the session of the actor, and after its own time',
    async ({ start, passTime }) => {
      const { app, url } = await start();
      const sessions = app.get(SessionService);
      const admin = new Client(url);
      await complete(admin, 'root');
      await admin.post('/p/act-as/bob');
      await sessions.revokeUser('root');
      expect((await admin.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      expect((await sessions.list('bob')).sessions).toEqual([]);
      await complete(admin, 'root');
      await admin.post('/p/act-as/bob');
      // In use, so that it is no idle timeout.
      for (const part of [0.1, 0.91]) {
        expect((await admin.get('/me')).status).toBe(200);
        await passTime(spans.impersonation * part);
      }
      expect((await admin.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ABSOLUTE' });
    },
  );

  scenario('L-10: a logout in another name leaves no session of the actor', async ({ start }) => {
    const { app, url } = await start({ concurrency: { max: 1, atLimit: 'reject' } });
    const sessions = app.get(SessionService);
    const admin = new Client(url);
    await complete(admin, 'root');
    await admin.post('/p/act-as/bob');
    const borrowed = admin.clone();
    expect((await admin.post('/logout')).status).toBe(204);
    expect(admin.cookies).toBe('');
    for (const user of ['root', 'bob']) {
      const { sessions: live, ended } = await sessions.list(user);
      expect({ live, reasons: ended.map(({ reason }) => reason) }).toEqual({
        live: [],
        reasons: ['logout'],
      });
    }
    expect((await borrowed.get('/me')).status).toBe(401);
    await complete(admin, 'root'); // there is room for it
  });

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

  describe('at the limit with the policy reject', () => {
    interface Refusal {
      readonly ticket: string;
      readonly sessions: readonly { readonly id: string }[];
    }
    const limit = { concurrency: { max: 2, atLimit: 'reject' } } as const;
    const refused = async (client: Client, user: string): Promise<Refusal> => {
      const answer = await client.post('/p/password', { user });
      expect(answer.status).toBe(409);
      expect(answer.body).toMatchObject({ code: 'ERR_SESSION_LIMIT' });
      return answer.body as Refusal;
    };

    scenario(
      'K-02: the user picks the session that makes room, and the ticket is good once',
      async ({ start, passTime }) => {
        const { url } = await start(limit);
        const [one, two, three] = [new Client(url), new Client(url), new Client(url)];
        await complete(one, 'alice');
        await passTime(1);
        await complete(two, 'alice');
        const { ticket, sessions } = await refused(three, 'alice');
        expect(sessions).toHaveLength(2);
        const id = sessions[1]?.id; // the older one
        expect((await three.post('/p/choose', { ticket, id })).status).toBe(204);
        expect((await three.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_PENDING' });
        expect((await one.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_EVICTED' });
        expect((await two.get('/me')).status).toBe(200);
        const replay = await new Client(url).post('/p/choose', { ticket, id: sessions[0]?.id });
        expect(replay.body).toMatchObject({ code: 'ERR_SESSION_SUPERSEDED' });
        expect(replay.setCookies).toEqual([]);
        expect((await two.get('/me')).status).toBe(200);
      },
    );

    scenario('L-10: impersonation takes nobody the room for a login', async ({ start }) => {
      const { url } = await start({ concurrency: { max: 1, atLimit: 'reject' } });
      const [admin, bob, other] = [new Client(url), new Client(url), new Client(url)];
      await complete(admin, 'root');
      await admin.post('/p/act-as/bob');
      await bob.login('bob');
      const own = ((await bob.get('/me')).body as { id: string }).id;
      // What would make no room is no choice.
      const { sessions } = await refused(other, 'bob');
      expect(sessions.map(({ id }) => id)).toEqual([own]);
      expect((await admin.get('/me')).body).toMatchObject({ userId: 'bob' });
      expect((await bob.get('/me')).status).toBe(200);
    });

    scenario(
      'refuses a ticket that is damaged, of another user, or from before a revoke-all',
      async ({ start }) => {
        const { app, url } = await start(limit);
        const [one, two, mallory] = [new Client(url), new Client(url), new Client(url)];
        await complete(one, 'alice');
        await complete(two, 'alice');
        await complete(mallory, 'mallory');
        const { ticket, sessions } = await refused(new Client(url), 'alice');
        const id = sessions[0]?.id;
        const choose = (body: object): Promise<number> =>
          new Client(url).post('/p/choose', body).then(({ status }) => status);
        const end = ticket.endsWith('A') ? 'B' : 'A';
        expect(await choose({ ticket: `${ticket.slice(0, -1)}${end}`, id })).toBe(401);
        expect(await choose({ ticket: 'nsk_', id })).toBe(401);
        expect(await choose({ ticket: 7, id })).toBe(401);
        const foreign = ((await mallory.get('/me')).body as { id: string }).id;
        expect(await choose({ ticket, id: foreign })).toBe(409); // makes no room for alice
        expect((await mallory.get('/me')).status).toBe(200);
        // Nobody's session token is a ticket, and presenting it ends nothing.
        const token = mallory.cookies.split('=')[1];
        expect(await choose({ ticket: token, id })).toBe(401);
        expect((await mallory.get('/me')).status).toBe(200);
        const before = await refused(new Client(url), 'alice');
        await app.get(SessionService).revokeUser('alice');
        expect(await choose({ ticket: before.ticket, id })).toBe(401);
      },
    );

    // They are five minutes; nobody can set another span.
    if (clock === 'moved') {
      scenario('refuses a ticket that is old', async ({ start, passTime }) => {
        const { url } = await start(limit);
        const [one, two, three] = [new Client(url), new Client(url), new Client(url)];
        await complete(one, 'alice');
        await complete(two, 'alice');
        const { ticket, sessions } = await refused(three, 'alice');
        await passTime(5 * MINUTE + 1);
        await three.get('/public');
        expect((await one.get('/me')).status).toBe(200);
        const late = await three.post('/p/choose', { ticket, id: sessions[0]?.id });
        expect(late.status).toBe(401);
      });
    }
  });
}
