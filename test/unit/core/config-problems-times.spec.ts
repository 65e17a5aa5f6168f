/**
 * What is said about durations, timeouts and the schedule of the cleanup.
 */
import { describe } from '@jest/globals';
import { EXAMPLES, type Row, expectSentences, idle, timeouts } from './config.kit.js';

const cron = (value: unknown): Row[0] => ({ cleanup: { cron: value } });
const named = (name: string): Row[0] => timeouts({ classes: Object.fromEntries([[name, {}]]) });

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
