import { describe, expect, it } from '@jest/globals';
import {
  type LimitTable,
  chooseEvicted,
  deadlinesOf,
  expiryOf,
  idleAtAfterTouch,
  isTouchDue,
  limitsOf,
} from '../../../src/core/policy.js';

const TABLE: LimitTable = {
  default: { idle: 100, absolute: 1_000 },
  remembered: { idle: 500, absolute: 5_000 },
};

/** Created at 0, last seen at 200, under the default limits as they stood then. */
const RECORD = {
  createdAt: 0,
  seenAt: 200,
  idleAt: 300,
  absoluteAt: 1_000,
  limitClass: 'default',
};

const withLimits = (idle: number, absolute: number): LimitTable => ({
  default: { idle, absolute },
});

describe('limitsOf', () => {
  it.each([
    ['those of the class', { limitClass: 'remembered' }, { idle: 500, absolute: 5_000 }],
    ['the default ones for a class that is gone', { limitClass: 'x' }, TABLE.default],
    ['the default ones for a name of every object', { limitClass: 'constructor' }, TABLE.default],
    ['the default ones for a prototype', { limitClass: '__proto__' }, TABLE.default],
    ['smaller own ones', { ownLimits: { idle: 1, absolute: 2 } }, { idle: 1, absolute: 2 }],
    ['one smaller own one', { ownLimits: { idle: 1 } }, { idle: 1, absolute: 1_000 }],
    ['no larger own ones', { ownLimits: { idle: 101, absolute: 1_001 } }, TABLE.default],
  ])('are %s', (_what, record, limits) => {
    expect(limitsOf({ limitClass: 'default', ...record }, TABLE)).toEqual(limits);
  });
});

describe('deadlinesOf', () => {
  it.each([
    ['the promised ones while the policy stands', withLimits(100, 1_000), [300, 1_000]],
    ['earlier ones under a tighter policy', withLimits(50, 400), [250, 400]],
    ['no later ones under a looser policy', withLimits(999, 9_999), [300, 1_000]],
    ['each by itself', withLimits(50, 9_999), [250, 1_000]],
  ])('are %s', (_what, table, [idleAt, absoluteAt]) => {
    expect(deadlinesOf(RECORD, table)).toEqual({ idleAt, absoluteAt });
  });
});

describe('expiryOf', () => {
  it.each([
    [299, withLimits(100, 1_000), undefined],
    [300, withLimits(100, 1_000), 'idle'],
    [9_999, withLimits(100, 1_000), 'idle'],
    [249, withLimits(100, 250), undefined],
    [250, withLimits(100, 250), 'absolute'],
    // Both at the same moment.
    [300, withLimits(100, 300), 'absolute'],
    [9_999, withLimits(100, 299), 'absolute'],
    [9_999, withLimits(100, 301), 'idle'],
    [299, withLimits(9_999, 9_999), undefined],
    [300, withLimits(9_999, 9_999), 'idle'],
  ])('at %d under %j is %s', (now, table, expected) => {
    expect(expiryOf(RECORD, table, now)).toBe(expected);
  });
});

describe('isTouchDue', () => {
  it.each([
    [100, 149, 50, false],
    [100, 150, 50, true],
    [100, 100, 0, false],
    [100, 101, 0, true],
    // A clock that went back records nothing.
    [100, 99, 0, false],
    [100, 50, 50, false],
  ])('seen at %d, now %d, interval %d: %s', (seenAt, now, interval, expected) => {
    expect(isTouchDue(seenAt, now, interval)).toBe(expected);
  });
});

describe('idleAtAfterTouch', () => {
  it.each([
    [250, withLimits(100, 1_000), 350],
    [950, withLimits(100, 1_000), 1_000],
    // A looser policy counts for the idle timeout from now on, for the absolute one never.
    [250, withLimits(500, 9_999), 750],
    [250, withLimits(5_000, 9_999), 1_000],
    [250, withLimits(100, 300), 300],
    [250, withLimits(10, 1_000), 260],
  ])('at %d under %j is %d', (now, table, expected) => {
    expect(idleAtAfterTouch(RECORD, table, now)).toBe(expected);
  });
});

describe('chooseEvicted', () => {
  const sessions = [
    { id: 'c', createdAt: 1, seenAt: 9 },
    { id: 'a', createdAt: 2, seenAt: 7 },
    { id: 'b', createdAt: 2, seenAt: 7 },
    { id: 'd', createdAt: 3, seenAt: 8 },
  ];
  const chosen = (max: number, atLimit: 'evict-oldest' | 'evict-least-recent' | 'reject') => {
    const choice = chooseEvicted(sessions, { max, atLimit });
    return choice === 'reject' ? choice : choice.map(({ id }) => id).join('');
  };

  it.each([
    [5, 'evict-oldest', ''],
    [4, 'evict-oldest', 'c'],
    [3, 'evict-oldest', 'ca'],
    [1, 'evict-oldest', 'cabd'],
    [5, 'evict-least-recent', ''],
    [4, 'evict-least-recent', 'a'],
    [3, 'evict-least-recent', 'ab'],
    [2, 'evict-least-recent', 'abd'],
    [5, 'reject', ''],
    [4, 'reject', 'reject'],
  ] as const)('with room for %d under %s: "%s"', (max, atLimit, expected) => {
    expect(chosen(max, atLimit)).toBe(expected);
  });

  it('leaves the list as it was', () => {
    const before = structuredClone(sessions);
    chosen(1, 'evict-least-recent');
    expect(sessions).toEqual(before);
  });
});
