import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_FIELD_LIMITS,
  type FieldLimits,
  decodeField,
  encodeField,
  encodeItem,
  limitsForReading,
} from '../../../src/core/codec.js';
import { SessionValueError } from '../../../src/core/errors.js';

const WIDE: FieldLimits = { maxFieldBytes: 1e6, maxDepth: 1000, maxNodes: 1e6 };

function nest(levels: number, around: (inner: unknown) => unknown, inner: unknown): unknown {
  let value = inner;
  for (let level = 0; level < levels; level += 1) value = around(value);
  return value;
}

function tooLarge(run: () => unknown): { path: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof SessionValueError && error.code === 'ERR_SESSION_TOO_LARGE') return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('the bytes of a field', () => {
  const x = (count: number): string => 'x'.repeat(count);
  // Each takes exactly as many bytes as asked for.
  const values: [what: string, ofBytes: (bytes: number) => unknown][] = [
    ['ASCII', (bytes) => x(bytes - 2)],
    ['two-byte letters', (bytes) => `${'ü'.repeat(100)}${x(bytes - 202)}`],
    ['three-byte letters', (bytes) => `${'€'.repeat(300)}${x(bytes - 902)}`],
    ['emoji', (bytes) => `${'😀'.repeat(200)}${x(bytes - 802)}`],
    ['escapes', (bytes) => `${'\n'.repeat(300)}${x(bytes - 602)}`],
    ['long escapes', (bytes) => `${'\u0000'.repeat(100)}${x(bytes - 602)}`],
    ['lone surrogates', (bytes) => `${'\ud800'.repeat(100)}${x(bytes - 602)}`],
    ['a key', (bytes) => ({ [x(bytes - 6)]: 1 })],
    ['keys with escapes', (bytes) => ({ ['"'.repeat(100)]: 1, [x(bytes - 211)]: 1 })],
    ['digits', (bytes) => [...Array<number>(490).fill(1), 10 ** (bytes - 983)]],
    ['constants', (bytes) => [...Array<null>(100).fill(null), true, false, x(bytes - 515)]],
    ['a bigint', (bytes) => BigInt('9'.repeat(bytes - 14))],
    ['a negative bigint', (bytes) => -BigInt('9'.repeat(bytes - 15))],
    ['tags', (bytes) => [undefined, new Date(5), -0, new Set([x(bytes - 64)])]],
  ];
  const limits = { ...WIDE, maxFieldBytes: 1000 };

  it.each(values)('are counted exactly for %s', (_what, ofBytes) => {
    for (const bytes of [999, 1000]) {
      const value = ofBytes(bytes);
      const text = encodeField('f', value, limits);
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(decodeField(text, { ...WIDE, maxFieldBytes: bytes })).toStrictEqual({
        ok: true,
        value,
      });
      expect(decodeField(text, { ...WIDE, maxFieldBytes: bytes - 1 })).toStrictEqual({
        ok: false,
        reason: 'limits',
      });
    }
    const error = tooLarge(() => encodeField('f', ofBytes(1001), limits));
    expect(error).toMatchObject({ path: 'f', message: expect.stringContaining('1000 bytes') });
  });

  it.each([
    ['a buffer', Buffer.alloc(100)],
    ['bytes', new Uint8Array(101)],
    ['floats', new Float64Array(13)],
    ['a date', new Date(-5)],
    ['an empty map', new Map()],
    ['a map', new Map<unknown, unknown>([[1, 2]]).set({}, [])],
    ['an empty set', new Set()],
    ['a set', new Set([1, 2, 3])],
    ['undefined', [undefined]],
    ['minus zero', -0],
    ['an escaped object', { $a: { $b: {} } }],
    ['constants', [true, false, null, 0, '']],
    ['an empty array', []],
    ['empty objects', [{}, { a: {} }]],
  ])('leave room for %s of exactly that size', (_what, value) => {
    const bytes = Buffer.byteLength(encodeField('f', value, WIDE));
    expect(encodeField('f', value, { ...WIDE, maxFieldBytes: bytes })).toHaveLength(bytes);
    tooLarge(() => encodeField('f', value, { ...WIDE, maxFieldBytes: bytes - 1 }));
  });

  it('include the brackets around an appended item', () => {
    expect(encodeItem('f', 'x'.repeat(996), limits)).toHaveLength(998);
    expect(tooLarge(() => encodeItem('f', 'x'.repeat(997), limits)).path).toBe('f');
  });

  it('are 16 KiB by default', () => {
    const value = 'x'.repeat(16_382);
    expect(encodeField('f', value, DEFAULT_FIELD_LIMITS)).toHaveLength(16_384);
    tooLarge(() => encodeField('f', `${value}x`, DEFAULT_FIELD_LIMITS));
  });
});

