import { describe, expect, it } from '@jest/globals';

import { resolveOptions } from '../../../src/core/config.js';
import { SessionConfigError } from '../../../src/core/errors.js';

const SECRET = 'q3Zk7xW1vB9mN4cJ8hG2dS6fL0pR5tYu';

function problemsOf(options: unknown, production = false): readonly string[] {
  try {
    resolveOptions(options, { production });
  } catch (error) {
    if (error instanceof SessionConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** Options beside a good secret → the one sentence about them. */
type Row = readonly [options: Readonly<Record<string, unknown>>, sentence: string];

function expectSentences(rows: readonly Row[]): void {
  it.each(rows)('%j → %s', (options, sentence) => {
    expect(problemsOf({ secret: SECRET, ...options })).toEqual([sentence]);
  });
}

const EXAMPLES = 'a number of milliseconds or a text such as "30m", "24h" or "7d"';
const timeouts = (value: unknown): Row[0] => ({ timeouts: value });
const cron = (value: unknown): Row[0] => ({ cleanup: { cron: value } });
const named = (name: string): Row[0] => timeouts({ classes: Object.fromEntries([[name, {}]]) });
const nothing = (): void => undefined;
const idle = (value: unknown): Row[0] => timeouts({ idle: value });

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
    const problems = problemsOf(Object.assign({}, 'a sentence that was spread by mistake'));
    expect(problems).toHaveLength(6);
    expect(problems.at(-1)).toBe('the options must not have 32 more unknown keys');
  });
});

describe('groups and simple values', () => {
  expectSentences([
    [timeouts('30m'), 'timeouts must be a plain object (got a string)'],
    [timeouts(null), 'timeouts must be a plain object (got null)'],
    [timeouts([]), 'timeouts must be a plain object (got a list)'],
    [timeouts(new Map([['idle', '5m']])), 'timeouts must be a plain object (got a Map)'],
    [timeouts({ anonymous: false }), 'timeouts.anonymous must be a plain object (got a boolean)'],
    [timeouts({ classes: new Date(0) }), 'timeouts.classes must be a plain object (got a Date)'],
    [timeouts({ classes: { a: 5 } }), 'timeouts.classes.a must be a plain object (got a number)'],
    [{ cookie: () => ({}) }, 'cookie must be a plain object (got a function)'],
    [{ data: new Error('x') }, 'data must be a plain object (got an Error)'],
    [{ concurrency: 5 }, 'concurrency must be a plain object (got a number)'],
    [
      { cleanup: true },
      'cleanup must be false or an object (got true, which is the default: leave it out)',
    ],
    [{ cleanup: null }, 'cleanup must be false or an object (got null)'],
    [{ cleanup: [] }, 'cleanup must be a plain object (got a list)'],
    [{ bearer: 'true' }, "bearer must be true or false (got 'true')"],
    [{ bearer: 1 }, 'bearer must be true or false (got 1)'],
    [{ production: 'no' }, "production must be true or false (got 'no')"],
    [{ guard: true }, "guard must be 'global' (got true)"],
    [{ guard: 'globl' }, "guard must be 'global' (got 'globl'; did you mean 'global'?)"],
    [{ audience: '' }, 'audience must be a text of 1 to 128 bytes (got 0 bytes)'],
    [{ audience: 'ü'.repeat(65) }, 'audience must be a text of 1 to 128 bytes (got 130 bytes)'],
    [{ audience: 5 }, 'audience must be a text of 1 to 128 bytes (got 5)'],
    [{ audience: 'a\uD800' }, 'audience must be well-formed Unicode: it has a lone surrogate'],
    [
      { concurrency: { max: 0 } },
      'concurrency.max must be a whole number from 1 to 1,000, or a function of the login (got 0)',
    ],
    [
      { concurrency: { max: 1.5 } },
      'concurrency.max must be a whole number from 1 to 1,000, or a function of the login (got 1.5)',
    ],
    [
      { concurrency: { max: 1_001 } },
      'concurrency.max must be a whole number from 1 to 1,000, or a function of the login (got 1,001)',
    ],
    [
      { concurrency: { max: '5' } },
      "concurrency.max must be a whole number from 1 to 1,000, or a function of the login (got '5')",
    ],
    [
      { concurrency: { max: NaN } },
      'concurrency.max must be a whole number from 1 to 1,000, or a function of the login (got NaN)',
    ],
    [
      { timeouts: { classOf: 'admin' } },
      "timeouts.classOf must be a function of the login (got 'admin')",
    ],
    [
      { timeouts: { limitClass: 'admin' } },
      'timeouts.limitClass is not an option; did you mean timeouts.classOf?',
    ],
    [
      { concurrency: { atLimit: 'evict-oldst' } },
      "concurrency.atLimit must be 'evict-least-recent', 'evict-oldest' or 'reject' (got " +
        "'evict-oldst'; did you mean 'evict-oldest'?)",
    ],
    [
      { data: { maxFieldBytes: 0 } },
      'data.maxFieldBytes must be a whole number from 1 to 1,048,576 (got 0)',
    ],
    [
      { data: { maxSessionBytes: 1e12 } },
      'data.maxSessionBytes must be a whole number from 1 to 4,194,304 (got 1,000,000,000,000)',
    ],
    [
      { data: { maxFields: '9' } },
      "data.maxFields must be a whole number from 1 to 1,000 (got '9')",
    ],
    [
      { data: { maxFieldBytes: 100_000 } },
      'data.maxFieldBytes must be at most data.maxSessionBytes (got 100,000 and 65,536 bytes); ' +
        'set data.maxSessionBytes too',
    ],
    [
      { data: { maxFieldBytes: 20, maxSessionBytes: 10 } },
      'data.maxFieldBytes must be at most data.maxSessionBytes (got 20 and 10 bytes)',
    ],
    [
      { data: { keepOnLogin: 'cart' } },
      'data.keepOnLogin must be a list of at most 1,000 field names (got a string)',
    ],
    [
      { data: { keepOnLogin: Array.from({ length: 1_001 }, String) } },
      'data.keepOnLogin must be a list of at most 1,000 field names (got 1,001 names)',
    ],
    [
      { data: { keepOnLogin: ['cart', 5] } },
      'data.keepOnLogin[1] must be a field name: 1 to 64 bytes without control characters',
    ],
    [
      { data: { keepOnLogin: ['__proto__'] } },
      'data.keepOnLogin[0] must be a field name: 1 to 64 bytes without control characters',
    ],
  ]);
});

