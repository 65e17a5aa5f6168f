import * as crypto from 'node:crypto';

import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';

const { createHmac, randomBytes } = crypto;

/** How often the code under test called each primitive. */
const calls = { hash: 0, createHmac: 0, timingSafeEqual: 0 };
const compared: number[] = [];

jest.unstable_mockModule('node:crypto', () => ({
  ...crypto,
  hash: (...args: Parameters<typeof crypto.hash>) => {
    calls.hash++;
    return crypto.hash(...args);
  },
  createHmac: (...args: Parameters<typeof crypto.createHmac>) => {
    calls.createHmac++;
    return crypto.createHmac(...args);
  },
  timingSafeEqual: (one: Buffer, other: Buffer) => {
    calls.timingSafeEqual++;
    compared.push(one.length, other.length);
    return crypto.timingSafeEqual(one, other);
  },
}));

const { generateSecret, KeyRing } = await import('../../../src/core/key-ring.js');
const { TokenCodec } = await import('../../../src/core/token.js');

const ring = new KeyRing([generateSecret(), generateSecret()]);
const codec = new TokenCodec(ring, 'shop/test');
const genuine = (): string =>
  codec.mint({ bucket: 513, generation: 2, hardDeadline: Date.UTC(2026, 5, 1) }).token.reveal();

const replaceAt = (text: string, at: number, part: string): string =>
  text.slice(0, at) + part + text.slice(at + part.length);
/** Another character of the alphabet at the place `at`. */
const changeAt = (text: string, at: number): string =>
  replaceAt(text, at, text[at] === 'A' ? 'B' : 'A');
const encode = (bytes: Uint8Array): string => `nsk_${Buffer.from(bytes).toString('base64url')}`;
const decode = (text: string): Buffer => Buffer.from(text.slice(4), 'base64url');
/** Right version and key id, the rest random. */
const forgery = (): string => {
  const bytes = randomBytes(72);
  bytes[0] = 0x40 | ring.current.id;
  return encode(bytes);
};
const accepted = (texts: readonly unknown[]): number =>
  texts.filter((text) => codec.verify(text) !== undefined).length;

beforeEach(() => {
  Object.assign(calls, { hash: 0, createHmac: 0, timingSafeEqual: 0 });
  compared.length = 0;
});

