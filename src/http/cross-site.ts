/**
 * Cross-site request forgery: was this request made by a page of ours? Decided from what the
 * browser itself says, which no page can forge (OWASP CSRF cheat sheet, "Fetch Metadata").
 */
import type { IncomingHttpHeaders } from 'node:http';

/** What the guard trusts besides the application's own origin. */
export interface CrossSiteSettings {
  /** Serialised origins, such as `https://app.example.com`: compared as a whole, never by parts. */
  readonly trustedOrigins: ReadonlySet<string>;
  /** Pages on other ports of this machine are trusted: for development. */
  readonly trustsLoopback: boolean;
}

/** The part of a request that decides. */
export interface CrossSiteRequest {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Host and port as the client sees them, by the adapter's trust-proxy setting. */
  readonly host: string | undefined;
}

/** They must not change anything (RFC 9110 9.2.1), so who asks does not matter. */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request has to be refused as cross-site. Rows:
 *
 * 1. Safe methods pass.
 * 2. `Sec-Fetch-Site: same-origin` and `none` (typed, bookmarked) pass.
 * 3. A trusted `Origin` passes.
 * 4. Any other `Sec-Fetch-Site` is refused, also `same-site`: a sibling domain is not us.
 * 5. Without it (an old browser, or none): an `Origin` whose host is ours passes, another one does
 *    not. Without either it is no browser, and there is no cookie to abuse.
 */
export function isCrossSite(request: CrossSiteRequest, settings: CrossSiteSettings): boolean {
  if (SAFE_METHODS.has(request.method)) return false;
  const site = request.headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return false;
  const { origin } = request.headers;
  if (origin !== undefined && isTrusted(origin, settings)) return false;
  if (site !== undefined) return true;
  return origin !== undefined && !isOwn(origin, request.host);
}

function isTrusted(origin: string, settings: CrossSiteSettings): boolean {
  if (settings.trustedOrigins.has(origin)) return true;
  return settings.trustsLoopback && isLoopbackHost(hostOf(origin));
}

function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && hostOf(origin) === host.toLowerCase();
}

/**
 * Host and port of a serialised origin; `undefined` for anything else (`null`, a path, userinfo,
 * another scheme), so that nothing but an origin can match.
 */
function hostOf(origin: string): string | undefined {
  const match = /^https?:\/\/([a-z0-9.:[\]-]+)$/.exec(origin);
  return match?.[1];
}

/** Names and addresses that no network can stand in between. */
export function isLoopbackHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(name)
  );
}
