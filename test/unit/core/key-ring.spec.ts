import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import { SessionConfigError } from '../../../src/core/errors.js';
import {
  checkSecret,
  generateSecret,
  KeyRing,
  PreparedMac,
  RingKey,
  type KeyPurpose,
} from '../../../src/core/key-ring.js';

const PURPOSES: readonly KeyPurpose[] = ['token', 'csrf', 'data'];
// The SHA-256 of a sentence, in hexadecimal digits. All expectations are from Python's hmac module.
const KNOWN_SECRET = 'a2444d938e7a829e3a040121c0fece76a5913d6040e44bc945a378aacb058c77';
const README_SECRET = 'change-me-to-32-random-bytes-or-more';

const hexOf = (key: RingKey, purpose: KeyPurpose): string =>
  key.for(purpose).export().toString('hex');

const problemsOf = (secrets: readonly (string | Uint8Array)[]): readonly string[] => {
  const create = (): KeyRing => new KeyRing(secrets);
  try {
    create();
  } catch (error) {
    if (error instanceof SessionConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('KeyRing', () => {
  it('derives its keys by HKDF-SHA-256 (RFC 5869)', () => {
    const { current } = new KeyRing([KNOWN_SECRET]);
    expect(current.id).toBe(2);
    expect(hexOf(current, 'csrf')).toBe(
      '22b52f6c573f36e208b3ea8f58b3e6f587212afa8e8bc2afea673bd0daeb0042',
    );
    expect(hexOf(current, 'data')).toBe(
      'd1fc7a81f03b1419aa5df7e38cbe7a6fbf9c7e090dda412eccbac1ee01969f4e',
    );
  });

  it('T-13: has another key for each purpose and each secret', () => {
    const ring = new KeyRing([generateSecret(), generateSecret()]);
    const keys = ring.keys.flatMap((key) => PURPOSES.map((purpose) => hexOf(key, purpose)));
    expect(new Set(keys).size).toBe(6);
    expect(keys.every((key) => key.length === 64)).toBe(true);
  });

  it('T-11: takes the key id from the secret, wherever it stands', () => {
    const [one, two] = [generateSecret(), generateSecret()];
    const ids = (secrets: readonly string[]): readonly number[] =>
      new KeyRing(secrets).keys.map((key) => key.id);
    expect(ids([one, two])).toEqual([...ids([one]), ...ids([two])]);
    expect(ids([two, one])).toEqual([...ids([two]), ...ids([one])]);
  });

  it('T-11: has the newest first and finds each by id', () => {
    const ring = new KeyRing([generateSecret(), generateSecret(), generateSecret()]);
    expect(ring.current).toBe(ring.keys[0]);
    for (const key of ring.keys) expect(ring.find(key.id)).toContain(key);
    expect(ring.find(64)).toEqual([]);
  });

  it('T-11: uses 6 bits for the id, all of them', () => {
    const ids = Array.from({ length: 3_000 }, () => new RingKey(randomBytes(32)).id);
    // One of 64 values is missing after 3,000 draws with probability 64 · (63/64)^3000 < 10^-18.
    expect(new Set(ids)).toEqual(new Set(Array.from({ length: 64 }, (_, id) => id)));
  });

  it('T-11: finds both keys when two secrets have the same id', () => {
    const first = generateSecret();
    const { id } = new KeyRing([first]).current;
    let second = generateSecret();
    while (new KeyRing([second]).current.id !== id) second = generateSecret();
    const ring = new KeyRing([second, first]);
    expect(ring.find(id)).toEqual([ring.keys[0], ring.keys[1]]);
    expect(ring.find(id)).toHaveLength(2);
  });

  it('counts a repeated secret once', () => {
    const secret = generateSecret();
    const ring = new KeyRing([secret, Buffer.from(secret), secret]);
    expect(ring.keys).toHaveLength(1);
  });

  it('takes bytes like the text they encode, and copies them', () => {
    const bytes = new TextEncoder().encode(KNOWN_SECRET);
    const ring = new KeyRing([bytes]);
    bytes.fill(0);
    expect(hexOf(ring.current, 'token')).toBe(hexOf(new KeyRing([KNOWN_SECRET]).current, 'token'));
  });

  it('cannot be changed', () => {
    const ring = new KeyRing([generateSecret()]);
    expect([ring, ring.keys].map((part) => Object.isFrozen(part))).toEqual([true, true]);
  });

  it('T-12: refuses an empty list', () => {
    expect(problemsOf([])).toEqual(['secret must not be an empty list']);
  });

  it('T-12: lists every weak secret by its place', () => {
    const problems = problemsOf(['short', generateSecret(), README_SECRET]);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^secret 1 of 3 must have at least 32 bytes, not 5/);
    expect(problems[1]).toMatch(/^secret 3 of 3 is a well-known value/);
  });

  it('L-01: shows no key and no secret, however it is printed', () => {
    const secret = generateSecret();
    const ring = new KeyRing([secret]);
    const keys = PURPOSES.flatMap((purpose) => {
      const bytes = ring.current.for(purpose).export();
      return [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
    });
    const deep = { showHidden: true, depth: 10, getters: true };
    const printed = [ring, ring.current, { ring }].flatMap((value) => [
      inspect(value, deep),
      inspect(value, { ...deep, customInspect: false }),
      JSON.stringify(value),
      JSON.stringify(structuredClone(JSON.parse(JSON.stringify(value)))),
      Object.entries(value).join(),
    ]);
    for (const hidden of [secret, ...keys]) {
      expect(printed.some((text) => text.includes(hidden))).toBe(false);
    }
    expect(inspect(ring)).toBe('KeyRing { keys: 1 }');
    expect(inspect(ring.current)).toBe(`RingKey { id: ${ring.current.id} }`);
    expect(JSON.stringify(ring)).toBe('{"keys":1}');
  });
});

describe('checkSecret', () => {
  const counting = (from: number, step: number): Uint8Array =>
    Uint8Array.from({ length: 40 }, (_, i) => from + i * step);

  it.each<[string, unknown, RegExp]>([
    ['no secret', undefined, /must be a text or a Uint8Array/],
    ['a number', 12345, /must be a text/],
    ['an array', [generateSecret()], /must be a text/],
    ['an empty text', '', /at least 32 bytes, not 0/],
    ['16 bytes', randomBytes(16), /at least 32 bytes, not 16/],
    ['31 bytes', randomBytes(31), /at least 32 bytes, not 31/],
    ['a lone surrogate', `${'q8Z-x3Vn'.repeat(5)}\ud800`, /lone surrogate/],
    ['"secret"', 'secret', /well-known/],
    ['"changeme"', 'changeme', /well-known/],
    ['"keyboard cat"', 'keyboard cat', /well-known/],
    ['a longer "Keyboard-Cat"', 'my Keyboard-Cat walks over 1974 keys', /well-known/],
    ['the example of the README', README_SECRET, /well-known/],
    [
      'an example that tells its length',
      'complex_password_at_least_32_characters_long',
      /well-known/,
    ],
    ['an example sentence', 'a secret with minimum length of 32 characters', /well-known/],
    ['"your-secret…" as bytes', Buffer.from('your-secret-goes-here-0123456789abc'), /well-known/],
    ['padded "secret"', `secret${'0123456789'.repeat(4)}`, /well-known/],
    ['32 equal bytes', Buffer.alloc(32, 0xa7), /repeats a short pattern/],
    ['32 zero bytes', new Uint8Array(32), /repeats a short pattern/],
    ['a repeated word', 'correct-horse'.repeat(3), /repeats a short pattern/],
    ['a word repeated one and a half times over', 'abcdQefgXhi'.repeat(4).slice(0, 35), /repeats/],
    ['16 random bytes twice', randomBytes(16).toString('hex').slice(0, 16).repeat(2), /repeats/],
    ['two characters', 'abbababaabbbabaaababbabbababaaabab', /fewer than 7 different/],
    ['six characters', 'afbcedafcbdefabcfdeabcdfeabfcdeafbe', /fewer than 7 different/],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz0123456789', /counts up or down/],
    ['bytes that count up', counting(0, 1), /counts up or down/],
    ['bytes that count down', counting(200, -1), /counts up or down/],
  ])('T-12: refuses %s', (_name, secret, problem) => {
    expect(checkSecret(secret)).toMatch(problem);
  });

  it('T-12: never repeats any of the secret', () => {
    for (const secret of ['keyboard cat', 'hunter2-hunter2-hunter2-hunter2-hunter2-', 'xyzzy']) {
      const text = `${checkSecret(secret)} ${problemsOf([secret]).join()}`;
      expect(['keyboard', 'hunter', 'xyzzy'].some((part) => text.includes(part))).toBe(false);
    }
  });

  it.each<[string, string | Uint8Array]>([
    ['32 random bytes', randomBytes(32)],
    ['base64', randomBytes(32).toString('base64')],
    ['base64url', randomBytes(32).toString('base64url')],
    ['64 hexadecimal digits', randomBytes(32).toString('hex')],
    ['a long passphrase', 'lantern orbit velvet mosaic crater humble'],
    ['text beyond ASCII', 'Ø«ÞæŋđłĸßçñøåÆ§¶±µ×÷'],
    ['a Uint8Array of another view', new Uint8Array(randomBytes(64).buffer.slice(0, 64), 8, 40)],
  ])('accepts %s', (_name, secret) => {
    expect(checkSecret(secret) ?? 'accepted').toBe('accepted');
  });

  it('counts bytes, not characters', () => {
    expect(checkSecret('Øæŋđłßçñøå§¶±µ×÷')).toBeUndefined();
  });

  it('leaves no part of a good secret in the static properties of RegExp', () => {
    const secret = `+/${randomBytes(40).toString('base64')}9`;
    expect(checkSecret(secret)).toBeUndefined();
    const legacy = RegExp as unknown as Record<'input' | 'lastMatch', string>;
    const kept = `${legacy.input}${legacy.lastMatch}`.toLowerCase();
    expect(kept.includes(secret.slice(2, 20).toLowerCase())).toBe(false);
  });
});

describe('generateSecret', () => {
  it('T-12: makes secrets of 32 random bytes that are always accepted', () => {
    const secrets = Array.from({ length: 2_000 }, () => generateSecret());
    expect(new Set(secrets).size).toBe(2_000);
    expect(secrets.every((secret) => /^[A-Za-z0-9_-]{43}$/.test(secret))).toBe(true);
    expect(secrets.every((secret) => checkSecret(secret) === undefined)).toBe(true);
  });
});

describe('PreparedMac', () => {
  it.each([
    [0, 1, 0],
    [9, 56, 16],
    [300, 200, 3],
  ])('is HMAC-SHA-512 (context %d, signed %d, spare %d)', (context, signed, spare) => {
    const key = new RingKey(randomBytes(32)).for('token');
    const label = randomBytes(context);
    const mac = new PreparedMac(key, label, signed, spare);
    for (let round = 0; round < 50; round++) {
      mac.bytes.set(randomBytes(signed + spare));
      mac.compute();
      const message = Buffer.concat([label, mac.bytes.subarray(0, signed)]);
      const expected = createHmac('sha512', key).update(message).digest();
      expect(mac.digest.equals(expected)).toBe(true);
    }
  });
});
