/**
 * Options that are functions of the login.
 */
import { describe, expect, it } from '@jest/globals';
import { type SessionConfig, resolveOptions } from '../../../src/core/config.js';
import { SessionConfigError } from '../../../src/core/errors.js';
import type { LoginFacts } from '../../../src/core/login-facts.js';
import { loginOf } from './logins.kit.js';

const SECRET = 'tests-only-0b1c2d3e4f5a69788796a5b4c3d2e1f0';

type Ask = (login: LoginFacts) => unknown;

function resolve(options: object): SessionConfig {
  return resolveOptions({ secret: SECRET, ...options }, { production: false });
}

/** Every such option: how it is given and asked, what it takes, and what it says to the rest. */
const OPTIONS: readonly {
  name: string;
  ask: (given: unknown) => Ask;
  good: readonly unknown[];
  bad: readonly unknown[];
  refusal: string;
}[] = [
  {
    name: 'concurrency.max',
    ask: (max) => resolve({ concurrency: { max } }).concurrency.max,
    good: [1, 7, 1_000],
    bad: [0, -1, 1_001, 1.5, NaN, Infinity, '5', null, undefined, {}, 5n],
    refusal: 'concurrency.max must return a whole number from 1 to 1,000 (got ',
  },
  {
    name: 'concurrency.atLimit',
    ask: (atLimit) => resolve({ concurrency: { atLimit } }).concurrency.atLimit,
    good: ['evict-oldest', 'evict-least-recent', 'reject'],
    bad: ['evict', '', null, undefined, 1, {}, ['reject']],
    refusal:
      "concurrency.atLimit must return 'evict-least-recent', 'evict-oldest' or 'reject' (got ",
  },
  {
    name: 'timeouts.classOf',
    ask: (classOf) =>
      resolve({ timeouts: { classOf, classes: { admin: { idle: '5m' } } } }).classOf,
    good: ['admin', 'default', 'remembered', undefined],
    bad: ['boss', 'anonymous', '', 'constructor', '__proto__', null, 1, {}, ['admin']],
    refusal:
      "timeouts.classOf must return 'default', 'remembered', 'impersonation' or 'admin', " +
      'or undefined (got ',
  },
];

describe.each(OPTIONS)('$name as a function', ({ ask, good, bad, refusal }) => {
  it('is asked about each login', () => {
    const logins: LoginFacts[] = [];
    const answer = ask((login: LoginFacts) => {
      logins.push(login);
      return good[0];
    });
    expect([answer(loginOf('a')), answer(loginOf('b'))]).toEqual([good[0], good[0]]);
    expect(logins).toEqual([loginOf('a'), loginOf('b')]);
  });

  it.each(good)('may answer %p, at once or later', async (answer) => {
    expect(ask(() => answer)(loginOf('a'))).toBe(answer);
    await expect(ask(async () => answer)(loginOf('a'))).resolves.toBe(answer);
  });

  it.each(bad)('fails the login when it answers %p', async (answer) => {
    expect(() => ask(() => answer)(loginOf('a'))).toThrow(SessionConfigError);
    expect(() => ask(() => answer)(loginOf('a'))).toThrow(refusal);
    await expect(ask(async () => answer)(loginOf('a'))).rejects.toThrow(refusal);
  });

  it('passes on what it throws', async () => {
    const failure = new Error('directory unreachable');
    const fail = (): never => {
      throw failure;
    };
    expect(() => ask(fail)(loginOf('a'))).toThrow(failure);
    await expect(ask(() => Promise.reject(failure))(loginOf('a'))).rejects.toBe(failure);
  });
});
