/**
 * `nestjs-session-kit/testing` as the tests of an application use it.
 */
import { Controller, Get, type INestApplication, Module, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  CurrentSession,
  CurrentUserId,
  RequestSession,
  SessionGuard,
  SessionService,
  SessionStoreError,
  memoryStore,
} from '../../src/index.js';
import {
  SessionTestingModule,
  type SessionTestingOptions,
  actingAs,
  manualClock,
  withFaults,
} from '../../src/testing/index.js';
import { AccountController, ADAPTERS } from '../support/app.js';
import { LogKeeper, create } from './programs/application.js';
import { runProgram } from './programs/child.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What an application's own test would test. */
@Controller()
@UseGuards(SessionGuard)
class CartController {
  @Get('cart')
  async cart(
    @CurrentUserId() userId: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    return { userId, cart: (await session.get('cart')) ?? [] };
  }
}

describe.each(ADAPTERS)('the testing kit on %s', (adapter) => {
  const running: INestApplication[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (options: SessionTestingOptions = {}, logger = new LogKeeper()) => {
    @Module({
      imports: [SessionTestingModule.forRoot(options)],
      controllers: [AccountController, CartController],
    })
    class AppModule {}
    const app = await create(adapter, { imports: [AppModule] }, { logger });
    running.push(app);
    await app.init();
    if (adapter === 'fastify') {
      await (app as NestFastifyApplication).getHttpAdapter().getInstance().ready();
    }
    const server = app.getHttpServer() as Parameters<typeof request>[0];
    return { app, agent: () => request(server) };
  };

  it('SessionTestingModule needs no secret, no server and no scheduler, and warns of nothing', async () => {
    const logger = new LogKeeper();
    const { app } = await start({}, logger);
    expect(logger.of('warn', 'error', 'fatal')).toEqual([]);
    expect(app.get(SessionService).storeName).toBe('memory');
  });

  it('SessionTestingModule works with the production rules and a global guard', async () => {
    const { agent, app } = await start({ production: true, guard: 'global' });
    expect((await agent().get('/me')).status).toBe(401);
    const { headers } = await actingAs(app, 'alice');
    expect((await agent().get('/me').set(headers)).status).toBe(200);
  });

  it('actingAs gives supertest a logged-in client, without the login of the application', async () => {
    const { app, agent } = await start();
    const alice = await actingAs(app, 'alice', { data: { cart: ['tea'] } });
    const bob = await actingAs(app, 'bob');
    await agent().get('/cart').expect(401);
    await agent()
      .get('/cart')
      .set(alice.headers)
      .expect(200, { userId: 'alice', cart: ['tea'] });
    await agent().get('/cart').set(bob.headers).expect(200, { userId: 'bob', cart: [] });
    await agent().post('/logout').set(alice.headers).expect(204);
    expect((await agent().get('/cart').set(alice.headers)).status).toBe(401);
    expect((await agent().get('/cart').set(bob.headers)).status).toBe(200);
  });

  it('actingAs works with a cookie of another name, a remembered login and a user of any kind', async () => {
    const { app, agent } = await start({ cookie: { name: '__Host-shop' } });
    const alice = await actingAs(app, 42, { remember: true });
    expect(alice.headers.cookie.startsWith('__Host-shop=')).toBe(true);
    expect(alice.session).toMatchObject({ userId: '42', limitClass: 'remembered' });
    await agent().get('/me').set(alice.headers).expect(200);
  });

  it('browserCookie is what Playwright’s addCookies() takes', async () => {
    const { app } = await start();
    const alice = await actingAs(app, 'alice');
    const cookie = alice.browserCookie('http://localhost:3000/some/page?x#y');
    expect({ ...cookie, value: cookie.value.length }).toEqual({
      name: '__Host-sid',
      value: 100,
      url: 'http://localhost:3000/',
      httpOnly: true,
      secure: true,
      sameSite: 'Lax',
    });
    expect(() => alice.browserCookie('not an origin')).toThrow('Invalid URL');
  });

  it('a cookie jar of supertest keeps the session of a real login', async () => {
    const { app } = await start();
    const server = app.getHttpServer() as Parameters<typeof request.agent>[0];
    const agent = request.agent(server);
    const login = await agent.post('/login').send({ user: 'alice' }).expect(204);
    const [line = ''] = login.headers['set-cookie'] as unknown as string[];
    // The jar is told of a Secure cookie over plain HTTP, so the pair is passed by hand.
    const me = await agent.get('/me').set('Cookie', line.split(';')[0] ?? '');
    expect(me.body).toMatchObject({ userId: 'alice' });
  });

  it('manualClock ends sessions by both timeouts without waiting', async () => {
    const clock = manualClock();
    const begun = Date.now();
    const { app, agent } = await start({ clock, timeouts: { idle: '30m', absolute: '8h' } });
    const alice = await actingAs(app, 'alice');
    for (let i = 0; i < 16; i++) {
      clock.advance(29 * MINUTE);
      await agent().get('/me').set(alice.headers).expect(200);
    }
    clock.advance(15 * MINUTE);
    await agent().get('/me').set(alice.headers).expect(200);
    clock.advance(MINUTE);
    const absolute = await agent().get('/me').set(alice.headers).expect(401);
    expect(absolute.body).toMatchObject({ code: 'ERR_SESSION_ABSOLUTE' });

    const bob = await actingAs(app, 'bob');
    clock.advance(30 * MINUTE - 1);
    expect((await actingAs(app, 'carol')).session.createdAt).toBe(clock.now());
    await agent().get('/me').set(bob.headers).expect(200);
    clock.advance(30 * MINUTE);
    const idle = await agent().get('/me').set(bob.headers).expect(401);
    expect(idle.body).toMatchObject({ code: 'ERR_SESSION_IDLE' });
    expect(Date.now() - begun).toBeLessThan(HOUR);
    expect(() => clock.advance(-1)).toThrow(RangeError);
    expect(() => clock.advance(0.5)).toThrow(RangeError);
  });

  it('manualClock begins where the test says, also in the past and across a year', async () => {
    const clock = manualClock(Date.UTC(2026, 11, 31, 23, 59));
    const { app, agent } = await start({ clock });
    const alice = await actingAs(app, 'alice');
    expect(alice.session.createdAt).toBe(Date.UTC(2026, 11, 31, 23, 59));
    clock.advance(2 * MINUTE);
    await agent().get('/me').set(alice.headers).expect(200);
  });

  it('withFaults takes the store away and gives it back', async () => {
    const store = withFaults(memoryStore());
    const { app, agent } = await start({ store, storeDeadline: '100ms' });
    const alice = await actingAs(app, 'alice');
    store.plan({ resolve: { fail: 'before' } });
    await agent().get('/me').set(alice.headers).expect(503).expect('Retry-After', '1');
    store.plan({ resolve: { hang: 'before' } });
    await agent().get('/me').set(alice.headers).expect(503);
    store.plan({ create: { fail: 'after', times: 1 } });
    await expect(actingAs(app, 'bob')).rejects.toBeInstanceOf(SessionStoreError);
    // The reply was lost, the session was made.
    expect((await app.get(SessionService).list('bob')).sessions).toHaveLength(1);
    await agent().get('/me').set(alice.headers).expect(200);
    expect(store.calls).toMatchObject({ create: 2, resolve: 3, list: 1 });
    store.release();
  });

  it('two applications of one test run do not see each other’s sessions', async () => {
    const [first, second] = [await start(), await start()];
    const alice = await actingAs(first.app, 'alice');
    const answers = await Promise.all(
      [first, second].map(({ agent }) => agent().get('/me').set(alice.headers)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 401]);
  });
});

describe('the testing kit with fastify inject', () => {
  it('needs no socket at all', async () => {
    const { stdout, stderr, code } = await runProgram('inject');
    expect([stderr, code]).toEqual(['', 0]);
    const refused = { vary: 'Cookie', scheme: 'Session', setCookie: '' };
    expect(JSON.parse(stdout)).toEqual([
      { status: 401, ...refused, body: expect.objectContaining({ code: 'ERR_SESSION_REQUIRED' }) },
      { status: 200, vary: 'Cookie', setCookie: '', body: { userId: 'alice', cart: ['tea'] } },
      { status: 204, vary: 'Cookie', setCookie: '__Host-sid=; Max-Age=0; ', body: null },
      { status: 401, ...refused, body: expect.objectContaining({ code: 'ERR_SESSION_ENDED' }) },
    ]);
  });
});
