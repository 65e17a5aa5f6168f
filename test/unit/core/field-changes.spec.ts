import { describe, expect, it } from '@jest/globals';
import { decodeField, encodeField, encodeItem } from '../../../src/core/codec.js';
import { applyChanges, fitsSession } from '../../../src/core/field-changes.js';

const LIMITS = { maxSessionBytes: 1_000_000, maxFields: 100 };
const FIELD_LIMITS = { maxFieldBytes: 100_000, maxNodes: 10_000, maxDepth: 32 };

const VALUES: readonly unknown[] = [
  'text ] , [',
  '',
  0,
  -1.5,
  true,
  null,
  undefined,
  5n,
  [],
  [[], [1, 'a']],
  {},
  { a: [1], b: { c: ']' } },
  new Date(0),
  new Map([['a', [1]]]),
  new Set([1]),
  new Uint8Array([1, 2]),
];

describe('applyChanges', () => {
  it('leaves what it was given as it was', () => {
    const fields = new Map([['a', '1']]);
    const outcome = applyChanges(fields, [{ kind: 'set', name: 'a', value: '2' }], LIMITS);
    expect(outcome).toMatchObject({ status: 'written' });
    expect([...fields]).toEqual([['a', '1']]);
  });

  it('appends anything that the codec can encode', () => {
    let list = '[]';
    for (const value of VALUES) {
      const item = encodeItem('list', value, FIELD_LIMITS);
      const outcome = applyChanges(
        new Map([['list', list]]),
        [{ kind: 'append', name: 'list', item }],
        LIMITS,
      );
      list = outcome.status === 'written' ? (outcome.fields.get('list') ?? '') : '';
    }
    expect(list).toBe(encodeField('list', VALUES, FIELD_LIMITS));
    expect(decodeField(list, FIELD_LIMITS)).toEqual({ ok: true, value: VALUES });
  });

  it('increments exactly the integers of the codec that it can keep exact', () => {
    const incremented = (value: unknown): string | undefined => {
      const before = new Map([['n', encodeField('n', value, FIELD_LIMITS)]]);
      const outcome = applyChanges(before, [{ kind: 'increment', name: 'n', by: 1 }], LIMITS);
      return outcome.status === 'written' ? outcome.fields.get('n') : undefined;
    };
    for (const value of [0, 41, -1, -2, Number.MAX_SAFE_INTEGER - 1, Number.MIN_SAFE_INTEGER]) {
      expect(incremented(value)).toBe(encodeField('n', value + 1, FIELD_LIMITS));
    }
    const others = VALUES.filter((value) => value !== 0 && value !== undefined);
    expect(others.map(incremented).filter((text) => text !== undefined)).toEqual([]);
    expect([-0, 2 ** 53, 1e21, Number.MAX_SAFE_INTEGER].map(incremented)).toEqual(
      Array(4).fill(undefined),
    );
  });

  it('names the first field that is not as it should be, as it was found', () => {
    const outcome = applyChanges(
      new Map([['a', '1']]),
      [
        { kind: 'set', name: 'a', value: '"x"' },
        { kind: 'increment', name: 'a', by: 1 },
        { kind: 'append', name: 'a', item: '1' },
      ],
      LIMITS,
    );
    expect(outcome).toEqual({
      status: 'conflict',
      name: 'a',
      why: 'not-an-integer',
      current: '"x"',
    });
  });

  it('treats a name of every object as any other', () => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
      const outcome = applyChanges(new Map(), [{ kind: 'increment', name, by: 1 }], LIMITS);
      expect(outcome.status === 'written' && [...outcome.fields]).toEqual([[name, '1']]);
    }
  });
});

describe('fitsSession', () => {
  it.each([
    [{}, true],
    [{ a: '1234567' }, true],
    [{ a: '12345678' }, false],
    [{ é: '123456' }, true],
    [{ é: '1234567' }, false],
    [{ a: '1', b: '1' }, true],
    [{ a: '1', b: '1', c: '1' }, false],
  ])('%j within 8 bytes and 2 fields: %s', (fields, expected) => {
    const size = { maxSessionBytes: 8, maxFields: 2 };
    expect(fitsSession(new Map(Object.entries(fields)), size)).toBe(expected);
  });
});
