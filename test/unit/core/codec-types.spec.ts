import { describe, expect, it } from '@jest/globals';
import type { SessionValue, Storable } from '../../../src/core/codec.js';

interface Item {
  readonly sku: string;
  readonly addedAt: Date;
  note?: string;
}

interface Cart {
  items: Item[];
  tags: Set<string>;
  stock: Map<string, bigint>;
  place: [x: number, y: number];
  raw: Buffer;
  parent: Cart | null;
}

class Money {
  amount = 1;
  toText(): string {
    return String(this.amount);
  }
}

// What a typed `set` looks like. The compiler is the test here; the calls only have to exist.
function set<T>(value: T & Storable<T>): T {
  return value;
}

declare const cart: Cart;
declare const anything: unknown;
// Whoever has it gets no help from the compiler.
declare const untyped: ReturnType<typeof JSON.parse>;
const never = (): boolean => false;

describe('the static type of what may be stored', () => {
  it('lets through what the codec keeps', () => {
    const value: SessionValue = {
      a: [1, 'b', true, null, undefined, 1n, new Date(0)],
      m: new Map([['k', new Set([1])]]),
      b: [Buffer.alloc(1), new Float64Array(1), new ArrayBuffer(1)],
      o: { nested: { deep: undefined } },
    };
    expect(set(value)).toBe(value);
    expect(set(5)).toBe(5);
    if (never()) {
      set(cart);
      set([cart, undefined]);
      set(new Map([[cart, new Set([cart])]]));
      set(untyped);
    }
  });

  it('stops what the codec refuses', () => {
    // @ts-expect-error undefined is not a value of a field
    const nothing: SessionValue = undefined;
    // @ts-expect-error a function
    const method: SessionValue = { a: () => 1 };
    // @ts-expect-error a symbol
    const symbol: SessionValue = [Symbol('x')];
    expect([nothing, method, symbol]).toHaveLength(3);
    if (never()) {
      // @ts-expect-error undefined is not a value of a field
      set(undefined);
      // @ts-expect-error a function
      set({ total: () => 5 });
      // @ts-expect-error an instance with methods
      set({ total: new Money() });
      // @ts-expect-error a class
      set([Money]);
      // @ts-expect-error a symbol key
      set({ [Symbol.iterator]: 1 });
      // @ts-expect-error a promise
      void set(Promise.resolve(1));
      // @ts-expect-error a function in a map
      set(new Map([['a', () => 1]]));
      // @ts-expect-error a symbol in a set
      set(new Set([Symbol('x')]));
      // @ts-expect-error could be anything
      set(anything);
      // @ts-expect-error could be anything
      set({ a: anything });
    }
  });
});
