/** What an object really is, found out without running any code of its own. */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';

import { BINARY_KINDS, type BinaryKind } from './grammar.js';

interface Builtin {
  readonly prototype: object;
}

/**
 * Whether `prototype` is the one of `builtin`, in this realm or in another: under Jest and in `vm`
 * contexts, values made by Node.js itself have the prototypes of the outer realm.
 */
export function isPrototypeOf(builtin: Builtin, prototype: object | null): boolean {
  if (prototype === builtin.prototype) return true;
  if (prototype === null || types.isProxy(prototype)) return false;
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  // Native source text cannot be forged; only then is it safe to look at `maker.prototype`.
  return (
    typeof maker === 'function' &&
    Function.prototype.toString.call(maker) === Function.prototype.toString.call(builtin) &&
    maker.prototype === prototype
  );
}

const RealDate = Date;

/** The same for `Date`, which fake timers replace: dates of before and of now both count. */
export function isDatePrototype(prototype: object | null): boolean {
  return prototype === Date.prototype || isPrototypeOf(RealDate, prototype);
}

/**
 * Whether an object with a plain prototype and `keyCount` keys is something else inside (a `Date`
 * or `Map` whose prototype was replaced, `arguments`), so that its contents would be lost. Call it
 * only where there are no symbol keys, because `Symbol.toStringTag` could be a getter.
 */
export function isDisguised(value: object, keyCount: number): boolean {
  if (Object.prototype.toString.call(value) !== '[object Object]') return true;
  if (ArrayBuffer.isView(value)) return true;
  // The rest is told apart by slower calls, and worth it only for what would be written as `{}`.
  return keyCount === 0 && (types.isMap(value) || types.isSet(value) || isOpaque(value));
}

function isOpaque(value: object): boolean {
  return types.isAnyArrayBuffer(value) || types.isPromise(value);
}

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
);

/** The kind of binary data `value` is, or `undefined` where it is none that can be kept. */
export function binaryKindOf(value: object): BinaryKind | undefined {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Buffer.prototype) return types.isUint8Array(value) ? 'Buffer' : undefined;
  const name: unknown = types.isArrayBuffer(value)
    ? 'ArrayBuffer'
    : typedArrayTag?.get?.call(value);
  if (typeof name !== 'string' || !isBinaryName(name)) return undefined;
  return isPrototypeOf(BINARY_KINDS[name], prototype) ? name : undefined;
}

function isBinaryName(name: string): name is keyof typeof BINARY_KINDS {
  return Object.hasOwn(BINARY_KINDS, name);
}

/** `an instance of Foo`, for messages; runs no getter and no proxy trap on the way to the name. */
export function describeInstance(value: object): string {
  let holder: object | null = Object.getPrototypeOf(value);
  while (holder !== null && !types.isProxy(holder)) {
    const maker: unknown = Object.getOwnPropertyDescriptor(holder, 'constructor')?.value;
    if (typeof maker === 'function' && !types.isProxy(maker)) {
      const name: unknown = Object.getOwnPropertyDescriptor(maker, 'name')?.value;
      if (typeof name === 'string' && /^[\w$]{1,64}$/.test(name) && name !== 'Object') {
        return `an instance of ${name}`;
      }
      break;
    }
    holder = Object.getPrototypeOf(holder);
  }
  return 'an object with a prototype of its own';
}
