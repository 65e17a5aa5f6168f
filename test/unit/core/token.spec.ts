import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { deserialize, serialize } from 'node:v8';

import { describe, expect, it } from '@jest/globals';

import { SessionConfigError, SessionStoreError } from '../../../src/core/errors.js';
import { generateSecret, KeyRing } from '../../../src/core/key-ring.js';
import {
  createSalt,
  looksLikeToken,
  MAX_GENERATION,
  MAX_HARD_DEADLINE,
  parseSessionId,
  SecretToken,
  sessionIdOf,
  TokenCodec,
  type TokenContent,
} from '../../../src/core/token.js';

const MINUTE = 60_000;
const EPOCH = Date.UTC(2026, 0, 1);
const CONTENT: TokenContent = { bucket: 7, generation: 0, hardDeadline: EPOCH + 90 * MINUTE };

const ring = new KeyRing([generateSecret()]);
const codec = new TokenCodec(ring, 'shop/test');

/** Written for the tests, from the table in `token.ts`. */
const bytesOf = (text: string): Buffer => Buffer.from(text.slice(4), 'base64url');

describe('token format', () => {
  // The secret, the tokens and the verifiers come from a separate program in Python: a change
  // here logs everybody out.
  const known = new TokenCodec(
    new KeyRing(['a2444d938e7a829e3a040121c0fece76a5913d6040e44bc945a378aacb058c77']),
    'shop/production ü',
  );
  const head = '42abcd000102030405060708090a0b0c0d0e0f';
  const first = `${head}0102010203e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff494f46bf6c4f42f7ecae9b62b9a2f3a0`;
  const second = `${head}010301020397528c40b6efec0ba09447232c19429db5df0120d217da4f894e6fe888b5946fb868485822202bf1cdf510c2538c090f`;
  const textOf = (hex: string): string => `nsk_${Buffer.from(hex, 'hex').toString('base64url')}`;

  it('accepts the tokens of every earlier release', () => {
    expect(known.verify(textOf(first))).toMatchObject({
      sessionId: 'q80AAQIDBAUGBwgJCgsMDQ4P',
      bucket: 0xabcd,
      generation: 258,
      hardDeadline: EPOCH + 0x010203 * MINUTE,
      verifier: 'CYAgurGIJGYztnjXn8vwhC1ic8naFScVPkC5n2E4k_c',
      keyId: 2,
      isNewestKey: true,
    });
  });

  it('derives the successors of every earlier release', () => {
    const current = known.verify(textOf(first));
    expect(current).toBeDefined();
    const content = { salt: 'a salt of the record', generation: 259, keyId: 2 };
    const next = current && known.successor(current, content);
    expect(next?.verifier).toBe('Jf13p0pSKqgejyIc5GK1zJXMIIhb7vg-yDfShxk-jZE');
    expect(next?.token.reveal() === textOf(second)).toBe(true);
  });

  it('P33: is 100 characters long, whatever it says', () => {
    for (const bucket of [0, 1, 65_535]) {
      for (const generation of [0, MAX_GENERATION]) {
        const { token } = codec.mint({ bucket, generation, hardDeadline: MAX_HARD_DEADLINE });
        expect(token.reveal()).toHaveLength(100);
      }
    }
  });

  it('is one HMAC-SHA-512 over audience and body: 16 bytes of tag, 32 of verifier', () => {
    const minted = codec.mint(CONTENT);
    const bytes = bytesOf(minted.token.reveal());
    const label = Buffer.from('nsk/1\0\0\0\x09shop/test');
    const mac = createHmac('sha512', ring.current.for('token'))
      .update(label)
      .update(bytes.subarray(0, 56))
      .digest();
    expect(mac.subarray(0, 16).equals(bytes.subarray(56))).toBe(true);
    expect(mac.toString('base64url', 16, 48) === minted.verifier).toBe(true);
  });
});

