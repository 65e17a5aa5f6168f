/**
 * The session module as tests want it: memory store, a clock that the test moves, no timers.
 */
import type { DynamicModule } from '@nestjs/common';
import { SessionModule } from '../nest/session.module.js';
import type { SessionModuleOptions } from '../nest/session.module-definition.js';
import { memoryStore } from '../stores/memory/memory.store.js';
import type { ManualClock } from './clock.js';

/** @public */
export interface SessionTestingOptions extends Omit<SessionModuleOptions, 'store' | 'secret'> {
  /** The store's clock; `manualClock()` gives one that the test moves. @defaultValue the real one */
  readonly clock?: ManualClock;
  /** A store of the test's own instead, such as one with faults. */
  readonly store?: SessionModuleOptions['store'];
}

/**
 * `SessionModule` for tests of an application: import it instead. Needs no secret, no server and
 * no `ScheduleModule`; everything else behaves as in production.
 *
 * @public
 */
export class SessionTestingModule {
  static forRoot(options: SessionTestingOptions = {}): DynamicModule {
    const { clock, store, ...rest } = options;
    return SessionModule.forRoot({
      secret: 'only for tests: 7f8a41c09be24d1fa35c60e2d19b8e74',
      cleanup: false,
      ...rest,
      store: store ?? memoryStore(clock && { clock: () => clock.now() }),
    });
  }
}
