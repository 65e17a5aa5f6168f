/**
 * The scheduled cleanup: ends expired sessions, on any number of instances.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import type { SessionConfig } from '../core/config.js';
import { SessionConfigError, SessionError } from '../core/errors.js';
import type { SweepReport } from '../core/events.js';
import { SessionService } from '../core/service.js';
import { CONFIG_TOKEN } from './session.module-definition.js';

/** Name of the job in Nest's `SchedulerRegistry`. @public */
export const CLEANUP_JOB = 'session-cleanup';

/** How the cleanup of this instance is doing. @public */
export interface CleanupState {
  /** `unscheduled`: nothing runs it here, since `ScheduleModule.forRoot()` is missing. */
  readonly schedule: 'scheduled' | 'unscheduled' | 'off';
  /** Of the last run that went through. */
  readonly lastReport: SweepReport | undefined;
  /** Milliseconds since 1970, by this process. */
  readonly lastRunAt: number | undefined;
  /** Runs that failed one after the other since then. */
  readonly failures: number;
}

/**
 * Runs `SessionService.sweep()` by the cron expression of the option `cleanup`, through the
 * scheduler of `ScheduleModule.forRoot()`.
 *
 * Cleanup frees memory and announces ends; no timeout depends on it.
 *
 * @public
 */
@Injectable()
export class SessionSweepTask {
  readonly #service: SessionService;
  readonly #cleanup: SessionConfig['cleanup'];
  readonly #modules: ModuleRef;
  readonly #logger = new Logger('SessionCleanup');
  readonly #stopping = new AbortController();
  #job: CronJob | undefined;
  #running: Promise<SweepReport | undefined> | undefined;
  #lastReport: SweepReport | undefined;
  #lastRunAt: number | undefined;
  #failures = 0;

  constructor(
    service: SessionService,
    @Inject(CONFIG_TOKEN) config: SessionConfig,
    modules: ModuleRef,
  ) {
    this.#service = service;
    this.#cleanup = config.cleanup;
    this.#modules = modules;
  }

  get state(): CleanupState {
    const unscheduled = this.#job === undefined ? 'unscheduled' : 'scheduled';
    return {
      schedule: this.#cleanup === false ? 'off' : unscheduled,
      lastReport: this.#lastReport,
      lastRunAt: this.#lastRunAt,
      failures: this.#failures,
    };
  }

  /** Adds the job to the scheduler, if there is one. */
  start(): void {
    const registry = this.#registry();
    if (this.#cleanup === false || registry === undefined) return;
    this.#job = createJob(this.#cleanup.cron, () => void this.#tick());
    registry.addCronJob(CLEANUP_JOB, this.#job);
    this.#job.start();
  }

  /** No new run; waits for the one under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#job?.stop();
    await this.#running;
  }

  /** Runs the cleanup now; joins the run under way if there is one. `undefined`: it failed. */
  run(): Promise<SweepReport | undefined> {
    this.#running ??= this.#sweep().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #tick(): Promise<void> {
    if (this.#cleanup === false || this.#running !== undefined) return;
    // Instances share the clock, so they would all start in the same instant.
    const wait = randomInt(Math.max(1, this.#cleanup.jitter));
    const started = await delay(wait, true, { signal: this.#stopping.signal, ref: false }).catch(
      () => false,
    );
    if (started) await this.run();
  }

  async #sweep(): Promise<SweepReport | undefined> {
    if (this.#cleanup === false) return undefined;
    try {
      this.#lastReport = await this.#service.sweep(this.#cleanup);
      this.#lastRunAt = Date.now();
      this.#failures = 0;
      this.#log(this.#lastReport);
      return this.#lastReport;
    } catch (error) {
      this.#failures += 1;
      const code = error instanceof SessionError ? error.code : 'unexpected error';
      if (this.#failures === 1) this.#logger.error(`the cleanup failed: ${code}`);
      return undefined;
    }
  }

  #log({ ended, repairs, took, unfinished }: SweepReport): void {
    const { withoutExpiry, danglingEntries, names } = repairs;
    const repaired = withoutExpiry + danglingEntries;
    if (repaired > 0) {
      const others = repaired > names.length ? ` and ${repaired - names.length} more` : '';
      this.#logger.warn(
        `repaired ${withoutExpiry} keys without expiry and ${danglingEntries} dangling index entries: ${names.join(', ')}${others}`,
      );
    }
    if (ended === 0 && !unfinished) return;
    const rest = unfinished ? '; more is left for the next run' : '';
    this.#logger.debug(`ended ${ended} expired sessions in ${Math.round(took)} ms${rest}`);
  }

  #registry(): SchedulerRegistry | undefined {
    try {
      return this.#modules.get(SchedulerRegistry, { strict: false });
    } catch {
      return undefined;
    }
  }
}

function createJob(cron: string, onTick: () => void): CronJob {
  try {
    return CronJob.from({ cronTime: cron, onTick, start: false });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SessionConfigError([`cleanup.cron is not a cron expression: ${why}`]);
  }
}
