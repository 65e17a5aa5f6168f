import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  DEFAULT_FIELD_LIMITS as LIMITS,
  decodeField,
  encodeField,
  encodeItem,
} from '../../../src/core/codec.js';
import type { SessionValueError } from '../../../src/core/errors.js';
import { refusalOf } from './codec.kit.js';

class Money {
  amount = 1;
}

function refuse(value: unknown): SessionValueError {
  return refusalOf(() => encodeField('cart', value, LIMITS));
}

function cycle(): object {
  const top: { list: unknown[] } = { list: [] };
  top.list.push(1, { back: top });
  return top;
}

function withKey(target: object, key: PropertyKey, property: PropertyDescriptor): object {
  return Object.defineProperty(target, key, property);
}

function holes(length: number): unknown[] {
  return Object.assign([], { length });
}

function argumentsOf(..._values: unknown[]): object {
  return arguments;
}

const boom = (): never => {
  throw new Error('code of the value was run');
};
const traps = new Proxy({}, { get: boom });

// What is set, where it is refused, and why.
const refusals: [what: string, value: unknown, path: string, why: RegExp][] = [
  ['undefined itself', undefined, 'cart', /is undefined; delete/],
  ['NaN', { items: [{ price: NaN }] }, 'cart.items[0].price', /is NaN; only finite/],
  ['infinity', [1, Infinity], 'cart[1]', /is Infinity/],
  ['minus infinity', -Infinity, 'cart', /is -Infinity/],
  ['an invalid date', { at: new Date(NaN) }, 'cart.at', /invalid Date/],
  ['a function', { items: [1, 2, 3, { price: () => 1 }] }, 'cart.items[3].price', /is a function/],
  ['a class', { a: Money }, 'cart.a', /is a function/],
  ['a toJSON method', { a: { toJSON: boom } }, 'cart.a.toJSON', /is a function/],
  ['a symbol', [Symbol('x')], 'cart[0]', /is a symbol/],
  ['a symbol key', { a: { [Symbol('x')]: 1 } }, 'cart.a', /symbol key/],
  ['a symbol key of an array', { a: Object.assign([], { [Symbol('x')]: 1 }) }, 'cart.a', /symbol/],
  ['an instance', { total: new Money() }, 'cart.total', /is an instance of Money/],
  [
    'an instance of a nameless class',
    [
      new (class {
        a = 1;
      })(),
    ],
    'cart[0]',
    /prototype of its own/,
  ],
  ['an inherited object', Object.create({ a: 1 }), 'cart', /prototype of its own/],
  ['an error', new Error('x'), 'cart', /instance of Error/],
  ['a regular expression', [/x/], 'cart[0]', /instance of RegExp/],
  ['a promise', Promise.resolve(1), 'cart', /instance of Promise/],
  ['a weak map', new WeakMap(), 'cart', /instance of WeakMap/],
  ['a data view', new DataView(new ArrayBuffer(1)), 'cart', /instance of DataView/],
  ['a boxed number', { n: Object(1) as unknown }, 'cart.n', /instance of Number/],
  ['a boxed string', { n: Object('a') as unknown }, 'cart.n', /instance of String/],
  ['a boxed bigint', { n: Object(1n) as unknown }, 'cart.n', /instance of BigInt/],
  ['a subclass of Array', new (class List extends Array {})(), 'cart', /instance of List/],
  ['a subclass of Date', new (class Day extends Date {})(0), 'cart', /instance of Day/],
  ['a subclass of Map', new (class Bag extends Map {})(), 'cart', /instance of Bag/],
  ['a subclass of Set', new (class Bag extends Set {})(), 'cart', /instance of Bag/],
  ['a subclass of bytes', new (class Bits extends Uint8Array {})(), 'cart', /instance of Bits/],
  ['shared memory', new SharedArrayBuffer(1), 'cart', /instance of SharedArrayBuffer/],
  ['a view of it', [new Uint8Array(new SharedArrayBuffer(1))], 'cart[0]', /shared/],
  ['a cycle', cycle(), 'cart.list[1].back', /refers back/],
  [
    'a getter',
    {
      a: {
        get b(): never {
          return boom();
        },
      },
    },
    'cart.a.b',
    /getter or setter/,
  ],
  [
    'a setter',
    {
      set b(_: unknown) {
        boom();
      },
    },
    'cart.b',
    /getter or setter/,
  ],
  [
    'an accessor without functions',
    withKey({}, 'a', { get: undefined, enumerable: true } as object),
    'cart.a',
    /getter/,
  ],
  [
    'a getter in an array',
    withKey([1, 2], 1, { get: boom, enumerable: true }),
    'cart[1]',
    /getter/,
  ],
  ['a setter in an array', withKey([1, 2], 1, { set: boom }), 'cart[1]', /getter/],
  ['a hidden property', withKey({ a: 1 }, 'b', { value: 1 }), 'cart.b', /not enumerable/],
  ['a hidden tag', withKey({}, '$date', { value: 1 }), 'cart.$date', /not enumerable/],
  ['a hole', { a: [1, ...holes(1)].concat(holes(1)) }, 'cart.a[2]', /hole/],
  ['only holes', holes(2), 'cart[0]', /hole/],
  ['a hole beside an extra key', Object.assign(holes(1), { x: 1 }), 'cart[0]', /hole/],
  ['an array with extra keys', ['/x'.match(/x/)], 'cart[0]', /properties besides its items/],
  ['a hidden toJSON of an array', withKey([], 'toJSON', { value: boom }), 'cart', /toJSON/],
  ['a date with extra keys', Object.assign(new Date(0), { x: 1 }), 'cart', /of its own/],
  ['a date with a symbol', Object.assign(new Date(0), { [Symbol('x')]: 1 }), 'cart', /symbol/],
  ['a map with extra keys', Object.assign(new Map(), { x: 1 }), 'cart', /of its own/],
  [
    'a set with its own iterator',
    Object.assign(new Set(), { [Symbol.iterator]: boom }),
    'cart',
    /of its own/,
  ],
  [
    'bytes with extra keys',
    { b: Object.assign(new Uint8Array(2), { x: 1 }) },
    'cart.b',
    /of its own/,
  ],
  ['a buffer with extra keys', Object.assign(Buffer.alloc(2), { x: 1 }), 'cart', /of its own/],
  [
    'bytes with another length',
    withKey(new Uint8Array(2), 'byteLength', { get: boom }),
    'cart',
    /own/,
  ],
  [
    'bytes with another maker',
    withKey(new Int8Array(2), 'constructor', { get: boom }),
    'cart',
    /own/,
  ],
  ['an array buffer with extra keys', Object.assign(new ArrayBuffer(1), { x: 1 }), 'cart', /own/],
  ['a proxy', { a: new Proxy({}, {}) }, 'cart.a', /is a Proxy/],
  ['a proxy of an array', new Proxy([], { get: boom }), 'cart', /is a Proxy/],
  [
    'a revoked proxy',
    [Proxy.revocable({}, {})].map(({ proxy, revoke }) => (revoke(), proxy)),
    'cart[0]',
    /is a Proxy/,
  ],
  ['a proxy as prototype', Object.create(traps), 'cart', /prototype of its own/],
  ['a proxy as prototype of a date', Object.setPrototypeOf(new Date(0), traps), 'cart', /own/],
  [
    'a forged Object prototype',
    Object.create(withKey(Object.create(null), 'constructor', { value: Object })),
    'cart',
    /own/,
  ],
  ['a disguised date', Object.setPrototypeOf(new Date(0), Object.prototype), 'cart', /replaced/],
  ['a disguised number', Object.setPrototypeOf(Object(1), null), 'cart', /replaced/],
  ['a disguised map', Object.setPrototypeOf(new Map([[1, 1]]), null), 'cart', /replaced/],
  ['a disguised set', Object.setPrototypeOf(new Set([1]), Object.prototype), 'cart', /replaced/],
  [
    'a disguised promise',
    Object.setPrototypeOf(Promise.resolve(), null),
    'cart',
    /replaced|symbol/,
  ],
  ['disguised memory', Object.setPrototypeOf(new ArrayBuffer(1), null), 'cart', /replaced/],
  ['disguised bytes', Object.setPrototypeOf(new Uint8Array(1), null), 'cart', /replaced/],
  ['a plain object dressed as a buffer', Object.create(Buffer.prototype), 'cart', /instance of/],
  [
    'floats dressed as a buffer',
    Object.setPrototypeOf(new Float64Array(1), Buffer.prototype),
    'cart',
    /instance of/,
  ],
  ['arguments', argumentsOf(1), 'cart', /symbol/],
  [
    '__proto__',
    JSON.parse('{"a":[{"__proto__":{"isAdmin":true}}]}'),
    'cart.a[0].__proto__',
    /not allowed/,
  ],
  ['constructor', { a: { constructor: { prototype: {} } } }, 'cart.a.constructor', /not allowed/],
  ['prototype', { prototype: 1 }, 'cart.prototype', /not allowed/],
  ['a bad value in a map', new Map([['theme', NaN]]), 'cart.get("theme")', /NaN/],
  ['a bad value under a number', new Map([[5, NaN]]), 'cart.get(5)', /NaN/],
  ['a bad value under an object', new Map([[{}, NaN]]), 'cart.values()[0]', /NaN/],
  [
    'a bad key in a map',
    new Map<unknown, number>([
      [1, 1],
      [Symbol('x'), 1],
    ]),
    'cart.keys()[1]',
    /symbol/,
  ],
  ['a bad item in a set', [new Set([1, [NaN]])], 'cart[0].values()[1][0]', /NaN/],
  ['a key that is no identifier', { 'a b': NaN }, 'cart["a b"]', /NaN/],
  ['a key of digits', { 1: NaN }, 'cart["1"]', /NaN/],
  ['a key in another script', { größe: NaN }, 'cart.größe', /NaN/],
  [
    'a key that would forge a log line',
    { '\n\u2028\u202e\u{e0001}': NaN },
    'cart["\\n\\u2028\\u202e\\udb40\\udc01"]',
    /NaN/,
  ],
  ['a very long key', { ['k'.repeat(1000)]: NaN }, `cart["${'k'.repeat(64)}…"]`, /NaN/],
];

