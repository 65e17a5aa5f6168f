/**
 * The health of sessions in an application with `@nestjs/terminus`.
 */
import { Controller, Get, Module } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  TerminusModule,
} from '@nestjs/terminus';
import { describe, expect, it } from '@jest/globals';
import {
  SessionHealthIndicator,
  SessionModule,
  type SessionModuleOptions,
  SessionService,
  SessionStoreError,
  SessionSweepTask,
  memoryStore,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { ADAPTERS, SECRET } from '../support/app.js';
import { Client } from '../support/client.js';
import { useClosing, useReleasing } from './applications.kit.js';
import { listen } from './programs/application.js';

const DEADLINE = 150;

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

  @Get('operators/health')
  @HealthCheck()
  details(): Promise<HealthCheckResult> {
    return this.health.check([() => this.sessions.isHealthy('logins', { details: true })]);
  }
}

describe.each(ADAPTERS)('health on %s', (adapter) => {
  const release = useReleasing();
  const keep = useClosing();

  const start = async ({
    session = {},
    schedule = true,
  }: { session?: SessionModuleOptions; schedule?: boolean } = {}) => {
    const store = release(withFaults(memoryStore()));
    class OwnJob {
      @Cron('0 0 1 1 *')
      yearly(): void {}
    }
    @Module({
      imports: [
        TerminusModule.forRoot({ logger: false }),
        SessionModule.forRoot({
          secret: SECRET,
          store,
          storeDeadline: `${DEADLINE}ms`,
          cleanup: { cron: '0 0 1 1 *' },
          ...session,
        }),
        ...(schedule ? [ScheduleModule.forRoot()] : []),
      ],
      controllers: [HealthController],
      providers: schedule ? [OwnJob] : [],
    })
    class AppModule {}
    const application = keep(await listen(adapter, { imports: [AppModule] }));
    const client = new Client(application.url);
    return { ...application, store, client, service: application.app.get(SessionService) };
  };

  const UP = { session: { status: 'up', state: 'up' } };
  const DOWN = {
    session: { status: 'down', state: 'down', issues: ['the store does not answer'] },
  };

  it('is up when everything works, and says no more than that', async () => {
    const { client, service } = await start();
    await service.create('alice');
    const { status, body } = await client.get('/health');
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'ok', info: UP, error: {}, details: UP });
  });

  it('is up with cleanup: false, which somebody chose', async () => {
    const { client } = await start({ schedule: false, session: { cleanup: false } });
    expect((await client.get('/health')).body).toMatchObject({ details: UP });
  });

  it('is degraded, and still 200, when nothing runs the cleanup', async () => {
    const { client } = await start({ schedule: false });
    const { status, body } = await client.get('/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'degraded',
      details: {
        session: {
          status: 'degraded',
          state: 'degraded',
          issues: ['the cleanup is not scheduled'],
        },
      },
    });
  });

  it('is degraded when the cleanup fails three times in a row, until it works again', async () => {
    const { app, client, store } = await start();
    const task = app.get(SessionSweepTask);
    store.plan({ sweep: { fail: 'before' } });
    await task.run();
    await task.run();
    expect((await client.get('/health')).body).toMatchObject({ details: UP });
    await task.run();
    expect((await client.get('/health')).body).toMatchObject({
      details: { session: { status: 'degraded', issues: ['the cleanup keeps failing'] } },
    });
    store.plan({});
    await task.run();
    expect((await client.get('/health')).body).toMatchObject({ details: UP });
  });

  it.each([
    ['refuses', { fail: 'before' }],
    ['hangs', { hang: 'before' }],
    ['hangs with the reply', { hang: 'after' }],
  ] as const)('P43: is down, 503, within its deadline when the store %s', async (_what, fault) => {
    const { client, store } = await start();
    store.plan({ all: fault });
    const begun = Date.now();
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.get('/health')));
    expect(Date.now() - begun).toBeLessThan(DEADLINE + 1_000);
    for (const { status, body } of answers) {
      expect(status).toBe(503);
      expect(body).toEqual({ status: 'error', info: {}, error: DOWN, details: DOWN });
    }
    store.plan({});
    expect((await client.get('/health')).status).toBe(200);
  });

  it('is down from the start when the store was never there', async () => {
    const store = release(withFaults(memoryStore(), { open: { fail: 'before' } }));
    const { client } = await start({ session: { store } });
    expect((await client.get('/health')).status).toBe(503);
    store.plan({});
    expect((await client.get('/health')).status).toBe(200);
  });

  it('F-05: names no host, key, version or count, whatever the store says', async () => {
    const secrets = ['db.internal', '6380', 'app:session', '7.2.4', 'hunter2', '/etc/'];
    const leak = `connect ECONNREFUSED db.internal:6380 (redis 7.2.4, key app:session{1}, hunter2)`;
    const store = release(withFaults(memoryStore()));
    const { client, service } = await start({ session: { store } });
    await Promise.all(Array.from({ length: 7 }, (_, i) => service.create(`user-${i}`)));
    const calm = await client.get('/health');
    const ping = store.ping.bind(store);
    Object.assign(store, {
      ping: async () => ({ ...(await ping()), details: { host: 'db.internal', version: '7.2.4' } }),
    });
    const detailed = await client.get('/health');
    Object.assign(store, {
      ping: () => Promise.reject(new SessionStoreError(leak, { cause: new Error(leak) })),
    });
    const down = await client.get('/health');
    Object.assign(store, { ping: () => Promise.reject(new Error(leak)) });
    const foreign = await client.get('/health');
    expect([calm, detailed, down, foreign].map(({ status }) => status)).toEqual([
      200, 200, 503, 503,
    ]);
    for (const { body } of [calm, detailed, down, foreign]) {
      const text = JSON.stringify(body);
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/\d/);
      expect(text).not.toContain('memory');
    }
  });

  it('tells operators more, where the application asks for it', async () => {
    const { app, client, service } = await start();
    await service.create('alice');
    const before = await client.get('/operators/health');
    expect(before.body).toMatchObject({
      details: {
        logins: {
          status: 'up',
          details: {
            store: 'memory',
            cleanup: { schedule: 'scheduled', lastRunAt: null, lastReport: null },
          },
        },
      },
    });
    await app.get(SessionSweepTask).run();
    const after = (await client.get('/operators/health')).body as {
      details: { logins: { details: { cleanup: { lastRunAt: number; lastReport: object } } } };
    };
    const { cleanup } = after.details.logins.details;
    expect(Math.abs(cleanup.lastRunAt - Date.now())).toBeLessThan(60_000);
    expect(cleanup.lastReport).toMatchObject({ ended: 0, unfinished: false });
    expect(JSON.stringify(after)).not.toContain(SECRET);
  });
});
