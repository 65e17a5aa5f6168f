import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from '@jest/globals';

import { isLoopbackHost } from '../../../src/core/loopback.js';
import { isCrossSite, isUnsafe, sourceOf } from '../../../src/http/cross-site.js';
import { METHODS, ORIGINS, OWN_HOST, SITES, TRUSTED, mustPass } from '../../support/origins.js';

const SETTINGS = { trustedOrigins: new Set([TRUSTED]), trustsLoopback: false };

interface Facts {
  readonly method?: string | undefined;
  readonly host?: string | undefined;
  readonly isSecure?: boolean;
}

/** Node gives headers that come twice as one text, but the type of a request may not know it. */
type Headers = Omit<IncomingHttpHeaders, 'sec-fetch-site'> & {
  readonly 'sec-fetch-site'?: string | string[];
};

function refused(given: Headers, facts: Facts = {}, settings = SETTINGS): boolean {
  const { method = 'POST', isSecure = false } = facts;
  const host = 'host' in facts ? facts.host : OWN_HOST;
  const headers = given as IncomingHttpHeaders;
  return isCrossSite({ method, headers, host, isSecure }, settings);
}

const LOOPBACK = [
  'http://localhost',
  'http://localhost:5173',
  'https://localhost:3000',
  'http://app.localhost:3000',
  'http://127.0.0.1',
  'http://127.8.9.1:8080',
  'http://[::1]:3000',
];
const NOT_LOOPBACK = [
  'http://localhost.evil.example',
  'http://evil-localhost',
  'http://localhost.',
  'http://LOCALHOST',
  'http://user@localhost',
  'http://localhost@evil.example',
  'http://127.0.0.1.evil.example',
  'http://1270.0.0.1',
  'http://128.0.0.1',
  'http://[::2]',
  'http://[::ffff:7f00:1]',
  'ftp://localhost',
  'null',
  '',
];

describe('X-01, X-02: isCrossSite', () => {
  it.each(METHODS)('$method: every Sec-Fetch-Site with every Origin', ({ method, isSafe }) => {
    const wrong = SITES.flatMap((site) =>
      ORIGINS.flatMap((origin) => {
        const headers = {
          ...(site.value !== undefined && { 'sec-fetch-site': site.value }),
          ...(origin.value !== undefined && { origin: origin.value }),
        };
        const passes = !refused(headers, { method });
        const expected = mustPass(isSafe, site.kind, origin.kind);
        return passes === expected ? [] : [`${site.name} / ${origin.name}: passes ${passes}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('takes a method that is missing or written in small letters for an unsafe one', () => {
    expect(isUnsafe(undefined)).toBe(true);
    expect(isUnsafe('get')).toBe(true);
    expect(isUnsafe('TRACE')).toBe(true);
  });

  it('refuses empty headers', () => {
    expect(refused({ 'sec-fetch-site': '' })).toBe(true);
    expect(refused({ origin: '' })).toBe(true);
    expect(refused({ 'sec-fetch-site': ['same-origin', 'none'] })).toBe(true);
  });

  it.each([
    ['app.example.com', 'https://app.example.com'],
    ['app.example.com:443', 'https://app.example.com'],
    ['app.example.com:80', 'http://app.example.com'],
    ['APP.Example.com', 'https://app.example.com'],
    ['app.example.com:8443', 'https://app.example.com:8443'],
    ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['[2001:db8::1]:3000', 'http://[2001:db8::1]:3000'],
    ['[2001:db8::1]', 'https://[2001:db8::1]'],
    ['my_app', 'http://my_app'],
  ])('host %s: %s is its own', (host, origin) => {
    expect(refused({ origin }, { host })).toBe(false);
  });

  it.each([
    ['app.example.com:80', 'https://app.example.com'],
    ['app.example.com:443', 'http://app.example.com'],
    ['app.example.com:8443', 'https://app.example.com'],
    ['app.example.com', 'https://app.example.com:8443'],
    ['app.example.com, evil.example', 'https://evil.example'],
    ['[2001:db8::443]', 'https://[2001:db8:]'],
    ['null', 'null'],
    ['', 'https://'],
    [undefined, 'https://undefined'],
  ])('host %s: %s is not', (host, origin) => {
    expect(refused({ origin }, { host })).toBe(true);
  });

  it('knows that a page of http:// is not of an application behind TLS', () => {
    const isSecure = true;
    expect(refused({ origin: `https://${OWN_HOST}` }, { isSecure })).toBe(false);
    expect(refused({ origin: `http://${OWN_HOST}` }, { isSecure })).toBe(true);
    expect(refused({ origin: `http://${OWN_HOST}:443` }, { isSecure })).toBe(true);
  });

  it.each(LOOPBACK)('trusts %s in development alone', (origin) => {
    for (const site of [undefined, 'same-site', 'cross-site']) {
      const headers = { origin, ...(site && { 'sec-fetch-site': site }) };
      expect(refused(headers, {}, { ...SETTINGS, trustsLoopback: true })).toBe(false);
      expect(refused(headers)).toBe(true);
    }
  });

  it.each(NOT_LOOPBACK)('never takes %j for this machine', (origin) => {
    const development = { ...SETTINGS, trustsLoopback: true };
    expect(refused({ origin, 'sec-fetch-site': 'cross-site' }, {}, development)).toBe(true);
    expect(refused({ origin }, {}, development)).toBe(true);
  });

  it('knows the hosts of this machine', () => {
    expect(isLoopbackHost(undefined)).toBe(false);
    expect(isLoopbackHost('LOCALHOST:80')).toBe(true);
    expect(isLoopbackHost('localhost:80:80')).toBe(false);
  });
});

describe('sourceOf', () => {
  const source = (headers: IncomingHttpHeaders, host: string | undefined = OWN_HOST) =>
    sourceOf({ method: 'POST', headers, host, isSecure: false });
  const remedy = `is neither this application's (${OWN_HOST}) nor listed in crossSite.trustedOrigins`;

  it('names the origin, the host and the option', () => {
    const origin = 'https://other.example:8443';
    expect(source({ origin, 'sec-fetch-site': 'same-site' })).toEqual({
      origin,
      why: `the origin ${origin} (Sec-Fetch-Site: same-site) ${remedy}`,
    });
    expect(source({ origin: 'null' })).toEqual({
      origin: 'null',
      why: `the origin null ${remedy}`,
    });
  });

  it('says what it can without an origin', () => {
    expect(source({ 'sec-fetch-site': 'cross-site' })).toEqual({
      origin: undefined,
      why: `the page that sent it (Sec-Fetch-Site: cross-site) ${remedy}`,
    });
  });

  it.each([
    'https://other.example/path?token=hunter2',
    'https://user:hunter2@other.example',
    '\u001b[31mhunter2',
    `https://${'hunter2'.repeat(50)}.example`,
    '',
  ])('L-03: repeats nothing of %j', (origin) => {
    expect(source({ origin, 'sec-fetch-site': 'hunter2' })).toEqual({
      origin: undefined,
      why: `its Origin header ${remedy}`,
    });
  });

  it.each(['evil\u001b[31m', 'a b', undefined, ''])('L-03: leaves out the host %j', (host) => {
    const facts = { method: 'POST', headers: { origin: 'null' }, host, isSecure: false };
    expect(sourceOf(facts).why).toBe(
      "the origin null is neither this application's nor listed in crossSite.trustedOrigins",
    );
  });
});
