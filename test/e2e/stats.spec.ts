/**
 * The figures after a day whose every step is known.
 */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  END_REASONS,
  Public,
  type SessionModuleOptions,
  SessionService,
  type SessionStats,
  memoryStore,
} from '../../src/index.js';
import { manualClock, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

@Controller()
class FailureController {
  constructor(readonly service: SessionService) {}

  @Public()
  @Post('failed-login')
  @HttpCode(204)
  async failed(@Body() _body: object): Promise<void> {
    await this.service.recordLoginFailure();
  }
}

describe.each(ADAPTERS)('statistics on %s', (adapter) => {
  const running: TestApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (session: SessionModuleOptions = {}) => {
    const app = await startApp(adapter, { session, module: { controllers: [FailureController] } });
    running.push(app);
    return { ...app, service: app.app.get(SessionService), client: () => new Client(app.url) };
  };

  const NO_ENDS = Object.fromEntries(END_REASONS.map((reason) => [reason, 0]));

  it('are all zero at first', async () => {
    const { service } = await start();
    const stats = await service.stats();
    expect(stats).toMatchObject({
      active: 0,
      anonymous: 0,
      created: 0,
      ended: NO_ENDS,
      loginFailures: 0,
      creationRate: { last1: 0, last5: 0, last15: 0 },
      duration: { count: 0, average: 0 },
      users: { active: 0, max: 0, average: 0, distribution: [] },
    });
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
  });

  it('L-08: are exactly right after a scripted day, the same from each of two instances', async () => {
    // On a full minute, so that the minutes of the script are those of the counters.
    const clock = manualClock(Date.UTC(2030, 0, 1, 12, 0, 0));
    const options = {
      store: memoryStore({ clock: clock.now }),
      concurrency: { max: 3, atLimit: 'evict-oldest' },
      timeouts: { idle: '30m', absolute: '2h' },
    } as const;
    const [a, b] = [await start(options), await start(options)];
    const login = async (of: typeof a, user: string): Promise<Client> => {
      const client = of.client();
      await client.login(user);
      return client;
    };

    // 12:00: alice on four devices, of which the oldest has to go; bob on two; carol on one.
    const alice = [await login(a, 'alice')];
    for (let i = 0; i < 3; i++) {
      clock.advance(SECOND);
      alice.push(await login(i % 2 ? a : b, 'alice'));
    }
    const bob = [await login(a, 'bob'), await login(b, 'bob')];
    const carol = await login(b, 'carol');
    const visitor = b.client();
    await visitor.post('/data/cart', { value: 'tea' });
    await a.client().post('/failed-login');
    await b.client().post('/failed-login');
    // 12:01: bob logs in over his session; alice leaves on one device.
    clock.advance(MINUTE - 3 * SECOND);
    await bob[0]?.login('bob');
    await alice[1]?.post('/logout');
    // 12:02: carol revokes all of hers; the visitor becomes dave.
    clock.advance(MINUTE);
    await carol.post('/devices/revoke-all');
    await visitor.login('dave');
    // 12:03
    clock.advance(MINUTE);

    const noon: Partial<SessionStats> = {
      at: clock.now(),
      active: 5, // alice 2, bob 2, dave 1
      anonymous: 0,
      created: 9,
      ended: {
        ...NO_ENDS,
        evicted: 1,
        replaced: 1,
        logout: 1,
        revoked: 1,
      } as SessionStats['ended'],
      loginFailures: 2,
      creationRate: { last1: 1, last5: 9 / 5, last15: 9 / 15 },
      users: {
        active: 3,
        max: 2,
        average: 5 / 3,
        distribution: [
          { sessions: 1, users: 1 },
          { sessions: 2, users: 2 },
        ],
      },
    };
    for (const { service } of [a, b]) expect(await service.stats()).toMatchObject(noon);
    const { duration, minutes } = await a.service.stats();
    // Evicted after 3 s, replaced and logged out after about a minute, revoked after two.
    const lengths = [3 * SECOND, MINUTE - 3 * SECOND, MINUTE - SECOND, 2 * MINUTE - 3 * SECOND];
    const total = lengths.reduce((sum, length) => sum + length, 0);
    expect(duration.count).toBe(4);
    expect(duration.average).toBe(total / 4);
    expect(duration.classes.reduce((sum, { count }) => sum + count, 0)).toBe(4);
    expect(duration.classes.at(-1)?.upTo).toBeNull();
    expect(minutes.reduce((sum, { created }) => sum + created, 0)).toBe(9);
    expect(minutes.slice(-4).map(({ created }) => created)).toEqual([7, 1, 1, 0]);

    // Half an hour later nobody has come back; no cleanup has run.
    clock.advance(30 * MINUTE);
    const later = await b.service.stats();
    expect(later).toMatchObject({
      active: 0,
      created: 9,
      creationRate: { last1: 0, last5: 0, last15: 0 },
      users: { active: 0, max: 0, average: 0, distribution: [] },
    });
    expect(later.ended).toMatchObject({ idle: 5 });
    expect(Object.values(later.ended).reduce((sum, count) => sum + count, 0)).toBe(later.created);
    expect(later.duration.count).toBe(9);
    await b.service.sweep({ batch: 10, budget: 1_000 });
    expect((await a.service.stats()).ended).toEqual(later.ended);

    // An hour later the minutes are forgotten, the totals are not.
    clock.advance(HOUR);
    const last = await a.service.stats();
    expect(last.minutes.reduce((sum, { created }) => sum + created, 0)).toBe(0);
    expect(last).toMatchObject({ created: 9, loginFailures: 2 });
  });

  it('count nothing that was refused or failed', async () => {
    const store = withFaults(memoryStore());
    const { service, client } = await start({
      store,
      concurrency: { max: 1, atLimit: 'reject' },
    });
    await client().login('alice');
    expect((await client().post('/login', { user: 'alice' })).status).toBe(409);
    store.plan({ create: { fail: 'before' } });
    expect((await client().post('/login', { user: 'bob' })).status).toBe(503);
    store.plan({});
    await Promise.all(Array.from({ length: 20 }, () => client().get('/me')));
    expect(await service.stats()).toMatchObject({ active: 1, created: 1, ended: NO_ENDS });
  });

  it('count a session once, however often it rotates or is used', async () => {
    const { service, client } = await start();
    const alice = client();
    await alice.login('alice');
    for (let i = 0; i < 5; i++) {
      await alice.post('/rotate');
      await alice.get('/me');
    }
    expect(await service.stats()).toMatchObject({ active: 1, created: 1, ended: NO_ENDS });
    await Promise.all([alice.clone().post('/logout'), alice.clone().post('/logout')]);
    expect((await service.stats()).ended).toMatchObject({ logout: 1 });
  });

  it('answer 503 material, not nonsense, when the store does not answer', async () => {
    const store = withFaults(memoryStore(), { stats: { fail: 'before' } });
    const { service } = await start({ store });
    await expect(service.stats()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  });
});