describe('durations', () => {
  expectSentences([
    [idle(NaN), 'timeouts.idle must not be NaN'],
    [idle(Infinity), 'timeouts.idle must be finite'],
    [idle(0), 'timeouts.idle must be more than zero'],
    [idle(-5), 'timeouts.idle must not be negative (got -5)'],
    [idle('401d'), 'timeouts.idle must be at most 400d (got "401d")'],
    [timeouts({ absolute: '800d' }), 'timeouts.absolute must be at most 400d (got "800d")'],
    [
      idle(1800),
      'timeouts.idle is 1800 milliseconds: write "1800s" if seconds were meant, "1800ms" if not',
    ],
    [
      timeouts({ absolute: 86_400 }),
      'timeouts.absolute is 86400 milliseconds: write "86400s" if seconds were meant, "86400ms" if not',
    ],
    [idle('50ms'), 'timeouts.idle must be at least 100 ms (got 50 ms)'],
    [
      idle('30'),
      'timeouts.idle must have a unit (ms, s, m, h or d): write "30m", or a number for milliseconds',
    ],
    [idle('30 m'), 'timeouts.idle must not contain white space: write "30m"'],
    [
      idle('1h30m'),
      'timeouts.idle must be one number and one unit: write "90m" instead of "1h30m"',
    ],
    [idle('30min'), 'timeouts.idle must end in one of the units ms, s, m, h and d'],
    [idle('soon'), `timeouts.idle must be ${EXAMPLES}`],
    [idle(null), "timeouts.idle must be a duration such as '30m' (got null)"],
    [idle({ minutes: 5 }), "timeouts.idle must be a duration such as '30m' (got an Object)"],
    [idle(5n), "timeouts.idle must be a duration such as '30m' (got a bigint)"],
    [
      timeouts({ touchInterval: 30 }),
      'timeouts.touchInterval is 30 milliseconds: write "30s" if seconds were meant, "30ms" if not',
    ],
    [
      { cleanup: { jitter: 10 } },
      'cleanup.jitter is 10 milliseconds: write "10s" if seconds were meant, "10ms" if not',
    ],
    [{ storeDeadline: 1 }, 'storeDeadline must be at least 50 ms (got 1 ms)'],
    [{ storeDeadline: '31s' }, 'storeDeadline must be at most 30s (got "31s")'],
    [{ cleanup: { budget: 30 } }, 'cleanup.budget must be at least 1 s (got 30 ms)'],
    [{ cleanup: { budget: '1h' } }, 'cleanup.budget must be at most 10m (got "1h")'],
  ]);
});

describe('timeouts that contradict each other', () => {
  expectSentences([
    [
      timeouts({ idle: '30h', absolute: '24h' }),
      'timeouts.idle must be at most timeouts.absolute (got 30 h and 24 h)',
    ],
    [
      idle('30h'),
      'timeouts.idle must be at most timeouts.absolute (got 30 h and 24 h); set timeouts.absolute ' +
        'too, which is 24 h by default',
    ],
    [
      timeouts({ remembered: { idle: '60d' } }),
      'timeouts.remembered.idle must be at most timeouts.remembered.absolute (got 60 d and 30 d); ' +
        'set timeouts.remembered.absolute too, which is 30 d by default',
    ],
    [
      timeouts({ absolute: '8h', anonymous: { idle: '12h' } }),
      'timeouts.anonymous.idle must be at most timeouts.anonymous.absolute (got 12 h and 8 h); set ' +
        'timeouts.anonymous.absolute too, which is 8 h as in timeouts.absolute',
    ],
    [
      timeouts({ classes: { kiosk: { idle: '2.5m', absolute: '90s' } } }),
      'timeouts.classes.kiosk.idle must be at most timeouts.classes.kiosk.absolute (got 2.5 m and 1.5 m)',
    ],
    [
      timeouts({ idle: '10m', touchInterval: '5m' }),
      'timeouts.touchInterval must be at most a quarter of the shortest idle timeout (got 5 m; ' +
        'timeouts.idle is 10 m, so at most 2.5 m)',
    ],
    [
      timeouts({ touchInterval: '2m', classes: { kiosk: { idle: '4m' } } }),
      'timeouts.touchInterval must be at most a quarter of the shortest idle timeout (got 2 m; ' +
        'timeouts.classes.kiosk.idle is 4 m, so at most 1 m)',
    ],
  ]);
});

