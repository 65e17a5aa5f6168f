/**
 * Tests over HTTP on one stage: each on every adapter, in an empty place of its own, and with all
 * instances of the application closed at its end.
 */
import { describe, it } from '@jest/globals';
import type { SessionModuleOptions } from '../../src/index.js';
import { type Adapter, type TestApp, type TestAppOptions, startApp } from './app.js';
import type { Place, Stage } from './stores.js';
import { together } from './together.js';

/** What a test is given. */
export interface Scene extends Place {
  readonly adapter: Adapter;
  /** Boots one more instance of the application. */
  start(session?: SessionModuleOptions, app?: Omit<TestAppOptions, 'session'>): Promise<TestApp>;
}

export type Scenario = (title: string, run: (scene: Scene) => Promise<void>) => void;

export interface ScenarioOptions extends TestAppOptions {
  /** They mostly wait: where the clock cannot be moved, they do so at the same time. */
  readonly mostlyWait?: boolean;
}

/** Outlives a moment in which the machine stands still; the deadline has tests of its own. */
const PATIENCE = { storeDeadline: '10s' } as const;

/** Registers the tests of a suite; `defaults` is what all of its applications have in common. */
export function describeScenarios(
  what: string,
  stage: Stage,
  suite: (scenario: Scenario) => void,
  { mostlyWait = false, ...defaults }: ScenarioOptions = {},
): void {
  describe(`${what} on ${stage.name}`, () => {
    const test = mostlyWait && stage.clock === 'real' ? together(AT_ONCE) : it;
    suite((title, run) => {
      for (const adapter of stage.adapters) {
        test(`${title} (${adapter})`, () => play(stage, adapter, defaults, run));
      }
    });
  });
}

/** Few enough that no test is late because of the others. */
const AT_ONCE = 8;

async function play(
  stage: Stage,
  adapter: Adapter,
  defaults: TestAppOptions,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const place = stage.place();
  const running: TestApp[] = [];
  const start: Scene['start'] = async (session = {}, options = {}) => {
    const store = session.store ?? place.connect();
    const app = await startApp(adapter, {
      ...defaults,
      ...options,
      session: { ...PATIENCE, ...defaults.session, ...session, store },
    });
    running.push(app);
    return app;
  };
  try {
    await run({ ...place, adapter, start });
  } finally {
    await Promise.all(running.map((app) => app.close()));
  }
}
