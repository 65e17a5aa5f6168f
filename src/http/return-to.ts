/**
 * Where to go after a login: only ever to a page of this application.
 */

/** Would be stripped by a browser before it reads the address. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const INVISIBLE = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff\\]/;
const MAX_LENGTH = 2048;

/**
 * Gives back a path of this application, or `fallback` for anything that could lead elsewhere:
 * another origin, `//host`, `/\host`, encoded slashes, a scheme, tabs and line breaks (CWE-601,
 * ASVS 5.0 3.7.2). Use it on every "return to" that came with a request.
 *
 * @example
 * ```ts
 * import { localPath } from 'nestjs-session-kit';
 *
 * console.log(localPath('/orders?page=2')); // '/orders?page=2'
 * console.log(localPath('//evil.example')); // '/'
 * ```
 *
 * @public
 */
export function localPath(target: unknown, fallback = '/'): string {
  if (typeof target !== 'string' || target.length > MAX_LENGTH) return fallback;
  if (INVISIBLE.test(target)) return fallback;
  // A second slash, also an encoded one, begins a host for some reader on the way.
  if (!target.startsWith('/') || /^\/(\/|%2f|%5c)/i.test(target)) return fallback;
  const base = 'http://self.invalid';
  const url = URL.canParse(target, base) ? new URL(target, base) : undefined;
  if (url?.origin !== base || url.pathname.startsWith('//')) return fallback;
  return url.pathname + url.search + url.hash;
}
