/**
 * `cookie`: the attributes of the session cookie.
 */
import type { OPTION_KEYS } from './config-keys.js';
import type { OptionGroup } from './config-reader.js';
import { show } from './config-text.js';
import { type CookieAttributes, checkCookieOptions } from './cookie-rules.js';

/** Name of the cookie; the prefix makes browsers insist on Secure, Path=/ and no Domain. */
const COOKIE_NAME = '__Host-sid';
const INSECURE_COOKIE_NAME = 'sid';

const SAME_SITE = ['lax', 'strict', 'none'] as const;

/** What the options say about the cookie. */
export interface ResolvedCookieOptions {
  readonly cookie: CookieAttributes;
  readonly insecureDevCookies: boolean;
}

/** Reads the group `cookie`; `maxAge` is the longest life of a persistent one in milliseconds. */
export function readCookie(
  group: OptionGroup<(typeof OPTION_KEYS.cookie)[number]>,
  production: boolean,
  maxAge: number,
): ResolvedCookieOptions {
  const insecureDevCookies = group.boolean('insecureDevCookies') ?? false;
  if (insecureDevCookies && production) {
    group.problem(
      'insecureDevCookies',
      'must not be used in production: remove it and serve the application over HTTPS',
    );
  } else if (insecureDevCookies) {
    group.report.warn(
      'insecure-dev-cookies',
      'cookie.insecureDevCookies sends the session cookie over plain HTTP: for development only',
    );
  }
  const domain = readText(group, 'domain');
  const cookie: CookieAttributes = Object.freeze({
    name: readText(group, 'name') ?? (insecureDevCookies ? INSECURE_COOKIE_NAME : COOKIE_NAME),
    path: readText(group, 'path') ?? '/',
    ...(domain !== undefined && { domain }),
    secure: !insecureDevCookies,
    httpOnly: true,
    sameSite: group.choice('sameSite', SAME_SITE) ?? 'lax',
    partitioned: group.boolean('partitioned') ?? false,
  });
  for (const problem of checkCookieOptions({ ...cookie, maxAge })) {
    const texts = [cookie.name, cookie.path, cookie.domain ?? ''];
    group.report.problem(texts.reduce(abridged, problem));
  }
  return { cookie, insecureDevCookies };
}

/** What is too long to be a slip may be a secret in the wrong place: it is not repeated. */
function abridged(problem: string, text: string): string {
  return text === '' ? problem : problem.replace(` (got ${text})`, () => ` (got ${show(text)})`);
}

function readText<Key extends string>(group: OptionGroup<Key>, key: Key): string | undefined {
  const value = group.get(key);
  if (value === undefined || typeof value === 'string') return value;
  group.problem(key, `must be a text (got ${show(value)})`);
  return undefined;
}
