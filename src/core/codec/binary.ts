import { Buffer } from 'node:buffer';
import { isDeepStrictEqual, types } from 'node:util';

import { BINARY_KINDS, type BinaryKind } from './grammar.js';

type Binary = NodeJS.ArrayBufferView | ArrayBufferLike;

// What is read below; a property of the same name would stand before the real one.
const SHADOWS = ['buffer', 'byteLength', 'byteOffset', 'constructor', 'length', 'subarray'];

/** Whether `value` is nothing but bytes that belong to this thread: no properties of its own. */
export function isBareBinary(value: Binary): boolean {
  if (SHADOWS.some((name) => Object.hasOwn(value, name)) || isDetached(value)) return false;
  if (types.isAnyArrayBuffer(value)) return Reflect.ownKeys(value).length === 0;
  if (types.isSharedArrayBuffer(value.buffer) || !types.isTypedArray(value)) return false;
  // The keys of a typed array include every index (16 ms for a megabyte). Node.js compares the
  // others natively, and a view of the same memory has none.
  return isDeepStrictEqual(value, value.subarray());
}

/** The bytes as base64url, without padding. */
export function encodeBytes(value: Binary): string {
  const bytes = types.isAnyArrayBuffer(value)
    ? Buffer.from(value)
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return bytes.toString('base64url');
}

/** The binary value over memory of its own, or `undefined` where `text` is not what was written. */
export function decodeBytes(kind: BinaryKind, text: string): Binary | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Node.js skips what is not base64; only the text it would write itself is accepted.
  if (bytes.toString('base64url') !== text) return undefined;
  // Small buffers come from a pool that all requests share: copy out of it.
  const buffer = Buffer.alloc(bytes.length);
  bytes.copy(buffer);
  if (kind === 'Buffer') return buffer;
  if (kind === 'ArrayBuffer') return buffer.buffer;
  const create = BINARY_KINDS[kind];
  if (buffer.length % create.BYTES_PER_ELEMENT !== 0) return undefined;
  return new create(buffer.buffer);
}

/** Whether the memory was transferred to another thread; Node.js 20 cannot ask. */
function isDetached(value: Binary): boolean {
  try {
    return new Uint8Array(types.isAnyArrayBuffer(value) ? value : value.buffer).length < 0;
  } catch {
    return true;
  }
}