describe('a value that cannot be kept', () => {
  it.each(refusals)('%s is refused with its path', (_what, value, path, why) => {
    const error = refuse(value);
    expect(error.path).toBe(path);
    expect(error.message).toMatch(why);
    expect(error.message.startsWith(`session field ${path} `)).toBe(true);
    expect(error.code).toBe('ERR_SESSION_VALUE');
  });

  it('has a path from the item on when it is appended', () => {
    const error = refusalOf(() => encodeItem('cart', { price: [NaN] }, LIMITS));
    expect(error.path).toBe('cart[].price[0]');
    expect(refusalOf(() => encodeItem('cart', NaN, LIMITS)).path).toBe('cart[]');
  });

  it('is not shown in the error', () => {
    const error = refuse({ password: 'hunter2', next: new Map([['a', ['hunter2', NaN]]]) });
    expect(inspect(error)).not.toContain('hunter2');
  });

  it('is refused when its memory was given away', () => {
    const bytes = new Uint8Array(4);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(refuse({ bytes }).path).toBe('cart.bytes');
    expect(refuse([bytes.buffer]).message).toMatch(/given away/);
  });
});

describe('toJSON methods added to prototypes', () => {
  const added: object[] = [];
  function addToJson(prototype: object): void {
    withKey(prototype, 'toJSON', { value: boom, configurable: true });
    added.push(prototype);
  }

  afterEach(() => {
    for (const prototype of added.splice(0)) Reflect.deleteProperty(prototype, 'toJSON');
  });

  it('are never called: plain values are refused instead', () => {
    addToJson(Object.prototype);
    expect(refuse({ a: 1 }).message).toMatch(/has a toJSON method/);
    expect(refuse([1]).message).toMatch(/has a toJSON method/);
  });

  it('do no harm where the type has a tag', () => {
    addToJson(BigInt.prototype);
    addToJson(Map.prototype);
    addToJson(String.prototype);
    expect(encodeField('cart', [1n, new Map(), 'a'], LIMITS)).toBe(
      '[{"$bigint":"1"},{"$map":[]},"a"]',
    );
  });
});

