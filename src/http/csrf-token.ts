/**
 * The synchroniser token: proves that a request comes from a page that could read an answer of
 * this application in this session (OWASP CSRF cheat sheet, "Synchronizer Token Pattern"; NIST SP
 * 800-63B-4 section 5.1). Nothing of it is stored.
 *
 * | bytes | field | |
 * | --- | --- | --- |
 * | 27 | mask | random, other in every answer: BREACH learns nothing from the rest |
 * | 1 | key id | finds the key without trying all |
 * | 2 | generation | of the session's token when it was issued |
 * | 24 | MAC | under the key for `csrf`, over session, generation and last proof of identity |
 *
 * All but the mask is masked. 54 bytes are 72 base64url characters.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyRing, RingKey } from '../core/key-ring.js';

/** Where an unsafe request carries it; Node gives header names in lower case. */
export const CSRF_HEADER = 'X-CSRF-Token';

const MAC_BYTES = 24;
const HEAD_BYTES = 3;
const BODY_BYTES = HEAD_BYTES + MAC_BYTES;
const SPELLING = /^[\w-]{72}$/;

/** What a token is bound to. */
export interface CsrfBinding {
  readonly sessionId: string;
  /** Generation of the session's newest token. */
  readonly generation: number;
  /** Last proof of identity, milliseconds since 1970; absent in an anonymous session. */
  readonly authenticatedAt: number | undefined;
}

/** A token for a page of this session, another text at each call. */
export function issueCsrfToken(ring: KeyRing, binding: CsrfBinding): string {
  const mask = randomBytes(BODY_BYTES);
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUInt8(ring.current.id);
  body.writeUInt16BE(binding.generation, 1);
  body.set(macOf(ring.current, binding), HEAD_BYTES);
  return Buffer.concat([mask, exclusiveOr(body, mask)]).toString('base64url');
}

/**
 * Whether a text is such a token. One of an earlier generation counts only with
 * `acceptsEarlier`: where tokens rotate by the clock, a form must not die of a rotation that
 * happened while it was filled in. A login or a further proof of identity ends them all.
 */
export function isCsrfToken(
  ring: KeyRing,
  text: string | undefined,
  binding: CsrfBinding,
  acceptsEarlier: boolean,
): boolean {
  // The decoder skips what is no base64url, and takes some other characters for it.
  if (text === undefined || !SPELLING.test(text)) return false;
  const bytes = Buffer.from(text, 'base64url');
  const body = exclusiveOr(bytes.subarray(BODY_BYTES), bytes);
  const generation = body.readUInt16BE(1);
  if (generation > binding.generation) return false;
  if (generation < binding.generation && !acceptsEarlier) return false;
  const mac = body.subarray(HEAD_BYTES);
  return ring
    .find(body.readUInt8())
    .some((key) => timingSafeEqual(mac, macOf(key, { ...binding, generation })));
}

function macOf(key: RingKey, { sessionId, generation, authenticatedAt }: CsrfBinding): Buffer {
  const text = `${sessionId}\n${generation}\n${authenticatedAt ?? ''}`;
  return createHmac('sha256', key.for('csrf')).update(text).digest().subarray(0, MAC_BYTES);
}

function exclusiveOr(body: Uint8Array, mask: Uint8Array): Buffer {
  return Buffer.from(body.map((byte, at) => byte ^ Number(mask[at])));
}
