import { createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { generateSecret, KeyRing } from '../../../src/core/key-ring.js';
import {
  createSalt,
  TokenCodec,
  type MintedToken,
  type SuccessorContent,
} from '../../../src/core/token.js';

const HARD_DEADLINE = Date.UTC(2026, 5, 1);
const codecOf = (...secrets: readonly string[]): TokenCodec =>
  new TokenCodec(new KeyRing(secrets), 'shop/test');
const idOf = (secret: string): number => new KeyRing([secret]).current.id;
const mint = (codec: TokenCodec): MintedToken =>
  codec.mint({ bucket: 3, generation: 4, hardDeadline: HARD_DEADLINE });
const accepts = (codec: TokenCodec, token: MintedToken): boolean =>
  codec.verify(token.token.reveal()) !== undefined;

/** A secret whose key id is, or is not, that of another. */
const secretWith = (same: boolean, other: string): string => {
  for (;;) {
    const secret = generateSecret();
    if ((idOf(secret) === idOf(other)) === same) return secret;
  }
};

const K1 = generateSecret();
const K2 = secretWith(false, K1);

describe('key rotation', () => {
  it('T-11: logs nobody out in the documented order', () => {
    const [before, added, first, after] = [
      codecOf(K1),
      codecOf(K1, K2),
      codecOf(K2, K1),
      codecOf(K2),
    ];
    const old = mint(before);

    // Added everywhere, still made under K1: instances before and after the step agree.
    expect(accepts(added, old)).toBe(true);
    expect(accepts(before, mint(added))).toBe(true);

    // Moved to the front: both instances of the step accept both kinds.
    const young = mint(first);
    expect(young.keyId).toBe(idOf(K2));
    expect([old, young].map((token) => accepts(added, token))).toEqual([true, true]);
    expect([old, young].map((token) => accepts(first, token))).toEqual([true, true]);
    expect(first.verify(old.token.reveal())?.isNewestKey).toBe(false);
    expect(first.verify(young.token.reveal())?.isNewestKey).toBe(true);

    // Dropped: what is left under K1 ends.
    expect(accepts(after, old)).toBe(false);
    expect(accepts(after, young)).toBe(true);
  });

  it('T-11: keeps session and verifier while the key of a token is not the newest', () => {
    const old = mint(codecOf(K1));
    const seen = codecOf(K2, K1).verify(old.token.reveal());
    expect(seen?.sessionId).toBe(old.sessionId);
    expect(seen?.verifier === old.verifier).toBe(true);
  });

  it('T-11: tries both secrets that have the same key id', () => {
    const twin = secretWith(true, K1);
    const [one, two] = [mint(codecOf(K1)), mint(codecOf(twin))];
    for (const codec of [codecOf(K1, twin), codecOf(twin, K1)]) {
      expect([one, two].map((token) => accepts(codec, token))).toEqual([true, true]);
    }
    expect(codecOf(twin, K1).verify(one.token.reveal())?.isNewestKey).toBe(false);
    expect(codecOf(twin, K1).verify(two.token.reveal())?.isNewestKey).toBe(true);
    expect(accepts(codecOf(twin), one)).toBe(false);
  });
});

describe('successor', () => {
  const codec = codecOf(K1);
  const current = mint(codec);
  const content: SuccessorContent = { salt: createSalt(), generation: 5, keyId: idOf(K1) };
  const textOf = (from: TokenCodec, what: SuccessorContent): string | undefined => {
    const presented = from.verify(current.token.reveal());
    return presented && from.successor(presented, what)?.token.reveal();
  };

  it('is the same for every presenter, on every instance', () => {
    const texts = [codec, codecOf(K1), codecOf(K2, K1), codecOf(K1, K2)].map((instance) =>
      textOf(instance, content),
    );
    expect(texts.every((text) => text !== undefined && text === texts[0])).toBe(true);
    expect(codec.successor(current, content)?.token.reveal() === texts[0]).toBe(true);
  });

  it('has the same session, bucket and deadline, and the generation asked for', () => {
    const next = codec.successor(current, content);
    expect(next).toMatchObject({
      sessionId: current.sessionId,
      bucket: current.bucket,
      hardDeadline: current.hardDeadline,
      generation: 5,
      keyId: current.keyId,
    });
    expect(next && codec.verify(next.token.reveal())?.verifier === next.verifier).toBe(true);
    expect(next?.verifier === current.verifier).toBe(false);
  });

  it('has the secret HMAC-SHA-256(current secret, salt)', () => {
    const secretOf = (text: string): Buffer =>
      Buffer.from(text.slice(4), 'base64url').subarray(24, 56);
    const expected = createHmac('sha256', secretOf(current.token.reveal()))
      .update(content.salt)
      .digest();
    expect(secretOf(textOf(codec, content) ?? '').equals(expected)).toBe(true);
  });

  it('changes with salt, generation and predecessor', () => {
    const texts = [
      textOf(codec, content),
      textOf(codec, { ...content, salt: createSalt() }),
      textOf(codec, { ...content, generation: 6 }),
      codec.successor(mint(codec), content)?.token.reveal(),
    ];
    expect(new Set(texts).size).toBe(4);
  });

  it('is made under the key that is named, while keys roll', () => {
    const rolled = codecOf(K2, K1);
    const underOld = textOf(rolled, content);
    expect(underOld === textOf(codec, content)).toBe(true);
    const underNew = textOf(rolled, { ...content, keyId: idOf(K2) });
    expect(rolled.verify(underNew)?.keyId).toBe(idOf(K2));
    expect(codecOf(K2).verify(underNew)).toBeDefined();
    expect(textOf(codecOf(K1, K2), { ...content, keyId: idOf(K2) }) === underNew).toBe(true);
  });

  it('is undefined when that key is gone or never was', () => {
    for (const keyId of [idOf(K2), -1, 64, 1.5, Number.NaN]) {
      expect(textOf(codec, { ...content, keyId })).toBeUndefined();
    }
  });

  it('finds the right one of two keys with the same id by its verifier', () => {
    const twin = secretWith(true, K1);
    const verifier = codec.successor(current, content)?.verifier ?? '';
    const expected = textOf(codec, content);
    expect(textOf(codecOf(twin, K1), { ...content, verifier }) === expected).toBe(true);
    expect(textOf(codecOf(K1, twin), { ...content, verifier }) === expected).toBe(true);
    // Without it the newest is taken, which another instance may not have chosen.
    expect(textOf(codecOf(twin, K1), content) === expected).toBe(false);
  });

  it('is undefined when it would not be the token the store knows', () => {
    const { verifier } = current;
    expect(textOf(codec, { ...content, verifier })).toBeUndefined();
  });

  it('refuses a generation that does not fit', () => {
    expect(() => codec.successor(current, { ...content, generation: 65_536 })).toThrow(RangeError);
  });

  it('T-13: cannot be derived from something that is no token', () => {
    const token = { reveal: () => 'not a token' } as unknown as typeof current.token;
    expect(codec.successor({ ...current, token }, content)).toBeUndefined();
  });
});
