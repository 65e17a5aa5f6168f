import { Buffer } from 'node:buffer';

/**
 * How big one session field may be.
 *
 * @public
 */
export interface FieldLimits {
  /** UTF-8 bytes of the encoded text. */
  readonly maxFieldBytes: number;
  /**
   * How deep arrays, objects, maps and sets may be nested; a scalar is at depth 0, `[]` at 1.
   * Encoding and decoding recurse this deep, so keep it at a few hundred at most.
   */
  readonly maxDepth: number;
  /** Keys and items in the whole field; an entry of a map counts as two. */
  readonly maxNodes: number;
}

/** 16 KiB, 32 levels, 10,000 keys and items. @public */
export const DEFAULT_FIELD_LIMITS: FieldLimits = Object.freeze({
  maxFieldBytes: 16_384,
  maxDepth: 32,
  maxNodes: 10_000,
});

/**
 * The limits for reading whatever a store may hold. Appending makes a field longer than
 * `maxFieldBytes` where the store only bounds the whole session, and a limit may have been lowered
 * since a field was written: neither must hide the field.
 *
 * @param maxSessionBytes - UTF-8 bytes of all fields of a session together
 *
 * @public
 */
export function limitsForReading(limits: FieldLimits, maxSessionBytes: number): FieldLimits {
  const maxFieldBytes = Math.max(limits.maxFieldBytes, maxSessionBytes);
  // An item takes two bytes at least: its own and a comma.
  const maxNodes = Math.max(limits.maxNodes, Math.ceil(maxFieldBytes / 2));
  return { maxFieldBytes, maxDepth: limits.maxDepth, maxNodes };
}

/** Whether `text` takes more than `maxBytes` in UTF-8. */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  // One UTF-16 unit takes one to three bytes, so that most texts need no counting.
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}
