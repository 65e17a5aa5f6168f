import { describe, expect, it } from '@jest/globals';

import {
  formatDuration,
  MAX_DURATION,
  parseDuration,
  type Duration,
  type DurationRules,
} from '../../../src/core/duration.js';

const problemOf = (value: unknown, rules?: DurationRules): string | undefined => {
  const parsed = parseDuration(value, rules);
  return parsed.ok ? undefined : parsed.problem;
};

describe('parseDuration', () => {
  it.each<[Duration, number]>([
    [1, 1],
    [1_800_000, 1_800_000],
    ['1ms', 1],
    ['500ms', 500],
    ['10s', 10_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['400d', MAX_DURATION],
    [MAX_DURATION, MAX_DURATION],
    ['007s', 7_000],
  ])('reads %p as %d ms', (value, ms) => {
    expect(parseDuration(value, { hintBelow: 0 })).toEqual({ ok: true, ms });
  });

  it.each<[Duration, number]>([
    ['0.5s', 500],
    ['1.5h', 5_400_000],
    // 1.1 * 3,600,000 is 3,960,000.0000000005 in floating point.
    ['1.1h', 3_960_000],
    ['0.001s', 1],
    ['1.0ms', 1],
    ['0.000000125d', 10.8],
  ])('takes the fraction in %p exactly', (value, ms) => {
    const expected = Number.isInteger(ms) ? { ok: true, ms } : { ok: false };
    expect(parseDuration(value)).toMatchObject(expected);
  });

  it.each<[string, unknown, RegExp]>([
    ['NaN', Number.NaN, /NaN/],
    ['infinity', Infinity, /finite/],
    ['minus infinity', -Infinity, /finite/],
    ['zero', 0, /more than zero/],
    ['zero as text', '0m', /more than zero/],
    ['a negative number', -5, /negative \(got -5\)/],
    ['a negative fraction', -0.5, /negative/],
    ['a negative text', '-5m', /negative/],
    ['more than 400 days', MAX_DURATION + 1, /at most 400d/],
    ['more than 400 days as text', '401d', /at most 400d \(got "401d"\)/],
    ['a number beyond the integers', 1e300, /at most 400d/],
    ['a fraction of a millisecond', 1.5, /whole number of milliseconds/],
    ['a text with a fraction of a millisecond', '0.5ms', /whole number of milliseconds/],
    ['a text with a tiny fraction', '1.00000001s', /whole number of milliseconds/],
    ['a text without a unit', '1800', /must have a unit/],
    ['an unknown unit', '30min', /units ms, s, m, h and d/],
    ['a unit in upper case', '30M', /units/],
    ['a week', '2w', /units/],
    ['two units', '1h30m', /one number and one unit/],
    ['a space', '30 m', /white space/],
    ['a line feed at the end', '30m\n', /white space/],
    ['an exponent', '1e3m', /one number and one unit/],
    ['hexadecimal digits', '0x10m', /must be/],
    ['a sign', '+5m', /must be a number of milliseconds or a text/],
    ['two points', '1.2.3m', /units/],
    ['an empty text', '', /must be a number of milliseconds or a text/],
    ['a word', 'forever', /must be a number of milliseconds or a text/],
    ['an over-long text', '9'.repeat(10_000), /too long/],
    ['a bigint', 5n, /type bigint/],
    ['true', true, /type boolean/],
    ['null', null, /null/],
    ['undefined', undefined, /type undefined/],
    ['an array', ['30m'], /an array/],
    ['an object', { minutes: 30 }, /type object/],
    ['a Number object', Object(5), /type object/],
    ['a symbol', Symbol('30m'), /type symbol/],
  ])('E-11: refuses %s', (_name, value, problem) => {
    expect(problemOf(value)).toMatch(problem);
  });

  it('E-11: says nothing of a long text, which may be anything', () => {
    expect(problemOf('my mother has a maiden name and more')).not.toContain('maiden');
  });

  it('E-11: keeps an option below its own longest', () => {
    expect(problemOf('31s', { max: 30_000 })).toMatch(/at most 30s/);
    expect(parseDuration('30s', { max: 30_000 })).toMatchObject({ ok: true });
  });

  it.each([0, -0, '0s', '0ms'])('allows %p only where the rules say so', (zero) => {
    expect(problemOf(zero)).toMatch(/more than zero/);
    expect(parseDuration(zero, { allowZero: true })).toStrictEqual({ ok: true, ms: 0 });
  });

  it('E-11: hints at numbers that look like seconds, without refusing them', () => {
    expect(parseDuration(900)).toEqual({
      ok: true,
      ms: 900,
      hint: 'is 900 milliseconds: write "900s" if seconds were meant, "900ms" if not',
    });
    expect(parseDuration(1_000)).toStrictEqual({ ok: true, ms: 1_000 });
    expect(parseDuration('900ms')).toStrictEqual({ ok: true, ms: 900 });
    expect(parseDuration(86_400, { hintBelow: 60_000 * 10 })).toHaveProperty('hint');
  });

  it('refuses a typing mistake at compile time', () => {
    // @ts-expect-error unknown unit
    const unit: Duration = '30min';
    // @ts-expect-error no unit
    const none: Duration = '30';
    // @ts-expect-error two units
    const two: Duration = '1h30m';
    expect([unit, none, two].map((value) => problemOf(value)).every(Boolean)).toBe(true);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [1, '1ms'],
    [1_500, '1500ms'],
    [90_000, '90s'],
    [1_800_000, '30m'],
    [86_400_000, '1d'],
    [MAX_DURATION, '400d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read back exactly', () => {
    for (let ms = 1; ms < MAX_DURATION; ms = Math.ceil(ms * 1.07)) {
      expect(parseDuration(formatDuration(ms))).toStrictEqual({ ok: true, ms });
    }
  });
});
