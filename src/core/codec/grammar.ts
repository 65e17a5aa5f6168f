/** What the encoder and the decoder must agree on: tags, binary kinds, forbidden keys. */

/** The first character of every tag; a user's key that begins with it is doubled when alone. */
export const TAG_MARK = '$';

export const TAG = {
  undefined: '$undefined',
  number: '$number',
  bigint: '$bigint',
  date: '$date',
  map: '$map',
  set: '$set',
} as const;

/** The only number that JSON.stringify does not keep. */
export const MINUS_ZERO = '-0';

/** The last instant a `Date` can hold, in milliseconds from the epoch. */
export const MAX_INSTANT = 8.64e15;

/**
 * The kinds of binary data and their constructors; the tag is `$` and the name in lower case.
 * `Float16Array` is not among them: not every supported Node.js has it, and an instance without it
 * could not read what another wrote.
 */
export const BINARY_KINDS = {
  ArrayBuffer,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

export type BinaryKind = keyof typeof BINARY_KINDS | 'Buffer';

/** The tag that stands for a kind of binary data. */
export function binaryTag(kind: BinaryKind): string {
  return TAG_MARK + kind.toLowerCase();
}

/** Keys that reach a prototype when somebody merges or copies the value carelessly. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}
