/**
 * The dynamic module: wires everything through Nest's dependency injection.
 */
import { type CanActivate, type DynamicModule, Module, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, ModulesContainer } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { HealthIndicatorService } from '@nestjs/terminus';
import { type SessionConfig, resolveOptions } from '../core/config.js';
import { SessionEventBus } from '../core/events.js';
import type { SessionOptions } from '../core/options.js';
import { SessionService } from '../core/service.js';
import type { SessionStore } from '../core/store.js';
import { memoryStore } from '../stores/memory/memory.store.js';
import { OutageLog } from './outage-log.js';
import { CurrentSessionPipe, CurrentUserIdPipe } from './session.decorators.js';
import { SessionExceptionFilter } from './session.exceptions.js';
import { SessionGuard } from './session.guard.js';
import { SessionHealthIndicator } from './session.health.js';
import { SessionLifecycle, createEventBus, refuseSecondRegistration } from './session.lifecycle.js';
import {
  CONFIG_TOKEN,
  ModuleBase,
  OPTIONS_TOKEN,
  STORE_TOKEN,
  type SessionModuleAsyncOptions,
  type SessionModuleOptions,
} from './session.module-definition.js';
import { SessionRequests } from './session-requests.js';
import { SessionSweepTask } from './session-sweep.task.js';

/** The option is known only when the options are, so the place of a global guard is always taken. */
const LET_PASS: CanActivate = { canActivate: () => true };

const PROVIDERS: Provider[] = [
  {
    provide: CONFIG_TOKEN,
    inject: [OPTIONS_TOKEN, ModulesContainer],
    useFactory: (options: SessionOptions, modules: ModulesContainer): SessionConfig => {
      refuseSecondRegistration(registrationsIn(modules));
      return resolveOptions(options, { hasScheduler: hasScheduler(modules) });
    },
  },
  {
    provide: STORE_TOKEN,
    inject: [CONFIG_TOKEN],
    useFactory: (config: SessionConfig): SessionStore => config.store ?? memoryStore(),
  },
  {
    provide: SessionService,
    inject: [CONFIG_TOKEN, STORE_TOKEN, SessionEventBus],
    useFactory: (config: SessionConfig, store: SessionStore, events: SessionEventBus) =>
      new SessionService(config, store, events),
  },
  OutageLog,
  { provide: SessionEventBus, inject: [OutageLog], useFactory: createEventBus },
  { provide: APP_FILTER, useClass: SessionExceptionFilter },
  {
    provide: APP_GUARD,
    inject: [CONFIG_TOKEN, SessionGuard],
    useFactory: (config: SessionConfig, guard: SessionGuard): CanActivate =>
      config.guard === 'global' ? guard : LET_PASS,
  },
  HealthIndicatorService,
  SessionRequests,
  SessionGuard,
  SessionSweepTask,
  SessionHealthIndicator,
  SessionLifecycle,
  CurrentSessionPipe,
  CurrentUserIdPipe,
];

const EXPORTS = [
  SessionService,
  SessionRequests,
  SessionGuard,
  SessionSweepTask,
  SessionHealthIndicator,
  CONFIG_TOKEN,
];

/**
 * Sessions for a Nest application. Import it once, in the root module, next to
 * `ScheduleModule.forRoot()`.
 *
 * @example
 * ```ts
 * SessionModule.forRoot({ secret: process.env.SESSION_SECRET })
 * ```
 *
 * @public
 */
@Module({})
export class SessionModule {
  /**
   * @throws SessionConfigError at boot, listing every mistake in the options
   */
  static forRoot(options: SessionModuleOptions = {}): DynamicModule {
    return complete(ModuleBase.forRoot(options));
  }

  /** The same with options that are made by the application's own providers. */
  static forRootAsync(options: SessionModuleAsyncOptions): DynamicModule {
    return complete(ModuleBase.forRootAsync(options));
  }
}

function complete(base: DynamicModule): DynamicModule {
  const providers = [...(base.providers ?? []), ...PROVIDERS];
  return { ...base, module: SessionModule, providers, exports: EXPORTS };
}

function registrationsIn(modules: ModulesContainer): number {
  return [...modules.values()].filter(({ metatype }) => metatype === SessionModule).length;
}

function hasScheduler(modules: ModulesContainer): boolean {
  return [...modules.values()].some((module) => module.providers.has(SchedulerRegistry));
}
