/**
 * The session token: what the client carries, and the only credential there is.
 *
 * | bytes | field | |
 * | --- | --- | --- |
 * | 1 | version (2 bits, 1) and key id (6 bits) | finds the key without trying all |
 * | 2 | bucket | where in the store the session lives |
 * | 16 | sid | random; with the bucket it is the public session id |
 * | 2 | generation | 0 at first, one more with each rotation |
 * | 3 | hard deadline | minutes since 2026-01-01T00:00Z, rounded up |
 * | 32 | secret | random, or derived from the predecessor's |
 * | 16 | tag | |
 *
 * One HMAC-SHA-512 over audience and the first 56 bytes gives the tag (its bytes 0 to 15) and the
 * verifier (16 to 47), which is all the store knows. 72 bytes are 96 base64url characters with no
 * bit to spare: every token has exactly one spelling (row T-05).
 */
import { createHmac, randomBytes, randomFillSync, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

import { SessionConfigError, SessionStoreError } from './errors.js';
import { PreparedMac, type KeyRing, type RingKey } from './key-ring.js';
import type { SessionId } from './record.js';

/**
 * Finds session tokens in text: for secret scanners and log filters (row T-14). Plain enough for
 * RE2 and Hyperscan; no flags, no anchors, so that a token inside other text is found too.
 *
 * @public
 */
export const SESSION_TOKEN_PATTERN = /nsk_[Q-Za-f][A-Za-z0-9_-]{95}/;

const PREFIX = 'nsk_';
const TEXT_LENGTH = 100;
const VERSION = 1;

/** Where each field begins. */
const AT = { bucket: 1, sid: 3, generation: 19, deadline: 21, secret: 24, tag: 56 } as const;
const TAG_BYTES = 16;
const SID_BYTES = AT.generation - AT.sid;
const ID_BYTES = AT.generation - AT.bucket;
const ID_LENGTH = 24;
const EPOCH = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

/** Highest generation a token can hold; a session that reaches it can rotate no more. */
export const MAX_GENERATION = 0xffff;

/** Latest hard deadline a token can hold, in 2057; milliseconds since 1970. */
export const MAX_HARD_DEADLINE = EPOCH + 0xff_ffff * MINUTE;

/**
 * Holds a token without showing it: every way of printing, serialising or cloning it gives
 * `[session token]` or nothing (row L-01). `reveal()` is the only way to the text.
 */
export class SecretToken {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The token itself. For a carrier that sends it to its owner, and for nothing else. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[session token]';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** A token whose tag is right, and what it says. Printed without the token and the verifier. */
export interface VerifiedToken {
  readonly token: SecretToken;
  readonly sessionId: SessionId;
  readonly bucket: number;
  readonly generation: number;
  /** The token is dead from then on, whatever a store says (row E-09); milliseconds since 1970. */
  readonly hardDeadline: number;
  /** What the store compares: 43 base64url characters. Useless without the token. */
  readonly verifier: string;
  readonly keyId: number;
  /** `false`: made under an older key, to be replaced at the next rotation (row T-11). */
  readonly isNewestKey: boolean;
}

/** A token that was just made; the same facts as of one that was presented. */
export type MintedToken = VerifiedToken;

/** What a new token shall say. */
export interface TokenContent {
  readonly bucket: number;
  /** 16 bytes of an existing session, as `parseSessionId` gives them. @defaultValue random */
  readonly sid?: Uint8Array;
  /** 0 to {@link MAX_GENERATION}. */
  readonly generation: number;
  /** Milliseconds since 1970 by the store's clock; rounded up to a whole minute. */
  readonly hardDeadline: number;
}

/** How to derive the successor of a token; the same input gives the same token anywhere. */
export interface SuccessorContent {
  /** From {@link createSalt}, kept in the record. */
  readonly salt: string;
  readonly generation: number;
  /** Key to make it under; not always the newest, while keys roll. */
  readonly keyId: number;
  /**
   * The successor's verifier, where it is already known from the record. Settles which key is
   * meant if two secrets share the id, and refuses a successor that the store would not accept.
   */
  readonly verifier?: string;
}

/**
 * Makes and checks tokens. All in process memory: a forgery costs no store command (row T-06).
 *
 * Successor and verifier need the token's own secret, so that neither the keys nor a copy of the
 * store give anybody a session.
 */
export class TokenCodec {
  readonly #newest: TokenMac;
  /** By key id. */
  readonly #macs: ReadonlyMap<number, readonly TokenMac[]>;

  /**
   * @param audience - name of the application, environment and tenant, at most 256 bytes; tokens
   * of another audience fail like forgeries, even under the same secret (row S-11)
   * @throws SessionConfigError if the audience is not a well-formed text of that size
   */
  constructor(ring: KeyRing, audience: string) {
    const label = audienceLabel(audience);
    const newest = new TokenMac(ring.current, label);
    const macs = ring.keys.map((key) => (key === ring.current ? newest : new TokenMac(key, label)));
    this.#newest = newest;
    this.#macs = new Map(
      macs.map(({ key: { id } }) => [id, macs.filter((mac) => mac.key.id === id)]),
    );
  }

  /**
   * A new token with a random secret, under the newest key.
   *
   * @throws RangeError if a number does not fit its field
   * @throws SessionStoreError if the deadline does not, since only a wrong clock brings that about
   */
  mint(content: TokenContent): MintedToken {
    const { bytes } = this.#newest;
    const { bucket, sid, generation, hardDeadline } = content;
    bytes.writeUInt16BE(inRange(bucket, 'bucket'), AT.bucket);
    if (sid === undefined) {
      randomFillSync(bytes, AT.sid, SID_BYTES);
    } else if (sid.length === SID_BYTES) {
      bytes.set(sid, AT.sid);
    } else {
      throw new RangeError('the sid of a token has 16 bytes');
    }
    bytes.writeUIntBE(minutesUntil(hardDeadline), AT.deadline, 3);
    randomFillSync(bytes, AT.secret, AT.tag - AT.secret);
    return this.#seal(this.#newest, generation);
  }

  /**
   * The facts of a genuine token; `undefined` for anything else, without saying why. Whether the
   * session is alive is for the store to say, whether the hard deadline has passed for the caller.
   */
  verify(text: unknown): VerifiedToken | undefined {
    if (!looksLikeToken(text)) return undefined;
    const header = (sextet(text, PREFIX.length) << 2) | (sextet(text, PREFIX.length + 1) >> 4);
    if (header >> 6 !== VERSION) return undefined;
    for (const mac of this.#macs.get(header & 0b11_1111) ?? []) {
      if (!decode(text, PREFIX.length, mac.bytes)) return undefined;
      mac.compute();
      if (timingSafeEqual(mac.tag, mac.expectedTag)) {
        return new TokenFacts(new SecretToken(text), mac, mac === this.#newest);
      }
    }
    return undefined;
  }

  /**
   * The token that follows another in a soft rotation. Everybody who holds the predecessor derives
   * the byte-identical successor, on any instance (DESIGN.md, rotation); nobody else can.
   *
   * @returns `undefined` if the key is gone, or no key of that id leads to `verifier`
   * @throws RangeError if the generation does not fit
   */
  successor(current: VerifiedToken, content: SuccessorContent): MintedToken | undefined {
    for (const mac of this.#macs.get(content.keyId) ?? []) {
      if (!decode(current.token.reveal(), PREFIX.length, mac.bytes)) return undefined;
      const secret = mac.bytes.subarray(AT.secret, AT.tag);
      secret.set(createHmac('sha256', secret).update(content.salt).digest());
      const minted = this.#seal(mac, content.generation);
      if (content.verifier === undefined || content.verifier === minted.verifier) return minted;
    }
    return undefined;
  }

  /** Completes the token in `mac.bytes`: key id, generation and tag. */
  #seal(mac: TokenMac, generation: number): MintedToken {
    const { bytes } = mac;
    bytes[0] = (VERSION << 6) | mac.key.id;
    bytes.writeUInt16BE(inRange(generation, 'generation'), AT.generation);
    mac.compute();
    mac.tag.set(mac.expectedTag);
    const token = new SecretToken(PREFIX + bytes.toString('base64url'));
    return new TokenFacts(token, mac, mac === this.#newest);
  }
}

/** Everything for the tokens of one key; holds the last token until the next one. */
class TokenMac extends PreparedMac {
  readonly key: RingKey;
  readonly tag: Buffer = this.bytes.subarray(AT.tag);
  readonly expectedTag: Buffer = this.digest.subarray(0, TAG_BYTES);

  constructor(key: RingKey, audience: Uint8Array) {
    super(key.for('token'), audience, AT.tag, TAG_BYTES);
    this.key = key;
  }
}

/** Reads the facts out of a `TokenMac` that has just been computed. */
class TokenFacts implements VerifiedToken {
  readonly sessionId: SessionId;
  readonly bucket: number;
  readonly generation: number;
  readonly hardDeadline: number;
  readonly verifier: string;
  readonly keyId: number;

  constructor(
    readonly token: SecretToken,
    mac: TokenMac,
    readonly isNewestKey: boolean,
  ) {
    const { bytes, digest } = mac;
    this.sessionId = bytes.toString('base64url', AT.bucket, AT.generation);
    this.bucket = bytes.readUInt16BE(AT.bucket);
    this.generation = bytes.readUInt16BE(AT.generation);
    this.hardDeadline = EPOCH + bytes.readUIntBE(AT.deadline, 3) * MINUTE;
    this.verifier = digest.toString('base64url', 16, 48);
    this.keyId = mac.key.id;
  }

  toJSON(): object {
    const { token: _token, verifier: _verifier, ...facts } = this;
    return facts;
  }

  [inspect.custom](): object {
    return this.toJSON();
  }
}

/** Length and prefix of a token: tells at no cost what is not worth a `verify`. */
export function looksLikeToken(text: unknown): text is string {
  return typeof text === 'string' && text.length === TEXT_LENGTH && text.startsWith(PREFIX);
}

/** The public id of a session: 24 base64url characters of bucket and sid. */
export function sessionIdOf(bucket: number, sid: Uint8Array): SessionId {
  if (sid.length !== SID_BYTES) throw new RangeError('the sid of a session has 16 bytes');
  const bytes = Buffer.alloc(ID_BYTES);
  bytes.writeUInt16BE(inRange(bucket, 'bucket'));
  bytes.set(sid, 2);
  return bytes.toString('base64url');
}

/** The parts of a session id; `undefined` for anything that is not one in its only spelling. */
export function parseSessionId(
  text: unknown,
): { readonly bucket: number; readonly sid: Uint8Array } | undefined {
  if (typeof text !== 'string' || text.length !== ID_LENGTH) return undefined;
  const bytes = Buffer.alloc(ID_BYTES);
  if (!decode(text, 0, bytes)) return undefined;
  return { bucket: bytes.readUInt16BE(), sid: bytes.subarray(2) };
}

/** A salt for one rotation: 32 random bytes, base64url. The text itself enters the derivation. */
export function createSalt(): string {
  return randomBytes(32).toString('base64url');
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
// By character code, for all that an HTTP header can contain; -1 for what is not base64url.
const SEXTETS = new Int8Array(256).map((_, code) => ALPHABET.indexOf(String.fromCharCode(code)));

/** Value of one base64url character; -1 for any other. */
function sextet(text: string, at: number): number {
  return SEXTETS[text.charCodeAt(at)] ?? -1;
}

/**
 * Fills `target` from the base64url text that begins at `at`; `false` for any other character.
 * Node's decoder skips or translates those, so that one token would have many spellings; a regular
 * expression would leave the token in `RegExp.input`.
 */
function decode(text: string, at: number, target: Uint8Array): boolean {
  let all = 0;
  for (let i = at, to = 0; to < target.length; i += 4, to += 3) {
    const group =
      (sextet(text, i) << 18) |
      (sextet(text, i + 1) << 12) |
      (sextet(text, i + 2) << 6) |
      sextet(text, i + 3);
    all |= group;
    target[to] = group >> 16;
    target[to + 1] = group >> 8;
    target[to + 2] = group;
  }
  // A single -1 makes its group, and with it the union, negative.
  return all >= 0;
}

/** The length in front keeps `ab` + `c…` and `abc` + `…` apart. */
function audienceLabel(audience: string): Buffer {
  const name = Buffer.from(audience, 'utf8');
  if (name.length > 256 || /\p{Surrogate}/u.test(audience)) {
    throw new SessionConfigError(['audience must be a well-formed text of at most 256 bytes']);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([Buffer.from('nsk/1', 'utf8'), length, name]);
}

/** Whole minutes since 2026, rounded up: a session may not end early because of its token. */
function minutesUntil(hardDeadline: number): number {
  const minutes = Math.ceil((hardDeadline - EPOCH) / MINUTE);
  if (minutes >= 0 && minutes <= 0xff_ffff) return minutes;
  throw new SessionStoreError(
    'the clock of the store is wrong: a session would end outside of 2026 to 2057',
  );
}

function inRange(value: number, field: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff) return value;
  throw new RangeError(`the ${field} of a token is an integer from 0 to 65535`);
}
