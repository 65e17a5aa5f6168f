/**
 * One HTTP request and its response, as the session layer sees them: the same on every adapter.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SessionConfig } from '../core/config.js';
import { SessionCrossSiteError, SessionError } from '../core/errors.js';
import { isLoopbackHost } from '../core/loopback.js';
import type { Session } from '../core/session.js';
import type { MintedToken, VerifiedToken } from '../core/token.js';
import { type Credential, readCredential } from './carrier.js';
import { scanCookies, serializeCookie, serializeDeletion } from './cookie.js';
import { type CrossSiteRequest, isCrossSite, isUnsafe, sourceOf } from './cross-site.js';
import { CSRF_HEADER } from './csrf-token.js';
import { describeDevice } from './device.js';
import { ResponseHeaders } from './response-headers.js';

/** What an adapter knows that the raw request does not. */
export interface HttpPeer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Client address by the adapter's trust-proxy setting. */
  readonly address: string | undefined;
  /** Whether the request came over TLS, by the adapter's trust-proxy setting. */
  readonly isSecure: boolean;
  /** Host and port that the client asked for, by the adapter's trust-proxy setting. */
  readonly host: string | undefined;
}

/** Reads the credential of a request once, and writes the session's headers to its response. */
export class HttpExchange {
  readonly #config: SessionConfig;
  readonly #peer: HttpPeer;
  readonly #headers: ResponseHeaders;
  readonly #onPlainRequest: () => void;
  #endsWithSession = false;

  constructor(config: SessionConfig, peer: HttpPeer, onPlainRequest: () => void) {
    this.#config = config;
    this.#peer = peer;
    this.#headers = new ResponseHeaders(peer.response);
    this.#onPlainRequest = onPlainRequest;
  }

  get address(): string | undefined {
    return this.#peer.address;
  }

  get userAgent(): string | undefined {
    return this.#peer.request.headers['user-agent'];
  }

  /**
   * Whether a periodic rotation may happen now: only where the new token reaches whoever keeps
   * the old one, and keeps it for good (rows C-16, R-11).
   */
  get canCarryToken(): boolean {
    const { method, headers } = this.#peer.request;
    return (
      !this.#peer.response.headersSent &&
      method !== 'OPTIONS' &&
      method !== 'HEAD' &&
      headers.upgrade === undefined &&
      headers['sec-purpose'] === undefined &&
      headers['purpose'] !== 'prefetch' &&
      headers.accept?.startsWith('text/event-stream') !== true
    );
  }

  /** Digest of what seldom changes in one client; no address, which mobile networks change. */
  get traits(): string {
    const { headers } = this.#peer.request;
    const { client = '', platform = '' } = describeDevice(headers['user-agent'], undefined);
    // Without the version: browsers update themselves.
    const family = client.replace(/[\d./ ]+$/, '');
    const text = `${family}\n${platform}\n${headers['accept-language'] ?? ''}`;
    return createHash('sha256').update(text).digest('base64url').slice(0, 12);
  }

  credential(verify: (text: string) => VerifiedToken | undefined): Credential {
    const { cookie, bearer } = this.#config;
    this.#headers.dependOnCookie();
    const settings = { cookieName: cookie.name, bearer };
    return readCredential(this.#peer.request.headers, settings, verify);
  }

  /** Whether the method can change something. */
  get isUnsafe(): boolean {
    return isUnsafe(this.#peer.request.method);
  }

  /** The synchroniser token that came with the request. */
  get csrfToken(): string | undefined {
    const value = this.#peer.request.headers[CSRF_HEADER.toLowerCase()];
    return typeof value === 'string' ? value : undefined;
  }

  /** Whether the client tried to authenticate without a cookie. */
  get presentsBearer(): boolean {
    return this.#config.bearer && this.#peer.request.headers.authorization !== undefined;
  }

  /**
   * Why this request may neither use the session cookie nor set one: a page of another site made
   * it, or it came over plain HTTP where a preset forbids that.
   */
  get cookieRefusal(): SessionError | undefined {
    const { crossSite, preset, production } = this.#config;
    if (preset && this.#looksPlain) {
      this.#onPlainRequest();
      return new SessionError(
        'ERR_SESSION_PLAIN_HTTP',
        `preset '${preset.name}' refuses session cookies over what looks like plain HTTP`,
      );
    }
    // Most requests are safe: what the adapter would have to find out first is not asked for them.
    if (!crossSite.isChecked || !this.isUnsafe) return undefined;
    const { request, host, isSecure } = this.#peer;
    const { method, headers } = request;
    const facts: CrossSiteRequest = { method, headers, host, isSecure };
    if (!isCrossSite(facts, crossSite)) return undefined;
    const { origin, why } = sourceOf(facts);
    return new SessionCrossSiteError(why, { origin, production });
  }

  /**
   * Refuses before anything is changed if the response can no longer carry a cookie.
   *
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`
   */
  assertCookieCanBeSent(): void {
    if (this.#peer.response.headersSent) throw headersAreSent();
  }

  /**
   * Hands the token to the browser. Persistent only if the session's class is.
   *
   * @returns `false` if the response has begun meanwhile: nobody will ever get the token
   */
  sendCookie(token: MintedToken, limitClass: string, now: number): boolean {
    const { cookie, persistentClasses } = this.#config;
    if (this.#looksPlain) this.#onPlainRequest();
    const maxAge = persistentClasses.has(limitClass)
      ? Math.max(0, Math.floor((token.hardDeadline - now) / 1000))
      : undefined;
    const line = serializeCookie(cookie, token.token.reveal(), maxAge);
    return this.#headers.setCookie(cookie.name, line);
  }

  /** Tells the browser to forget the cookie: only ever after an explicit logout. */
  clearCookie(): void {
    const { cookie } = this.#config;
    this.#headers.setCookie(cookie.name, serializeDeletion(cookie));
  }

  /** Whether the request carries anything that could be meant as a credential. */
  get hasCandidate(): boolean {
    const { cookie, authorization } = this.#peer.request.headers;
    const byCookie = scanCookies(cookie, this.#config.cookie.name).length > 0;
    return byCookie || (this.#config.bearer && authorization !== undefined);
  }

  /** Hands the token to a client that keeps it itself. */
  sendInHeader(name: string, token: MintedToken): void {
    this.#headers.setSecretHeader(name, token.token.reveal());
  }

  setHeader(name: string, value: string): void {
    this.#headers.setHeader(name, value);
  }

  /**
   * Cuts the response off when the session is over. It looks as if the client had gone away, which
   * all that writes to a response is prepared for; an orderly end would make half a file look whole.
   */
  endWith(session: Session): void {
    const { response } = this.#peer;
    // The client may have gone while the guard asked; HTTP/2 tells it with the stream only.
    const { stream } = response as { readonly stream?: { readonly destroyed: boolean } };
    // Of two guards the first has done it.
    if (this.#endsWithSession || response.destroyed || stream?.destroyed) return;
    this.#endsWithSession = true;
    response.once(
      'close',
      session.watch(() => response.destroy()),
    );
  }

  /** Whether a browser would drop the cookie, as far as the adapter can tell. */
  get #looksPlain(): boolean {
    const { isSecure, host } = this.#peer;
    return this.#config.cookie.secure && !isSecure && !isLoopbackHost(host);
  }
}

/** What a change of the session is answered with that would need a cookie. */
export function headersAreSent(): SessionError {
  return new SessionError(
    'ERR_SESSION_HEADERS_SENT',
    'the response headers were already sent, so the session cookie cannot be: change the session before answering',
  );
}
