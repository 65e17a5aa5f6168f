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
 * - `ambiguous`: different genuine tokens, of which none may be picked silently
 */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: VerifiedToken; readonly carrier: Carrier }
  | { readonly kind: 'ambiguous'; readonly tokens: readonly VerifiedToken[] };

export interface CarrierSettings {
  readonly cookieName: string;
  readonly bearer: boolean;
}

const NONE: Credential = { kind: 'none' };

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
  const texts: string[] = [];
  const consider = (text: string, carrier: Carrier): void => {
    if (texts.includes(text)) return;
    const token = verify(text);
    if (token === undefined) return;
    texts.push(text);
    found = add(found, token, carrier);
  };
  for (const text of scanCookies(headers.cookie, settings.cookieName)) consider(text, 'cookie');
  const bearer = settings.bearer ? bearerToken(headers.authorization) : undefined;
  if (bearer !== undefined) consider(bearer, 'bearer');
  return found;
}

function add(found: Credential, token: VerifiedToken, carrier: Carrier): Credential {
  switch (found.kind) {
    case 'none':
      return { kind: 'token', token, carrier };
    case 'token':
      return { kind: 'ambiguous', tokens: [found.token, token] };
    case 'ambiguous':
      return { kind: 'ambiguous', tokens: [...found.tokens, token] };
  }
}

/**
 * RFC 6750 2.1; the scheme is case-insensitive, and nothing but SP separates it from the token
 * (RFC 9110 11.4): `trim()` would also take a no-break space for nothing.
 */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > 1024) return undefined;
  if (authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined;
  let start = 7;
  while (authorization[start] === ' ') start += 1;
  return authorization.slice(start);
}
