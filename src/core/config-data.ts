/**
 * `data`: how much a session may hold, and what crosses a login.
 */
import { DEFAULT_FIELD_LIMITS, type FieldLimits } from './codec/limits.js';
import { readEncryption } from './config-encryption.js';
import type { OPTION_KEYS } from './config-keys.js';
import { type OptionGroup, listOf } from './config-reader.js';
import { kindOf, show } from './config-text.js';
import type { EncryptedFields } from './field-cipher.js';
import { MAX_FIELD_NAME_BYTES, isFieldName } from './field-name.js';

const FIELD_BYTES = { min: 1, max: 1_048_576 };
const SESSION_BYTES = { min: 1, max: 4_194_304 };
const FIELDS = { min: 1, max: 1_000 };
const DEFAULT_SESSION_BYTES = 65_536;
const DEFAULT_FIELDS = 256;

/** What a session may hold. */
export interface ResolvedData {
  readonly fieldLimits: FieldLimits;
  readonly maxSessionBytes: number;
  readonly maxFields: number;
  readonly keepOnLogin: readonly string[];
  readonly encrypted: EncryptedFields;
}

/** Reads the group `data`. */
export function readData(group: OptionGroup<(typeof OPTION_KEYS.data)[number]>): ResolvedData {
  const ownFieldBytes = group.integer('maxFieldBytes', FIELD_BYTES);
  const ownSessionBytes = group.integer('maxSessionBytes', SESSION_BYTES);
  const fallback = group.has('maxSessionBytes') ? SESSION_BYTES.max : DEFAULT_SESSION_BYTES;
  const maxSessionBytes = ownSessionBytes ?? fallback;
  // As with timeouts: a default gives way to a smaller total, a given value that exceeds it is a
  // mistake.
  const maxFieldBytes =
    ownFieldBytes ?? Math.min(DEFAULT_FIELD_LIMITS.maxFieldBytes, maxSessionBytes);
  if (maxFieldBytes > maxSessionBytes) {
    const remedy = ownSessionBytes === undefined ? '; set data.maxSessionBytes too' : '';
    const got = `(got ${show(maxFieldBytes)} and ${show(maxSessionBytes)} bytes)`;
    group.problem('maxFieldBytes', `must be at most data.maxSessionBytes ${got}${remedy}`);
  }
  return {
    fieldLimits: Object.freeze({ ...DEFAULT_FIELD_LIMITS, maxFieldBytes }),
    maxSessionBytes,
    maxFields: group.integer('maxFields', FIELDS) ?? DEFAULT_FIELDS,
    keepOnLogin: readKeepOnLogin(group),
    encrypted: readEncryption(group),
  };
}

function readKeepOnLogin(group: OptionGroup<'keepOnLogin'>): readonly string[] {
  const raw = group.get('keepOnLogin');
  if (raw === undefined) return Object.freeze([]);
  const list = listOf(raw, FIELDS.max);
  if (list === undefined || typeof list === 'string') {
    const got = list === undefined ? kindOf(raw) : `${list} names`;
    group.problem('keepOnLogin', `must be a list of at most 1,000 field names (got ${got})`);
    return Object.freeze([]);
  }
  const names = list.filter((name, index): name is string => {
    if (isFieldName(name)) return true;
    const rule = `a field name: 1 to ${MAX_FIELD_NAME_BYTES} bytes without control characters`;
    group.report.problem(`${group.path('keepOnLogin')}[${index}] must be ${rule}`);
    return false;
  });
  return Object.freeze([...new Set(names)]);
}
