import { createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { SessionError, SessionStoreError } from '../../../src/core/errors.js';
import {
  canonicalUserId,
  createPlacementKey,
  createSid,
  MAX_BUCKETS,
  placement,
  randomBucket,
  splitSid,
} from '../../../src/core/user-id.js';

const layout = { placementKey: createPlacementKey(), buckets: 256 };

const errorOf = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('canonicalUserId', () => {
  it.each<[string, unknown, string]>([
    ['a text', 'alice', 'alice'],
    ['one character', ' ', ' '],
    ['an e-mail address', 'Alice@Example.com', 'Alice@Example.com'],
    ['a property of every object', '__proto__', '__proto__'],
    ['key syntax', '{x}:*\n', '{x}:*\n'],
    ['a surrogate pair', '👩‍💻', '👩‍💻'],
    ['256 bytes', 'a'.repeat(256), 'a'.repeat(256)],
    ['256 bytes in 64 characters', '𝄞'.repeat(64), '𝄞'.repeat(64)],
    ['zero', 0, '0'],
    ['minus zero', -0, '0'],
    ['a negative number', -12, '-12'],
    ['the largest safe integer', 2 ** 53 - 1, '9007199254740991'],
    ['a bigint', 9007199254740993n, '9007199254740993'],
    ['a negative bigint', -5n, '-5'],
    ['the largest bigint', 10n ** 256n - 1n, '9'.repeat(256)],
    ['the smallest bigint', 1n - 10n ** 255n, `-${'9'.repeat(255)}`],
  ])('S-02: accepts %s unchanged', (_name, value, text) => {
    expect(canonicalUserId(value)).toBe(text);
  });

  it.each<[string, unknown]>([
    ['an empty text', ''],
    ['257 bytes', 'a'.repeat(257)],
    ['257 bytes in 129 characters', `a${'é'.repeat(128)}`],
    ['a NUL', 'ali\0ce'],
    ['a lone high surrogate', 'alice\ud83d'],
    ['a lone low surrogate', '\udc69alice'],
    ['swapped surrogates', '\udc69\ud83d'],
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['a fraction', 1.5],
    ['2^53 + 1 as a number', 2 ** 53 + 1],
    ['a bigint of 257 digits', 10n ** 256n],
    ['a negative bigint of 256 digits', -(10n ** 255n)],
    ['a huge bigint', 1n << 1_000_000n],
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['an object', {}],
    ['a query operator', { $ne: null }],
    ['an array', ['alice']],
    ['a String object', Object('alice')],
    ['an object that prints as a text', { toString: () => 'alice' }],
    ['a symbol', Symbol('alice')],
    ['a function', () => 'alice'],
    ['a Buffer', Buffer.from('alice')],
  ])('S-02: refuses %s with one typed error', (_name, value) => {
    const error = errorOf(() => canonicalUserId(value));
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ code: 'ERR_SESSION_USER_ID' });
    expect(String(error)).toMatch(/a user id is a text of 1 to 256 bytes/);
  });

  it.each(['marker\0', 'marker\ud800', 'marker'.repeat(60)])(
    'S-02: never repeats what it refuses (%#)',
    (value) => {
      const error = errorOf(() => canonicalUserId(value));
      expect(`${String(error)}${JSON.stringify(error)}`).not.toContain('marker');
    },
  );
});

