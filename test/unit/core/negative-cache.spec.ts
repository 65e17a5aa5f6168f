import { describe, expect, it } from '@jest/globals';
import { BoundedMap, remembered } from '../../../src/core/bounded-map.js';
import { NegativeCache } from '../../../src/core/negative-cache.js';

describe('the negative cache', () => {
  const dead = { status: 'ended', reason: 'revoked' } as const;

  it('Q-03: remembers a verdict for 5 seconds', () => {
    let now = 0;
    const cache = new NegativeCache(() => now);
    expect(cache.get('a')).toBeUndefined();
    expect(cache.add('a', dead)).toBe(dead);
    now = 4_999;
    expect(cache.get('a')).toBe(dead);
    expect(cache.get('b')).toBeUndefined();
    now = 5_000;
    expect(cache.get('a')).toBeUndefined();
  });

  it('Q-03: after that one asks again, and those beside it are answered for a second at most', () => {
    let now = 0;
    const cache = new NegativeCache(() => now);
    cache.add('a', dead);
    now = 5_000;
    const burst = Array.from({ length: 50 }, () => cache.get('a'));
    expect(burst.filter((verdict) => verdict === undefined)).toHaveLength(1);
    now = 5_999;
    expect(cache.get('a')).toBe(dead);
    // No confirmation: the session came back with a restored store.
    now = 6_000;
    expect(cache.get('a')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('Q-03: a verdict that is confirmed is good for 5 seconds again', () => {
    let now = 0;
    const cache = new NegativeCache(() => now);
    cache.add('a', dead);
    now = 5_000;
    expect(cache.get('a')).toBeUndefined();
    cache.add('a', dead);
    now = 9_999;
    expect(cache.get('a')).toBe(dead);
    now = 10_000;
    expect([cache.get('a'), cache.get('a')]).toEqual([undefined, dead]);
  });

  it('Q-03: holds 10,000 entries at most; the oldest makes room', () => {
    const cache = new NegativeCache(() => 0);
    for (let i = 0; i <= 10_000; i += 1) cache.add(`v${i}`, { status: 'none' });
    expect(cache.size).toBe(10_000);
    expect(cache.get('v0')).toBeUndefined();
    expect(cache.get('v1')).toEqual({ status: 'none' });
  });
});

describe('a bounded map', () => {
  it('drops what was set first, and takes a second setting for a new one', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([3, undefined, 4, 2]);
    map.delete('a');
    expect(map.size).toBe(1);
  });

  it('spares a function its work, for no more texts than told', () => {
    let calls = 0;
    const length = remembered(2, (text) => {
      calls += 1;
      return text === '' ? undefined : text.length;
    });
    expect([length('a'), length('a'), length(''), length('')]).toEqual([
      1,
      1,
      undefined,
      undefined,
    ]);
    expect(calls).toBe(2);
    length('b');
    length('a');
    expect(calls).toBe(4);
  });
});
