import { describe, expect, it } from '@jest/globals';
import { DEFAULT_FIELD_LIMITS, decodeField, encodeField } from '../../../src/core/codec.js';

const LIMITS = DEFAULT_FIELD_LIMITS;
const MALFORMED = { ok: false, reason: 'malformed' };
const OVER_LIMITS = { ok: false, reason: 'limits' };

function isClean(): boolean {
  return !('isAdmin' in {}) && Object.keys(Object.prototype).length === 0;
}

describe('a text that would reach a prototype', () => {
  it.each([
    '{"__proto__":{"isAdmin":true}}',
    '{"__proto__":null}',
    '{"__proto__":1}',
    '{"a":[{"b":{"__proto__":{"isAdmin":true}}}]}',
    '{"\\u005f_proto__":{"isAdmin":true}}',
    '{"\\u005F\\u005fproto\\u005f_":{"isAdmin":true}}',
    '{ "__proto__" : {"isAdmin":true}}',
    '{"__proto__":{"a":1},"__proto__":{"isAdmin":true}}',
    '{"a":1,"__proto__":{"isAdmin":true}}',
    '{"constructor":{"prototype":{"isAdmin":true}}}',
    '{"c\\u006fnstructor":1}',
    '[{"prototype":{"isAdmin":true}}]',
    '{"$map":["a",{"__proto__":{"isAdmin":true}}]}',
    '{"$map":[{"__proto__":{"isAdmin":true}},1]}',
    '{"$set":[{"constructor":{}}]}',
    '{"$$a":{"__proto__":{"isAdmin":true}}}',
  ])('is unreadable: %s', (text) => {
    expect(decodeField(text, LIMITS)).toEqual(MALFORMED);
    expect(isClean()).toBe(true);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('stays out with %s inside tags', (key) => {
    expect(decodeField(`{"$${key}":1}`, LIMITS)).toEqual(MALFORMED);
    // A user's key that merely begins like one.
    const value = { [`$${key}`]: 1 };
    expect(encodeField('f', value, LIMITS)).toBe(`{"$$${key}":1}`);
    expect(decodeField(`{"$$${key}":1}`, LIMITS)).toStrictEqual({ ok: true, value });
  });

  it('is harmless where the words are values', () => {
    const value = ['__proto__', { a: 'constructor', ' __proto__': 1, __proto: 2 }];
    const text = encodeField('f', value, LIMITS);
    expect(decodeField(text, LIMITS)).toStrictEqual({ ok: true, value });
  });

  it('sets nothing through a setter that somebody added to Object.prototype', () => {
    const seen: unknown[] = [];
    const root: object = Object.prototype;
    const evil = (value: unknown): number => seen.push(value);
    Object.defineProperty(root, 'evil', { set: evil, configurable: true });
    try {
      const value = { b: 1n, evil: 2n, $: { evil: 1 } };
      const text = encodeField('f', value, LIMITS);
      expect(text).toBe('{"b":{"$bigint":"1"},"evil":{"$bigint":"2"},"$":{"evil":1}}');
      const reading = decodeField(text, LIMITS);
      expect(reading.ok && Object.entries(reading.value as object)).toStrictEqual([
        ['b', 1n],
        ['evil', 2n],
        ['$', { evil: 1 }],
      ]);
    } finally {
      Reflect.deleteProperty(root, 'evil');
    }
    expect(seen).toEqual([]);
  });
});

describe('a text that names code or classes', () => {
  it.each([
    ['{"$type":"Money","amount":1}', { $type: 'Money', amount: 1 }],
    ['{"__class__":"Money"}', { __class__: 'Money' }],
    ['{"type":"Buffer","data":[1]}', { type: 'Buffer', data: [1] }],
    ['{"_bsontype":"Code","code":"1"}', { _bsontype: 'Code', code: '1' }],
    ['{"rce":"_$$ND_FUNC$$_function (){}()"}', { rce: '_$$ND_FUNC$$_function (){}()' }],
  ])('is inert data: %s', (text, value) => {
    expect(decodeField(text, LIMITS)).toStrictEqual({ ok: true, value });
  });

  it.each(['{"$type":"Money"}', '{"$code":"1"}', '{"$function":"1"}', '{"$toString":[]}'])(
    'is unreadable as an unknown tag: %s',
    (text) => {
      expect(decodeField(text, LIMITS)).toEqual(MALFORMED);
    },
  );
});

describe('a tag with a payload that was never written', () => {
  it.each([
    '{"$":1}',
    '{"$undefined":true}',
    '[{"$undefined":1}]',
    '[{"$undefined":{"__proto__":1}}]',
    '{"$number":"0"}',
    '{"$number":"NaN"}',
    '{"$number":-0}',
    '{"$bigint":1}',
    '{"$bigint":""}',
    '{"$bigint":"-0"}',
    '{"$bigint":"01"}',
    '{"$bigint":" 1"}',
    '{"$bigint":"0x10"}',
    '{"$bigint":"1\\n"}',
    '{"$bigint":"1n"}',
    '{"$bigint":["1"]}',
    '{"$date":"2025-01-01T00:00:00Z"}',
    '{"$date":"0"}',
    '{"$date":null}',
    '{"$date":[0]}',
    '{"$date":0.5}',
    '{"$date":8640000000000001}',
    '{"$date":-8640000000000001}',
    '{"$date":1e999}',
    '{"$map":{}}',
    '{"$map":[1]}',
    '{"$map":[[1,2]]}',
    '{"$map":[1,2,1,3]}',
    '{"$map":[0,1,-0,2]}',
    '{"$map":{"length":2,"0":1,"1":2}}',
    '{"$map":[1,{"$date":null}]}',
    '{"$set":null}',
    '{"$set":"ab"}',
    '{"$set":[1,1]}',
    '{"$set":[{"$nope":1}]}',
    '{"$Date":0}',
    '{"$Uint8Array":"AQ"}',
    '{"$float16array":"AAA"}',
    '{"$dataview":"AAA"}',
    '{"$buffer":1}',
    '{"$buffer":["AQ"]}',
    '{"$buffer":{"type":"Buffer","data":[1]}}',
    '{"$buffer":"A"}',
    '{"$buffer":"AQ=="}',
    '{"$buffer":"A Q"}',
    '{"$buffer":"AR"}',
    '{"$buffer":"+/8"}',
    '{"$buffer":"\\u0000"}',
    '{"$uint16array":"AQ"}',
    '{"$float64array":"AAAAAA"}',
    '{"$biguint64array":"AQ"}',
    '{"$$a":{"$nope":1}}',
    '[1,{"a":{"$nope":1}}]',
    '1e999',
    '-1e999',
    '[1e999]',
    '{"a":-1e999}',
  ])('is unreadable: %s', (text) => {
    expect(decodeField(text, LIMITS)).toEqual(MALFORMED);
  });

  it('is what was written when the keys are merely unusual', () => {
    expect(decodeField('{"a":1,"a":2}', LIMITS)).toStrictEqual({ ok: true, value: { a: 2 } });
    expect(decodeField('{"$date":1,"$date":2}', LIMITS)).toStrictEqual({
      ok: true,
      value: new Date(2),
    });
    expect(decodeField(' { "$date" : 1 } ', LIMITS)).toStrictEqual({
      ok: true,
      value: new Date(1),
    });
  });
});

describe('a text that is no text of the codec', () => {
  it.each([
    '',
    ' ',
    '{',
    '[1',
    '"a',
    '{"a":}',
    'undefined',
    'NaN',
    "'a'",
    '1,2',
    '\u0000',
    '\ufeff1',
  ])('is unreadable: %j', (text) => {
    expect(decodeField(text, LIMITS)).toEqual(MALFORMED);
  });

  it.each([undefined, null, 5, Buffer.from('1'), {}, []])('is unreadable: %p', (text) => {
    expect(decodeField(text as never, LIMITS)).toEqual(MALFORMED);
  });

  it('is unreadable wherever a real one is cut short', () => {
    const value = [{ a: new Map([['ü', new Date(5)]]) }, 1n, Buffer.from('abc'), '\ud800'];
    const text = encodeField('f', value, LIMITS);
    for (let length = 0; length < text.length; length += 1) {
      expect(decodeField(text.slice(0, length), LIMITS)).toEqual(MALFORMED);
    }
  });

  it('is unreadable beyond the limits, without parsing it', () => {
    const start = performance.now();
    expect(decodeField('['.repeat(100_000), LIMITS)).toEqual(OVER_LIMITS);
    expect(decodeField(`"${'x'.repeat(2 ** 20)}"`, LIMITS)).toEqual(OVER_LIMITS);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it.each([
    ['arrays', '[', '1', ']'],
    ['objects', '{"a":', '1', '}'],
    ['sets', '{"$set":[', '1', ']}'],
    ['escaped objects', '{"$$a":', '1', '}'],
    ['map keys', '{"$map":[', '1', ',1]}'],
    ['prototypes', '{"__proto__":', '1', '}'],
  ])('does not overflow the stack with 100,000 levels of %s', (_what, open, inner, close) => {
    const text = open.repeat(100_000) + inner + close.repeat(100_000);
    const reading = decodeField(text, { ...LIMITS, maxFieldBytes: 1e7 });
    expect(reading.ok).toBe(false);
    expect(decodeField(open.repeat(100_000), { ...LIMITS, maxFieldBytes: 1e7 }).ok).toBe(false);
  });
});
