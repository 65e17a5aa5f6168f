import { describe, expect, it } from '@jest/globals';
import { checkCookieOptions, MAX_COOKIE_AGE } from '../../../src/core/cookie-rules.js';
import type { ResolvedCookie } from '../../../src/core/cookie-rules.js';

const hostCookie: ResolvedCookie = {
  name: '__Host-sid',
  path: '/',
  secure: true,
  httpOnly: true,
  sameSite: 'lax',
  partitioned: false,
};
const plainCookie: ResolvedCookie = { ...hostCookie, name: 'sid' };

describe('cookie options that work', () => {
  it.each<[string, ResolvedCookie]>([
    ['the default', hostCookie],
    ['__Host-Http-', { ...hostCookie, name: '__Host-Http-sid' }],
    ['__Http- with a path', { ...hostCookie, name: '__Http-sid', path: '/app' }],
    ['__Secure- with a domain', { ...hostCookie, name: '__Secure-sid', domain: 'example.com' }],
    ['a domain with a leading dot', { ...plainCookie, domain: '.example.com' }],
    ['an IP address as domain', { ...plainCookie, domain: '127.0.0.1' }],
    ['development over plain HTTP', { ...plainCookie, secure: false }],
    ['embedded', { ...hostCookie, sameSite: 'none', partitioned: true }],
    ['third-party without partition', { ...hostCookie, sameSite: 'none' }],
    ['every character a name may hold', { ...plainCookie, name: "aZ09!#$%&'*+-.^_`|~" }],
    ['a percent-encoded path', { ...plainCookie, path: '/caf%C3%A9/x y' }],
    ['the longest life', { ...hostCookie, maxAge: MAX_COOKIE_AGE }],
    ['the longest name', { ...plainCookie, name: 'n'.repeat(3996), valueLength: 100 }],
    ['the longest path', { ...plainCookie, path: `/${'p'.repeat(1023)}` }],
  ])('C-04: accepts %s', (_title, options) => {
    expect(checkCookieOptions(options)).toEqual([]);
  });
});

describe('cookie options that browsers would drop', () => {
  it.each<[string, ResolvedCookie, RegExp]>([
    ['__Host- with a domain', { ...hostCookie, domain: 'a.test' }, /^the prefix __Host- .*domain/],
    ['__Host- with a path', { ...hostCookie, path: '/x' }, /^the prefix __Host- .*path .*got \/x/],
    ['__Host- without Secure', { ...hostCookie, secure: false }, /__Host- .*insecureDevCookies/],
    ['__host- in lower case', { ...hostCookie, name: '__host-sid', path: '/x' }, /__Host- .*path/],
    [
      '__Secure- without Secure',
      { ...hostCookie, name: '__SECURE-sid', secure: false },
      /__Secure- .*needs Secure/,
    ],
    [
      '__Http- without HttpOnly',
      { ...hostCookie, name: '__Http-sid', httpOnly: false },
      /__Http- .*needs HttpOnly/,
    ],
    [
      '__Http- without Secure',
      { ...hostCookie, name: '__Http-sid', secure: false },
      /__Http- .*needs Secure/,
    ],
    [
      '__Host-Http- without HttpOnly',
      { ...hostCookie, name: '__Host-Http-sid', httpOnly: false },
      /__Host-Http- .*needs HttpOnly/,
    ],
    [
      '__Host-Http- with a path',
      { ...hostCookie, name: '__Host-Http-sid', path: '/x' },
      /__Host-Http- .*cookie\.path/,
    ],
    [
      'SameSite=None without Secure',
      { ...plainCookie, sameSite: 'none', secure: false },
      /sameSite none needs Secure/,
    ],
    [
      'an unknown SameSite',
      { ...plainCookie, sameSite: 'Lax' as 'lax' },
      /sameSite must be lax, strict or none \(got Lax\)/,
    ],
    [
      'Partitioned with SameSite=Lax',
      { ...hostCookie, partitioned: true },
      /partitioned needs cookie\.sameSite none/,
    ],
    ['an empty name', { ...plainCookie, name: '' }, /cookie\.name must not be empty/],
    ...['a;b', 'a=b', 'a b', 'a\tb', 'a,b', 'a"b', 'a/b', 'a(b', 'a@b', 'a[b', 'a{b', 'ä'].map(
      (name): [string, ResolvedCookie, RegExp] => [
        `the name ${JSON.stringify(name)}`,
        { ...plainCookie, name },
        /^cookie\.name may hold only/,
      ],
    ),
    [
      'a name of 4,000 characters',
      { ...plainCookie, name: 'n'.repeat(4000) },
      /cookie\.name .*4096 bytes/,
    ],
    ...['', 'x', '/;x', '/a;Domain=evil.test', '/\r\nx', '/\u007f', '/é'].map(
      (path): [string, ResolvedCookie, RegExp] => [
        `the path ${JSON.stringify(path)}`,
        { ...plainCookie, path },
        /^cookie\.path must begin with \//,
      ],
    ),
    [
      'a path of 1,025 bytes',
      { ...plainCookie, path: `/${'p'.repeat(1024)}` },
      /cookie\.path must not exceed 1024/,
    ],
    ...[
      '',
      'a;b',
      'a b',
      'a\r\nb',
      'https://a.test',
      'a.test:80',
      'a.test.',
      '..a',
      'a..b',
      '.',
    ].map((domain): [string, ResolvedCookie, RegExp] => [
      `the domain ${JSON.stringify(domain)}`,
      { ...plainCookie, domain },
      /^cookie\.domain must be a host name/,
    ]),
    [
      'a domain of 1,025 bytes',
      { ...plainCookie, domain: 'd'.repeat(1025) },
      /cookie\.domain must not exceed 1024/,
    ],
  ])('C-04: names %s and the remedy', (_title, options, expected) => {
    const problems = checkCookieOptions(options);
    expect(problems).toEqual([expect.stringMatching(expected)]);
    expect(problems[0]).toMatch(/: (use|remove|set|leave|shorten) /);
  });

  it('C-04: refuses Partitioned without Secure, and with it SameSite=None', () => {
    expect(
      checkCookieOptions({ ...plainCookie, sameSite: 'none', partitioned: true, secure: false }),
    ).toEqual([
      expect.stringContaining('sameSite none needs Secure'),
      expect.stringContaining('partitioned needs Secure'),
    ]);
  });

  it.each([MAX_COOKIE_AGE + 1, 800 * 86_400_000, 0, -1, Number.NaN, Infinity])(
    'C-06: refuses a life of %d ms',
    (maxAge) => {
      expect(checkCookieOptions({ ...hostCookie, maxAge })).toEqual([
        expect.stringMatching(/^timeouts\.remembered\.absolute .*400 days/),
      ]);
    },
  );

  it('lists all problems at once', () => {
    const options = { ...hostCookie, name: '__Host-a b', path: 'x', domain: '', secure: false };
    expect(checkCookieOptions(options)).toHaveLength(6);
  });

  it('never repeats control characters or endless values, which would forge log lines', () => {
    const problems = [
      ...checkCookieOptions({ ...plainCookie, name: 'a\r\nWARN forged' }),
      ...checkCookieOptions({ ...plainCookie, path: `x${'p'.repeat(5000)}` }),
    ].join('');
    expect(problems).not.toMatch(/forged|ppppp|[\r\n]/);
  });
});
