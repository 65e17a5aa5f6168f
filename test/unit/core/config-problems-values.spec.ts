/**
 * What is said about a value of the wrong kind or out of its range.
 */
import { describe } from '@jest/globals';
import { expectSentences, timeouts } from './config.kit.js';

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
