import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_FIELD_LIMITS as LIMITS,
  checkFieldName,
  encodeField,
  encodeItem,
  isFieldName,
} from '../../../src/core/codec.js';
import { refusalOf } from './codec.kit.js';

describe('the name of a field', () => {
  const good = ['a', 'cart', 'a b', 'oauth.state', '$x', '2fa', 'größe', '😀', 'toString'];
  const longest = ['x'.repeat(64), 'ü'.repeat(32), '😀'.repeat(16)];

  it.each([...good, ...longest])('may be %p', (name) => {
    expect(checkFieldName(name)).toBe(name);
    expect(isFieldName(name)).toBe(true);
    expect(encodeField(name, 1, LIMITS)).toBe('1');
  });

  const bad: [name: unknown, path: string, why: RegExp][] = [
    ['', '""', /empty/],
    ['x'.repeat(65), `"${'x'.repeat(64)}…"`, /more than 64 bytes/],
    ['ü'.repeat(33), 'ü'.repeat(33), /more than 64 bytes/],
    ['__proto__', '__proto__', /not allowed/],
    ['constructor', 'constructor', /not allowed/],
    ['prototype', 'prototype', /not allowed/],
    ['a\u0000', '"a\\u0000"', /control/],
    ['a\u007f', '"a\\u007f"', /control/],
    ['a\u0085', '"a\\u0085"', /control/],
    ['a\ud800', '"a\\ud800"', /surrogate/],
    [5, '5', /not a string but a number/],
    [undefined, 'undefined', /not a string/],
  ];

  it.each(bad)('must not be %p', (name, path, why) => {
    const error = refusalOf(() => checkFieldName(name));
    expect(error.path).toBe(path);
    expect(error.message).toMatch(why);
    expect(isFieldName(name)).toBe(false);
    expect(() => encodeField(name as string, 1, LIMITS)).toThrow(why);
    expect(() => encodeItem(name as string, 1, LIMITS)).toThrow(why);
  });
});
