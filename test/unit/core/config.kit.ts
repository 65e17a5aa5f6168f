/**
 * What the tests of the options have in common.
 */
import { expect, it } from '@jest/globals';
import { type ConfigEnvironment, resolveOptions } from '../../../src/core/config.js';
import { SessionConfigError } from '../../../src/core/errors.js';

export const SECRET = 'q3Zk7xW1vB9mN4cJ8hG2dS6fL0pR5tYu';
export const DEVELOPMENT = { production: false };
export const PRODUCTION = { production: true };

/** Every method of the store contract. */
export const STORE_METHODS = (
  'open create resolve read write rotate revoke revokeUser revokeEveryone eraseUser peek list page ' +
  'sweep stats countLoginFailure ping close'
).split(' ');

/** What it refuses options for. */
export function problemsIn(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof SessionConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** What the options are refused for. */
export function problemsOf(options: unknown, environment?: ConfigEnvironment): readonly string[] {
  return problemsIn(() => resolveOptions(options, environment));
}

/** Options beside a good secret → the one sentence about them. */
export type Row = readonly [options: Readonly<Record<string, unknown>>, sentence: string];

/** A test for each row. */
export function expectSentences(rows: readonly Row[]): void {
  it.each(rows)('%j → %s', (options, sentence) => {
    expect(problemsOf({ secret: SECRET, ...options }, DEVELOPMENT)).toEqual([sentence]);
  });
}

export const EXAMPLES = 'a number of milliseconds or a text such as "30m", "24h" or "7d"';
export const timeouts = (value: unknown): Row[0] => ({ timeouts: value });
export const idle = (value: unknown): Row[0] => timeouts({ idle: value });
