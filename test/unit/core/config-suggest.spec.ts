import { describe, expect, it } from '@jest/globals';

import { suggest } from '../../../src/core/suggest.js';

const WORDS = ['secret', 'store', 'timeouts', 'max', 'sameSite', 'maxFields', 'maxFieldBytes'];

describe('suggest', () => {
  it.each([
    ['secrets', 'secret'],
    ['scret', 'secret'],
    ['sercet', 'secret'],
    ['SECRET', 'secret'],
    ['stroe', 'store'],
    ['samesite', 'sameSite'],
    ['same_site', 'sameSite'],
    ['maxField', 'maxFields'],
    ['mx', 'max'],
  ])('%s → %s', (word, expected) => {
    expect(suggest(word, WORDS)).toBe(expected);
  });

  it.each(['', 'xyz', 'completely', 'tst', 'm', 'a'.repeat(10_000)])('%j → nothing', (word) => {
    expect(suggest(word, WORDS)).toBeUndefined();
  });

  it('prefers the closest', () => {
    expect(suggest('maxFieldByte', WORDS)).toBe('maxFieldBytes');
    expect(suggest('anything', [])).toBeUndefined();
  });
});
