/**
 * Changes of privilege against each other, against a store that fails in between, and against
 * whoever wants more than they were given.
 */
import { Controller, Param, Post, UseGuards } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Public,
  RequireFresh,
  SessionGuard,
  type SessionModuleOptions,
  SessionService,
  StepUp,
  memoryStore,
} from '../../src/index.js';
import { type FaultyStore, manualClock, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { PrivilegesController } from './programs/privileges.js';

const MINUTE = 60_000;

@Controller('p')
@UseGuards(SessionGuard)
class PayController {
  @StepUp({ action: (request: { params: { id: string } }) => `pay:${request.params.id}` })
  @Post('pay/:id')
  pay(@Param('id') id: string): object {
    return { paid: id };
  }
}

@Public()
@RequireFresh('1m')
@Controller('both')
@UseGuards(SessionGuard)
class PublicAndFreshController {
  @Post('neither')
  neither(): object {
    return {};
  }

  @Public()
  @Post('open')
  open(): object {
    return {};
  }
}

describe.each(ADAPTERS)('privileges under pressure on %s', (adapter) => {
  const running: TestApp[] = [];
  const clock = manualClock();
  const start = async (
    session: SessionModuleOptions = {},
  ): Promise<TestApp & { store: FaultyStore; sessions: SessionService }> => {
    const store = withFaults(memoryStore({ clock: () => clock.now() }));
    const app = await startApp(adapter, {
      session: { store, ...session },
      module: { controllers: [PrivilegesController, PayController, PublicAndFreshController] },
    });
    running.push(app);
    return { ...app, store, sessions: app.app.get(SessionService) };
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('L-10: two requests at once end an impersonation once, and the user stays logged in', async () => {
    const { url, store } = await start();
    const admin = new Client(url);
    await admin.login('root');
    await admin.post('/p/act-as/bob');
    // Both have found the borrowed session alive before either ends it.
    store.plan({ revoke: { hang: 'before', times: 2 } });
    const [first, second] = [admin.clone(), admin.clone()];
    const pending = Promise.all([first.post('/p/stop'), second.post('/p/stop')]);
    while (store.calls.revoke < 2) await new Promise(setImmediate);
    store.release();
    const answers = await pending;
    const [won, lost] = answers[0]?.status === 201 ? answers : answers.toReversed();
    expect(won).toMatchObject({ status: 201, body: { back: true } });
    expect(won?.setCookies).toHaveLength(1);
    expect(lost).toMatchObject({ status: 401, setCookies: [] });
    const winner = answers[0] === won ? first : second;
    expect((await winner.get('/me')).body).toMatchObject({ userId: 'root' });
  });

  it('L-10: a borrowed session that somebody ended leads nowhere', async () => {
    const { url, store, sessions } = await start();
    const admin = new Client(url);
    await admin.login('root');
    await admin.post('/p/act-as/bob');
    store.plan({ revoke: { hang: 'before', times: 1 } });
    const stop = admin.post('/p/stop');
    while (store.calls.revoke < 1) await new Promise(setImmediate);
    await sessions.revokeUser('bob');
    store.release();
    const answer = await stop;
    expect(answer.body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
    expect(answer.setCookies).toEqual([]);
  });

  it('R-06: half a login cannot act in another name', async () => {
    const { url, sessions } = await start();
    const client = new Client(url);
    await client.post('/p/password', { user: 'root' });
    const answer = await client.post('/p/act-as/bob');
    expect(answer.body).toMatchObject({ code: 'ERR_SESSION_PENDING' });
    expect((await sessions.list('bob')).sessions).toEqual([]);
  });

  it('L-10: an impersonation that fails half-way leaves no session behind', async () => {
    const { url, store, sessions } = await start();
    const client = new Client(url);
    await client.login('root');
    store.plan({ rotate: { fail: 'before' } });
    expect((await client.post('/p/act-as/bob')).status).toBe(503);
    expect((await sessions.list('bob')).sessions).toEqual([]);
    expect((await client.get('/me')).body).toMatchObject({ userId: 'root' });
  });

  it('a store that fails between proof and confirmation logs nobody out', async () => {
    const { url, store } = await start();
    const client = new Client(url);
    await client.login('alice');
    store.plan({ write: { fail: 'before' } });
    const answer = await client.post('/p/otp', { action: 'pay:1' });
    expect(answer.status).toBe(503);
    expect(answer.setCookies).toHaveLength(1);
    expect((await client.get('/me')).status).toBe(200);
    expect((await client.post('/p/pay/1')).status).toBe(401);
    store.plan({});
    const bad = await client.post('/p/otp', { action: 'pay:\0' });
    expect(bad.status).toBe(500);
    expect((await client.get('/me')).status).toBe(200);
  });

  it('confirmations that were used up leave nothing in the session', async () => {
    const { url } = await start({ data: { maxFields: 3 } });
    const client = new Client(url);
    await client.login('alice');
    for (let id = 0; id < 6; id++) {
      expect((await client.post('/p/otp', { action: `pay:${id}` })).status).toBe(204);
      expect((await client.post(`/p/pay/${id}`)).status).toBe(201);
      expect((await client.post(`/p/pay/${id}`)).status).toBe(401);
    }
  });

  it('a controller that is public and asks for a proof asks for the proof', async () => {
    const client = new Client((await start()).url);
    expect((await client.post('/both/neither')).status).toBe(401);
    expect((await client.post('/both/open')).status).toBe(201);
  });

  it('C-12: no cache may store a response with a token in a header', async () => {
    const { url } = await start({ bearer: true });
    const client = new Client(url);
    await client.login('alice');
    const [, token = ''] = client.cookies.split('=');
    const authorization = `Bearer ${token}`;
    const answer = await new Client(url).post('/rotate', {}, { authorization });
    expect(answer.headers.get('session-token')).toMatch(/^nsk_/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.setCookies).toEqual([]);
  });

  describe('at the limit with the policy reject', () => {
    const limit = { concurrency: { max: 1, atLimit: 'reject' } } as const;
    const pause = async (client: Client, user = 'alice'): Promise<string> => {
      const answer = await client.post('/p/password', { user });
      expect(answer.status).toBe(409);
      return (answer.body as { ticket: string }).ticket;
    };

    it('K-02: choosing wrongly again and again gives no more time', async () => {
      const { url } = await start(limit);
      const [owner, late] = [new Client(url), new Client(url)];
      await owner.login('alice');
      let ticket = await pause(late);
      for (let minute = 0; minute < 4; minute++) {
        clock.advance(MINUTE);
        const answer = await late.post('/p/choose', { ticket, id: 'none' });
        ({ ticket } = answer.body as { ticket: string });
      }
      clock.advance(MINUTE);
      const id = ((await owner.get('/me')).body as { id: string }).id;
      expect((await late.post('/p/choose', { ticket, id })).status).toBe(401);
      expect((await owner.get('/me')).status).toBe(200);
    });

    it('K-02: a ticket that is sent as a cookie gets no more time by a refused login', async () => {
      const { url } = await start(limit);
      const [owner, late] = [new Client(url), new Client(url)];
      await owner.login('alice');
      const ticket = await pause(new Client(url));
      late.cookies = `__Host-sid=${ticket}`;
      clock.advance(4 * MINUTE);
      await pause(late);
      expect(late.cookies).toBe(`__Host-sid=${ticket}`);
      clock.advance(MINUTE);
      const id = ((await owner.get('/me')).body as { id: string }).id;
      expect((await late.post('/p/choose', { ticket, id })).status).toBe(401);
      expect((await owner.get('/me')).status).toBe(200);
    });
  });
});
