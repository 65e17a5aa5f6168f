/**
 * Where to go after a login: only ever to a page of this application.
 */

/** Characters that a browser strips or changes before it reads an address, and the backslash. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const INVISIBLE = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff\\]/;

const MAX_LENGTH = 2048;

/** A path that is encoded more often than this is nobody's honest path. */
const MAX_DECODINGS = 4;

const SELF = 'http://self.invalid';

/**
 * Gives back a path of this application, or `fallback` for anything that could lead elsewhere:
 * another origin, `//host`, `/\host`, encoded slashes, a scheme, tabs and line breaks (CWE-601,
 * ASVS 5.0 3.7.2). Use it on every "return to" that came with a request.
 *
 * What comes back is pure ASCII and has 2,048 characters at most: it can stand in a header.
 *
 * @param fallback - returned as it is
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
  if (!target.startsWith('/') || INVISIBLE.test(target)) return fallback;
  const url = resolved(target);
  if (url === undefined) return fallback;
  const path = url.pathname + url.search + url.hash;
  return path.length <= MAX_LENGTH && staysHere(url.pathname) ? path : fallback;
}

/** Whether the path is one of ours for every reader on the way, also one that decodes it first. */
function staysHere(pathname: string): boolean {
  let text = pathname;
  for (let i = 0; i < MAX_DECODINGS; i += 1) {
    const decoded = text.replace(/%([0-7][\da-f])/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    if (decoded === text) return true;
    if (resolved(decoded) === undefined) return false;
    text = decoded;
  }
  return false;
}

/** The address that a browser reads in a path; `undefined` if it leads, or could lead, elsewhere. */
function resolved(path: string): URL | undefined {
  const url = URL.canParse(path, SELF) ? new URL(path, SELF) : undefined;
  // A second slash begins a host for whoever takes this path for an address again.
  return url?.origin === SELF && !url.pathname.startsWith('//') ? url : undefined;
}
