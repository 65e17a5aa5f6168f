/**
 * Whether sessions work, for `@nestjs/terminus`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { SessionConfig } from '../core/config.js';
import { SessionService } from '../core/service.js';
import type { PingReply } from '../core/store.js';
import { CONFIG_TOKEN } from './session.module-definition.js';
import { SessionSweepTask } from './session-sweep.task.js';

/** How a health check is answered. @public */
export interface SessionHealthOptions {
  /** Also tell facts of the store and the last cleanup: only where operators alone can see them. */
  readonly details?: boolean;
}

/** Failed cleanups in a row that make the state degraded. */
const FAILED_CLEANUPS = 3;

/**
 * Health of the session store and its cleanup: `up`, `degraded` (it works, but something needs
 * attention; `issues` says what) or `down`. Answers within the store deadline, also when the store
 * hangs. For readiness, not for liveness: a restart does not mend a store.
 *
 * The answer names no host, key or version unless `details` is asked for.
 *
 * @public
 */
@Injectable()
export class SessionHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly service: SessionService,
    private readonly cleanup: SessionSweepTask,
    @Inject(CONFIG_TOKEN) private readonly config: SessionConfig,
  ) {}

  async isHealthy(
    key = 'session',
    options: SessionHealthOptions = {},
  ): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(key);
    const reply = await this.#ping();
    if (reply === undefined) {
      return indicator.down({ state: 'down', issues: ['the store does not answer'] });
    }
    const issues = [...reply.issues, ...this.#cleanupIssues()];
    const state = issues.length === 0 ? 'up' : 'degraded';
    const data: Record<string, unknown> = {
      state,
      ...(issues.length > 0 && { issues }),
      ...(options.details && { details: this.#details(reply) }),
    };
    // Terminus 11 knows up and down only.
    const canSayDegraded = 'degraded' in indicator;
    return state === 'degraded' && canSayDegraded ? indicator.degraded(data) : indicator.up(data);
  }

  async #ping(): Promise<PingReply | undefined> {
    const tooLate = new AbortController();
    const deadline = this.config.settings.deadline;
    const timeout = delay(deadline, undefined, { signal: tooLate.signal }).catch(() => undefined);
    try {
      return await Promise.race([this.service.ping(), timeout]);
    } catch {
      return undefined;
    } finally {
      tooLate.abort();
    }
  }

  #cleanupIssues(): string[] {
    const { schedule, failures } = this.cleanup.state;
    if (schedule === 'unscheduled') return ['the cleanup is not scheduled'];
    return failures >= FAILED_CLEANUPS ? ['the cleanup keeps failing'] : [];
  }

  #details(reply: PingReply): Record<string, unknown> {
    const { lastReport, lastRunAt, schedule } = this.cleanup.state;
    const cleanup = { schedule, lastRunAt: lastRunAt ?? null, lastReport: lastReport ?? null };
    return { store: this.service.storeName, ...reply.details, cleanup };
  }
}
