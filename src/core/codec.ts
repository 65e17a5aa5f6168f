/**
 * The encoding of session data. Every field is one text of its own: stores see only strings and
 * never parse them; whatever was set is what is read back, on every store.
 *
 * | value | text |
 * | --- | --- |
 * | JSON values | the same as plain JSON without spaces; an integer is its decimal digits: `5` |
 * | `-0` | `{"$number":"-0"}` |
 * | array | `[` items, separated by `,` `]`; no other text begins with `[` |
 * | `undefined` inside a container | `{"$undefined":true}` |
 * | `bigint` | `{"$bigint":"12"}` |
 * | `Date` | `{"$date":` milliseconds since the epoch `}` |
 * | `Map` | `{"$map":[key,value,key,value]}` |
 * | `Set` | `{"$set":[item,item]}` |
 * | binary | `{"$uint8array":"base64url"}`; the tag is the name of the type, `$buffer` for a `Buffer` |
 * | object with one key that begins with `$` | the same with another `$` in front of the key |
 *
 * So a one-key object whose key begins with a single `$` is always a tag and never user data. The
 * text of a value does not depend on where it stands.
 *
 * Typed arrays are written in the byte order of the machine, which is little-endian on every
 * platform with official Node.js builds except s390x.
 */
import { UNREADABLE, type UnreadableReason, FieldReader } from './codec/decode.js';
import { FieldEncoder } from './codec/encode.js';
import { type FieldLimits, exceedsBytes } from './codec/limits.js';
import { checkFieldName } from './field-name.js';
import type { SessionValue } from './session-value.js';

export { DEFAULT_FIELD_LIMITS, type FieldLimits, limitsForReading } from './codec/limits.js';
export type { UnreadableReason } from './codec/decode.js';
export { MAX_FIELD_NAME_BYTES, checkFieldName, isFieldName } from './field-name.js';
export type {
  SessionBinary,
  SessionItem,
  SessionValue,
  Storable,
  StorableItem,
} from './session-value.js';

declare const encoded: unique symbol;

/** The text of one field, made by {@link encodeField}. A string for everybody else. @public */
export type EncodedField = string & { readonly [encoded]: 'field' };

/** The text of one array item, made by {@link encodeItem}. @public */
export type EncodedItem = string & { readonly [encoded]: 'item' };

/**
 * What a stored text says. An unreadable one is a value, because it must read as "not there"
 * (and be counted) instead of failing every request of that user: `malformed` was not written by
 * this version of the codec, `limits` is bigger or deeper than the limits given now.
 *
 * @public
 */
export type FieldReading =
  | { readonly ok: true; readonly value: SessionValue }
  | { readonly ok: false; readonly reason: UnreadableReason };

const MALFORMED: FieldReading = Object.freeze({ ok: false, reason: 'malformed' });
const OVER_LIMITS: FieldReading = Object.freeze({ ok: false, reason: 'limits' });

/**
 * Encodes the value of one field, or refuses it: what is encoded is read back deeply equal.
 *
 * Kept: JSON values, `undefined` inside containers, `-0`, lone surrogates, `Date`, `Map`, `Set`,
 * `bigint`, `ArrayBuffer`, `Buffer`, typed arrays. Refused with the path of the place: `undefined`
 * as the field itself, NaN and infinities, invalid dates, functions, symbols and symbol keys,
 * instances of classes, boxed primitives, getters and setters, non-enumerable properties, holes,
 * proxies, cycles, binary data in shared memory, the keys `__proto__`, `constructor` and
 * `prototype`. Nothing of the value is run, `toJSON` included.
 *
 * Not kept: identity (an object that occurs twice is read as two), frozenness, null prototypes
 * (they are read as ordinary objects), the memory around a view, non-enumerable properties added
 * to an array, a date or binary data.
 *
 * @param name - name of the field, the root of the paths in errors
 * @throws SessionValueError `ERR_SESSION_VALUE`, or `ERR_SESSION_TOO_LARGE` past a limit
 *
 * @public
 */
export function encodeField(name: string, value: unknown, limits: FieldLimits): EncodedField {
  checkFieldName(name);
  return new FieldEncoder(name, limits).field(value) as EncodedField;
}

/**
 * Encodes a value to be appended to an array field; in errors its path begins with `name[]`.
 * `undefined` is an item like any other. The limits are those of the field: the item has one level
 * and two bytes less. `applyChanges` shows how a store appends it.
 *
 * @throws SessionValueError as {@link encodeField}
 *
 * @public
 */
export function encodeItem(name: string, value: unknown, limits: FieldLimits): EncodedItem {
  checkFieldName(name);
  return new FieldEncoder(name, limits).item(value) as EncodedItem;
}

/**
 * Reads one stored text. Never throws. The value belongs to the caller alone: every call builds a
 * new one, nothing is shared between two readings or with the store.
 *
 * Objects come back as ordinary objects, safe to merge and copy: a text with one of the keys
 * `__proto__`, `constructor`, `prototype` at any depth is unreadable.
 *
 * A text beyond `limits` is unreadable too: give those of {@link limitsForReading}, so that neither
 * appending nor a lowered limit hides a field.
 *
 * @public
 */
export function decodeField(text: string, limits: FieldLimits): FieldReading {
  if (typeof text !== 'string') return MALFORMED;
  // Before anything is parsed: what is parsed must be bounded.
  if (exceedsBytes(text, limits.maxFieldBytes)) return OVER_LIMITS;
  let node: unknown;
  try {
    node = JSON.parse(text);
  } catch {
    return MALFORMED;
  }
  const reader = new FieldReader(limits);
  const value = reader.read(node, 0);
  if (value === UNREADABLE) return reader.reason === 'limits' ? OVER_LIMITS : MALFORMED;
  // Never written: a field that is undefined is deleted.
  return value === undefined ? MALFORMED : { ok: true, value: value as SessionValue };
}
