/**
 * Whether sessions work, for `@nestjs/terminus`.
 */
import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { SessionService } from '../core/service.js';
import type { PingReply } from '../core/store.js';
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

  /** `undefined`: no answer. The service gives up at the deadline of the store. */
  #ping(): Promise<PingReply | undefined> {
    return this.service.ping().catch(() => undefined);
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