describe('the depth of a field', () => {
  const wraps: [what: string, around: (inner: unknown) => unknown][] = [
    ['arrays', (inner) => [inner]],
    ['objects', (inner) => ({ a: inner })],
    ['escaped objects', (inner) => ({ $set: inner })],
    ['maps', (inner) => new Map([[1, inner]])],
    ['map keys', (inner) => new Map([[inner, 1]])],
    ['sets', (inner) => new Set([inner])],
  ];
  const limits = { ...WIDE, maxDepth: 5 };

  it.each(wraps)('counts %s', (_what, around) => {
    for (const inner of [new Date(0), 1n, undefined, Buffer.alloc(1), -0, 'x']) {
      const value = nest(5, around, inner);
      const text = encodeField('f', value, limits);
      expect(decodeField(text, limits)).toStrictEqual({ ok: true, value });
      const shallow = { ...WIDE, maxDepth: 4 };
      expect(tooLarge(() => encodeField('f', value, shallow)).message).toMatch(/4 levels/);
      expect(decodeField(text, shallow)).toStrictEqual({ ok: false, reason: 'limits' });
    }
  });

  it('names the place that is too deep', () => {
    const run = () => encodeField('f', { a: [[{ b: [{}] }]] }, limits);
    expect(tooLarge(run).path).toBe('f.a[0][0].b[0]');
  });

  it('includes the array around an appended item', () => {
    const wrap = (inner: unknown): unknown => [inner];
    expect(encodeItem('f', nest(4, wrap, 1), limits)).toBe('[[[[1]]]]');
    expect(tooLarge(() => encodeItem('f', nest(5, wrap, 1), limits)).path).toBe('f[][0][0][0][0]');
    tooLarge(() => encodeItem('f', 1, { ...WIDE, maxDepth: 0 }));
  });

  it('may be nothing at all', () => {
    const flat = { ...WIDE, maxDepth: 0 };
    expect(encodeField('f', 'x', flat)).toBe('"x"');
    expect(tooLarge(() => encodeField('f', [], flat)).path).toBe('f');
    expect(decodeField('[]', flat)).toStrictEqual({ ok: false, reason: 'limits' });
  });

  it('is 32 by default', () => {
    const wrap = (inner: unknown): unknown => [inner];
    const value = nest(32, wrap, 1);
    const text = encodeField('f', value, DEFAULT_FIELD_LIMITS);
    expect(decodeField(text, DEFAULT_FIELD_LIMITS)).toStrictEqual({ ok: true, value });
    tooLarge(() => encodeField('f', [value], DEFAULT_FIELD_LIMITS));
  });
});

