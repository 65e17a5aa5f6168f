/**
 * What a browser sees while Redis is away, hangs, is full or throws keys away.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  TerminusModule,
} from '@nestjs/terminus';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Redis } from 'ioredis';
import {
  CurrentSession,
  RequestSession,
  SessionGuard,
  SessionHealthIndicator,
  SessionService,
} from '../../src/index.js';
import { type Answer, Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import { useRedis } from '../support/servers/hooks.js';
import { redisStage } from '../support/stores.js';
import { until } from '../support/until.js';
import { adminOf, callsOf } from '../unit/stores/redis.faults.kit.js';
import { Latencies } from './http-latency.kit.js';

const DEADLINE = 500;
const TOLERANCE = 100;

/** Requests that have passed the guard and wait there until the test lets them go on. */
const held = { count: 0, release: (): void => {}, gate: Promise.resolve() };

function hold(): void {
  held.count = 0;
  held.gate = new Promise((resolve) => {
    held.release = resolve;
  });
}

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sessions: SessionHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.sessions.isHealthy()]);
  }
}

@Controller('held')
@UseGuards(SessionGuard)
class HeldController {
  @Post(':what')
  @HttpCode(204)
  async act(@Param('what') what: string, @CurrentSession() session: RequestSession): Promise<void> {
    held.count += 1;
    await held.gate;
    if (what === 'set') await session.set('late', true);
    if (what === 'count') await session.increment('late');
    if (what === 'rotate') await session.rotate();
    if (what === 'login') await session.login('alice');
    if (what === 'logout') await session.logout();
  }
}

let admin: Redis;
afterAll(() => admin.disconnect());
// Persistent, so that what is killed comes back with its sessions.
const server = useRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
beforeAll(() => {
  admin = adminOf(server());
});

const isBack = ({ status }: Answer): boolean => status === 200;

function expectUnavailable(answers: readonly Answer[]): void {
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.setCookies).toEqual([]);
  }
}

const options = { storeDeadline: `${DEADLINE}ms` } as const;

describeScenarios('faults', redisStage(server), describeFaults);

