/**
 * Every turn in the life of a session is an event, once, wherever it is noticed: one instance on
 * express, one on fastify, over one store.
 */
import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CurrentSession,
  Public,
  RequestSession,
  SESSION_EVENT_NAMES,
  SessionGuard,
  SessionService,
  type SessionStore,
  memoryStore,
} from '../../src/index.js';
import { redisStore } from '../../src/stores/redis/index.js';
import { PrivilegesController } from '../e2e/programs/privileges.js';
import { type Adapter, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { useRedis } from '../support/servers/hooks.js';
import { until } from '../support/until.js';

/** Long enough for what a scenario does within it, short enough to wait for its end. */
const GRACE = '1s';
const BRIEF = '700ms';
const FORGERIES = 100;

@Controller('e')
@UseGuards(SessionGuard)
class EventController {
  constructor(readonly service: SessionService) {}

  @Public()
  @Post('login')
  @HttpCode(204)
  async login(
    @Body() { user, limitClass, pending }: Record<'user' | 'limitClass' | 'pending', string>,
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    const isPending = pending !== undefined;
    await session.login(user, { ...(limitClass && { limitClass }), pending: isPending });
  }

  @Public()
  @Post('failed')
  @HttpCode(204)
  async failed(@Body() { user }: { user: string }): Promise<void> {
    await this.service.recordLoginFailure(user);
  }
}

type Event = Readonly<Record<string, unknown>>;

const server = useRedis();

describe.each(['memory', 'redis'])('events of two instances over %s', (kind) => {
  const running: TestApp[] = [];
  const events: Event[] = [];
  const shared = memoryStore();
  const makeStore = (): SessionStore =>
    kind === 'memory' ? shared : redisStore({ url: server().url });
  const start = async (adapter: Adapter): Promise<TestApp> => {
    const app = await startApp(adapter, {
      session: {
        store: makeStore(),
        storeDeadline: '10s',
        production: true,
        rotation: { interval: '1h', grace: GRACE },
        concurrency: { max: 2, atLimit: 'evict-oldest' },
        timeouts: {
          classes: {
            brief: { idle: BRIEF, absolute: '1h' },
            short: { idle: BRIEF, absolute: BRIEF },
          },
        },
      },
      module: { controllers: [EventController, PrivilegesController] },
    });
    running.push(app);
    const service = app.app.get(SessionService);
    for (const name of SESSION_EVENT_NAMES) {
      service.on(name, (event) => void events.push({ name: name.slice(8), ...event }));
    }
    return app;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  /** What happened, each with what tells it apart, and no event twice. */
  const taken = (): string[] => {
    const all = events.splice(0);
    expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(all.length);
    return all.map(({ name, userId, reason, generation, signal }) => {
      const parts: unknown[] = [name, userId, reason, generation, signal];
      return parts
        .filter((part) => part !== undefined)
        .map(String)
        .join(' ');
    });
  };

  it('L-02: a scripted life gives the expected list, each event once', async () => {
    const [a, b] = [await start('express'), await start('fastify')];
    const at = ({ url }: TestApp): Client => new Client(url);

    // Two halves of a login, then a second proof.
    const alice = at(a);
    await alice.post('/e/login', { user: 'alice', pending: 'yes' });
    await alice.post('/p/otp');
    expect(events).toMatchObject([
      { name: 'created', isPending: true },
      { name: 'rotated' },
      { name: 'elevated', methods: ['otp'], level: 2 },
    ]);
    expect(taken()).toEqual(['created alice', 'rotated 1', 'elevated alice 1']);
    const other = new Client(b.url);
    other.cookies = alice.cookies;
    await other.post('/p/otp');
    expect(taken()).toEqual(['rotated 2', 'elevated alice 2']);

    // Limits, replacement, revocation, logout.
    const [one, two, three] = [at(a), at(b), at(a)];
    for (const client of [one, two, three]) await client.login('bob');
    expect(taken()).toEqual(['created bob', 'created bob', 'ended bob evicted', 'created bob']);
    await three.login('bob');
    const devices = (await three.get('/devices')).body as { id: string; isCurrent: boolean }[];
    await three.delete(`/devices/${devices.find(({ isCurrent }) => !isCurrent)?.id}`);
    await three.post('/logout');
    await three.post('/logout');
    expect((await one.get('/me')).status + (await two.get('/me')).status).toBe(802);
    expect(taken()).toEqual([
      'ended bob replaced',
      'created bob',
      'ended bob revoked',
      'ended bob logout',
    ]);

    // Somebody acts in another name.
    const root = at(b);
    await root.login('root');
    const own = ((await root.get('/me')).body as { id: string }).id;
    await root.post('/p/act-as/bob');
    expect(events.at(-2)).toMatchObject({
      name: 'created',
      userId: 'bob',
      limitClass: 'impersonation',
      actor: { userId: 'root', sessionId: own },
    });
    await a.app.get(SessionService).revokeUser('root');
    expect((await root.get('/me')).status).toBe(401);
    expect(taken()).toEqual([
      'created root',
      'created bob',
      'rotated 1',
      'ended root revoked',
      'ended bob revoked',
    ]);

    // Timeouts: one found by a request, one by the cleanup of both instances.
    const [brief, short] = [at(a), at(b)];
    await brief.post('/e/login', { user: 'carol', limitClass: 'brief' });
    await short.post('/e/login', { user: 'dave', limitClass: 'short' });
    expect(taken()).toEqual(['created carol', 'created dave']);
    await until(
      () => b.app.get(SessionService).list('dave'),
      ({ sessions }) => sessions.length === 0,
    );
    expect((await brief.get('/me')).status).toBe(401);
    await brief.get('/me');
    const services = [a, b].map(({ app }) => app.get(SessionService));
    await Promise.all(services.map((service) => service.sweep({ batch: 100, budget: 10_000 })));
    await Promise.all(services.map((service) => service.sweep({ batch: 100, budget: 10_000 })));
    expect(taken().toSorted()).toEqual([
      'ended carol idle',
      'ended dave absolute',
      ...Array<string>(4).fill('swept'),
    ]);

    // A copied token; another program; what is refused.
    const erin = at(a);
    await erin.login('erin');
    const thief = erin.clone();
    await erin.post('/rotate');
    await until(
      () => thief.get('/me'),
      ({ body }) => (body as { code?: string }).code === 'ERR_SESSION_REUSED',
    );
    expect(taken()).toEqual(['created erin', 'rotated 1', 'ended erin reused']);
    await alice.post('/e/login', { user: 'alice' });
    await other.post('/e/login', { user: 'frank' });
    taken();
    expect((await alice.get('/me', { 'user-agent': 'curl/8.5.0' })).status).toBe(200);
    await alice.get('/me', { 'user-agent': 'curl/8.6.0' });
    await alice.get('/me', { cookie: `${alice.cookies}; ${other.cookies}` });
    await alice.post('/count', {}, { 'sec-fetch-site': 'cross-site' });
    await other.post('/e/failed', { user: 'frank' });
    expect(taken()).toEqual([
      'client-changed alice client-changed',
      'ambiguous',
      'cross-site-refused',
      'login-failed frank',
    ]);

    // Forged tokens: one event for a burst.
    const forged = `__Host-sid=nsk_${'A'.repeat(96)}`;
    for (let i = 0; i < 2 * FORGERIES; i += 1) await at(b).get('/me', { cookie: forged });
    expect(taken()).toEqual(['forgery-burst']);
  });

  if (kind === 'redis') {
    it('L-02, R-12: a server that is put back to an older state is noticed', async () => {
      const a = await start('express');
      const admin = new Redis(server().url);
      try {
        const alice = new Client(a.url);
        await alice.login('alice');
        const { id } = (await alice.get('/me')).body as { id: string };
        const keys = await admin.keys('nsk:*');
        const dumps = await Promise.all(keys.map((key) => admin.dumpBuffer(key)));
        const before = alice.clone();
        await alice.post('/rotate');
        taken();
        await Promise.all(
          keys.map((key, i) => admin.restore(key, 0, dumps[i] as Buffer, 'REPLACE')),
        );
        expect((await alice.get('/me')).status).toBe(401);
        expect(events).toMatchObject([{ name: 'store-rollback', sessionId: id }]);
        expect((await before.get('/me')).status).toBe(200);
      } finally {
        admin.disconnect();
      }
    });
  }
});
