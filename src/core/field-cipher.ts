/**
 * Session data at rest: encrypts each field by itself, so that a copy of the store shows nothing
 * and no field can be put in another one's place (ASVS 5.0 14.2, CWE-311; row S-12).
 *
 * | bytes | part |
 * | --- | --- |
 * | 1 | format version, 1 |
 * | 4 | key id: which secret of the list it was made under |
 * | 12 | random nonce |
 * | 16 | tag |
 * | … | the field's text, AES-256-GCM |
 *
 * In the store this is `~` and base64url; no text of the field codec begins with `~`. Bound to it
 * as associated data are the version, the session id and the name of the field.
 */
import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
} from 'node:crypto';
import { isFieldName } from './field-name.js';
import type { KeyRing, RingKey } from './key-ring.js';
import type { SessionId } from './record.js';
import type { EncodedFields } from './store-messages.js';

/** Which fields are encrypted when they are written. */
export type EncryptedFields = 'all' | ReadonlySet<string>;

/**
 * - `text`: readable
 * - `foreign`: nothing that we could have written with the secrets of now: plain text where there
 *   must be none, or a secret that is no longer listed
 * - `tampered`: made under a secret of ours, but not for this place, or changed since
 */
export type OpenedField =
  | { readonly status: 'text'; readonly text: string }
  | { readonly status: 'foreign' }
  | { readonly status: 'tampered' };

const PREFIX = '~';
const VERSION = 1;
const AT = { key: 1, nonce: 5, tag: 17, text: 33 } as const;
const NONCE_BYTES = AT.tag - AT.nonce;
const FOREIGN: OpenedField = Object.freeze({ status: 'foreign' });
const TAMPERED: OpenedField = Object.freeze({ status: 'tampered' });

export class FieldCipher {
  readonly #encrypted: EncryptedFields;
  readonly #newest: { readonly id: number; readonly key: KeyObject };
  readonly #keys: ReadonlyMap<number, KeyObject>;

  constructor(ring: KeyRing, encrypted: EncryptedFields) {
    this.#encrypted = encrypted;
    const entries = ring.keys.map((key) => [keyId(key), key.for('data')] as const);
    this.#newest = { id: keyId(ring.current), key: ring.current.for('data') };
    this.#keys = new Map(entries);
  }

  /** Whether any field is encrypted. */
  get isOn(): boolean {
    return this.#encrypted === 'all' || this.#encrypted.size > 0;
  }

  /** Whether the store cannot read this field. Never one of our own, which hold no user data. */
  covers(name: string): boolean {
    if (this.#encrypted !== 'all') return this.#encrypted.has(name);
    return isFieldName(name);
  }

  /** What the store is given for a text of the field codec: another one at every call. */
  seal(id: SessionId, name: string, text: string): string {
    if (!this.covers(name)) return text;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', sessionKey(this.#newest.key, id), nonce);
    cipher.setAAD(place(id, name));
    const head = Buffer.alloc(AT.nonce);
    head.writeUInt8(VERSION);
    head.writeUInt32BE(this.#newest.id, AT.key);
    const sealed = [cipher.update(text, 'utf8'), cipher.final()];
    const bytes = Buffer.concat([head, nonce, cipher.getAuthTag(), ...sealed]);
    return PREFIX + bytes.toString('base64url');
  }

  sealAll(id: SessionId, fields: EncodedFields): EncodedFields {
    if (!this.isOn) return fields;
    return new Map([...fields].map(([name, text]) => [name, this.seal(id, name, text)]));
  }

  /** What a stored text says. One that is encrypted is read also if its field no longer would be. */
  open(id: SessionId, name: string, stored: string): OpenedField {
    if (!stored.startsWith(PREFIX)) {
      // Whoever can write to the store must not get round the tag by writing plain text.
      return this.covers(name) ? FOREIGN : { status: 'text', text: stored };
    }
    const bytes = Buffer.from(stored.slice(PREFIX.length), 'base64url');
    if (bytes.length < AT.text) return TAMPERED;
    const key = this.#keys.get(bytes.readUInt32BE(AT.key));
    if (key === undefined || bytes.readUInt8() !== VERSION) return FOREIGN;
    try {
      const nonce = bytes.subarray(AT.nonce, AT.tag);
      const decipher = createDecipheriv('aes-256-gcm', sessionKey(key, id), nonce)
        .setAAD(place(id, name))
        .setAuthTag(bytes.subarray(AT.tag, AT.text));
      const text = Buffer.concat([decipher.update(bytes.subarray(AT.text)), decipher.final()]);
      return { status: 'text', text: text.toString('utf8') };
    } catch {
      return TAMPERED;
    }
  }
}

/**
 * A key for each session (HKDF-Expand, RFC 5869 section 2.3, one block): random nonces are good for
 * 2^32 texts under one key (NIST SP 800-38D section 8.3), which a busy site would use up in weeks.
 */
function sessionKey(key: KeyObject, id: SessionId): Buffer {
  return createHmac('sha256', key).update(`nsk/field\0${id}\u0001`).digest();
}

/** All session ids are equally long, so that nothing can slip from the id into the name. */
function place(id: SessionId, name: string): Buffer {
  return Buffer.from(`${VERSION}\0${id}\0${name}`, 'utf8');
}

/** 32 bits, so that two secrets in a list are not taken for one another. */
function keyId(key: RingKey): number {
  return createHmac('sha256', key.for('data')).update('nsk/data-id').digest().readUInt32BE();
}
