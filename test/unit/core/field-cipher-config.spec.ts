import { describe, expect, it } from '@jest/globals';
import { type SessionConfig, resolveOptions } from '../../../src/core/config.js';

const SECRET = 'unit-tests-only-2b7e151628aed2a6abf7158809cf4f3c';
const resolve = (encrypt: unknown): SessionConfig =>
  resolveOptions({ secret: SECRET, data: { encrypt } }, { production: false });

describe('the option data.encrypt', () => {
  it('is off by default', () => {
    expect(resolve(undefined).encrypted).toEqual(new Set());
    expect(resolve(false).encrypted).toEqual(new Set());
  });

  it('takes all fields, or their names', () => {
    expect(resolve(true).encrypted).toBe('all');
    expect(resolve(['card', 'name', 'card']).encrypted).toEqual(new Set(['card', 'name']));
  });

  it.each([
    ['card', "data.encrypt must be true or a list of at most 1,000 field names (got 'card')"],
    [1, 'data.encrypt must be true or a list of at most 1,000 field names (got 1)'],
    [{}, 'data.encrypt must be true or a list of at most 1,000 field names (got an Object)'],
    [
      Array.from({ length: 1_001 }, (_, i) => `f${i}`),
      'data.encrypt must be true or a list of at most 1,000 field names (got 1,001 names)',
    ],
    [
      ['good', ''],
      'data.encrypt[1] must be a field name: 1 to 64 bytes without control characters',
    ],
  ])('refuses %p', (encrypt, problem) => {
    expect(() => resolve(encrypt)).toThrow(problem);
  });
});
