/**
 * What is said about options that are refused: unknown ones, those that many get wrong, and several
 * at once.
 */
import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/core/config.js';
import {
  DEVELOPMENT,
  EXAMPLES,
  PRODUCTION,
  SECRET,
  STORE_METHODS,
  expectSentences,
  problemsOf,
  timeouts,
} from './config.kit.js';

const nothing = (): void => undefined;

describe('unknown names', () => {
  expectSentences([
    [{ secrets: 'x' }, 'secrets is not an option; did you mean secret?'],
    [{ Store: 1 }, 'Store is not an option; did you mean store?'],
    [{ timeout: {} }, 'timeout is not an option; did you mean timeouts?'],
    [{ gaurd: 'global' }, 'gaurd is not an option; did you mean guard?'],
    [timeouts({ idel: '5m' }), 'timeouts.idel is not an option; did you mean timeouts.idle?'],
    [
      timeouts({ remembered: { absolut: '5d' } }),
      'timeouts.remembered.absolut is not an option; did you mean timeouts.remembered.absolute?',
    ],
    [
      timeouts({ classes: { kiosk: { Idle: '5m' } } }),
      'timeouts.classes.kiosk.Idle is not an option; did you mean timeouts.classes.kiosk.idle?',
    ],
    [
      { concurrency: { limit: 3 } },
      'concurrency.limit is not an option; did you mean concurrency.max?',
    ],
    [
      { cookie: { samesite: 'lax' } },
      'cookie.samesite is not an option; did you mean cookie.sameSite?',
    ],
    [
      { cookie: { htttpOnly: true } },
      'cookie.htttpOnly is not an option; it is always on: remove it',
    ],
    [
      { cookie: { secure: true } },
      'cookie.secure is not an option; it is always on: remove it (for plain HTTP in development ' +
        'see cookie.insecureDevCookies)',
    ],
    [
      { cookie: { maxAge: 1 } },
      'cookie.maxAge is not an option; the timeouts decide: set timeouts.remembered and log in ' +
        'with remember: true',
    ],
    [
      { data: { maxBytes: 1 } },
      'data.maxBytes is not an option; known options of data are maxFieldBytes, maxSessionBytes, ' +
        'maxFields, keepOnLogin, encrypt',
    ],
    [{ cleanup: { corn: '' } }, 'cleanup.corn is not an option; did you mean cleanup.cron?'],
    [{ resave: false }, 'resave is not an option; its behaviour is fixed here: remove it'],
    [{ rolling: true }, 'rolling is not an option; its behaviour is fixed here: remove it'],
    [{ ttl: 60 }, 'ttl is not an option; set timeouts.idle and timeouts.absolute'],
    [{ idle: '5m' }, 'idle is not an option; did you mean timeouts.idle?'],
    [{ sameSite: 'lax' }, 'sameSite is not an option; did you mean cookie.sameSite?'],
    [
      { zzz: 1 },
      'zzz is not an option; known options are secret, audience, store, preset, timeouts, ' +
        'concurrency, rotation, cookie, crossSite, bearer, data, privacy, signals, cleanup, guard, ' +
        'storeDeadline, explain, production',
    ],
    [
      { 'x\n\u001B[31m': 1 },
      'the options must not have a key of 7 characters that is no name; known are secret, ' +
        'audience, store, preset, timeouts, concurrency, rotation, cookie, crossSite, bearer, ' +
        'data, privacy, signals, cleanup, guard, storeDeadline, explain, production',
    ],
  ]);

  it('names five of many', () => {
    const problems = problemsOf(
      Object.assign({}, 'a sentence that was spread by mistake'),
      DEVELOPMENT,
    );
    expect(problems).toHaveLength(6);
    expect(problems.at(-1)).toBe('the options must not have 32 more unknown keys');
  });
});

describe('cookies that browsers drop', () => {
  it.each([
    [{ domain: 'a.example' }, 'the prefix __Host- of cookie.name allows no cookie.domain'],
    [{ path: '/x' }, 'the prefix __Host- of cookie.name needs cookie.path /'],
    [{ name: 'sid', path: '/;x' }, 'cookie.path must begin with /'],
    [{ name: 'sid', domain: 'a;b' }, 'cookie.domain must be a host name'],
    [{ name: 'a;b' }, 'cookie.name may hold only'],
    [{ name: 'a=b' }, 'cookie.name may hold only'],
    [{ name: '' }, 'cookie.name must not be empty'],
    [{ partitioned: true }, 'cookie.partitioned needs cookie.sameSite none'],
    [{ sameSite: 'none', insecureDevCookies: true }, 'cookie.sameSite none needs Secure'],
    [
      { name: '__Host-a', insecureDevCookies: true },
      'the prefix __Host- of cookie.name needs Secure',
    ],
    [{ name: 5 }, 'cookie.name must be a text (got 5)'],
    [
      { sameSite: 'Lax' },
      "cookie.sameSite must be 'lax', 'strict' or 'none' (got 'Lax'; did you mean 'lax'?)",
    ],
    [{ insecureDevCookies: 'yes' }, "cookie.insecureDevCookies must be true or false (got 'yes')"],
  ])('%j → %s', (cookie, sentence) => {
    expect(problemsOf({ secret: SECRET, cookie }, DEVELOPMENT)).toEqual([
      expect.stringContaining(sentence),
    ]);
  });
});

