/**
 * The keys of an installation: one key per purpose and secret, several secrets at a time.
 */
import { createSecretKey, hash, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';

import { SessionConfigError } from './errors.js';

/** At least 32 bytes; a text counts in UTF-8. */
export type Secret = string | Uint8Array;

/** What a key is for; a key of one purpose is worthless for another (row T-13). */
export type KeyPurpose = 'token' | 'csrf' | 'data';

const KEY_BYTES = 32;
const SHA512_BLOCK = 128;
const MIN_SECRET_BYTES = 32;
// 32 random hex digits have fewer than this once in five billion times.
const MIN_DISTINCT_BYTES = 7;

/** Words of examples and placeholders, as found in secrets without punctuation and case. */
const PLACEHOLDER =
  /change(?:me|this)|replace(?:me|this)|placeholder|keyboardcat|(?:your|my|super|top|session)secret|atleast32|32(?:bytes|chars|characters)/;
const WORD_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** The letters of secrets that are nothing else. */
const WELL_KNOWN = new Set(['secret', 'password', 'changeit', 'default', 'test', 'development']);

/** The keys made of one secret. Shows its id, never a key. */
export class RingKey {
  /**
   * 0 to 63; part of every token, so that the key is found without trying all. Derived from the
   * secret: the same on every instance, wherever in its list the secret stands.
   */
  readonly id: number;
  readonly #keys: Readonly<Record<KeyPurpose, KeyObject>>;

  constructor(secret: Uint8Array) {
    const keyFor = (purpose: KeyPurpose): KeyObject =>
      createSecretKey(derive(secret, `nsk/${purpose}`, KEY_BYTES));
    this.id = derive(secret, 'nsk/key-id', 1).readUInt8() & 0b11_1111;
    this.#keys = {
      token: keyFor('token'),
      csrf: keyFor('csrf'),
      data: keyFor('data'),
    };
  }

  /** The 32-byte key for a purpose. */
  for(purpose: KeyPurpose): KeyObject {
    return this.#keys[purpose];
  }

  toJSON(): { readonly id: number } {
    return { id: this.id };
  }

  [inspect.custom](): string {
    return `RingKey { id: ${this.id} }`;
  }
}

/**
 * All keys in use, newest first (row T-11). The newest makes new tokens, the others are still
 * accepted. To rotate without a logout: append the new secret on every instance, then move it to
 * the front, then drop the old one when its sessions are over.
 */
export class KeyRing {
  /** The newest. */
  readonly current: RingKey;
  readonly #keys: readonly RingKey[];

  /**
   * @param secrets - newest first, 32 bytes each at least; a repeated one counts once
   * @throws SessionConfigError if there is none or one is weak; the message never repeats it
   */
  constructor(secrets: readonly Secret[]) {
    const problems = secrets.flatMap((secret, index) => {
      const problem = checkSecret(secret);
      return problem === undefined ? [] : [`secret ${index + 1} of ${secrets.length} ${problem}`];
    });
    if (problems.length > 0) throw new SessionConfigError(problems);
    const distinct = new Map(secrets.map((secret) => [bytesOf(secret).toString('hex'), secret]));
    const keys = [...distinct.values()].map((secret) => new RingKey(bytesOf(secret)));
    const [current] = keys;
    if (current === undefined) throw new SessionConfigError(['secret must not be an empty list']);
    this.current = current;
    this.#keys = Object.freeze(keys);
    Object.freeze(this);
  }

  /** Newest first. */
  get keys(): readonly RingKey[] {
    return this.#keys;
  }

  /**
   * Newest first; empty if the key is gone. Usually one, but two secrets have the same id once in
   * 64 times: try each.
   */
  find(id: number): readonly RingKey[] {
    return this.#keys.filter((key) => key.id === id);
  }

  toJSON(): { readonly keys: number } {
    return { keys: this.#keys.length };
  }

  [inspect.custom](): string {
    return `KeyRing { keys: ${this.#keys.length} }`;
  }
}

/**
 * HMAC-SHA-512 (RFC 2104) of one key over messages of one size, for what runs on every request:
 * two one-shot hashes over blocks prepared once take 1.3 µs, `createHmac` 2.2 to 2.9 µs (Node 20).
 *
 * Fill `bytes`, call `compute()`, read `digest`.
 */
export class PreparedMac {
  /** The signed bytes of the message, then the spare ones. */
  readonly bytes: Buffer;
  /** 64 bytes. */
  readonly digest: Buffer = Buffer.alloc(64);
  /** Inner pad, context and the signed bytes. */
  readonly #inner: Buffer;
  /** Outer pad and the inner hash. */
  readonly #outer: Buffer;

