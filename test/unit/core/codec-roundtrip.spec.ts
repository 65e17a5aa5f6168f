import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type FieldLimits, decodeField, encodeField, encodeItem } from '../../../src/core/codec.js';
import { applyChanges } from '../../../src/core/field-changes.js';

const LIMITS: FieldLimits = { maxFieldBytes: 1e6, maxDepth: 64, maxNodes: 1e5 };
// Printed by fast-check when a property fails; TEST_SEED repeats the run.
const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);

function holds<T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void, numRuns = 500): void {
  fc.assert(fc.property(arbitrary, check), { seed, numRuns });
}

const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
  .map((codes) => String.fromCharCode(...codes));
const text = fc.oneof(fc.string(), units, fc.string({ unit: 'binary' }));
const words = fc.constantFrom('$date', '$$map', '$', '$undefined', 'toJSON', 'length', '0', 'a');
const key = fc
  .oneof(text, words)
  .filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name));
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, 2 ** 53, 5e-324, Number.MAX_VALUE),
);
const bytes = fc.uint8Array({ maxLength: 24 });
const multipleOf8 = bytes.map((array) => array.slice(0, array.length & ~7).buffer);

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false),
  text,
  number,
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  bytes,
  bytes.map((array) => Buffer.from(array)),
  fc.float64Array({ maxLength: 4 }),
  fc.int16Array({ maxLength: 4 }),
  multipleOf8.map((buffer) => new BigInt64Array(buffer)),
  multipleOf8,
);

/** Everything that can be kept, in any nesting. */
const { value: item } = fc.letrec<{ value: unknown }>((tie) => {
  const inner = tie('value');
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(inner, { maxLength: 5 }),
      fc.dictionary(key, inner, { maxKeys: 5, noNullPrototype: true }),
      fc.tuple(key, inner).map(([name, value]) => ({ [name]: value })),
      fc.array(fc.tuple(inner, inner), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(inner, { maxLength: 3 }).map((items) => new Set(items)),
    ),
  };
});
const field = item.filter((value) => value !== undefined);

describe(`any value that can be kept (seed ${seed})`, () => {
  it('is read back deeply equal', () => {
    holds(
      field,
      (value) => {
        const reading = decodeField(encodeField('f', value, LIMITS), LIMITS);
        expect(reading.ok && isDeepStrictEqual(reading.value, value)).toBe(true);
      },
      3000,
    );
  });

  it('has a text that survives UTF-8', () => {
    holds(field, (value) => {
      const encoded = encodeField('f', value, LIMITS);
      expect(Buffer.from(encoded).toString()).toBe(encoded);
    });
  });

  it('has the same text wherever it stands', () => {
    holds(fc.array(item, { maxLength: 4 }), (items) => {
      const texts = items.map((value) => encodeItem('f', value, LIMITS));
      expect(encodeField('f', items, LIMITS)).toBe(`[${texts.join(',')}]`);
      expect(encodeField('f', [items], LIMITS)).toBe(`[[${texts.join(',')}]]`);
    });
  });

  it('can be appended to any array', () => {
    holds(fc.tuple(fc.array(item, { maxLength: 4 }), item), ([items, last]) => {
      const fields = new Map([['f', encodeField('f', items, LIMITS)]]);
      const change = { kind: 'append', name: 'f', item: encodeItem('f', last, LIMITS) } as const;
      const outcome = applyChanges(fields, [change], { maxSessionBytes: 1e6, maxFields: 1 });
      const whole = encodeField('f', [...items, last], LIMITS);
      expect(outcome).toMatchObject({ status: 'written', fields: new Map([['f', whole]]) });
    });
  });
});

describe('plain JSON', () => {
  it('is its own text', () => {
    holds(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const json = JSON.stringify(value);
      // JSON.stringify drops the sign of zero and the codec refuses or escapes some keys.
      fc.pre(!hasMinusZero(value) && !/\{"\$|__proto__|constructor|prototype/.test(json));
      expect(encodeField('f', value, LIMITS)).toBe(json);
    });
  });

  it('is the decimal text for every safe integer', () => {
    holds(fc.maxSafeInteger(), (value) => {
      fc.pre(!Object.is(value, -0));
      expect(encodeField('f', value, LIMITS)).toBe(String(value));
    });
  });
});

describe('any text', () => {
  const json = fc.json({ noUnicodeString: false });
  const damaged = fc
    .tuple(field, fc.nat(), fc.nat(), fc.constantFrom('', '"', '$', '}', '[', ',', '-', '0', '\\'))
    .map(([value, at, cut, insert]) => {
      const good = encodeField('f', value, LIMITS);
      const start = at % (good.length + 1);
      return good.slice(0, start) + insert + good.slice(start + (cut % 3));
    });

  it('is unreadable or reads as a value that could have been written', () => {
    holds(
      fc.oneof(damaged, json, fc.string(), units),
      (candidate) => {
        const reading = decodeField(candidate, LIMITS);
        if (!reading.ok) return;
        const again = decodeField(encodeField('f', reading.value, LIMITS), LIMITS);
        expect(again.ok && isDeepStrictEqual(again.value, reading.value)).toBe(true);
      },
      3000,
    );
  });
});

function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasMinusZero);
  return Object.is(value, -0);
}
