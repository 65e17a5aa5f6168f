import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { generateSecret, KeyRing } from '../../../src/core/key-ring.js';
import { SESSION_TOKEN_PATTERN, TokenCodec } from '../../../src/core/token.js';
import { createPlacementKey, createSid, placement } from '../../../src/core/user-id.js';

const codec = new TokenCodec(new KeyRing([generateSecret()]), 'shop/test');
const HARD_DEADLINE = Date.UTC(2026, 5, 1);

// The row asks for 100,000. With 150,000 the 256 bits leave 0.5 ± 0.01 by chance less than once in
// 10^11 runs (7.7 standard deviations), so that a failure is a finding.
const TOKENS = 150_000;

describe('randomness', () => {
  const secrets: Buffer[] = [];
  const sids: Buffer[] = [];

  beforeAll(() => {
    for (let i = 0; i < TOKENS; i++) {
      const { token } = codec.mint({ bucket: 1, generation: 0, hardDeadline: HARD_DEADLINE });
      const bytes = Buffer.from(token.reveal().slice(4), 'base64url');
      secrets.push(bytes.subarray(24, 56));
      sids.push(bytes.subarray(3, 19));
    }
  });

  it('T-01: has no duplicate secret and no duplicate sid', () => {
    expect(new Set(secrets.map((secret) => secret.toString('latin1'))).size).toBe(TOKENS);
    expect(new Set(sids.map((sid) => sid.toString('latin1'))).size).toBe(TOKENS);
  });

  it.each([
    ['secret', secrets, 256],
    ['sid', sids, 128],
  ])('T-01: sets every bit of the %s in half of all tokens (± 0.01)', (_name, values, bits) => {
    // Counting bytes by position first saves most of the work.
    const counts = new Float64Array(bits * 32);
    for (const value of values) {
      for (let at = 0; at < bits / 8; at++) {
        const slot = at * 256 + value.readUInt8(at);
        counts[slot] = (counts[slot] ?? 0) + 1;
      }
    }
    const ones = new Float64Array(bits);
    for (const [slot, count] of counts.entries()) {
      for (let bit = 0; bit < 8; bit++) {
        const at = (slot >> 8) * 8 + bit;
        if ((slot >> bit) & 1) ones[at] = (ones[at] ?? 0) + count;
      }
    }
    const shares = [...ones].map((count) => count / TOKENS);
    expect(Math.max(...shares)).toBeLessThan(0.51);
    expect(Math.min(...shares)).toBeGreaterThan(0.49);
  });

  it('T-01: spreads the bytes of the secret evenly (chi-square)', () => {
    const counts = new Float64Array(256);
    for (const secret of secrets) {
      for (const byte of secret) counts[byte] = (counts[byte] ?? 0) + 1;
    }
    const expected = (TOKENS * 32) / 256;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: outside of this range once in 10^10 runs.
    expect(chiSquare).toBeGreaterThan(132);
    expect(chiSquare).toBeLessThan(430);
  });

  it('T-01: cannot be compressed', () => {
    const all = Buffer.concat(secrets);
    expect(deflateRawSync(all).length / all.length).toBeGreaterThanOrEqual(0.99);
  });
});

describe('meaning', () => {
  const userId = 'alice@example.com';
  const user = placement(userId, { placementKey: createPlacementKey(), buckets: 256 });
  const logins = Array.from({ length: 8 }, () => {
    const { bucket } = user;
    const sid = createSid(user.userKey);
    const minted = codec.mint({ bucket, sid, generation: 0, hardDeadline: HARD_DEADLINE });
    return Buffer.from(minted.token.reveal().slice(4), 'base64url');
  });

  it('T-02: shares only the documented header between two logins of a user', () => {
    const [one, two] = [logins[0] ?? Buffer.alloc(72), logins[1] ?? Buffer.alloc(72)];
    // Version and key id, bucket, the user's key of this store; generation, deadline.
    for (const [from, to] of [[0, 11] as const, [19, 24] as const]) {
      expect(one.subarray(from, to).equals(two.subarray(from, to))).toBe(true);
    }
    for (const [from, to] of [[11, 19] as const, [24, 56] as const, [56, 72] as const]) {
      expect(one.subarray(from, to).equals(two.subarray(from, to))).toBe(false);
    }
  });

  it('T-02: contains neither the user nor a digest that others could compute', () => {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(userId));
    const facts = [
      Buffer.from(userId),
      crc,
      Buffer.from(crc.toReversed()),
      ...['md5', 'sha1', 'sha256'].map((name) => createHash(name).update(userId).digest()),
    ];
    const forms = facts.flatMap((fact) => [
      fact,
      Buffer.from(fact.toString('hex')),
      Buffer.from(fact.toString('base64url').slice(0, -1)),
    ]);
    const spellings = (token: Buffer): readonly Buffer[] => [
      token,
      Buffer.from(token.toString('hex')),
      Buffer.from(token.toString('base64url')),
    ];
    // Four bytes of CRC turn up by chance, but not in all of eight tokens.
    const found = forms.filter((form) =>
      logins.every((token) => spellings(token).some((spelling) => spelling.includes(form))),
    );
    expect(found).toHaveLength(0);
  });
});

describe('SESSION_TOKEN_PATTERN', () => {
  it('T-14: finds 10,000 of 10,000 tokens, alone and inside other text', () => {
    const frames = [
      (text: string) => text,
      (text: string) => `Set-Cookie: __Host-sid=${text}; Path=/`,
      (text: string) => `{"level":30,"msg":"\\n${text}\\u0000"}`,
      (text: string) => `authorization%3A%20Bearer%20${text}%0A`,
    ];
    let found = 0;
    for (let i = 0; i < 10_000; i++) {
      const minted = codec.mint({ bucket: i, generation: i, hardDeadline: HARD_DEADLINE });
      const text = minted.token.reveal();
      const framed = frames[i % frames.length]?.(text) ?? '';
      if (SESSION_TOKEN_PATTERN.exec(framed)?.[0] === text) found++;
    }
    expect(found).toBe(10_000);
  });

  it('T-14: has no flag that would make it remember where it stopped', () => {
    expect(SESSION_TOKEN_PATTERN.flags).toBe('');
  });

  it('T-14: finds nothing in 100,000 random lines of base64, base64url and hexadecimal', () => {
    // Always the same lines: by chance a long one of base64url would match once in 10^6 (base64
    // has no underscore, so it never can).
    const forms = ['base64', 'base64url', 'hex'] as const;
    let found = 0;
    for (let i = 0; i < 100_000; i++) {
      const bytes = createHash('shake256', { outputLength: 48 + (i % 96) }).update(`line ${i}`);
      if (SESSION_TOKEN_PATTERN.test(bytes.digest(forms[i % 3] ?? 'hex'))) found++;
    }
    expect(found).toBe(0);
  });

  it('T-14: finds nothing that only resembles a token', () => {
    const body = 'Q'.repeat(95);
    const others = [
      `nsk_${body}`,
      `nsk_A${body}`,
      `nsk_g${body}`,
      `nss_Q${body}`,
      `NSK_Q${body}`,
      `nsk_Q${body.slice(1)}=`,
      `nsk_Q${body.slice(2)}.Q`,
      `nsk-Q${body}`,
    ];
    expect(others.filter((text) => SESSION_TOKEN_PATTERN.test(text))).toEqual([]);
  });
});
