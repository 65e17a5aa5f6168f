/**
 * `crossSite`: which pages may act in a user's name.
 */
import type { OPTION_KEYS } from './config-keys.js';
import { type OptionGroup, listOf } from './config-reader.js';
import { kindOf } from './config-text.js';
import { frozenSet } from './frozen-set.js';
import { isLoopbackHost } from './loopback.js';

const MAX_ORIGINS = 100;
/** A host name has at most 253 characters (RFC 1035 section 2.3.4). */
const MAX_ORIGIN_LENGTH = 8 + 253 + 6;

/** The rules of the cross-site guard. */
export interface ResolvedCrossSite {
  /** `false`: nothing is checked, since `crossSite.insecureAllow` says so. */
  readonly isChecked: boolean;
  /** Serialised origins: compared as a whole, never by parts. */
  readonly trustedOrigins: ReadonlySet<string>;
  /** Pages on other ports of this machine are trusted: for development. */
  readonly trustsLoopback: boolean;
  /** Unsafe requests need the session's own token in a header, too. */
  readonly token: boolean;
}

/** Reads the group `crossSite`; `sameSite` is the cookie's. */
export function readCrossSite(
  group: OptionGroup<(typeof OPTION_KEYS.crossSite)[number]>,
  production: boolean,
  sameSite: 'lax' | 'strict' | 'none',
): ResolvedCrossSite {
  const insecureAllow = group.boolean('insecureAllow') ?? false;
  const token = group.boolean('token') ?? false;
  if (insecureAllow && group.has('trustedOrigins')) {
    group.problem(
      'insecureAllow',
      'must not be combined with crossSite.trustedOrigins, which it makes meaningless: remove one of them',
    );
  }
  if (insecureAllow && sameSite === 'none' && !token) {
    group.problem(
      'insecureAllow',
      "must not be combined with cookie.sameSite 'none' (any page could act in the name of your " +
        'users): list the pages in crossSite.trustedOrigins instead, or set crossSite.token too',
    );
  }
  return Object.freeze({
    isChecked: !insecureAllow,
    trustedOrigins: frozenSet(readOrigins(group, production)),
    trustsLoopback: !production,
    token,
  });
}

function readOrigins(group: OptionGroup<'trustedOrigins'>, production: boolean): readonly string[] {
  const raw = group.get('trustedOrigins');
  if (raw === undefined) return [];
  const list = listOf(raw, MAX_ORIGINS);
  if (list === undefined || typeof list === 'string') {
    const got = list === undefined ? kindOf(raw) : `${list} of them`;
    const expected = `a list of at most ${MAX_ORIGINS} origins such as 'https://app.example.com'`;
    group.problem('trustedOrigins', `must be ${expected} (got ${got})`);
    return [];
  }
  return list.filter((origin, index): origin is string => {
    const problem =
      typeof origin === 'string'
        ? originProblem(origin, production)
        : `must be a text such as 'https://app.example.com' (got ${kindOf(origin)})`;
    if (problem === undefined) return true;
    group.report.problem(`${group.path('trustedOrigins')}[${index}] ${problem}`);
    return false;
  });
}

/**
 * What is wrong with an origin, as the rest of a sentence. What was given is repeated only as the
 * origin in it, since a whole address may hold a password.
 */
function originProblem(text: string, production: boolean): string | undefined {
  if (text.length > MAX_ORIGIN_LENGTH) {
    return `must be an origin, which has at most ${MAX_ORIGIN_LENGTH} characters (got ${text.length})`;
  }
  if (text === 'null') return 'must not be null, which is what any page can send: name the origin';
  if (text.includes('*')) {
    return 'must not be a pattern: list each origin, since any host that matches could act in the name of your users';
  }
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    return "must be an origin with its scheme, such as 'https://app.example.com'";
  }
  const url = new URL(text);
  if (text.includes('@')) return `must not hold a user name or password: write '${url.origin}'`;
  if (/^https?:\/\/[^/?#\\]*[/?#\\]/i.test(text)) {
    return `must not hold a path, not even a slash at the end: write '${url.origin}'`;
  }
  if (url.hostname.endsWith('.'))
    return 'must not end in a dot: browsers hold that for another origin';
  if (url.origin !== text) {
    return `must be written as browsers send it, in lower case, without a default port, and in punycode: '${url.origin}'`;
  }
  if (production && url.protocol === 'http:' && !isLoopbackHost(url.host)) {
    return `must begin with https:// in production, since anybody on the network can answer for http://: write 'https://${url.host}'`;
  }
  return undefined;
}
