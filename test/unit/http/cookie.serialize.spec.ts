import { describe, expect, it } from '@jest/globals';
import { CookieJar } from 'tough-cookie';
import { checkCookieOptions } from '../../../src/core/cookie-rules.js';
import type { CookieAttributes } from '../../../src/core/cookie-rules.js';
import { SessionConfigError } from '../../../src/core/errors.js';
import { serializeCookie, serializeDeletion } from '../../../src/http/cookie.js';

const hostCookie: CookieAttributes = {
  name: '__Host-sid',
  path: '/',
  secure: true,
  httpOnly: true,
  sameSite: 'lax',
  partitioned: false,
};
const embedded: CookieAttributes = {
  ...hostCookie,
  name: 'sid',
  path: '/app',
  domain: 'example.com',
  sameSite: 'none',
  partitioned: true,
};

describe('writing the cookie', () => {
  it('C-01, C-02, C-03, C-05: has exactly the attributes of the default cookie', () => {
    expect(serializeCookie(hostCookie, 'abc')).toBe(
      '__Host-sid=abc; Path=/; Secure; HttpOnly; SameSite=Lax',
    );
  });

  it('writes all other attributes', () => {
    expect(serializeCookie(embedded, 'abc', 60)).toBe(
      'sid=abc; Max-Age=60; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned',
    );
    const insecure = { ...hostCookie, name: 'sid', secure: false, sameSite: 'strict' } as const;
    expect(serializeCookie(insecure, 'abc')).toBe('sid=abc; Path=/; HttpOnly; SameSite=Strict');
  });

  it.each([
    [0, 0],
    [0.9, 0],
    [59.999, 59],
    [-5, 0],
    [30 * 86_400, 2_592_000],
    [800 * 86_400, 34_560_000],
    [Infinity, 34_560_000],
  ])(
    'C-06: an age of %d s becomes Max-Age=%d, never beyond the session or 400 days',
    (age, max) => {
      expect(serializeCookie(hostCookie, 'abc', age)).toContain(`; Max-Age=${max};`);
    },
  );

  it('C-06: has neither Max-Age nor Expires unless asked for', () => {
    expect(serializeCookie(hostCookie, 'abc')).not.toMatch(/Max-Age|Expires/);
  });

  it.each([
    'a b',
    'a;b',
    'a,b',
    'a"b',
    'a\\b',
    'a\r\nSet-Cookie: x=y',
    'a\u0000',
    'a\u007f',
    'ä',
    '€',
  ])('C-07: refuses the value %j and does not show it', (value) => {
    const write = (): string => serializeCookie(hostCookie, `secret${value}`);
    expect(write).toThrow(expect.objectContaining({ code: 'ERR_SESSION_VALUE' }));
    expect(write).not.toThrow(/secret/);
  });

  it('C-07: every cookie-octet passes', () => {
    const octets = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
      (octet) => !'",;\\'.includes(octet),
    );
    expect(octets).toHaveLength(90);
    expect(serializeCookie(hostCookie, octets.join(''))).toContain(`=${octets.join('')};`);
  });

  it('C-07: name and value have 4,096 bytes at most', () => {
    const room = 4096 - hostCookie.name.length;
    expect(serializeCookie(hostCookie, 'v'.repeat(room))).toContain('v; Path');
    expect(() => serializeCookie(hostCookie, 'v'.repeat(room + 1))).toThrow('4096 bytes');
  });

  it('refuses an age that is no number', () => {
    expect(() => serializeCookie(hostCookie, 'abc', Number.NaN)).toThrow('number of seconds');
  });

  it.each<CookieAttributes>([
    { ...hostCookie, name: 'a; Domain=evil.test' },
    { ...hostCookie, name: 'sid', path: '/; Domain=evil.test' },
    { ...hostCookie, name: 'sid', domain: 'a\r\nX: y' },
    { ...hostCookie, path: '/x' },
  ])('C-04: writes nothing with impossible attributes (%j)', (attributes) => {
    expect(() => serializeCookie(attributes, 'abc')).toThrow(SessionConfigError);
    expect(() => serializeDeletion(attributes)).toThrow(SessionConfigError);
  });

  it('C-04: attributes that change after the check inject nothing', () => {
    const attributes = { ...hostCookie };
    const before = serializeCookie(attributes, 'abc');
    Object.assign(attributes, { name: 'x\r\ny', path: '/;' });
    expect(serializeCookie(attributes, 'abc')).toBe(before);
  });
});

