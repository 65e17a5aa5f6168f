/**
 * What a request can say of where it came from, sorted by what that means. The rule is that of
 * security.md, X-01 and X-02, written down here once more and not taken from the code:
 *
 * - safe methods pass, and so does what the browser itself calls same-origin or typed by the user
 * - a trusted origin passes, character by character the same
 * - whatever else a browser says by Sec-Fetch-Site is refused
 * - without that header the origin must be ours, or there must be none
 */

/** The application, as the Host header names it. */
export const OWN_HOST = 'app.example.com';
export const TRUSTED = 'https://spa.example.net';

export type OriginKind = 'absent' | 'own' | 'trusted' | 'foreign';
export type SiteKind = 'absent' | 'passes' | 'refused';

export interface Row<Kind> {
  readonly name: string;
  /** Absent: the header is not sent. */
  readonly value?: string;
  readonly kind: Kind;
}

const foreign = (name: string, value: string): Row<OriginKind> => ({
  name,
  value,
  kind: 'foreign',
});

export const SITES: readonly Row<SiteKind>[] = [
  { name: 'absent', kind: 'absent' },
  { name: 'same-origin', value: 'same-origin', kind: 'passes' },
  { name: 'none', value: 'none', kind: 'passes' },
  { name: 'same-site', value: 'same-site', kind: 'refused' },
  { name: 'cross-site', value: 'cross-site', kind: 'refused' },
  { name: 'junk', value: 'sAme-orIgin; q=1', kind: 'refused' },
  { name: 'upper case', value: 'SAME-ORIGIN', kind: 'refused' },
  { name: 'quoted', value: '"same-origin"', kind: 'refused' },
  { name: 'several values', value: 'same-origin, same-origin', kind: 'refused' },
  { name: 'several that differ', value: 'cross-site, same-origin', kind: 'refused' },
];

export const ORIGINS: readonly Row<OriginKind>[] = [
  { name: 'absent', kind: 'absent' },
  { name: 'same', value: `https://${OWN_HOST}`, kind: 'own' },
  { name: 'same, default port written', value: `https://${OWN_HOST}:443`, kind: 'own' },
  // TLS may end at a proxy that the adapter does not know of, so the scheme says nothing.
  { name: 'same, over plain HTTP', value: `http://${OWN_HOST}`, kind: 'own' },
  { name: 'trusted', value: TRUSTED, kind: 'trusted' },
  foreign('other', 'https://other.example'),
  foreign('null', 'null'),
  foreign('junk', 'not an origin'),
  foreign('a file', 'file://'),
  foreign('an extension', 'chrome-extension://abcdefghijklmnop'),
  foreign('an address without a scheme', OWN_HOST),
  foreign('same, other port', `https://${OWN_HOST}:8443`),
  foreign('same, the other default port', `https://${OWN_HOST}:80`),
  foreign('same with suffix', `https://${OWN_HOST}.evil.example`),
  foreign('same with prefix', `https://evil${OWN_HOST}`),
  foreign('a sibling domain', 'https://blog.example.com'),
  foreign('the domain above', 'https://example.com'),
  foreign('same with userinfo', `https://user:pass@${OWN_HOST}`),
  foreign('same as userinfo', `https://${OWN_HOST}@evil.example`),
  foreign('same with a path', `https://${OWN_HOST}/`),
  foreign('same with a trailing dot', `https://${OWN_HOST}.`),
  foreign('same in upper case', `https://${OWN_HOST.toUpperCase()}`),
  foreign('same twice', `https://${OWN_HOST}, https://${OWN_HOST}`),
  foreign('a list that begins with same', `https://${OWN_HOST} https://evil.example`),
  foreign('trusted with suffix', `${TRUSTED}.evil.example`),
  foreign('trusted with prefix', 'https://evilspa.example.net'),
  foreign('trusted, other port', `${TRUSTED}:8443`),
  foreign('trusted, default port written', `${TRUSTED}:443`),
  foreign('trusted, other scheme', 'http://spa.example.net'),
  foreign('trusted with userinfo', 'https://user:pass@spa.example.net'),
  foreign('trusted as userinfo', 'https://spa.example.net@evil.example'),
  foreign('trusted with a trailing dot', `${TRUSTED}.`),
  foreign('trusted in upper case', 'https://SPA.example.net'),
  foreign('trusted with a path', `${TRUSTED}/`),
  foreign('trusted twice', `${TRUSTED}, ${TRUSTED}`),
  // Cyrillic р and а in spa, as a browser writes it.
  foreign('an IDN homograph of trusted', new URL('https://s\u0440\u0430.example.net').origin),
  // The same with the bytes of UTF-8, which no browser sends.
  foreign(
    'a homograph in raw bytes',
    Buffer.from('https://s\u0440\u0430.example.net').toString('latin1'),
  ),
];

export const METHODS: readonly { readonly method: string; readonly isSafe: boolean }[] = [
  { method: 'GET', isSafe: true },
  { method: 'HEAD', isSafe: true },
  { method: 'OPTIONS', isSafe: true },
  { method: 'POST', isSafe: false },
  { method: 'PUT', isSafe: false },
  { method: 'PATCH', isSafe: false },
  { method: 'DELETE', isSafe: false },
  // A method that is not known can do anything.
  { method: 'PURGE', isSafe: false },
];

/** The rule. */
export function mustPass(isSafe: boolean, site: SiteKind, origin: OriginKind): boolean {
  if (isSafe || site === 'passes' || origin === 'trusted') return true;
  if (site === 'refused') return false;
  return origin === 'absent' || origin === 'own';
}