describe('mint and verify', () => {
  it('agree on every fact', () => {
    for (let i = 0; i < 500; i++) {
      const minted = codec.mint({
        bucket: (i * 131) % 65_536,
        generation: (i * 7) % 65_536,
        hardDeadline: EPOCH + i * 33_333_333,
      });
      const verified = codec.verify(minted.token.reveal());
      expect(verified).toEqual(minted);
      expect(verified?.verifier === minted.verifier).toBe(true);
      expect(verified?.token.reveal() === minted.token.reveal()).toBe(true);
    }
  });

  it('keep the session id when the sid is given', () => {
    const minted = codec.mint(CONTENT);
    const parts = parseSessionId(minted.sessionId);
    const rotated = codec.mint({ ...CONTENT, ...parts, generation: 1 });
    expect(rotated.sessionId).toBe(minted.sessionId);
    expect(rotated.verifier === minted.verifier).toBe(false);
    expect(codec.mint(CONTENT).sessionId).not.toBe(minted.sessionId);
  });

  it('do not disturb each other', () => {
    const minted = codec.mint(CONTENT);
    const facts = JSON.stringify(minted) + minted.verifier;
    codec.mint({ bucket: 9, generation: 3, hardDeadline: MAX_HARD_DEADLINE });
    codec.verify(codec.mint(CONTENT).token.reveal());
    expect(JSON.stringify(minted) + minted.verifier === facts).toBe(true);
  });

  it.each([
    ['on a whole minute', 5 * MINUTE, 5],
    ['1 ms past a minute', 5 * MINUTE + 1, 6],
    ['1 ms before a minute', 6 * MINUTE - 1, 6],
    ['at the first moment', 0, 0],
    ['at the last moment', 0xff_ffff * MINUTE, 0xff_ffff],
  ])('E-09: round a deadline %s up', (_name, after, minutes) => {
    const { hardDeadline } = codec.mint({ ...CONTENT, hardDeadline: EPOCH + after });
    expect(hardDeadline).toBe(EPOCH + minutes * MINUTE);
  });

  it.each([EPOCH - MINUTE, 0, MAX_HARD_DEADLINE + 1, Infinity, Number.NaN])(
    'E-09: refuse a deadline that does not fit, instead of wrapping it around (%p)',
    (hardDeadline) => {
      expect(() => codec.mint({ ...CONTENT, hardDeadline })).toThrow(SessionStoreError);
    },
  );

  it.each<[string, Partial<TokenContent>]>([
    ['a negative bucket', { bucket: -1 }],
    ['bucket 65,536', { bucket: 65_536 }],
    ['half a bucket', { bucket: 0.5 }],
    ['generation 65,536', { generation: MAX_GENERATION + 1 }],
    ['generation NaN', { generation: Number.NaN }],
    ['a sid of 15 bytes', { sid: new Uint8Array(15) }],
    ['a sid of 17 bytes', { sid: new Uint8Array(17) }],
  ])('refuse %s', (_name, part) => {
    expect(() => codec.mint({ ...CONTENT, ...part })).toThrow(RangeError);
  });
});

describe('audience', () => {
  it('S-11: makes tokens worthless elsewhere, under the same secret', () => {
    const text = codec.mint(CONTENT).token.reveal();
    for (const audience of ['shop/prod', 'shop', 'shop/test ', 'Shop/test', 'shop/test\0', '']) {
      expect(new TokenCodec(ring, audience).verify(text)).toBeUndefined();
    }
    expect(new TokenCodec(ring, 'shop/test').verify(text)).toBeDefined();
  });

  it('S-11: may be up to 256 bytes of well-formed text', () => {
    const long = new TokenCodec(ring, 'é'.repeat(128));
    expect(long.verify(long.mint(CONTENT).token.reveal())).toBeDefined();
    expect(() => new TokenCodec(ring, 'é'.repeat(129))).toThrow(SessionConfigError);
    expect(() => new TokenCodec(ring, 'shop\ud800')).toThrow(SessionConfigError);
  });
});