describe('limit classes', () => {
  const NAMES =
    'timeouts.classes must have names of 1 to 24 letters, digits and hyphens that begin with a ' +
    'small letter';

  expectSentences([
    [named('9a'), `${NAMES} (got '9a')`],
    [named('Kiosk'), `${NAMES} (got 'Kiosk')`],
    [named(''), `${NAMES} (got a name of 0 characters)`],
    [named('a b'), `${NAMES} (got a name of 3 characters)`],
    [named('__proto__'), `${NAMES} (got '__proto__')`],
    [named('a'.repeat(25)), `${NAMES} (got a name of 25 characters)`],
    [
      named('constructor'),
      'timeouts.classes.constructor has a name that every JavaScript object knows: choose another one',
    ],
    [
      named('default'),
      'timeouts.classes.default is a built-in class: set timeouts.idle and timeouts.absolute instead',
    ],
    [
      named('remembered'),
      'timeouts.classes.remembered is a built-in class: set timeouts.remembered instead',
    ],
    [
      named('anonymous'),
      'timeouts.classes.anonymous is a built-in class: set timeouts.anonymous instead',
    ],
    [
      timeouts({
        classes: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`c${i}`, {}])),
      }),
      'timeouts.classes must be at most 32 classes (got 33)',
    ],
  ]);
});

describe('cleanup', () => {
  const PARTS = "cleanup.cron must have 5 or 6 parts, such as '*/5 * * * *' for every 5 minutes";

  expectSentences([
    [cron(''), `${PARTS} (got 0)`],
    [cron('@hourly'), `${PARTS} (got 1)`],
    [cron('* * * *'), `${PARTS} (got 4)`],
    [cron('* * * * * * *'), `${PARTS} (got 7)`],
    [cron(5), "cleanup.cron must be a cron expression such as '*/5 * * * *' (got a number)"],
    [
      cron('61 * * * *'),
      'cleanup.cron has a bad part for the minute: 0 to 59, lists, ranges and steps are known',
    ],
    [
      cron('* * * foo *'),
      'cleanup.cron has a bad part for the month: 1 to 12, lists, ranges and steps are known',
    ],
    [cron('0 0 30 2 *'), 'cleanup.cron never runs: no month has such a day'],
    [{ cleanup: { batch: 0 } }, 'cleanup.batch must be a whole number from 1 to 5,000 (got 0)'],
    [
      { cleanup: { batch: 5_001 } },
      'cleanup.batch must be a whole number from 1 to 5,000 (got 5,001)',
    ],
    [
      { cleanup: { cron: '* * * * *', jitter: '20s' } },
      'cleanup.jitter must be at most 15 s, a quarter of the period (got 20 s; cleanup.cron runs ' +
        'every 1 m)',
    ],
  ]);
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
    expect(problemsOf({ secret: SECRET, cookie })).toEqual([expect.stringContaining(sentence)]);
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
    expect(problemsOf({ secret })).toEqual([expect.stringContaining(sentence)]);
  });

  it('is refused in production as in development', () => {
    const problems = problemsOf({ secret: 'changeme' }, true);
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
    expect(problemsOf({ secret: SECRET, store })).toEqual([
      expect.stringContaining(`store ${sentence}`),
    ]);
  });

  it('names the one method that is missing', () => {
    const methods =
      'open create resolve read write rotate revoke revokeUser revokeEveryone eraseUser peek list page sweep stats ' +
      'countLoginFailure ping';
    const store = Object.fromEntries(methods.split(' ').map((name) => [name, nothing]));
    expect(problemsOf({ secret: SECRET, store: { ...store, name: 'mine' } })).toEqual([
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
    expect(problemsOf({ secret: SECRET, ...options })).toEqual([
      `timeouts.idle must be ${EXAMPLES}`,
      `timeouts.absolute must be ${EXAMPLES}`,
      'data.maxSessionBytes must be a whole number from 1 to 4,194,304 (got -1)',
      "cleanup.cron must have 5 or 6 parts, such as '*/5 * * * *' for every 5 minutes (got 1)",
    ]);
  });

  it('make one message that begins with what is wrong', () => {
    expect(() =>
      resolveOptions({ secret: SECRET, bearer: 1, guard: 2 }, { production: false }),
    ).toThrow(
      'the session options are not usable:\n' +
        '  - bearer must be true or false (got 1)\n' +
        "  - guard must be 'global' (got 2)",
    );
  });
});
