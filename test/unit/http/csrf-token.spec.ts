/**
 * the synchroniser token on its own.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { KeyRing, generateSecret } from '../../../src/core/key-ring.js';
import { type CsrfBinding, isCsrfToken, issueCsrfToken } from '../../../src/http/csrf-token.js';

const seed = Number(process.env['TEST_SEED'] ?? 1);
const [OLD, NEW] = [generateSecret(), generateSecret()];
const ring = new KeyRing([OLD]);
const binding: CsrfBinding = {
  sessionId: 'AAECAwQFBgcICQoLDA0ODxAR',
  generation: 3,
  authenticatedAt: 1_764_000_000_000,
};

const accepts = (
  text: string | undefined,
  changes: Partial<CsrfBinding> = {},
  acceptsEarlier = false,
): boolean => isCsrfToken(ring, text, { ...binding, ...changes }, acceptsEarlier);

describe('X-04: the synchroniser token', () => {
  it('is accepted where it was issued, however often', () => {
    const token = issueCsrfToken(ring, binding);
    expect(accepts(token)).toBe(true);
    expect(accepts(token)).toBe(true);
  });

  it('is accepted nowhere else', () => {
    const token = issueCsrfToken(ring, binding);
    expect(accepts(token, { sessionId: 'AAECAwQFBgcICQoLDA0ODxAS' })).toBe(false);
    expect(accepts(token, { authenticatedAt: 1_764_000_000_001 })).toBe(false);
    expect(accepts(token, { authenticatedAt: undefined })).toBe(false);
    expect(isCsrfToken(new KeyRing([NEW]), token, binding, true)).toBe(false);
  });

  it('of an earlier generation counts where tokens rotate by the clock, of a later one never', () => {
    const token = issueCsrfToken(ring, binding);
    expect(accepts(token, { generation: 4 })).toBe(false);
    expect(accepts(token, { generation: 4 }, true)).toBe(true);
    expect(accepts(token, { generation: 2 })).toBe(false);
    expect(accepts(token, { generation: 2 }, true)).toBe(false);
    // A proof of identity ends it all the same.
    expect(accepts(token, { generation: 4, authenticatedAt: 1 }, true)).toBe(false);
  });

  it('keeps the parts of what it is bound to apart', () => {
    const token = issueCsrfToken(ring, { ...binding, generation: 1, authenticatedAt: undefined });
    expect(accepts(token, { generation: 1, authenticatedAt: undefined })).toBe(true);
    expect(accepts(token, { sessionId: `${binding.sessionId}\n1` })).toBe(false);
  });

  it('T-11: survives a new secret while the old one is listed', () => {
    const token = issueCsrfToken(ring, binding);
    expect(isCsrfToken(new KeyRing([NEW, OLD]), token, binding, false)).toBe(true);
    expect(isCsrfToken(new KeyRing([OLD, NEW]), token, binding, false)).toBe(true);
    expect(isCsrfToken(new KeyRing([NEW]), token, binding, false)).toBe(false);
    const next = issueCsrfToken(new KeyRing([NEW, OLD]), binding);
    expect(isCsrfToken(new KeyRing([NEW]), next, binding, false)).toBe(true);
  });

  it('is another text at each call, without a byte that stays (BREACH)', () => {
    const tokens = Array.from({ length: 200 }, () => issueCsrfToken(ring, binding));
    expect(new Set(tokens).size).toBe(200);
    const bytes = tokens.map((token) => Buffer.from(token, 'base64url'));
    for (let at = 0; at < 54; at += 1) {
      // 200 draws out of 256 give about 139 different ones.
      expect(new Set(bytes.map((one) => one[at])).size).toBeGreaterThan(90);
    }
  });

  it('has 72 characters that need no encoding anywhere', () => {
    expect(issueCsrfToken(ring, { ...binding, generation: 0xffff })).toMatch(/^[\w-]{72}$/);
  });

  it('has one spelling', () => {
    const token = issueCsrfToken(ring, binding);
    const other = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
    const aliases = [
      other,
      `${token}=`,
      ` ${token}`,
      token.slice(0, -1),
      `${token.slice(0, -1)}!`,
      `${token.slice(0, -1)}\u0141`,
      token.toLowerCase(),
      `"${token}"`,
      `${token}, ${token}`,
      '',
      undefined,
    ];
    for (const alias of aliases) expect(accepts(alias)).toBe(false);
    // Of 64 last characters one is the A that Node takes U+0141 for.
    for (let draw = 0; draw < 1_000; draw += 1) {
      expect(accepts(`${issueCsrfToken(ring, binding).slice(0, -1)}\u0141`)).toBe(false);
    }
  });

  it('T-07: changing any single character makes it worthless', () => {
    const token = issueCsrfToken(ring, binding);
    for (let at = 0; at < token.length; at += 1) {
      const letter = token[at] === 'x' ? 'y' : 'x';
      expect(accepts(token.slice(0, at) + letter + token.slice(at + 1), {}, true)).toBe(false);
    }
  });

  it('accepts nothing that was made up, and never throws', () => {
    const garbage = fc.oneof(
      fc.string({ unit: 'binary', minLength: 60, maxLength: 80 }),
      fc
        .uint8Array({ minLength: 54, maxLength: 54 })
        .map((bytes) => Buffer.from(bytes).toString('base64url')),
    );
    fc.assert(
      fc.property(garbage, (text) => !accepts(text, {}, true)),
      { seed, numRuns: 2_000 },
    );
  });
});