describe('placement', () => {
  it('is the documented HMAC', () => {
    // Computed with Python's hmac module.
    const known = { placementKey: 'FID7ElRZy8ps_xP7rF2EYiDZHPkG5GbrKELvNQh4E4s', buckets: 256 };
    expect(placement('alice', known)).toEqual({ bucket: 94, userKey: '1G8c_AgvoAY' });
    expect(placement('alice', { ...known, buckets: 1_000 }).bucket).toBe(398);
  });

  it.each<[string, string | number | bigint, string | number | bigint]>([
    ['é composed and decomposed', '\u00e9', 'e\u0301'],
    ['a dotless and a dotted i', '\u0131', 'i'],
    ['upper and lower case', 'A', 'a'],
    ['a trailing space', 'alice', 'alice '],
    ['a zero-width joiner', 'alice', 'alice\u200d'],
    ['a full-width character', 'a', '\uff41'],
    ['a ligature', 'ﬁ', 'fi'],
    ['a leading zero', 1, '01'],
    ['neighbouring bigints', 9007199254740992n, 9007199254740993n],
    ['another sign', 5, -5],
    ['a prefix', 'user\u0001', 'user'],
  ])('S-02: keeps two users apart that differ by %s', (_name, one, other) => {
    const [first, second] = [one, other].map((id) => placement(canonicalUserId(id), layout));
    expect(first?.userKey).not.toBe(second?.userKey);
  });

  it('S-02: takes a number, a bigint and their text as one user', () => {
    const places = [1, 1n, '1'].map((id) => placement(canonicalUserId(id), layout));
    expect(places).toEqual([places[0], places[0], places[0]]);
  });

  it.each(['', '}', '}x', '{', '*', ':', '\n', '__proto__', '"; DROP', 'a'.repeat(256)])(
    'S-01: lets no character of the user id through (%#)',
    (userId) => {
      const { bucket, userKey } = placement(userId, layout);
      expect(userKey).toMatch(/^[A-Za-z0-9_-]{11}$/);
      expect(bucket >= 0 && bucket < 256).toBe(true);
    },
  );

  it('Q-07: depends on the placement key', () => {
    const other = { ...layout, placementKey: createPlacementKey() };
    expect(placement('alice', other).userKey).not.toBe(placement('alice', layout).userKey);
    expect(placement('alice', layout)).toEqual(placement('alice', layout));
  });

  it('Q-07: takes the bucket from bytes that the user key does not show', () => {
    const { placementKey } = layout;
    const digest = createHmac('sha256', Buffer.from(placementKey, 'base64url'))
      .update('nsk/user\0alice')
      .digest();
    expect(placement('alice', layout).bucket).toBe(digest.readUIntBE(16, 6) % 256);
  });

  it.each([256, 1_000, 16_384])('Q-07: spreads chosen ids evenly over %d buckets', (buckets) => {
    // A fixed key, so that the outcome does not depend on chance.
    const fixed = { placementKey: Buffer.alloc(32, 7).toString('base64url'), buckets };
    const users = buckets * 10;
    const counts = new Float64Array(buckets);
    for (let i = 0; i < users; i++) {
      const { bucket } = placement(`user-${i}`, fixed);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(Math.abs(deviationOf(counts))).toBeLessThan(6.5);
  });

  it.each<[string, string, number]>([
    ['a short key', 'c2hvcnQ', 256],
    ['a key with an alias of its last character', `${'A'.repeat(42)}B`, 256],
    ['a padded key', `${'A'.repeat(43)}=`, 256],
    ['an empty key', '', 256],
    ['no buckets', 'A'.repeat(43), 0],
    ['a fraction of a bucket', 'A'.repeat(43), 1.5],
    ['too many buckets', 'A'.repeat(43), MAX_BUCKETS + 1],
  ])('reports a layout with %s', (_name, placementKey, buckets) => {
    const error = errorOf(() => placement('alice', { placementKey, buckets }));
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(String(error)).toMatch(/damaged/);
  });
});

describe('randomBucket', () => {
  it('Q-07: makes all buckets equally likely', () => {
    const counts = new Float64Array(256);
    const draws = 256 * 100;
    for (let i = 0; i < draws; i++) {
      const bucket = randomBucket(256);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(Math.abs(deviationOf(counts))).toBeLessThan(6.5);
  });

  it('knows the bounds of the token', () => {
    expect(randomBucket(1)).toBe(0);
    expect(randomBucket(MAX_BUCKETS) < MAX_BUCKETS).toBe(true);
    expect(() => randomBucket(MAX_BUCKETS + 1)).toThrow(SessionStoreError);
  });
});

describe('createPlacementKey', () => {
  it('makes 32 random bytes that placement accepts', () => {
    const keys = Array.from({ length: 100 }, () => createPlacementKey());
    expect(new Set(keys).size).toBe(100);
    expect(keys.every((key) => /^[A-Za-z0-9_-]{43}$/.test(key))).toBe(true);
  });
});

/**
 * Chi-square against a uniform distribution, as a z-score (Wilson and Hilferty): a fair one lies
 * outside of ±6.5 less than once in 10^10 runs.
 */
function deviationOf(counts: Float64Array): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const spread = 2 / (9 * (counts.length - 1));
  return (Math.cbrt(chiSquare / (counts.length - 1)) - 1 + spread) / Math.sqrt(spread);
}

describe('session ids', () => {
  it('contain the key of their user, 63 random bits and whether there is a user', () => {
    const { userKey } = placement('alice', layout);
    const [one, two] = [createSid(userKey), createSid(userKey)].map(splitSid);
    expect(one).toMatchObject({ userKey, isAnonymous: false });
    expect(two).toMatchObject({ userKey, isAnonymous: false });
    expect(one?.own).not.toBe(two?.own);
  });

  it('of anonymous sessions say so and share nothing', () => {
    const [one, two] = [createSid(), createSid()].map(splitSid);
    expect(one?.isAnonymous).toBe(true);
    expect(one?.userKey).not.toBe(two?.userKey);
  });
});