describe('secret', () => {
  const RULE = 'must be a text or a Uint8Array of at least 32 bytes';

  it.each([
    ['', 'secret is empty: set the environment variable it is read from'],
    [null, `secret ${RULE} (got null)`],
    [5, `secret ${RULE} (got a number)`],
    [{ key: SECRET }, `secret ${RULE} (got an Object)`],
    [[], 'secret must be 1 to 16 secrets, newest first (got none)'],
    [
      Array.from({ length: 17 }, () => SECRET),
      'secret must be 1 to 16 secrets, newest first (got 17)',
    ],
    [[SECRET, undefined], `secret[1] ${RULE} (got undefined)`],
    [[SECRET, [SECRET]], `secret[1] ${RULE} (got a list)`],
    [new Uint8Array(16), 'secret must have at least 32 bytes'],
    [new Uint8Array(32), 'secret repeats a short pattern'],
    ['x7Gq2'.repeat(3), 'secret must have at least 32 bytes'],
    ['changeme', 'secret is a well-known value'],
    [[SECRET, 'changeme'], 'secret[1] is a well-known value'],
  ])('%j → %s', (secret, sentence) => {
    expect(problemsOf({ secret }, DEVELOPMENT)).toEqual([expect.stringContaining(sentence)]);
  });

  it('is refused in production as in development', () => {
    const problems = problemsOf({ secret: 'changeme' }, PRODUCTION);
    expect(problems[0]).toContain('secret is a well-known value');
  });
});

describe('store', () => {
  it.each([
    ['a function', nothing, 'must be a store, not the function or class that makes one: call it'],
    [
      'a connection string',
      'redis://:hunter2@db',
      'must be a store, as in redisStore({ url: … }) (got a string)',
    ],
    ['null', null, 'must be a store, as in redisStore({ url: … }) (got null)'],
    ['a promise', Promise.resolve(), 'must be a store, not the promise of one: await it'],
    [
      'an express-session store',
      { get: nothing, set: nothing, destroy: nothing },
      'is a store of express-session',
    ],
    [
      'an empty object',
      {},
      'must implement the whole store contract (missing: name, open, create, resolve…)',
    ],
  ])('refuses %s', (_, store, sentence) => {
    expect(problemsOf({ secret: SECRET, store }, DEVELOPMENT)).toEqual([
      expect.stringContaining(`store ${sentence}`),
    ]);
  });

  it('names the one method that is missing', () => {
    const methods = STORE_METHODS.filter((name) => name !== 'close');
    const store = Object.fromEntries(methods.map((name) => [name, nothing]));
    expect(problemsOf({ secret: SECRET, store: { ...store, name: 'mine' } }, DEVELOPMENT)).toEqual([
      'store must implement the whole store contract (missing: close): pass what redisStore() or ' +
        'memoryStore() returns',
    ]);
  });
});

describe('many mistakes', () => {
  it('are reported at once, a refused value only once', () => {
    const options = {
      timeouts: {
        idle: 'soon',
        absolute: 'later',
        touchInterval: '1h',
        classes: { a: { idle: '30h' } },
      },
      cleanup: { cron: 'never', jitter: '1h' },
      data: { maxSessionBytes: -1, maxFieldBytes: 100_000 },
    };
    expect(problemsOf({ secret: SECRET, ...options }, DEVELOPMENT)).toEqual([
      `timeouts.idle must be ${EXAMPLES}`,
      `timeouts.absolute must be ${EXAMPLES}`,
      'data.maxSessionBytes must be a whole number from 1 to 4,194,304 (got -1)',
      "cleanup.cron must have 5 or 6 parts, such as '*/5 * * * *' for every 5 minutes (got 1)",
    ]);
  });

  it('make one message that begins with what is wrong', () => {
    expect(() => resolveOptions({ secret: SECRET, bearer: 1, guard: 2 }, DEVELOPMENT)).toThrow(
      'the session options are not usable:\n' +
        '  - bearer must be true or false (got 1)\n' +
        "  - guard must be 'global' (got 2)",
    );
  });
});