describe('removing the cookie', () => {
  it('C-05, C-13: repeats all attributes, with an age of 0 and a date in the past', () => {
    expect(serializeDeletion(embedded)).toBe(
      'sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned',
    );
  });
});

describe('in a conformant cookie jar', () => {
  const url = 'https://app.example.com/app/page';
  const newJar = (): CookieJar => new CookieJar(undefined, { prefixSecurity: 'strict' });

  it('C-03: the default cookie is accepted and sent to its own host only', async () => {
    const jar = newJar();
    await jar.setCookie(serializeCookie(hostCookie, 'abc'), url);
    expect(await jar.getCookieString(url)).toBe('__Host-sid=abc');
    expect(await jar.getCookieString('http://app.example.com/app')).toBe('');
    expect(await jar.getCookieString('https://example.com/')).toBe('');
    expect(await jar.getCookieString('https://sub.app.example.com/')).toBe('');
  });

  it('C-03: a subdomain cannot overwrite it, nor can plain HTTP', async () => {
    const jar = newJar();
    await jar.setCookie(serializeCookie(hostCookie, 'abc'), url);
    const forged = [
      ['__Host-sid=evil; Path=/; Secure; Domain=app.example.com', 'https://x.app.example.com/'],
      ['__Host-sid=evil; Path=/; Secure; Domain=example.com', 'https://evil.example.com/'],
      ['__Host-sid=evil; Path=/app; Secure', url],
      ['__Host-sid=evil; Path=/', 'http://app.example.com/'],
    ] as const;
    for (const [line, from] of forged) {
      await expect(jar.setCookie(line, from)).rejects.toThrow('__Host prefix');
    }
    expect(await jar.getCookieString(url)).toBe('__Host-sid=abc');
  });

  const combinations = everyCombination().filter((one) => checkCookieOptions(one).length === 0);

  it('C-04, C-13: the combinations that pass the rules are those that the jar keeps and forgets', async () => {
    expect(combinations.length).toBeGreaterThan(100);
    for (const attributes of combinations) {
      const jar = newJar();
      await jar.setCookie(serializeCookie(attributes, 'abc', 3600), url);
      expect(await cookiesIn(jar)).toEqual([`${attributes.name}=abc`]);
      await jar.setCookie(serializeDeletion(attributes), url);
      expect(await cookiesIn(jar)).toEqual([]);
    }
  });

  it('C-04: what the jar refuses because of its prefix, the rules refuse too', async () => {
    const refused = everyCombination().filter((one) => checkCookieOptions(one).length > 0);
    for (const { name, path, domain, secure } of refused) {
      const scope = domain === undefined ? '' : `; Domain=${domain}`;
      const line = `${name}=abc; Path=${path}${scope}${secure ? '; Secure' : ''}`;
      const accepted = await newJar()
        .setCookie(line, url)
        .then(
          () => true,
          () => false,
        );
      const passesRules =
        checkCookieOptions({ ...hostCookie, name, path, secure, ...(domain ? { domain } : {}) })
          .length === 0;
      // The jar does not know the __Http- prefixes yet, so it may be the milder one.
      expect(accepted || !passesRules).toBe(true);
    }
  });

  it('C-13: set and delete differ in value and age only, Partitioned included', () => {
    const rest = (line: string): string[] =>
      line.split('; ').filter((part, i) => i > 0 && !/^(Max-Age|Expires)=/.test(part));
    for (const attributes of combinations) {
      expect(rest(serializeDeletion(attributes))).toEqual(rest(serializeCookie(attributes, 'abc')));
      expect(serializeDeletion(attributes)).toMatch(new RegExp(`^${attributes.name}=;`));
    }
  });

  /** The page lies in the scope of every combination. */
  async function cookiesIn(jar: CookieJar): Promise<string[]> {
    return (await jar.getCookies(url)).map((cookie) => cookie.cookieString());
  }

  function everyCombination(): CookieAttributes[] {
    const flags = [true, false];
    const names = ['sid', '__Host-sid', '__Secure-sid', '__Http-sid', '__Host-Http-sid'];
    return names.flatMap((name) =>
      ['/', '/app'].flatMap((path) =>
        [undefined, 'example.com', 'app.example.com'].flatMap((domain) =>
          flags.flatMap((secure) =>
            flags.flatMap((httpOnly) =>
              (['lax', 'strict', 'none'] as const).flatMap((sameSite) =>
                flags.map((partitioned) => ({
                  name,
                  path,
                  secure,
                  httpOnly,
                  sameSite,
                  partitioned,
                  ...(domain === undefined ? {} : { domain }),
                })),
              ),
            ),
          ),
        ),
      ),
    );
  }
});
