import { beforeAll, it } from '@jest/globals';

/** What suites are handed in place of Jest's `it`; the time limit is that of all tests together. */
export interface TestsTogether {
  (title: string, run: () => Promise<void>, timeout?: number): void;
  skip(title: string, run: () => Promise<void>): void;
}

/** For all tests of one suite, in milliseconds. */
const LIMIT = 300_000;

/**
 * For tests that mostly wait: so many of those that are registered in one describe block run at the
 * same time, before the first of them is asked for its outcome. To be called in that block. Not
 * with `it.concurrent`: there Jest refuses every `import()` of a driver once a test is over.
 *
 * A test that says by an error named `Stalled` that it missed its moment is run again by itself.
 */
export function together(atOnce: number): TestsTogether {
  const waiting: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const work = async (): Promise<void> => {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) await run();
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }, LIMIT);
  const test = (title: string, run: () => Promise<void>): void => {
    let outcome: Outcome = { error: new Error('was not run') };
    waiting.push(async () => {
      outcome = await run().then(
        () => ({}),
        (error: unknown) => ({ error }),
      );
    });
    it(`${title}, beside others`, () => expectSuccess(outcome, run));
  };
  return Object.assign(test, { skip: it.skip });
}

interface Outcome {
  readonly error?: unknown;
}

async function expectSuccess(outcome: Outcome, run: () => Promise<void>): Promise<void> {
  if (outcome.error instanceof Error && outcome.error.name === 'Stalled') await run();
  else if ('error' in outcome) throw outcome.error;
}