describe('session id', () => {
  it('is read back', () => {
    const sid = randomBytes(16);
    const id = sessionIdOf(0xabcd, sid);
    expect(id).toMatch(/^[A-Za-z0-9_-]{24}$/);
    const parts = parseSessionId(id);
    expect(parts?.bucket).toBe(0xabcd);
    expect(sid.equals(parts?.sid ?? new Uint8Array())).toBe(true);
    expect(() => sessionIdOf(1, randomBytes(15))).toThrow(RangeError);
    expect(() => sessionIdOf(65_536, sid)).toThrow(RangeError);
  });

  it('T-05: has one spelling', () => {
    const id = sessionIdOf(0xfbff, Buffer.alloc(16, 0xff));
    const aliases = [
      id.replaceAll('_', '/').replaceAll('-', '+'),
      `${id}=`,
      `${id}\n`,
      ` ${id}`,
      `${id.slice(0, 23)}=`,
      `${id.slice(0, 23)}\u0100`,
      `${id.slice(0, 12)}!${id.slice(13)}`,
      id.slice(0, 23),
      `${id}A`,
      '',
      undefined,
      null,
      24,
      [id],
      { length: 24 },
    ];
    expect(parseSessionId(id)).toBeDefined();
    for (const alias of aliases) expect(parseSessionId(alias)).toBeUndefined();
  });

  it('T-13: is no token, nor is a token a session id', () => {
    const { token, sessionId } = codec.mint(CONTENT);
    expect(codec.verify(sessionId)).toBeUndefined();
    expect(parseSessionId(token.reveal())).toBeUndefined();
  });
});

describe('looksLikeToken', () => {
  it('tells by length and prefix', () => {
    expect(looksLikeToken(`nsk_${'!'.repeat(96)}`)).toBe(true);
    const others = ['', 'nsk_', `nss_${'A'.repeat(96)}`, `nsk_${'A'.repeat(95)}`, 100, null];
    expect(others.filter((text) => looksLikeToken(text))).toEqual([]);
  });
});

describe('createSalt', () => {
  it('makes 32 random bytes', () => {
    const salts = Array.from({ length: 1_000 }, () => createSalt());
    expect(new Set(salts).size).toBe(1_000);
    expect(salts.every((salt) => /^[A-Za-z0-9_-]{43}$/.test(salt))).toBe(true);
  });
});

describe('SecretToken', () => {
  const minted = codec.mint(CONTENT);
  const text = minted.token.reveal();
  // The secret starts in the middle of a character; 40 characters lie safely inside it.
  const hidden = [text, text.slice(40, 80), bytesOf(text).subarray(24, 56).toString('hex')];
  const verified = codec.verify(text);

  it('L-01, P35: gives the text to reveal() only', () => {
    const deep = { showHidden: true, depth: 10, getters: true };
    const values: unknown[] = [minted.token, minted, verified, codec, { token: minted.token }];
    const printed = values.flatMap((value) => [
      inspect(value, deep),
      inspect(value, { ...deep, customInspect: false }),
      JSON.stringify(value),
      String(value),
      Object.entries(value as object).join(),
      serialize(structuredClone(JSON.parse(JSON.stringify(value)))).toString('latin1'),
      new Error('failed', { cause: value }).stack ?? '',
      inspect(new Error('failed', { cause: value }), deep),
    ]);
    expect(printed.filter((output) => hidden.some((part) => output.includes(part)))).toEqual([]);
    expect(new SecretToken(text).reveal() === text).toBe(true);
  });

  it('L-01: prints as [session token] at most', () => {
    const { token } = minted;
    const shown = '[session token]';
    const printed = [token.toString(), String(token), inspect(token), token.toJSON()];
    const joined = `${token as unknown as string}|${[token].join()}`;
    expect(printed).toEqual(printed.map(() => shown));
    expect(joined).toBe(`${shown}|${shown}`);
    expect(JSON.stringify({ token })).toBe(`{"token":"${shown}"}`);
    expect(Reflect.ownKeys(token)).toEqual([]);
    expect(structuredClone(token)).toEqual({});
    expect(deserialize(serialize(token))).toEqual({});
    expect(Object.entries(Object.assign({}, token))).toEqual([]);
  });

  it('L-04: prints a verified token without its verifier', () => {
    const facts = {
      sessionId: minted.sessionId,
      bucket: 7,
      generation: 0,
      hardDeadline: EPOCH + 90 * MINUTE,
      keyId: ring.current.id,
      isNewestKey: true,
    };
    expect(JSON.parse(JSON.stringify(verified))).toEqual(facts);
    expect(inspect([verified], { depth: 5 })).toContain(minted.sessionId);
    expect(inspect([verified], { depth: 5 }).includes(minted.verifier)).toBe(false);
  });
});
