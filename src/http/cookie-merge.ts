/**
 * Pure rules for the three headers that a response with a session cookie must get right, whatever
 * the application put into them: Set-Cookie, Vary and Cache-Control.
 */

/** What Node keeps for one header name. @internal */
export type HeaderValue = number | string | readonly string[];

/**
 * All Set-Cookie values but those of the given names, then the new ones: RFC 6265 section 4.1.1
 * forbids two for one name (C-08).
 *
 * @internal
 */
export function mergeCookies(
  existing: HeaderValue | undefined,
  cookies: ReadonlyMap<string, string>,
): string[] {
  return [...withoutCookies(existing, cookies), ...cookies.values()];
}

/** All Set-Cookie values but those of the given names. @internal */
export function withoutCookies(
  existing: HeaderValue | undefined,
  cookies: ReadonlyMap<string, string>,
): string[] {
  return linesOf(existing).filter((line) => !cookies.has(cookieName(line)));
}

/**
 * Set-Cookie values from two places. A line that is in both was copied (as `@fastify/cookie` does)
 * and is kept once, where it came last.
 *
 * @internal
 */
export function addCookies(existing: HeaderValue | undefined, added: HeaderValue): string[] {
  const lines = linesOf(added);
  return [...linesOf(existing).filter((line) => !lines.includes(line)), ...lines];
}

/** The name a browser would store (6265bis section 5.6); that of a nameless cookie is no name. */
function cookieName(line: string): string {
  let end = Math.max(line.indexOf('='), 0);
  let start = 0;
  while (start < end && isBlank(line, start)) start += 1;
  while (end > start && isBlank(line, end - 1)) end -= 1;
  return line.slice(start, end);
}

function isBlank(line: string, at: number): boolean {
  return line[at] === ' ' || line[at] === '\t';
}

/**
 * A Vary value that contains Cookie, whatever else it names (C-12); `*` already says everything.
 * Returns what was given when nothing is missing.
 *
 * @internal
 */
export function varyOnCookie(existing: HeaderValue | undefined): HeaderValue {
  if (existing === undefined) return 'Cookie';
  const text = textOf(existing);
  const names = membersOf(text);
  if (names.includes('*') || names.includes('cookie')) return existing;
  return text === '' ? 'Cookie' : `${text}, Cookie`;
}

/**
 * A copy of headers, as `writeHead` takes them, that varies on Cookie.
 *
 * A response without raw headers takes a short way through Node that the first `setHeader` closes:
 * 0.5 µs of every request on fastify, three times what this copy costs.
 *
 * @internal
 */
export function withVary(headers: Readonly<Record<string, HeaderValue>>): object {
  const copy: Record<string, HeaderValue> = { Vary: 'Cookie' };
  let vary: HeaderValue | undefined;
  for (const name of Object.keys(headers)) {
    const value = headers[name] as HeaderValue;
    if (name.length === 4 && name.toLowerCase() === 'vary') {
      vary = vary === undefined ? value : [textOf(vary), textOf(value)];
      copy['Vary'] = varyOnCookie(vary);
    } else {
      copy[name] = value;
    }
  }
  return copy;
}

/**
 * A Cache-Control value that forbids storing (C-12). One that already does is returned as given;
 * everything weaker is dropped, except `no-transform`: it says nothing about storing, and event
 * streams need it to be left alone by compressors.
 *
 * @internal
 */
export function forbidStoring(existing: HeaderValue | undefined): HeaderValue {
  if (existing === undefined) return 'no-store';
  const text = textOf(existing);
  // A quoted argument may hold anything, also a comma and the word no-store.
  const directives = text.includes('"') ? [] : membersOf(text);
  if (directives.includes('no-store')) return existing;
  return directives.includes('no-transform') ? 'no-store, no-transform' : 'no-store';
}

/** Headers that some shared caches obey instead of Cache-Control (RFC 9213 section 3). @internal */
export function isStorageControl(name: string): boolean {
  return name.endsWith('cache-control') || name === 'surrogate-control';
}

function membersOf(text: string): string[] {
  return text.split(',').map((member) => member.trim().toLowerCase());
}

function textOf(value: HeaderValue): string {
  return linesOf(value).join(', ');
}

function linesOf(value: HeaderValue | undefined): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}
