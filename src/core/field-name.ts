import { Buffer } from 'node:buffer';

import { isForbiddenKey } from './codec/grammar.js';
import { formatPath } from './codec/path.js';
import { SessionValueError } from './errors.js';

/** The longest field name, in UTF-8 bytes. @public */
export const MAX_FIELD_NAME_BYTES = 64;

// What nearly every name looks like; the exact rules are checked for the others.
const USUAL = /^[\x20-\x7e]{1,64}$/;
const CONTROL = /\p{Cc}/u;
// With the u flag a pair is one character, so that only a lone half is left to match.
const LONE_SURROGATE = /\p{Cs}/u;

/**
 * Checks the name of a session field and answers it: 1 to 64 bytes of well-formed text without
 * control characters, and none of `__proto__`, `constructor`, `prototype`.
 *
 * A name may contain `.`, `$` and spaces; a store whose keys cannot must escape them.
 *
 * @throws SessionValueError `ERR_SESSION_VALUE`
 *
 * @public
 */
export function checkFieldName(name: unknown): string {
  const problem = findProblem(name);
  if (problem !== undefined) throw new SessionValueError(formatPath(String(name), []), problem);
  return name as string;
}

/**
 * Whether `name` could have been written as a field name; for names that come from a store, where
 * anything else must be passed over.
 *
 * @public
 */
export function isFieldName(name: unknown): name is string {
  return findProblem(name) === undefined;
}

function findProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return `has a name that is not a string but a ${typeof name}`;
  if (isForbiddenKey(name)) return 'has a name that is not allowed';
  if (USUAL.test(name)) return undefined;
  if (name === '') return 'has an empty name';
  if (name.length > MAX_FIELD_NAME_BYTES || Buffer.byteLength(name) > MAX_FIELD_NAME_BYTES) {
    return `has a name of more than ${MAX_FIELD_NAME_BYTES} bytes`;
  }
  if (LONE_SURROGATE.test(name)) return 'has a name with half a surrogate pair';
  return CONTROL.test(name) ? 'has a name with a control character' : undefined;
}
