/**
 * Reads and writes the session cookie. Own code on purpose: general parsers percent-decode, trim
 * characters that browsers do not trim, or build a map of all cookies (C-10, Q-04, G-03).
 */
import { checkCookieOptions, MAX_COOKIE_AGE, MAX_COOKIE_BYTES } from '../core/cookie-rules.js';
import type { CookieAttributes } from '../core/cookie-rules.js';
import { SessionConfigError, SessionError } from '../core/errors.js';

/** Longest Cookie header in characters that is looked at; Node's own default is the same. */
const MAX_HEADER = 16 * 1024;

/** Most values of one name that are handed out: each costs the caller a MAC check (C-09). */
const MAX_CANDIDATES = 8;

const SPACE = 0x20;
const TAB = 0x09;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

const NONE: readonly string[] = Object.freeze([]);

/** Cookie-octets of RFC 6265 section 4.1.1, without the quotes that it allows around them. */
const COOKIE_OCTETS = /^[!#-+\--:<-[\]-~]*$/;

const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' } as const;

/**
 * The raw values of all cookies with this name, in the order of the header.
 *
 * Names match byte for byte (C-10): nothing is decoded, unquoted or folded, only SP and HTAB are
 * trimmed around name and value, `$Version` is a name like any other, and a pair without `=` or
 * with nothing before it has no name. Several headers count as one, joined with `; ` (C-11).
 * At most 8 values are returned (C-09); a header above 16,384 characters counts as none.
 *
 * @param header - the Cookie header as Node delivers it: a latin1 string, one character a byte
 * @returns an empty list when there is none; never throws
 * @internal
 */
export function scanCookies(
  header: string | readonly string[] | undefined,
  name: string,
): readonly string[] {
  if (header === undefined || name === '') return NONE;
  if (typeof header === 'string') return header.length > MAX_HEADER ? NONE : scan(header, name);
  let length = 0;
  for (const part of header) length += part.length + 2;
  // The last part has no separator behind it.
  return length - 2 > MAX_HEADER ? NONE : scan(header.join('; '), name);
}

/** Room for the longest header as UTF-8. Only used within one call of `scan`. */
const bytes = Buffer.alloc(MAX_HEADER * 3);

/**
 * One pass, linear whatever the header holds. Over bytes, because a byte array is read three
 * times as fast as a string; as UTF-8, because no other character can look like a separator there.
 */
function scan(header: string, name: string): readonly string[] {
  // The engine's own search settles the common case, a client without a session.
  if (!header.includes(name)) return NONE;
  const length = bytes.write(header);
  const isAscii = length === header.length;
  const first = name.charCodeAt(0);
  const found: string[] = [];
  let at = 0;
  while (at < length) {
    const byte = bytes[at];
    if (byte === SEMICOLON || isBlank(byte)) {
      at += 1;
      continue;
    }
    if (byte === first && isName(name, at)) {
      const equals = skipBlanks(at + name.length, length);
      if (equals < length && bytes[equals] === EQUALS) {
        const start = skipBlanks(equals + 1, length);
        at = findSemicolon(start, length);
        let end = at;
        while (end > start && isBlank(bytes[end - 1])) end -= 1;
        found.push(isAscii ? header.slice(start, end) : bytes.toString('utf8', start, end));
        if (found.length === MAX_CANDIDATES) return found;
      }
    }
    at = findSemicolon(at, length);
  }
  return found;
}

/** Also true for bytes behind the end of the header, which no `=` in the header can follow. */
function isName(name: string, at: number): boolean {
  for (let i = 1; i < name.length; i += 1) {
    if (bytes[at + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}

function skipBlanks(from: number, length: number): number {
  let at = from;
  while (at < length && isBlank(bytes[at])) at += 1;
  return at;
}

function findSemicolon(from: number, length: number): number {
  let at = from;
  while (at < length && bytes[at] !== SEMICOLON) at += 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

/**
 * The Set-Cookie value that gives the client this cookie.
 *
 * Without `maxAgeSeconds` the cookie ends with the browser session. With it, fractions are cut off
 * and more than 400 days become 400 days (C-06): the cookie never outlives its session.
 *
 * @param maxAgeSeconds - remaining life in seconds, 0 or more
 * @throws SessionError `ERR_SESSION_VALUE` if the value holds anything but cookie-octets, is too
 *   long, or the age is no number; the message never shows the value (C-07)
 * @throws SessionConfigError if the attributes contradict each other (C-04)
 * @internal
 */
export function serializeCookie(
  attributes: CookieAttributes,
  value: string,
  maxAgeSeconds?: number,
): string {
  if (!COOKIE_OCTETS.test(value)) {
    throw valueError('may hold only cookie-octets (RFC 6265 section 4.1.1)');
  }
  if (attributes.name.length + value.length > MAX_COOKIE_BYTES) {
    throw valueError(`must not exceed ${MAX_COOKIE_BYTES} bytes together with its name`);
  }
  const { head, tail } = partsOf(attributes);
  if (maxAgeSeconds === undefined) return `${head}${value}${tail}`;
  if (Number.isNaN(maxAgeSeconds)) throw valueError('needs a number of seconds as its age');
  const age = Math.floor(Math.min(Math.max(maxAgeSeconds, 0), MAX_COOKIE_AGE / 1000));
  return `${head}${value}; Max-Age=${age}${tail}`;
}

/**
 * The Set-Cookie value that removes this cookie: same name, Path, Domain, Secure, SameSite and
 * Partitioned, because a browser would keep a cookie that differs in one of them (C-13).
 *
 * @throws SessionConfigError if the attributes contradict each other (C-04)
 * @internal
 */
export function serializeDeletion(attributes: CookieAttributes): string {
  const { head, tail } = partsOf(attributes);
  // Expires repeats Max-Age for clients that know only the older attribute.
  return `${head}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${tail}`;
}

/** What is the same in every Set-Cookie of these attributes, before and after the value. */
interface CookieParts {
  readonly head: string;
  readonly tail: string;
}

const knownParts = new WeakMap<CookieAttributes, CookieParts>();

/** Checked when first seen, and never read again: nothing can be injected (CVE-2024-47764). */
function partsOf(attributes: CookieAttributes): CookieParts {
  const known = knownParts.get(attributes);
  if (known !== undefined) return known;
  const problems = checkCookieOptions(attributes);
  if (problems.length > 0) throw new SessionConfigError(problems);
  const { name, path, domain, secure, httpOnly, sameSite, partitioned } = attributes;
  const tail = [
    '',
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    ...(secure ? ['Secure'] : []),
    ...(httpOnly ? ['HttpOnly'] : []),
    // Always explicit: without it Chromium allows cross-site POSTs for two minutes (C-05).
    `SameSite=${SAME_SITE[sameSite]}`,
    ...(partitioned ? ['Partitioned'] : []),
  ].join('; ');
  const parts = { head: `${name}=`, tail };
  knownParts.set(attributes, parts);
  return parts;
}

function valueError(why: string): SessionError {
  return new SessionError('ERR_SESSION_VALUE', `the value of the session cookie ${why}`);
}
