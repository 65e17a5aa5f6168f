/**
 * What can be known of a login before anything ends for it.
 */
import { decodeClaims } from './claims.js';
import type { SessionRecord } from './record.js';

/** Whether the concurrency limit counts a session: not if somebody acts in the user's name in it. */
export function isCounted({ claims }: SessionRecord): boolean {
  return decodeClaims(claims).actor === undefined;
}