describe('the number of keys and items', () => {
  const values: [what: string, value: unknown][] = [
    ['an array', [1, 2, 3, 4]],
    ['nested arrays', [[1], [2]]],
    ['an object', { a: 1, b: 2, c: 3, d: 4 }],
    ['an escaped object', { $a: [1, 2, 3] }],
    ['a map', new Map([[1, 2]]).set(3, 4)],
    ['a set', new Set([1, 2, 3, 4])],
    ['bytes among others', [new Uint8Array(99), new Date(0), 1n, undefined]],
  ];

  it.each(values)('counts %s', (_what, value) => {
    const limits = { ...WIDE, maxNodes: 4 };
    const fewer = { ...WIDE, maxNodes: 3 };
    const text = encodeField('f', value, limits);
    expect(decodeField(text, limits)).toStrictEqual({ ok: true, value });
    const error = tooLarge(() => encodeField('f', value, fewer));
    expect(error).toMatchObject({
      path: 'f',
      message: expect.stringContaining('more than 3 keys'),
    });
    expect(decodeField(text, fewer)).toStrictEqual({ ok: false, reason: 'limits' });
  });

  it('includes an appended item', () => {
    expect(encodeItem('f', [1, 2], { ...WIDE, maxNodes: 3 })).toBe('[1,2]');
    tooLarge(() => encodeItem('f', [1, 2], { ...WIDE, maxNodes: 2 }));
  });

  it('is 10,000 by default', () => {
    const roomy = { ...DEFAULT_FIELD_LIMITS, maxFieldBytes: 1e5 };
    expect(encodeField('f', Array(10_000).fill(1), roomy)).toHaveLength(20_001);
    tooLarge(() => encodeField('f', Array(10_001).fill(1), roomy));
  });
});

describe('limitsForReading', () => {
  it('read whatever was appended up to the size of the session', () => {
    const reading = limitsForReading(DEFAULT_FIELD_LIMITS, 65_536);
    expect(reading).toEqual({ maxFieldBytes: 65_536, maxDepth: 32, maxNodes: 32_768 });
    const item = encodeItem('f', 1, DEFAULT_FIELD_LIMITS);
    const text = `[${Array(32_767).fill(item).join(',')}]`;
    expect(decodeField(text, DEFAULT_FIELD_LIMITS)).toEqual({ ok: false, reason: 'limits' });
    expect(decodeField(text, reading)).toEqual({ ok: true, value: Array(32_767).fill(1) });
    expect(decodeField(`[1${text.slice(1)}`, reading).ok).toBe(true);
    expect(decodeField(`[11${text.slice(1)}`, reading).ok).toBe(false);
  });

  it('never lower a limit', () => {
    expect(limitsForReading(WIDE, 1000)).toEqual(WIDE);
  });
});

describe('a hostile value', () => {
  // What must be far from the cost of looking at all of it.
  const PATIENCE = 500;

  function shared(levels: number): unknown {
    return nest(levels, (inner) => [inner, inner, inner, inner], 1);
  }

  const values: [what: string, value: () => unknown][] = [
    ['a tree of four billion nodes', () => shared(16)],
    ['a gigantic sparse array', () => Object.assign([], { length: 2 ** 32 - 1 })],
    ['a string of 256 MB', () => ['x'.repeat(2 ** 28)]],
    ['a bigint of a million digits', () => [1n << 3_000_000n]],
    ['a negative one', () => [-(1n << 3_000_000n)]],
    ['bytes of 64 MB', () => [new Uint8Array(2 ** 26)]],
    ['a million keys in a map', () => new Map(Array.from({ length: 1e6 }, (_, key) => [key, 1]))],
    ['a million items', () => Array(1e6).fill('')],
  ];

  it.each(values)('is refused before it costs much: %s', (_what, make) => {
    const value = make();
    // The quickest of some: others use the machine, too.
    const took = [1, 2, 3].map(() => {
      const start = performance.now();
      tooLarge(() => encodeField('f', value, DEFAULT_FIELD_LIMITS));
      return performance.now() - start;
    });
    expect(Math.min(...took)).toBeLessThan(PATIENCE);
  });

  it('does not overflow the stack', () => {
    for (const around of [
      (a: unknown) => [a],
      (a: unknown) => ({ a }),
      (a: unknown) => new Set([a]),
    ]) {
      const deep = nest(100_000, around, 1);
      expect(tooLarge(() => encodeField('f', deep, DEFAULT_FIELD_LIMITS)).message).toMatch(
        /levels/,
      );
    }
  });
});
