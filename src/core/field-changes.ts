/**
 * What a write does to the encoded fields of a session, as a pure function: for stores that hold
 * the fields in this process while they change them.
 */
import { Buffer } from 'node:buffer';
import type { EncodedFields, FieldChange, WriteReply } from './store-messages.js';

/** How much one session may hold. */
export interface SessionSize {
  /** Total of the encoded names and values, in UTF-8 bytes. */
  readonly maxSessionBytes: number;
  readonly maxFields: number;
}

type Conflict = Extract<WriteReply, { status: 'conflict' }>;

/** `written`: `fields` are all fields afterwards, `changed` those that the changes name. */
export type ChangeOutcome =
  | {
      readonly status: 'written';
      readonly fields: EncodedFields;
      readonly changed: ReadonlyMap<string, string | undefined>;
    }
  | Omit<Conflict, 'now'>
  | { readonly status: 'too-large' };

/**
 * Applies the changes in order, all or none; `fields` stays as it is.
 *
 * A result that is not larger than what was there is never too large: after a limit was lowered,
 * a session above it can still shrink.
 */
export function applyChanges(
  fields: EncodedFields,
  changes: readonly FieldChange[],
  size: SessionSize,
): ChangeOutcome {
  const after = new Map(fields);
  const changed = new Map<string, string | undefined>();
  for (const change of changes) {
    const { name } = change;
    const current = after.get(name);
    const result = applyChange(change, current);
    if (typeof result === 'object') return { status: 'conflict', name, why: result.why, current };
    if (result === undefined) after.delete(name);
    else after.set(name, result);
    changed.set(name, result);
  }
  const tooMany = after.size > Math.max(size.maxFields, fields.size);
  const tooLong = bytesOf(after) > Math.max(size.maxSessionBytes, bytesOf(fields));
  if (tooMany || tooLong) return { status: 'too-large' };
  return { status: 'written', fields: after, changed };
}

/** Whether a new session may hold these fields. */
export function fitsSession(fields: EncodedFields, size: SessionSize): boolean {
  return fields.size <= size.maxFields && bytesOf(fields) <= size.maxSessionBytes;
}

/** The new text, `undefined` for none, or why the field is not what the change needs. */
function applyChange(
  change: FieldChange,
  current: string | undefined,
): string | undefined | { readonly why: Conflict['why'] } {
  switch (change.kind) {
    case 'set':
      return change.value;
    case 'delete':
      return undefined;
    case 'replace':
      return current === change.expected ? change.value : { why: 'changed' };
    case 'increment': {
      const value = readInteger(current ?? '0');
      if (value === undefined) return { why: 'not-an-integer' };
      const sum = value + change.by;
      return Number.isSafeInteger(sum) ? String(sum) : { why: 'out-of-range' };
    }
    case 'append':
      return appendItem(current ?? '[]', change.item) ?? { why: 'not-an-array' };
  }
}

/** Only the one way to write a safe integer counts: no `1.0`, `1e3`, `-0` or leading zero. */
function readInteger(text: string): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && String(value) === text ? value : undefined;
}

/** Arrays are the only texts of the field codec that begin with a bracket. */
function appendItem(text: string, item: string): string | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined;
  return text === '[]' ? `[${item}]` : `${text.slice(0, -1)},${item}]`;
}

function bytesOf(fields: EncodedFields): number {
  let bytes = 0;
  for (const [name, value] of fields) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}
