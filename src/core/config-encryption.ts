/**
 * `data.encrypt`: which fields the store cannot read.
 */
import { type OptionGroup, listOf } from './config-reader.js';
import { kindOf, show } from './config-text.js';
import type { EncryptedFields } from './field-cipher.js';
import { MAX_FIELD_NAME_BYTES, isFieldName } from './field-name.js';
import { frozenSet } from './frozen-set.js';

const MAX_NAMES = 1_000;

/** Reads the option `data.encrypt`. */
export function readEncryption(group: OptionGroup<'encrypt'>): EncryptedFields {
  const raw = group.get('encrypt');
  if (raw === true) return 'all';
  if (raw === undefined || raw === false) return frozenSet([]);
  const list = listOf(raw, MAX_NAMES);
  if (list === undefined || typeof list === 'string') {
    const got = list === undefined ? gotOf(raw) : `${list} names`;
    group.problem('encrypt', `must be true or a list of at most 1,000 field names (got ${got})`);
    return 'all';
  }
  const names = list.filter((name, index): name is string => {
    if (isFieldName(name)) return true;
    const rule = `a field name: 1 to ${MAX_FIELD_NAME_BYTES} bytes without control characters`;
    group.report.problem(`${group.path('encrypt')}[${index}] must be ${rule}`);
    return false;
  });
  return frozenSet(names);
}

function gotOf(raw: unknown): string {
  return typeof raw === 'string' || typeof raw === 'number' ? show(raw) : kindOf(raw);
}
