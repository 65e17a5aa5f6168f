import { describe, expect, it } from '@jest/globals';
import { CronTime } from 'cron';
import fc from 'fast-check';

import { cronPeriod } from '../../../src/core/cron-period.js';

const seed = Number(process.env['TEST_SEED'] ?? 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function isCron(text: string): boolean {
  try {
    return new CronTime(text, 'UTC') instanceof CronTime;
  } catch {
    return false;
  }
}

describe('period of a cron expression', () => {
  it.each([
    ['*/5 * * * *', 5 * MINUTE, 5 * MINUTE],
    ['  */5  *  * * *  ', 5 * MINUTE, 5 * MINUTE],
    ['* * * * * *', SECOND, SECOND],
    ['*/7 * * * *', 4 * MINUTE, 7 * MINUTE],
    ['0,10 * * * *', 10 * MINUTE, 50 * MINUTE],
    ['30 3 * * *', DAY, DAY],
    ['0 3 * * MON-fri', DAY, 3 * DAY],
    ['0 3 * * 7', 7 * DAY, 7 * DAY],
    ['0 9-17/4 * * *', 4 * HOUR, 16 * HOUR],
    ['0 20/2 * * *', 2 * HOUR, 22 * HOUR],
    ['0 0 1 * *', 28 * DAY, 31 * DAY],
    ['0 0 29 2 *', 4 * 365 * DAY + DAY, 4 * 365 * DAY + DAY],
    ['0 0 1 jan,JUL *', 181 * DAY, 184 * DAY],
    // Restricted by both kinds of day: either one is enough.
    ['0 0 1-7 * 0', DAY, 7 * DAY],
  ])('%s: %i to %i ms', (expression, shortest, longest) => {
    expect(cronPeriod(expression)).toEqual({ ok: true, shortest, longest });
  });

  it.each([
    '',
    ' ',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    '*-5 * * * *',
    '5-* * * * *',
    '1,,2 * * * *',
    ', * * * *',
    '-1 * * * *',
    '1.5 * * * *',
    'mon * * * *',
    '* * * * jan',
    '? * * * *',
    '@daily',
    '0 0 31 4,6,9,11 *',
  ])('refuses %j', (expression) => {
    expect(cronPeriod(expression).ok).toBe(false);
  });

  it('refuses one that is too long', () => {
    expect(cronPeriod(`${'1,'.repeat(1_000)}1 * * * *`).ok).toBe(false);
  });

  const field = (max: number): fc.Arbitrary<string> => {
    const value = fc.integer({ min: 0, max: max + 1 });
    const item = fc.oneof(
      fc.constant('*'),
      value.map(String),
      fc.tuple(value, value).map(([from, to]) => `${from}-${to}`),
      fc.tuple(value, value).map(([from, step]) => `${from}/${step}`),
      value.map((step) => `*/${step}`),
    );
    return fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
  };
  const expression = fc
    .tuple(field(59), field(59), field(23), field(31), field(12), field(7))
    .map((fields) => fields.join(' '));

  it('accepts nothing that the cron package refuses', () => {
    fc.assert(
      fc.property(expression, (text) => {
        expect(cronPeriod(text).ok && !isCron(text)).toBe(false);
      }),
      { seed, numRuns: 500 },
    );
  });

  it('promises no gap that the cron package does not keep', () => {
    fc.assert(
      fc.property(expression, (text) => {
        const period = cronPeriod(text);
        if (!period.ok) return;
        const runs = new CronTime(text, 'UTC').sendAt(5).map((run) => run.toMillis());
        for (const [index, run] of runs.slice(1).entries()) {
          const gap = run - (runs[index] ?? run);
          expect(gap).toBeGreaterThanOrEqual(period.shortest);
          expect(gap).toBeLessThanOrEqual(period.longest);
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});
