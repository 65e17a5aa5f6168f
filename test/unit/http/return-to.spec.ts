/**
 * a "return to" that came with a request leads to a page of this application, or nowhere.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { localPath } from '../../../src/index.js';

// Printed when a property fails; TEST_SEED repeats the run.
const seed = Number(process.env['TEST_SEED'] ?? 1);
const BASES = [
  'https://app.example.com',
  'http://localhost:3000',
  'https://app.example.com/deep/path/page?x=1#y',
  'https://192.0.2.1:8443/a/',
];

describe('X-07: localPath refuses', () => {
  it.each([
    // Another origin, spelled out.
    'https://evil.example',
    'https://evil.example/',
    'http:evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:///evil.example',
    'HTTPS://EVIL.EXAMPLE',
    'ftp://evil.example',
    'blob:https://evil.example/x',
    'view-source:https://evil.example',
    // Code.
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'javascript://app.example.com/%0aalert(1)',
    ' javascript:alert(1)',
    '\tjavascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    // A host after two slashes, whatever passes for one.
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '//evil.example/%2e%2e',
    '//\\evil.example',
    '//user@evil.example',
    '//[::1]',
    '/\\evil.example',
    '\\/evil.example',
    '\\\\evil.example',
    '\\evil.example',
    '/\\/evil.example',
    '/\\\\evil.example',
    // Encoded slashes, once and more often.
    '/%2fevil.example',
    '/%2Fevil.example',
    '%2f%2fevil.example',
    '/%2f%2fevil.example',
    '/%5cevil.example',
    '/%5C%5Cevil.example',
    '/%252fevil.example',
    '/%25252fevil.example',
    '/%2525252fevil.example',
    '/%25252525252525252fevil.example',
    '/%255cevil.example',
    // Dots that vanish and leave two slashes.
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/a/../..//evil.example',
    '/%2e//evil.example',
    '/%2e%2e//evil.example',
    '/.%2e//evil.example',
    '/a/..%2f/evil.example',
    '/a/..%2f%2fevil.example',
    '/.%2f/evil.example',
    '/..\\/evil.example',
    // Characters that browsers strip.
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '\u0000//evil.example',
    '\u00a0//evil.example',
    '\ufeff//evil.example',
    '\u2028//evil.example',
    '/%09/evil.example',
    '/%0a/evil.example',
    '/%0d/evil.example',
    '/%2509/evil.example',
    '/\u007f/evil.example',
    '/a b',
    '/a\u0085b',
    // Header injection.
    '/\r\nSet-Cookie: sid=1',
    '/a\nLocation: https://evil.example',
    // Nothing to go to.
    '',
    '.',
    'orders',
    './orders',
    '../orders',
    '?page=2',
    '#top',
    '@evil.example',
    'evil.example',
    ':80',
  ])('%j', (target) => {
    expect(localPath(target)).toBe('/');
    expect(localPath(target, '/home')).toBe('/home');
  });

  it('what is too long for a header', () => {
    expect(localPath(`/${'a'.repeat(2048)}`)).toBe('/');
    // Three bytes become nine characters.
    expect(localPath(`/${'€'.repeat(1000)}`)).toBe('/');
    const longest = `/${'a'.repeat(2047)}`;
    expect(localPath(longest)).toBe(longest);
  });

  it.each([
    [undefined],
    [null],
    [7],
    [true],
    [{}],
    [['/orders']],
    [{ toString: () => '/orders' }],
    [new URL('https://evil.example')],
    [Object('/orders')],
  ])('what is no text: %p', (target) => {
    expect(localPath(target)).toBe('/');
  });
});

describe('X-07: localPath lets pass', () => {
  it.each([
    ['/', '/'],
    ['/orders', '/orders'],
    ['/orders/', '/orders/'],
    ['/orders?page=2&sort=a#last', '/orders?page=2&sort=a#last'],
    ['/search?q=a%20b%2Fc', '/search?q=a%20b%2Fc'],
    ['/files/a%2Fb', '/files/a%2Fb'],
    ['/files/a%20b', '/files/a%20b'],
    ['/files/100%', '/files/100%'],
    ['/a//b', '/a//b'],
    ['/a/../b', '/b'],
    ['/../../b', '/b'],
    ['/login?next=https://evil.example', '/login?next=https://evil.example'],
    ['/?//evil.example', '/?//evil.example'],
    ['/#//evil.example', '/#//evil.example'],
    ['/javascript:alert(1)', '/javascript:alert(1)'],
    ['/@evil.example', '/@evil.example'],
    ['/:80', '/:80'],
    ['/.evil.example', '/.evil.example'],
    ['/https://evil.example', '/https://evil.example'],
    ['/größe', '/gr%C3%B6%C3%9Fe'],
    ['/<b>"', '/%3Cb%3E%22'],
  ])('%j', (target, path) => {
    expect(localPath(target)).toBe(path);
    // What came out may come in again.
    expect(localPath(path)).toBe(path);
  });
});

describe('X-07: whatever comes in', () => {
  const pieces = [
    '/',
    '//',
    '\\',
    '.',
    '..',
    '%2f',
    '%5c',
    '%2e',
    '%252f',
    '%09',
    '\t',
    '\n',
    '@',
    ':',
    '?',
    '#',
    'evil.example',
    'https:',
    'javascript:',
    '[::1]',
    'a',
    '\u00a0',
    '\ud800',
  ];
  const hostile = fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 3 })), {
      maxLength: 12,
    })
    .map((parts) => parts.join(''));
  const target = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl(),
    hostile,
    hostile.map((text) => `/${text}`),
  );

  // `expect` for each of them would take longer than all the rest.
  const isEverywhereLocal = (path: string): boolean =>
    BASES.every((base) => {
      const { origin } = new URL(base);
      const leadsTo = (address: string): string => new URL(address, base).origin;
      return (
        leadsTo(path) === origin &&
        // Applications also put the two together by hand.
        leadsTo(origin + path) === origin &&
        // Whoever normalises a path before it becomes an address again.
        leadsTo(new URL(path, base).pathname) === origin
      );
    });

  it('the result is printable ASCII and stays on the origin of any page that goes there', () => {
    fc.assert(
      fc.property(target, (text) => {
        const path = localPath(text);
        return /^\/(?!\/)[!-~]*$/.test(path) && isEverywhereLocal(path);
      }),
      { seed, numRuns: 10_000 },
    );
  });

  it('the result stays there also if somebody decodes its path first', () => {
    fc.assert(
      fc.property(target, (text) => {
        let path = new URL(localPath(text), 'https://app.example.com').pathname;
        return [1, 2, 3].every(() => {
          path = path.replace(/%([0-7][\da-f])/gi, (_, code: string) =>
            String.fromCharCode(Number.parseInt(code, 16)),
          );
          return isEverywhereLocal(path);
        });
      }),
      { seed, numRuns: 10_000 },
    );
  });
});