function describeFaults(scenario: Scenario): void {
  scenario(
    'F-01, F-02: refused: 503 in time where a session is needed, 200 elsewhere',
    async ({ start }) => {
      const { url } = await start(options);
      const client = new Client(url);
      await client.login('alice');
      const { cookies } = client;
      const usual = new Latencies();
      await usual.ofAll(Array.from({ length: 10 }, () => () => client.get('/me')));

      await server().kill();
      try {
        for (let round = 0; round < 2; round++) {
          const latencies = new Latencies();
          const answers = await latencies.ofAll([
            ...Array.from({ length: 10 }, () => () => client.get('/me')),
            () => client.post('/login', { user: 'bob' }),
            () => client.post('/logout'),
            () => client.get('/who'),
          ]);
          expectUnavailable(answers);
          expect(latencies.worst).toBeLessThan(DEADLINE + TOLERANCE + usual.worst);
          expect((await client.get('/public')).status).toBe(200);
          expect((await new Client(url).get('/me')).status).toBe(401);
        }
        expect(client.cookies).toBe(cookies);
      } finally {
        await server().restart();
      }
      expect((await until(() => client.get('/me'), isBack)).body).toMatchObject({
        userId: 'alice',
      });
      expect(client.cookies).toBe(cookies);
    },
  );

  scenario(
    'F-01, F-02: frozen: 503 in time, and nothing takes effect later but an end',
    async ({ start }) => {
      const app = await start(options, { module: { controllers: [HeldController] } });
      const [laptop, phone, leaving] = [0, 1, 2].map(() => new Client(app.url));
      if (!laptop || !phone || !leaving) throw new Error('there must be three');
      for (const client of [laptop, phone, leaving]) await client.login('alice');
      const kept = [laptop, phone, leaving].map(({ cookies }) => cookies);
      const usual = new Latencies();
      await usual.ofAll(Array.from({ length: 10 }, () => () => laptop.get('/me')));

      hold();
      const changes = [
        ...['set', 'count', 'rotate'].map((what) => laptop.post(`/held/${what}`)),
        phone.post('/held/login'),
        leaving.post('/held/logout'),
      ];
      await until(
        async () => held.count,
        (count) => count === changes.length,
      );
      const sent = await callsOf(admin, 'evalsha');
      await server().freeze();
      held.release();
      try {
        const latencies = new Latencies();
        const answers = await latencies.ofAll([
          ...changes.map((change) => () => change),
          ...Array.from({ length: 10 }, () => () => laptop.get('/me')),
        ]);
        expectUnavailable(answers);
        expect(latencies.worst).toBeLessThan(DEADLINE + TOLERANCE + usual.worst);
        expect((await laptop.get('/public')).status).toBe(200);
        await sleep(DEADLINE); // the changes are void from then on
      } finally {
        await server().thaw();
      }

      // They did arrive, and the server ran them.
      await until(
        () => callsOf(admin, 'evalsha'),
        (calls) => calls >= sent + changes.length,
      );
      await until(() => laptop.get('/me'), isBack);
      expect([laptop, phone, leaving].map(({ cookies }) => cookies)).toEqual(kept);
      expect((await phone.get('/me')).status).toBe(200);
      expect((await laptop.get('/data')).body).toEqual({});
      const { sessions } = await app.app.get(SessionService).list('alice');
      const isLeaving = (await leaving.get('/me')).status === 200;
      expect(sessions).toHaveLength(isLeaving ? 3 : 2);
    },
  );

  scenario(
    'Q-05: frozen under load: every answer in time, and 200 as soon as it goes on',
    async ({ start }) => {
      const client = new Client((await start(options)).url);
      await client.login('alice');
      const ask = (): Promise<Answer> => client.get('/me');
      const usual = new Latencies();
      await usual.underLoad(ask, 500);

      await server().freeze();
      const latencies = new Latencies();
      const answers = await latencies.underLoad(ask, 3 * DEADLINE);
      await server().thaw();
      const thawed = performance.now();
      await until(ask, isBack);
      expect(performance.now() - thawed).toBeLessThan(3 * DEADLINE);
      expectUnavailable(answers);
      expect(answers.length).toBeGreaterThan(100);
      // Nobody waits for those who came before.
      expect(latencies.late).toBeLessThan(DEADLINE + TOLERANCE + usual.late);
      expect(latencies.late).toBeLessThan(1.5 * latencies.early);
    },
  );

  scenario(
    'V-09: full: a session goes on, a logout is answered and counts, a login is 503',
    async ({ start }) => {
      const { url } = await start(options);
      const [laptop, phone, tablet] = [new Client(url), new Client(url), new Client(url)];
      for (const client of [laptop, phone, tablet]) await client.login('alice');
      const copy = laptop.clone();
      await admin.config('SET', 'maxmemory', '1mb');
      try {
        expect((await laptop.get('/me')).status).toBe(200);
        const logout = await laptop.post('/logout');
        expect(logout.status).toBe(204);
        expect(logout.setCookies).toEqual([expect.stringContaining('Max-Age=0')]);
        expect((await copy.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
        expect((await phone.post('/devices/revoke-others')).body).toEqual({ revoked: 1 });
        expect((await tablet.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
        expectUnavailable([
          await new Client(url).post('/login', { user: 'bob' }),
          await phone.post('/data/field', { value: 'x' }),
          await phone.post('/rotate'),
        ]);
        expect((await phone.get('/me')).status).toBe(200);
      } finally {
        await admin.config('SET', 'maxmemory', '0');
      }
      await new Client(url).login('bob');
    },
  );

  scenario(
    'S-08: another eviction policy is told, and what it takes leaves no session behind',
    async ({ start }) => {
      await admin.flushall();
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
      try {
        const imports = [TerminusModule.forRoot({ logger: false })];
        const app = await start(options, { module: { imports, controllers: [HealthController] } });
        const client = new Client(app.url);
        await client.login('alice');
        const health = await client.get('/health');
        expect(health.status).toBe(200);
        expect(health.body).toMatchObject({
          status: 'degraded',
          details: {
            session: {
              state: 'degraded',
              issues: [expect.stringMatching(/eviction policy is allkeys-lru.*set noeviction/)],
            },
          },
        });

        expect((await client.get('/me')).status).toBe(200);
        const [index = '', ...more] = await admin.keys('*:u:*');
        expect(more).toEqual([]);
        expect(await admin.del(index)).toBe(1);
        await app.app.get(SessionService).revokeUser('alice');
        expect((await client.get('/me')).status).toBe(401);
      } finally {
        await admin.config('SET', 'maxmemory-policy', 'noeviction');
      }
    },
  );
}
