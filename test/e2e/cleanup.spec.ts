/**
 * The scheduled cleanup in an application with a scheduler of its own.
 */
import { Injectable, Module } from '@nestjs/common';
import { Cron, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CLEANUP_JOB,
  SessionConfigError,
  type SessionEvents,
  SessionModule,
  type SessionModuleOptions,
  SessionService,
  type SessionStore,
  SessionSweepTask,
  type SweepReport,
  memoryStore,
} from '../../src/index.js';
import { actingAs, manualClock, withFaults } from '../../src/testing/index.js';
import { AccountController, ADAPTERS, SECRET } from '../support/app.js';
import { Client } from '../support/client.js';
import { until } from '../support/until.js';
import { type Application, LogKeeper, create, listen } from './programs/application.js';

const EVERY_SECOND = { cron: '* * * * * *', jitter: '5ms' } as const;
/** Runs when the test says so. */
const YEARLY = { cron: '0 0 1 1 *' } as const;
const HOUR = 3_600_000;

/** A job of the application itself. */
@Injectable()
class OwnJobs {
  runs = 0;

  @Cron(EVERY_SECOND.cron)
  tick(): void {
    this.runs += 1;
  }
}

describe.each(ADAPTERS)('the cleanup on %s', (adapter) => {
  const running: Application[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (
    store: SessionStore,
    session: SessionModuleOptions = {},
    apps: Application[] = running,
    logger = new LogKeeper(),
  ) => {
    @Module({
      imports: [
        ScheduleModule.forRoot(),
        SessionModule.forRoot({
          secret: SECRET,
          store,
          cleanup: YEARLY,
          ...session,
        }),
      ],
      controllers: [AccountController],
      providers: [OwnJobs],
    })
    class AppModule {}
    const application = await listen(adapter, { imports: [AppModule] }, { logger });
    apps.push(application);
    const { app } = application;
    const service = app.get(SessionService);
    const swept: SweepReport[] = [];
    const ended: SessionEvents['session.ended'][] = [];
    service.on('session.swept', (event) => void swept.push(event));
    service.on('session.ended', (event) => void ended.push(event));
    const jobs = app.get(OwnJobs, { strict: false });
    /** Waits for the application's own job, which runs at the same moments. */
    const ticks = async (count: number): Promise<void> => {
      const target = jobs.runs + count;
      await until(
        async () => jobs.runs,
        (runs) => runs >= target,
      );
    };
    const task = app.get(SessionSweepTask);
    return { ...application, service, swept, ended, jobs, task, ticks };
  };

  // These wait for the clock on the wall, so they wait together.
  describe('by the clock', () => {
    const closing = async (run: (apps: Application[]) => Promise<void>): Promise<void> => {
      const apps: Application[] = [];
      try {
        await run(apps);
      } finally {
        await Promise.all(apps.map((app) => app.close()));
      }
    };

    it.concurrent(
      'runs once per tick beside the jobs of the application, which are not doubled',
      () =>
        closing(async (apps) => {
          const store = withFaults(memoryStore());
          const begun = Date.now();
          const bench = await start(store, { cleanup: EVERY_SECOND }, apps);
          const { app, jobs, swept, task, ticks } = bench;
          expect([...app.get(SchedulerRegistry).getCronJobs().keys()]).toContain(CLEANUP_JOB);
          await ticks(3);
          await until(
            async () => swept.length,
            (length) => length >= 3,
          );
          // A busy machine may miss a tick; none comes twice.
          const seconds = (Date.now() - begun) / 1000;
          expect(jobs.runs).toBeLessThanOrEqual(seconds + 1);
          expect(swept.length).toBeLessThanOrEqual(seconds + 1);
          // Nothing to do is one call of the store.
          expect(store.calls.sweep - swept.length).toBeLessThanOrEqual(1);
          expect(task.state).toMatchObject({ schedule: 'scheduled', failures: 0 });
          expect(task.state.lastReport).toMatchObject({ ended: 0, unfinished: false });
        }),
    );

    it.concurrent('overlapping runs do not pile up', () =>
      closing(async (apps) => {
        const store = withFaults(memoryStore(), { sweep: { hang: 'before' } });
        const session = { storeDeadline: '30s', cleanup: EVERY_SECOND } as const;
        const { task, ticks, swept } = await start(store, session, apps);
        await until(
          async () => store.calls.sweep,
          (calls) => calls === 1,
        );
        const runs = [task.run(), task.run()];
        await ticks(2);
        expect(store.calls.sweep).toBe(1);
        store.plan({});
        store.release();
        const reports = await Promise.all(runs);
        expect(reports[0]).toBe(reports[1]);
        await until(
          async () => swept.length,
          (length) => length >= 2,
        );
      }),
    );

    it.concurrent('stops when the application closes, in the middle of whatever it does', () =>
      closing(async (apps) => {
        const store = withFaults(memoryStore(), { sweep: { hang: 'before' } });
        const other = await start(memoryStore(), {}, apps);
        const session = { storeDeadline: '150ms', cleanup: EVERY_SECOND } as const;
        const { close } = await start(store, session, []);
        await until(
          async () => store.calls.sweep,
          (calls) => calls >= 1,
        );
        const begun = Date.now();
        await close();
        expect(Date.now() - begun).toBeLessThan(2_000);
        const calls = store.calls.sweep;
        // Time passes for the other application, not for this one.
        await other.ticks(2);
        expect(store.calls.sweep).toBe(calls);
        store.release();
      }),
    );
  });

  it('ends expired sessions and announces each exactly once, also when requests meet them', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock: clock.now });
    const timeouts = { idle: '1h', absolute: '24h' } as const;
    const { app, url, ended, swept, service, task } = await start(store, { timeouts });
    const actors = await Promise.all(
      Array.from({ length: 30 }, (_, i) => actingAs(app, `user-${i}`)),
    );
    clock.advance(HOUR);
    const [answers] = await Promise.all([
      Promise.all(
        actors.slice(0, 10).map(async ({ headers }) => {
          const client = new Client(url);
          client.cookies = headers.cookie;
          return client.get('/me');
        }),
      ),
      task.run(),
    ]);
    expect(new Set(answers.map(({ body }) => (body as { code: string }).code))).toEqual(
      new Set(['ERR_SESSION_IDLE']),
    );
    expect(await task.run()).toMatchObject({ ended: 0 });
    expect(ended).toHaveLength(30);
    expect(new Set(ended.map(({ sessionId }) => sessionId)).size).toBe(30);
    expect(new Set(ended.map(({ reason }) => reason))).toEqual(new Set(['idle']));
    expect(new Set(ended.map(({ duration }) => duration))).toEqual(new Set([HOUR]));
    const bySweep = swept.reduce((sum, report) => sum + report.ended, 0);
    expect(bySweep).toBeGreaterThanOrEqual(20);
    expect(await service.stats()).toMatchObject({ active: 0, ended: { idle: 30 } });
  });

  it('K-07: two instances share the work; every end is announced by one of them', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock: clock.now });
    const cleanup = { ...YEARLY, batch: 7 };
    const [first, second] = [await start(store, { cleanup }), await start(store, { cleanup })];
    await Promise.all(Array.from({ length: 100 }, (_, i) => first.service.create(`user-${i}`)));
    clock.advance(HOUR);
    await Promise.all([first.task.run(), second.task.run(), second.task.run()]);
    await Promise.all([first.task.run(), second.task.run()]);
    const ids = [...first.ended, ...second.ended].map(({ eventId }) => eventId);
    expect(ids).toHaveLength(100);
    expect(new Set(ids).size).toBe(100);
  });

  it.each([
    ['fails', { fail: 'before' }, 'ERR_SESSION_STORE'],
    ['hangs', { hang: 'before' }, 'ERR_SESSION_STORE_TIMEOUT'],
  ] as const)('a store that %s is logged once and counted', async (_what, fault, code) => {
    const store = withFaults(memoryStore(), { sweep: fault });
    const logger = new LogKeeper();
    const session = { storeDeadline: '50ms' } as const;
    const { task } = await start(store, session, running, logger);
    for (let failures = 1; failures <= 3; failures++) {
      expect(await task.run()).toBeUndefined();
      expect(task.state).toMatchObject({ failures, lastReport: undefined, lastRunAt: undefined });
    }
    const message = `the cleanup failed: ${code}`;
    const lines = (): string[] => logger.of('error', 'warn').map((line) => line.message);
    expect(lines()).toEqual([expect.stringContaining(`(${code}); requests get 503`), message]);
    store.plan({});
    expect(await task.run()).toMatchObject({ ended: 0 });
    expect(task.state.failures).toBe(0);
    // A new failure is news again.
    store.plan({ sweep: fault });
    await task.run();
    expect(lines().filter((line) => line === message)).toHaveLength(2);
    store.release();
  });

  it.each(['every minute', '* * * *', '61 * * * *', '* * * * * * *', '', '0 0 31 2 *', '@hourly'])(
    'the cron expression "%s" is an error at boot',
    async (cron) => {
      const session = SessionModule.forRoot({ secret: SECRET, cleanup: { cron } });
      const imports = [ScheduleModule.forRoot(), session];
      const error = await create(adapter, { imports })
        .then(async (app) => app.init())
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SessionConfigError);
      expect((error as SessionConfigError).message).toMatch(/cleanup\.cron/);
    },
  );

  it('cleanup: false schedules nothing', async () => {
    const { app, task } = await start(memoryStore(), { cleanup: false });
    expect(app.get(SchedulerRegistry).getCronJobs().has(CLEANUP_JOB)).toBe(false);
    expect(task.state).toMatchObject({ schedule: 'off', lastReport: undefined });
  });
});
