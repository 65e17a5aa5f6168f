/**
 * Cross-site request forgery: was this request made by a page of ours? Decided from what the
 * browser itself says, which no page can forge (OWASP CSRF cheat sheet, "Fetch Metadata").
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ResolvedCrossSite } from '../core/config-cross-site.js';
import { isLoopbackHost } from '../core/loopback.js';

/** The part of a request that decides. */
export interface CrossSiteRequest {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Host and port as the client sees them, by the adapter's trust-proxy setting. */
  readonly host: string | undefined;
  /** Whether it came over TLS, by the same setting; `false` if nobody can tell. */
  readonly isSecure: boolean;
}

/** They must not change anything (RFC 9110 section 9.2.1), so who asks does not matter. */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Scheme, host name and port of a serialised origin (RFC 6454 section 6.2). */
const ORIGIN = /^(https?):\/\/((?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)$/;

const SITES: ReadonlySet<string> = new Set(['same-origin', 'none', 'same-site', 'cross-site']);

/** Whether a method can change something; one that is not known can. */
export function isUnsafe(method: string | undefined): boolean {
  return !SAFE_METHODS.has(method);
}

/**
 * Whether a request has to be refused as cross-site. Rows:
 *
 * 1. Safe methods pass.
 * 2. `Sec-Fetch-Site: same-origin` and `none` (typed, bookmarked) pass.
 * 3. A trusted `Origin` passes.
 * 4. Any other `Sec-Fetch-Site` is refused, also `same-site`: a sibling domain is not us.
 * 5. Without it (an old browser, or none): an `Origin` whose host and port are ours passes, unless
 *    it is plain HTTP while we are not; another one does not. Without either it is no browser, and
 *    there is no cookie to abuse.
 */
export function isCrossSite(
  request: CrossSiteRequest,
  settings: Pick<ResolvedCrossSite, 'trustedOrigins' | 'trustsLoopback'>,
): boolean {
  if (!isUnsafe(request.method)) return false;
  const site = request.headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return false;
  const { origin } = request.headers;
  if (origin !== undefined) {
    if (settings.trustedOrigins.has(origin)) return false;
    if (settings.trustsLoopback && isLoopbackHost(ORIGIN.exec(origin)?.[2])) return false;
  }
  if (site !== undefined) return true;
  return origin !== undefined && !isOwn(origin, request);
}

/** What a log and a developer may be told of where a request came from. */
export interface RequestSource {
  /** Its `Origin`, or `null`; absent if there is none, or one that is no origin. */
  readonly origin: string | undefined;
  /** Continues "cross-site request refused: ". */
  readonly why: string;
}

/** Where a refused request came from. Repeats nothing that could be anything. */
export function sourceOf({ headers, host }: CrossSiteRequest): RequestSource {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const known = typeof site === 'string' && SITES.has(site) ? ` (Sec-Fetch-Site: ${site})` : '';
  const own = host && ORIGIN.test(`http://${host.toLowerCase()}`) ? ` (${host})` : '';
  const remedy = `is neither this application's${own} nor listed in crossSite.trustedOrigins`;
  if (origin === undefined) return { origin, why: `the page that sent it${known} ${remedy}` };
  if (origin !== 'null' && (origin.length > 270 || !ORIGIN.test(origin))) {
    return { origin: undefined, why: `its Origin header${known} ${remedy}` };
  }
  return { origin, why: `the origin ${origin}${known} ${remedy}` };
}

function isOwn(origin: string, { host, isSecure }: CrossSiteRequest): boolean {
  const [, scheme, authority] = ORIGIN.exec(origin) ?? [];
  if (scheme === undefined || authority === undefined || !host) return false;
  // Whoever is on the network can make pages of http://; TLS that ends at a proxy which the adapter
  // does not know of looks plain too, so that only the opposite says something.
  if (isSecure && scheme !== 'https') return false;
  const port = scheme === 'https' ? ':443' : ':80';
  return withoutPort(authority, port) === withoutPort(host.toLowerCase(), port);
}

function withoutPort(authority: string, port: string): string {
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
}
