/**
 * The static type of what a session field may hold. The codec (`codec.ts`) checks the same rules
 * again when a value is set, because types cannot see NaN, cycles or class instances.
 */

/**
 * Bytes that can be kept. Each comes back as what it was: a `Buffer` as a `Buffer`, every typed
 * array as its own kind, always over memory of its own and holding only the bytes of the view.
 *
 * @public
 */
export type SessionBinary =
  | ArrayBuffer
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

type SessionLeaf = null | boolean | number | string | bigint | Date | SessionBinary;

/**
 * What a session field may hold: JSON values, `Date`, `Map`, `Set`, `bigint` and binary data,
 * nested as you like. Numbers must be finite.
 *
 * `undefined` is a value inside arrays, objects, maps and sets, but not as the field itself:
 * delete the field instead.
 *
 * An interface is not assignable to this type (TypeScript gives interfaces no index signature);
 * constrain with {@link Storable} where a declared type comes in.
 *
 * @public
 */
export type SessionValue =
  | SessionLeaf
  | readonly SessionItem[]
  | ReadonlyMap<SessionItem, SessionItem>
  | ReadonlySet<SessionItem>
  | { readonly [key: string]: SessionItem };

/** What may stand inside a {@link SessionValue}: the same, or `undefined`. @public */
export type SessionItem = SessionValue | undefined;

/**
 * `T` where everything in it can be kept in a session; elsewhere `never` stands at the place that
 * cannot (a function, a symbol, `unknown`, a symbol key), so that the compiler names it.
 *
 * @example
 * ```ts
 * declare function set<T>(name: string, value: T & Storable<T>): void;
 * set('cart', { items: [{ sku: 'a', addedAt: new Date() }] });
 * set('cart', { total: () => 5 }); // does not compile
 * ```
 *
 * @public
 */
export type Storable<T> = [T, SessionValue] extends [SessionValue, T]
  ? T // SessionValue itself (taking it apart would never end) and any
  : T extends undefined
    ? never
    : StorableItem<T>;

/** {@link Storable} for what stands inside a value, where `undefined` is allowed. @public */
export type StorableItem<T> = [T, SessionItem] extends [SessionItem, T | undefined]
  ? T
  : T extends SessionLeaf | undefined
    ? T
    : T extends ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown)
      ? never
      : T extends ReadonlyMap<infer K, infer V>
        ? ReadonlyMap<StorableItem<K>, StorableItem<V>>
        : T extends ReadonlySet<infer E>
          ? ReadonlySet<StorableItem<E>>
          : T extends object
            ? { [P in keyof T]: P extends symbol ? never : StorableItem<T[P]> }
            : never;
