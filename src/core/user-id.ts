/**
 * What may be a user id, and where a user is placed in the store.
 */
import { createHmac, randomBytes, randomInt } from 'node:crypto';

import { SessionError, SessionStoreError } from './errors.js';
import type { StoreLayout, UserPlace } from './store.js';

/**
 * Names who a session belongs to: a non-empty text of at most 256 bytes in UTF-8, a safe integer
 * or a bigint. Compared byte by byte: no normalisation, no case folding. A number is its decimal
 * text, so that `1`, `1n` and `'1'` are the same user.
 *
 * @public
 */
export type UserId = string | number | bigint;

const USER_KEY_BYTES = 8;
const SID_BYTES = 16;
const MAX_BYTES = 256;
const ACCEPTED = 'a user id is a text of 1 to 256 bytes, a safe integer or a bigint';
// Turning a huge bigint into text is slow; its size is compared first. The sign counts as a byte.
const BIGINT_END = 10n ** BigInt(MAX_BYTES);
const NEGATIVE_BIGINT_END = -(10n ** BigInt(MAX_BYTES - 1));

/** Most buckets a token can name: it has two bytes for them. */
export const MAX_BUCKETS = 65_536;

/**
 * The one text form of a user id, the same for every store (row S-02).
 *
 * @throws SessionError `ERR_SESSION_USER_ID` for everything that is no user id; the message never
 * repeats the value
 */
export function canonicalUserId(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return checkedText(value);
    case 'number':
      if (!Number.isSafeInteger(value)) throw refused('got a number that is not a safe integer');
      return String(value);
    case 'bigint':
      if (value >= BIGINT_END || value <= NEGATIVE_BIGINT_END) throw refused('got a larger bigint');
      return String(value);
    default:
      throw refused(`got ${value === null ? 'null' : `a value of type ${typeof value}`}`);
  }
}

function checkedText(text: string): string {
  if (text === '') throw refused('got an empty text');
  // The length in UTF-16 units is a lower bound of the bytes and costs nothing.
  if (text.length > MAX_BYTES || Buffer.byteLength(text) > MAX_BYTES) {
    throw refused('got a longer text');
  }
  if (text.includes('\0')) throw refused('got a text with a NUL character');
  // UTF-8 encoders turn every lone surrogate into the same U+FFFD: two users would become one.
  if (/\p{Surrogate}/u.test(text)) throw refused('got a text with a lone surrogate');
  return text;
}

function refused(got: string): SessionError {
  return new SessionError('ERR_SESSION_USER_ID', `${ACCEPTED} (${got})`);
}

/**
 * Bucket and key of a user in the store (rows S-01, Q-07).
 *
 * Both come from an HMAC-SHA-256 under the placement key of the layout, which has nothing to do
 * with `secret`: rotating the secret moves no user, and nobody without the placement key can
 * choose ids that fall into one bucket or recognise a user in the store.
 *
 * @param userId - as `canonicalUserId` returns it
 * @throws SessionStoreError if the layout is damaged
 */
export function placement(userId: string, layout: StoreLayout): UserPlace {
  const key = Buffer.from(layout.placementKey, 'base64url');
  if (key.length !== 32 || key.toString('base64url') !== layout.placementKey) {
    throw new SessionStoreError('the placement key in the layout record of the store is damaged');
  }
  const buckets = checkedBuckets(layout.buckets);
  const digest = createHmac('sha256', key).update(`nsk/user\0${userId}`).digest();
  return {
    // 48 bits modulo at most 2^16: no bucket is more likely than another by more than 2^-32.
    bucket: digest.readUIntBE(16, 6) % buckets,
    userKey: digest.toString('base64url', 0, USER_KEY_BYTES),
  };
}

/**
 * The sid of a new session: 8 bytes that place it and 8 random ones. Whoever knows the id knows
 * where the user's index is, so that a store can keep record and index in step with no more than
 * the id (see `docs/decisions/0002-session-id.md`). The last bit says whether there is a user.
 */
export function createSid(userKey?: string): Uint8Array {
  const sid = randomBytes(SID_BYTES);
  if (userKey !== undefined) sid.write(userKey, 0, USER_KEY_BYTES, 'base64url');
  const last = SID_BYTES - 1;
  sid.writeUInt8((sid.readUInt8(last) & 0xfe) | (userKey === undefined ? 1 : 0), last);
  return sid;
}

/** The parts of an id: the user's key, what tells their sessions apart, and whether there is a user. */
export function splitSid(sid: Uint8Array): {
  readonly userKey: string;
  readonly own: string;
  readonly isAnonymous: boolean;
} {
  const bytes = Buffer.from(sid.buffer, sid.byteOffset, sid.byteLength);
  return {
    userKey: bytes.toString('base64url', 0, USER_KEY_BYTES),
    own: bytes.toString('base64url', USER_KEY_BYTES, SID_BYTES),
    isAnonymous: (bytes.readUInt8(SID_BYTES - 1) & 1) === 1,
  };
}

/** A bucket for a session without a user; all equally likely. */
export function randomBucket(buckets: number): number {
  return randomInt(checkedBuckets(buckets));
}

/** A placement key for a store that is used for the first time: 32 random bytes, base64url. */
export function createPlacementKey(): string {
  return randomBytes(32).toString('base64url');
}

function checkedBuckets(buckets: number): number {
  if (Number.isInteger(buckets) && buckets >= 1 && buckets <= MAX_BUCKETS) return buckets;
  throw new SessionStoreError('the bucket count in the layout record of the store is damaged');
}
