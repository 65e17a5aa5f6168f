/**
 * What happens when the application starts and stops.
 */
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { SessionConfigError, SessionStoreError } from '../core/errors.js';
import type { SessionConfig } from '../core/config.js';
import { SessionEventBus } from '../core/events.js';
import { SessionService } from '../core/service.js';
import type { OutageLog } from './outage-log.js';
import { CONFIG_TOKEN } from './session.module-definition.js';
import { SessionSweepTask } from './session-sweep.task.js';

@Injectable()
export class SessionLifecycle
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  readonly #logger = new Logger('SessionModule');

  constructor(
    private readonly service: SessionService,
    private readonly cleanup: SessionSweepTask,
    @Inject(CONFIG_TOKEN) private readonly config: SessionConfig,
  ) {}

  /** A store that does not answer at boot is asked again by the first request. */
  async onModuleInit(): Promise<void> {
    try {
      await this.service.open();
    } catch (error) {
      // The log has it already.
      if (!(error instanceof SessionStoreError)) throw error;
    }
  }

  /** The scheduler is complete only now. All warnings come as one. */
  onApplicationBootstrap(): void {
    this.cleanup.start();
    const warnings = this.config.warnings.map(({ message }) => message);
    if (warnings.length > 0) {
      const list = warnings.map((message) => `\n  - ${message}`).join('');
      this.#logger.warn(`check the session options:${list}`);
    }
    const findings = this.service.audit();
    if (findings.length > 0) {
      const lines = findings.map(
        ({ option, value, safeValue, why, requirement }) =>
          `\n  - ${option} is ${value} (safe: ${safeValue}): ${why} (${requirement})`,
      );
      this.#logger.log(`options weaker than the safe defaults:${lines.join('')}`);
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.cleanup.stop();
  }

  /** After the last request was answered. What others still have to close must not wait for us. */
  async onApplicationShutdown(): Promise<void> {
    try {
      await this.service.close();
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      this.#logger.warn(`the session store did not close: ${error.message} (${error.code})`);
    }
  }
}

export function refuseSecondRegistration(count: number): void {
  if (count < 2) return;
  throw new SessionConfigError([
    'SessionModule is registered twice, which would make two services and two stores: call SessionModule.forRoot() once, in the root module; it is global',
  ]);
}

/** Listeners and stores that fail, in the log; the first are no business of any request. */
export function createEventBus(outages: OutageLog): SessionEventBus {
  const logger = new Logger('SessionEvents');
  return new SessionEventBus(
    (name, error) => {
      const stack = error instanceof Error ? error.stack : undefined;
      logger.error(`a listener of ${name} failed`, stack);
    },
    (failure) => outages.note(failure),
  );
}
