import * as crypto from 'node:crypto';

import { expect, it, jest } from '@jest/globals';

const draws: Buffer[] = [];

jest.unstable_mockModule('node:crypto', () => ({
  ...crypto,
  randomBytes: (size: number) => draws.shift() ?? crypto.randomBytes(size),
}));

const { checkSecret, generateSecret } = await import('../../../src/core/key-ring.js');

it('T-12: generateSecret draws again when chance spells a refused secret', () => {
  draws.push(
    Buffer.alloc(32),
    Buffer.from(`${'abCD'.repeat(5)}changeme`.padEnd(43, 'xY7'), 'base64url'),
  );
  const secret = generateSecret();
  expect(draws).toHaveLength(0);
  expect(checkSecret(secret)).toBeUndefined();
  expect(secret.includes('changeme')).toBe(false);
});