describe('one spelling', () => {
  let text = '';
  beforeAll(() => {
    // With both special characters in it, so that every alias differs from it.
    do text = genuine();
    while (!/-.*_|_.*-/.test(text.slice(4)));
  });

  it.each<[string, (text: string) => unknown]>([
    [
      'the other base64 alphabet',
      (t) => `nsk_${t.slice(4).replaceAll('-', '+').replaceAll('_', '/')}`,
    ],
    ['only the minus replaced', (t) => t.replace('-', '+')],
    ['padding', (t) => `${t}=`],
    ['padding in place of the last character', (t) => replaceAt(t, 99, '=')],
    ['an inserted !', (t) => `${t.slice(0, 50)}!${t.slice(50)}`],
    ['a ! in place of a character', (t) => replaceAt(t, 50, '!')],
    ['an inserted point', (t) => `${t.slice(0, 50)}.${t.slice(50)}`],
    ['a space in front', (t) => ` ${t}`],
    ['a space at the end', (t) => `${t} `],
    ['a line feed at the end', (t) => `${t}\n`],
    ['a line feed in place of the last character', (t) => replaceAt(t, 99, '\n')],
    ['a NUL at the end', (t) => `${t}\0`],
    ['percent-encoding', (t) => t.replace('_', '%5F')],
    ['quotes', (t) => `"${t}"`],
    ['the prefix in upper case', (t) => `NSK_${t.slice(4)}`],
    ['a doubled prefix', (t) => `nsk_${t}`],
    ['a doubled prefix of the same length', (t) => `nsk_${t}`.slice(0, 100)],
    ['no prefix', (t) => t.slice(4)],
    ['another prefix', (t) => `nss_${t.slice(4)}`],
    ['a full-width character', (t) => replaceAt(t, 40, '\uff21')],
    [
      'a character whose low byte is the right one',
      (t) => replaceAt(t, 40, String.fromCharCode(t.charCodeAt(40) + 256)),
    ],
    [
      'a character 128 above the right one',
      (t) => replaceAt(t, 40, String.fromCharCode(t.charCodeAt(40) + 128)),
    ],
    ['a String object', (t) => Object(t)],
    ['an array', (t) => [t]],
    [
      'an object that prints as it',
      (t) => ({ toString: () => t, length: 100, startsWith: () => true }),
    ],
    ['a Buffer', (t) => Buffer.from(t)],
    ['one character less', (t) => t.slice(0, 99)],
    ['one character more', (t) => `${t}A`],
    ['itself twice', (t) => t + t],
  ])('T-05: refuses %s before any cryptography', (_name, alias) => {
    expect(codec.verify(text)).toBeDefined();
    expect(calls.hash).toBe(2);
    expect(accepted([alias(text)])).toBe(0);
    expect(calls.hash).toBe(2);
  });

  it('T-05: refuses every change of a single character', () => {
    const others = Array.from({ length: 100 }, (_, at) => changeAt(text, at));
    expect(accepted(others)).toBe(0);
    expect(accepted([text])).toBe(1);
  });

  it('T-05: refuses every other last character, which decodes to other bytes in this format', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const variants = alphabet.split('').map((last) => replaceAt(text, 99, last));
    expect(accepted(variants)).toBe(1);
  });

  it('T-05: refuses swapped case', () => {
    const swap = (c: string): string => (c < 'a' ? c.toLowerCase() : c.toUpperCase());
    const swapped = `nsk_${text.slice(4).replace(/[a-z]/gi, swap)}`;
    expect(accepted([text.toUpperCase(), text.toLowerCase(), swapped])).toBe(0);
  });

  it('T-05: refuses any other character at any place', () => {
    const wrong = Array.from({ length: 20_000 }, (_, i) =>
      replaceAt(text, i % 100, String.fromCharCode((i * 7) % 700)),
    ).filter((candidate) => candidate !== text);
    expect(accepted(wrong)).toBe(0);
  });
});