describe('hidden properties of an array', () => {
  it('are neither kept nor run', () => {
    const list = withKey([1, 2n], 'constructor', { get: boom });
    expect(encodeField('cart', list, LIMITS)).toBe('[1,{"$bigint":"2"}]');
  });
});

describe('values from elsewhere', () => {
  it('are accepted from another realm when they are plain', () => {
    const source =
      '({ a: [1, new Date(0)], m: new Map([[1, new Set([2])]]), f: Float32Array.of(1) })';
    const value: unknown = runInNewContext(source);
    expect(decodeField(encodeField('cart', value, LIMITS), LIMITS)).toStrictEqual({
      ok: true,
      value: { a: [1, new Date(0)], m: new Map([[1, new Set([2])]]), f: Float32Array.of(1) },
    });
  });

  it('are refused from another realm when they are instances', () => {
    const value: unknown = runInNewContext('class Money {}; ({ a: new Money() })');
    expect(refuse(value).path).toBe('cart.a');
  });

  it('include dates made before and by fake timers', () => {
    const before = new Date(5);
    jest.useFakeTimers({ now: 7 });
    try {
      expect(encodeField('cart', [before, new Date()], LIMITS)).toBe('[{"$date":5},{"$date":7}]');
    } finally {
      jest.useRealTimers();
    }
  });
});