  /**
   * @param key - at most 128 bytes
   * @param context - constant first part of the signed message
   * @param signed - bytes of the message that follow the context
   * @param spare - bytes that follow these and are not signed
   */
  constructor(key: KeyObject, context: Uint8Array, signed: number, spare: number) {
    // `alloc` never takes from the shared pool, whose memory other code can see.
    const inner = Buffer.alloc(SHA512_BLOCK + context.length + signed + spare);
    const outer = Buffer.alloc(SHA512_BLOCK + this.digest.length);
    const padded = new Uint8Array(SHA512_BLOCK);
    padded.set(key.export());
    inner.set(padded.map((byte) => byte ^ 0x36));
    outer.set(padded.map((byte) => byte ^ 0x5c));
    inner.set(context, SHA512_BLOCK);
    this.bytes = inner.subarray(SHA512_BLOCK + context.length);
    this.#inner = inner.subarray(0, inner.length - spare);
    this.#outer = outer;
  }

  /** Puts the HMAC of context and signed bytes into `digest`. */
  compute(): void {
    // A text of single bytes is cheaper to hand over than a new Buffer is to allocate.
    this.#outer.write(hash('sha512', this.#inner, 'binary'), SHA512_BLOCK, 'binary');
    this.digest.write(hash('sha512', this.#outer, 'binary'), 'binary');
  }
}

/** A secret for {@link KeyRing}: 32 random bytes as 43 base64url characters. */
export function generateSecret(): string {
  for (;;) {
    const secret = randomBytes(32).toString('base64url');
    // Chance can spell a refused word, if rarely; a generated secret must not fail at boot.
    if (checkSecret(secret) === undefined) return secret;
  }
}

/**
 * What is wrong with a secret, as the rest of a sentence that begins with its name; never repeats
 * any of it (row T-12). Finds accidents and copied examples; it cannot measure randomness.
 */
export function checkSecret(secret: unknown): string | undefined {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    return 'must be a text or a Uint8Array';
  }
  if (typeof secret === 'string' && /\p{Surrogate}/u.test(secret)) {
    return 'must be well-formed Unicode: it has a lone surrogate';
  }
  const bytes = bytesOf(secret);
  const remedy = 'use 32 random bytes (openssl rand -base64 32)';
  if (isWellKnown(bytes)) return `is a well-known value or an example: ${remedy}`;
  if (bytes.length < MIN_SECRET_BYTES) {
    return `must have at least ${MIN_SECRET_BYTES} bytes, not ${bytes.length}: ${remedy}`;
  }
  if (isRepetition(bytes)) return `repeats a short pattern: ${remedy}`;
  if (new Set(bytes).size < MIN_DISTINCT_BYTES) {
    return `has fewer than ${MIN_DISTINCT_BYTES} different characters: ${remedy}`;
  }
  if (isSequence(bytes)) return `counts up or down: ${remedy}`;
  return undefined;
}

function isWellKnown(bytes: Buffer): boolean {
  // No `replace`: its match would leave the secret in `RegExp.input`.
  const text = bytes.toString('latin1').toLowerCase().split('');
  const words = text.filter((character) => WORD_CHARACTERS.includes(character));
  const letters = words.filter((character) => character > '9');
  return PLACEHOLDER.test(words.join('')) || WELL_KNOWN.has(letters.join(''));
}

/** Written out at least twice: no stronger than the pattern, which is too short by itself. */
function isRepetition(bytes: Buffer): boolean {
  const longest = Math.min(MIN_SECRET_BYTES - 1, Math.floor(bytes.length / 2));
  for (let period = 1; period <= longest; period++) {
    if (bytes.subarray(period).equals(bytes.subarray(0, -period))) return true;
  }
  return false;
}

function isSequence(bytes: Buffer): boolean {
  const steps = { up: 0, down: 0 };
  for (let i = 1; i < bytes.length; i++) {
    const step = bytes.readUInt8(i) - bytes.readUInt8(i - 1);
    if (step === 1) steps.up++;
    if (step === -1) steps.down++;
  }
  return Math.max(steps.up, steps.down) > bytes.length / 2;
}

/** HKDF-SHA-256 (RFC 5869); without a salt, since the secret is required to be random already. */
function derive(secret: Uint8Array, label: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', label, length));
}

/** A copy, since the owner of the bytes may wipe them. */
function bytesOf(secret: Secret): Buffer {
  return typeof secret === 'string' ? Buffer.from(secret, 'utf8') : Buffer.from(secret);
}
