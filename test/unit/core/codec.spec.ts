import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_FIELD_LIMITS,
  type SessionValue,
  decodeField,
  encodeField,
} from '../../../src/core/codec.js';

const LIMITS = DEFAULT_FIELD_LIMITS;

function encode(value: unknown): string {
  return encodeField('field', value, LIMITS);
}

function decode(text: string): SessionValue {
  const reading = decodeField(text, LIMITS);
  if (!reading.ok) throw new Error(`unreadable (${reading.reason}): ${text}`);
  return reading.value;
}

function roundTrip(value: unknown): SessionValue {
  return decode(encode(value));
}

describe('a session field', () => {
  it('reads back the cart that was set', () => {
    const cart = {
      items: [{ sku: 'mug', quantity: 2, price: 9.99, addedAt: new Date(1_764_000_000_123) }],
      tags: new Set(['gift', 'express']),
      stock: new Map([['mug', 4n]]),
      note: undefined,
      coupon: null,
    };
    expect(roundTrip(cart)).toStrictEqual(cart);
  });

  it('reads back a new value each time, so that no request sees the changes of another', () => {
    const text = encode({ items: [{ sku: 'mug' }], at: new Date(0), bytes: Buffer.from('abc') });
    const first = decode(text) as { items: object[]; at: Date; bytes: Buffer };
    first.items.push({ sku: 'stolen' });
    first.at.setTime(1);
    first.bytes.fill(0);
    expect(decode(text)).toStrictEqual({
      items: [{ sku: 'mug' }],
      at: new Date(0),
      bytes: Buffer.from('abc'),
    });
  });

  it('does not keep what the caller changes after setting it', () => {
    const cart = { items: ['mug'] };
    const text = encode(cart);
    cart.items.push('plate');
    expect(decode(text)).toStrictEqual({ items: ['mug'] });
  });

  it('leaves the value that is set as it is', () => {
    const inner = Object.freeze({ at: Object.freeze(new Date(0)), big: 1n });
    const list = Object.freeze([inner, undefined, -0]);
    encode(list);
    expect(list).toStrictEqual([{ at: new Date(0), big: 1n }, undefined, -0]);
  });
});

describe('the text of a field', () => {
  const texts: [what: string, value: unknown, text: string][] = [
    ['null', null, 'null'],
    ['a boolean', true, 'true'],
    ['an integer', 5, '5'],
    ['a negative integer', -5, '-5'],
    ['a 16-digit integer', 1_764_000_000_123_456, '1764000000123456'],
    ['a fraction', 1e-7, '1e-7'],
    ['minus zero', -0, '{"$number":"-0"}'],
    ['a string', 'a"\u0000😀', '"a\\"\\u0000😀"'],
    ['half a surrogate pair', '\ud800', '"\\ud800"'],
    ['an empty array', [], '[]'],
    ['an empty object', {}, '{}'],
    ['nested JSON', { a: [1, { b: null }] }, '{"a":[1,{"b":null}]}'],
    ['undefined in an object', { a: undefined }, '{"a":{"$undefined":true}}'],
    ['undefined in an array', [undefined, 1], '[{"$undefined":true},1]'],
    ['a bigint', -12n, '{"$bigint":"-12"}'],
    ['a date', new Date(1_764_000_000_123), '{"$date":1764000000123}'],
    ['a date before 1970', new Date(-1), '{"$date":-1}'],
    ['a map', new Map([['a', 1]]), '{"$map":["a",1]}'],
    ['an empty map', new Map(), '{"$map":[]}'],
    ['a set', new Set([1, 'a']), '{"$set":[1,"a"]}'],
    ['nested types', [new Map([[1n, new Set()]])], '[{"$map":[{"$bigint":"1"},{"$set":[]}]}]'],
    ['a buffer', Buffer.from([251, 255]), '{"$buffer":"-_8"}'],
    ['bytes', new Uint8Array([1, 2]), '{"$uint8array":"AQI"}'],
    ['an array buffer', new Uint8Array([1]).buffer, '{"$arraybuffer":"AQ"}'],
    ['an object that looks like a tag', { $date: 1 }, '{"$$date":1}'],
    ['an object that looks escaped', { $$date: [{ $: 1 }] }, '{"$$$date":[{"$$":1}]}'],
    ['several keys with a dollar', { $date: 1, $map: 2 }, '{"$date":1,"$map":2}'],
    ['a special value below such keys', { $a: 1n, b: 1 }, '{"$a":{"$bigint":"1"},"b":1}'],
    ['a special value after others', { a: 1, b: 1n, c: 2 }, '{"a":1,"b":{"$bigint":"1"},"c":2}'],
  ];

  it.each(texts)('of %s', (_what, value, text) => {
    expect(encode(value)).toBe(text);
    expect(decode(text)).toStrictEqual(value);
  });

  it.each([
    Int8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ])('keeps the kind of %p', (kind) => {
    const value = kind.from([0, 1, 2, 100]);
    expect(roundTrip(value)).toStrictEqual(value);
    expect(roundTrip(new kind())).toStrictEqual(new kind());
  });

  it.each([BigInt64Array, BigUint64Array])('keeps the kind of %p', (kind) => {
    const value = kind.from([0n, 1n, 2n ** 62n]);
    expect(roundTrip([value])).toStrictEqual([value]);
  });

  it('keeps NaN in a float array, where it is bytes and no number', () => {
    const value = Float64Array.of(NaN, -0, Infinity);
    expect(roundTrip(value)).toStrictEqual(value);
  });

  it('keeps only the bytes of a view, in memory of their own', () => {
    const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    const back = roundTrip(view) as Uint8Array;
    expect([...back]).toEqual([2, 3]);
    expect(back.buffer.byteLength).toBe(2);
    expect((roundTrip(Buffer.from('ab')) as Buffer).buffer.byteLength).toBe(2);
  });

  it('reads an object without prototype as an ordinary object', () => {
    const value = Object.assign(Object.create(null) as object, { a: 1 });
    expect(roundTrip(value)).toStrictEqual({ a: 1 });
    expect(roundTrip({ a: 1 })).toHaveProperty('hasOwnProperty');
  });

  it('ignores a field toJSON that is no function', () => {
    expect(roundTrip({ toJSON: 1, at: new Date(0) })).toStrictEqual({ toJSON: 1, at: new Date(0) });
  });

  it('does not write what was made by JSON.rawJSON as it is', () => {
    const make: unknown = Reflect.get(JSON, 'rawJSON'); // not in Node.js 20
    const raw: unknown = typeof make === 'function' ? make('0') : { rawJSON: '0' };
    expect(encode({ a: raw })).toBe('{"a":{"rawJSON":"0"}}');
    expect(encode({ rawJSON: 1n, b: 2 })).toBe('{"rawJSON":{"$bigint":"1"},"b":2}');
  });

  it('keeps a value that occurs twice as two equal values', () => {
    const shared = { a: [1] };
    expect(roundTrip([shared, shared])).toStrictEqual([{ a: [1] }, { a: [1] }]);
  });
});