describe('forgery', () => {
  it('T-06: none of 10,000 well-formed forgeries passes, each costs one HMAC', () => {
    const forgeries = Array.from({ length: 10_000 }, () => forgery());
    expect(accepted(forgeries)).toBe(0);
    // Two hashes are one HMAC; the two secrets share their key id once in 64 runs.
    const perForgery = 2 * ring.find(ring.current.id).length;
    expect(calls).toEqual({
      hash: 10_000 * perForgery,
      createHmac: 0,
      timingSafeEqual: (10_000 * perForgery) / 2,
    });
  });

  it('T-06, T-11: an unknown key id or version costs none', () => {
    const bytes = decode(genuine());
    const unknown = Array.from({ length: 256 }, (_, header) => header).filter(
      (header) => header >> 6 !== 1 || ring.find(header & 0x3f).length === 0,
    );
    const texts = unknown.map((header) => {
      bytes[0] = header;
      return encode(bytes);
    });
    calls.hash = 0;
    expect(texts.length).toBeGreaterThanOrEqual(254);
    expect(accepted(texts)).toBe(0);
    expect(calls.hash).toBe(0);
  });

  it('T-06: takes no longer than a few HMACs, and less than one if malformed', () => {
    const text = genuine();
    const forged = changeAt(text, 70);
    const malformed = replaceAt(text, 99, '!');
    const key = ring.current.for('token');
    const message = randomBytes(72);
    const tasks = {
      hmac: () => createHmac('sha512', key).update(message).digest(),
      forged: () => codec.verify(forged),
      malformed: () => codec.verify(malformed),
      short: () => codec.verify(text.slice(0, 99)),
    };
    const fastest = { hmac: Infinity, forged: Infinity, malformed: Infinity, short: Infinity };
    // The fastest of many short turns, taken in alternation: other load on the machine hits all.
    for (let turn = 0; turn < 60; turn++) {
      for (const [name, task] of Object.entries(tasks)) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < 500; i++) task();
        const time = Number(process.hrtime.bigint() - start);
        fastest[name as keyof typeof tasks] = Math.min(fastest[name as keyof typeof tasks], time);
      }
    }
    expect(fastest.forged / fastest.hmac).toBeLessThan(4);
    expect(fastest.malformed / fastest.hmac).toBeLessThan(1);
    expect(fastest.short / fastest.hmac).toBeLessThan(0.25);
  });

  it('T-07: compares tags in constant time, always over 16 bytes', () => {
    const text = genuine();
    const bytes = decode(text);
    const wrong = [56, 63, 71].map((at) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return encode(copy);
    });
    expect(accepted([text, ...wrong])).toBe(1);
    expect(calls.timingSafeEqual).toBeGreaterThanOrEqual(4);
    expect(new Set(compared)).toEqual(new Set([16]));
  });

  it('T-07: answers truncated and over-long tags like any other, without an error', () => {
    const text = genuine();
    const bytes = decode(text);
    const cut = [0, 1, 40, 56, 57, 69, 71].map((length) => encode(bytes.subarray(0, length)));
    const longer = [1, 3, 16, 4096].map((more) =>
      encode(Buffer.concat([bytes, randomBytes(more)])),
    );
    calls.timingSafeEqual = 0;
    expect(accepted([...cut, ...longer])).toBe(0);
    expect(calls.timingSafeEqual).toBe(0);
  });

  it('T-06: every bit of the body is under the tag', () => {
    const bytes = decode(genuine());
    const flipped = Array.from({ length: 576 }, (_, bit) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return encode(copy);
    });
    expect(accepted(flipped)).toBe(0);
  });
});

describe('other artefacts', () => {
  const sign = (purpose: 'token' | 'csrf' | 'data', label: string, body: Buffer): string => {
    const mac = createHmac('sha512', ring.current.for(purpose)).update(label).update(body).digest();
    return encode(Buffer.concat([body, mac.subarray(0, 16)]));
  };
  const label = 'nsk/1\0\0\0\x09shop/test';

  it('T-13: accepts only the tag of the token key over the whole message', () => {
    const body = decode(genuine()).subarray(0, 56);
    expect(accepted([sign('token', label, body)])).toBe(1);
    const others = [
      sign('csrf', label, body),
      sign('data', label, body),
      sign('token', '', body),
      sign('token', 'nsk/1', body),
      sign('token', 'nsk/1shop/test', body),
      sign('token', 'nsk/2\0\0\0\x09shop/test', body),
    ];
    expect(accepted(others)).toBe(0);
  });

  it('T-13: refuses other versions, even with a right tag', () => {
    const body = Buffer.from(decode(genuine()).subarray(0, 56));
    const versions = [0x00, 0x80, 0xc0].map((version) => {
      body[0] = version | ring.current.id;
      return sign('token', label, body);
    });
    expect(accepted(versions)).toBe(0);
  });

  it('T-13: refuses what other formats look like', () => {
    const minted = codec.mint({ bucket: 1, generation: 0, hardDeadline: Date.UTC(2026, 5, 1) });
    const others = [
      's:abc.def',
      `s:${'a'.repeat(98)}`,
      'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.',
      minted.sessionId,
      minted.verifier,
      `nsk_${minted.verifier}${minted.verifier}`.padEnd(100, 'A'),
      JSON.stringify({ userId: 'alice' }),
      'undefined',
      'null',
      '',
      undefined,
      null,
      100,
      100n,
      true,
      Symbol('nsk_'),
      {},
      () => 'nsk_',
    ];
    expect(accepted(others)).toBe(0);
  });
});
