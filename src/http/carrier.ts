/**
 * How the token travels: which of the credentials in a request counts.
 */
import type { VerifiedToken } from '../core/token.js';
import { scanCookies } from './cookie.js';

/** Where a token was found. @public */
export type Carrier = 'cookie' | 'bearer';

/** Headers of a Node request. */
export interface CredentialHeaders {
  readonly cookie?: string | undefined;
  readonly authorization?: string | undefined;
}

/**
 * - `none`: no credential, or none that is genuine; the two are answered alike
 * - `ambiguous`: two different genuine tokens, of which none may be picked silently
 */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: VerifiedToken; readonly carrier: Carrier }
  | { readonly kind: 'ambiguous' };

export interface CarrierSettings {
  readonly cookieName: string;
  readonly bearer: boolean;
}

const NONE: Credential = { kind: 'none' };
const AMBIGUOUS: Credential = { kind: 'ambiguous' };

/**
 * Reads the declared carriers and nothing else: never the query, the path, the body or another
 * header (ASVS 5.0 14.2.1). Every cookie of our name is tried, since browsers send those of other
 * paths and of parent domains too, in no order that could be trusted (RFC 6265 4.2.2).
 */
export function readCredential(
  headers: CredentialHeaders,
  settings: CarrierSettings,
  verify: (text: string) => VerifiedToken | undefined,
): Credential {
  let found: Credential = NONE;
  let text: string | undefined;
  for (const candidate of scanCookies(headers.cookie, settings.cookieName)) {
    if (candidate === text) continue;
    const token = verify(candidate);
    if (token === undefined) continue;
    if (text !== undefined) return AMBIGUOUS;
    text = candidate;
    found = { kind: 'token', token, carrier: 'cookie' };
  }
  const bearer = settings.bearer ? bearerToken(headers.authorization) : undefined;
  if (bearer === undefined || bearer === text) return found;
  const token = verify(bearer);
  if (token === undefined) return found;
  return text === undefined ? { kind: 'token', token, carrier: 'bearer' } : AMBIGUOUS;
}

/** RFC 6750 2.1; the scheme is case-insensitive (RFC 9110 11.1). */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > 1024) return undefined;
  if (authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined;
  return authorization.slice(7).trim();
}
