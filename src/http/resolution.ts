/**
 * What a request's credential is worth, and which token the response hands out: the mechanics
 * behind `RequestSession`.
 */
import type { SessionConfig } from '../core/config.js';
import { SessionCrossSiteError, SessionError } from '../core/errors.js';
import { sessionIsGone } from '../core/fields.js';
import type { SessionDevice } from '../core/record.js';
import type { CreatedSession } from '../core/results.js';
import type { SessionService } from '../core/service.js';
import type { Session } from '../core/session.js';
import type { MintedToken, VerifiedToken } from '../core/token.js';
import type { Carrier, Credential } from './carrier.js';
import { type CsrfBinding, CSRF_HEADER, isCsrfToken, issueCsrfToken } from './csrf-token.js';
import { describeDevice } from './device.js';
import { type HttpExchange, headersAreSent } from './exchange.js';
import type { RequestVerdict } from './request-fields.js';

/** Carries the next token to a client that uses `Authorization: Bearer`. */
export const SUCCESSOR_HEADER = 'Session-Token';

type ResolvedVerdict = RequestVerdict & { readonly successor?: MintedToken };

export class Resolution {
  readonly #service: SessionService;
  readonly #config: SessionConfig;
  readonly #exchange: HttpExchange;
  #touch = true;
  #credential: Credential | undefined;
  #pending: Promise<RequestVerdict> | undefined;
  #verdict: RequestVerdict | undefined;
  #grants: Map<string, Promise<boolean>> | undefined;
  #admitsPending = false;
  #lastTurn: Promise<unknown> | undefined;

  constructor(service: SessionService, config: SessionConfig, exchange: HttpExchange) {
    this.#service = service;
    this.#config = config;
    this.#exchange = exchange;
  }

  /** The verdict as far as it is known; asks nobody. */
  get verdict(): RequestVerdict | undefined {
    return this.#verdict;
  }

  get device(): SessionDevice {
    return describeDevice(this.#exchange.userAgent, this.#exchange.address);
  }

  skipTouch(): void {
    this.#touch = false;
  }

  /** Asks the store at most once per request, whoever asks first and however often. */
  resolve(): Promise<RequestVerdict> {
    this.#pending ??= this.#resolve();
    return this.#pending;
  }

  /** The session; without a live one this is refused. */
  async require(): Promise<Session> {
    const verdict = await this.resolve();
    if (verdict.status !== 'active') throw sessionIsRequired();
    return verdict.session;
  }

  /** The session and its user; an anonymous one is refused, and half a login where it is nobody. */
  async requireUser(): Promise<{ readonly session: Session; readonly userId: string }> {
    const session = await this.require();
    if (session.userId === undefined) throw sessionIsRequired();
    const userId = this.userOf(session);
    if (userId === undefined) throw sessionIsPending();
    return { session, userId };
  }

  /** Uses up a confirmation: once in a request, also if several guards ask. */
  useGrant(action: string, maxAge: number): Promise<boolean> {
    const known = this.#grants?.get(action);
    if (known) return known;
    const used = this.requireUser().then(({ session }) => session.useGrant(action, maxAge));
    this.#grants = (this.#grants ?? new Map<string, Promise<boolean>>()).set(action, used);
    return used;
  }

  /**
   * Changes of this request's session wait for each other, so that each builds on what the one
   * before has left: two first writes of a visitor would begin two sessions, and lose one.
   */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn === undefined ? change() : this.#lastTurn.then(change);
    this.#lastTurn = turn.then(ignore, ignore);
    return turn;
  }

  /** All genuine tokens that this request carries: more than one if it is ambiguous. */
  get presented(): readonly VerifiedToken[] {
    const credential = this.#readCredential();
    if (credential.kind === 'ambiguous') return credential.tokens;
    return credential.kind === 'token' ? [credential.token] : [];
  }

  /**
   * Refuses before anything is changed what must not use the session cookie, or set one: `sets` is
   * the carrier of a token that is about to be handed out.
   *
   * @throws SessionCrossSiteError
   * @throws SessionError `ERR_SESSION_PLAIN_HTTP`
   */
  async authorise(sets?: Carrier): Promise<void> {
    if (sets === 'cookie' || this.#usesCookie) this.#assertCookieAllowed();
    // Whether the synchroniser token is right depends on the session.
    if (this.#usesCookie && this.#needsCsrfToken) await this.resolve();
  }

  /**
   * The request is at a guarded route: who has no credential at all would need the cookie there, and
   * must not come from a page of another site.
   */
  enter(admitsPending: boolean): void {
    this.#admitsPending = admitsPending;
    const isVisitor = this.#readCredential().kind === 'none' && !this.#exchange.presentsBearer;
    if (isVisitor) this.#assertCookieAllowed();
  }

  /** The response ends with the session, at the latest. */
  endWithSession(): void {
    if (this.#verdict?.status === 'active') this.#exchange.endWith(this.#verdict.session);
  }

  /** The user, unless it is half a login and the route does not take its second half. */
  userOf(session: Session | undefined): string | undefined {
    return session?.claims.isPending && !this.#admitsPending ? undefined : session?.userId;
  }

  /** A synchroniser token for this session; `undefined` without one. */
  async csrfToken(): Promise<string | undefined> {
    const verdict = await this.resolve();
    if (verdict.status !== 'active') return undefined;
    return issueCsrfToken(this.#config.ring, bindingOf(verdict.session));
  }

  /**
   * Refuses before anything is changed if a new token could not reach the client.
   *
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`
   */
  assertTokenCanBeSent(carrier = this.carrier): void {
    if (carrier === 'cookie') this.#exchange.assertCookieCanBeSent();
  }

  /** This request's session is the new one from now on, and the response carries its token. */
  async adopt({ session, token }: CreatedSession, carrier: Carrier): Promise<void> {
    try {
      if (carrier === 'cookie') this.#send(token, session.limitClass);
    } catch (error) {
      // Nobody will ever hold its token.
      await this.end([token]);
      throw error;
    }
    this.#become({ status: 'active', session }, { kind: 'token', token, carrier });
  }

  /** The session goes on under a new token. */
  handOver(token: MintedToken, session: Session, demand?: { readonly stepUp: true }): void {
    const carrier = this.carrier;
    const verdict = { status: 'active', session, ...demand } as const;
    this.#become(verdict, { kind: 'token', token, carrier });
    if (carrier === 'cookie') this.#send(token, session.limitClass);
    else this.#exchange.sendInHeader(SUCCESSOR_HEADER, token);
  }

  async end(tokens: readonly VerifiedToken[]): Promise<void> {
    for (const { sessionId } of tokens) await this.#service.revoke(sessionId, { reason: 'logout' });
  }

  /**
   * Ends what the request carries. The session of whoever acts in another name goes first: it rests
   * without a token, and nobody could come back to it.
   */
  async logOut(): Promise<void> {
    const verdict = await this.resolve();
    const actor = verdict.status === 'active' ? verdict.session.claims.actor : undefined;
    if (actor !== undefined) {
      const { sessionId, userId } = actor;
      await this.#service.revoke(sessionId, { reason: 'logout', userId });
    }
    await this.end(this.presented);
    this.forget();
  }

  /** There is no session any more; the browser is told to forget the cookie. */
  forget(): void {
    const carrier = this.carrier;
    this.#become({ status: 'none' }, { kind: 'none' });
    if (carrier === 'cookie') this.#exchange.clearCookie();
  }

  /** Which check refuses this request, in words: for developers. */
  async explain(): Promise<string> {
    const credential = this.#readCredential();
    if (credential.kind === 'ambiguous') return 'the request carries two different genuine tokens';
    if (credential.kind === 'token') {
      const { decidedBy } = await this.#service.explain(credential.token.token.reveal());
      return decidedBy;
    }
    const { name } = this.#config.cookie;
    return this.#exchange.hasCandidate
      ? 'what the request carries is no genuine token: forged, damaged, or made under another secret or audience'
      : `the request carries no cookie ${name}`;
  }

  /** @throws SessionError `ERR_SESSION_AMBIGUOUS` if the request carries two tokens */
  assertUnambiguous(): void {
    // A new cookie would take the place of one of the two, which may be the user's login.
    if (this.#readCredential().kind === 'ambiguous') throw sessionIsAmbiguous();
  }

  /** @throws SessionError `ERR_SESSION_ENDED` if the browser has just been given another token */
  async assertNotOvertaken(): Promise<void> {
    for (const token of this.presented) {
      if (await this.#service.isOvertaken(token)) throw sessionIsGone();
    }
  }

  /** How the credential travels; a cookie, if there is none yet. */
  get carrier(): Carrier {
    const credential = this.#readCredential();
    return credential.kind === 'token' ? credential.carrier : 'cookie';
  }

  async #resolve(): Promise<RequestVerdict> {
    const credential = this.#readCredential();
    if (this.#usesCookie) this.#assertCookieAllowed();
    try {
      const verdict = await this.#verdictOf(credential);
      if (credential === this.#credential) return this.#settle(verdict);
    } catch (error) {
      if (credential === this.#credential) {
        // A store fault is not a verdict: the next caller may ask again.
        this.#pending = undefined;
        throw error;
      }
    }
    // A login or logout in this request was faster, and its word counts.
    return this.resolve();
  }

  #settle(verdict: ResolvedVerdict): RequestVerdict {
    if (verdict.status === 'active' && this.#usesCookie && this.#needsCsrfToken) {
      this.#assertCsrfToken(verdict);
    }
    this.#verdict = verdict;
    if (verdict.status === 'active' && verdict.successor) {
      // Headers that were sent meanwhile only mean that the client rotates with its next request.
      const demand = verdict.stepUp && { stepUp: verdict.stepUp };
      if (this.#exchange.canCarryToken) this.handOver(verdict.successor, verdict.session, demand);
    }
    return verdict;
  }

  async #verdictOf(credential: Credential): Promise<ResolvedVerdict> {
    if (credential.kind === 'none') return { status: 'none' };
    if (credential.kind === 'ambiguous') {
      this.#service.reportAmbiguous();
      return { status: 'ambiguous' };
    }
    return this.#service.resolveVerified(credential.token, {
      touch: this.#touch,
      ...(this.#comparesClients && { client: () => this.device }),
      ...(this.#config.rotationInterval !== undefined && {
        mayRotate: this.#exchange.canCarryToken,
        traits: this.#exchange.traits,
      }),
    });
  }

  /** Whether the request is worth something because of a cookie, which browsers add to any request. */
  get #usesCookie(): boolean {
    const credential = this.#readCredential();
    if (credential.kind === 'token') return credential.carrier === 'cookie';
    return credential.kind === 'ambiguous';
  }

  get #comparesClients(): boolean {
    const { addressChange, clientChange } = this.#config.signals;
    return addressChange !== 'off' || clientChange !== 'off';
  }

  get #needsCsrfToken(): boolean {
    return this.#config.crossSite.token && this.#exchange.isUnsafe;
  }

  #assertCookieAllowed(): void {
    const refusal = this.#exchange.cookieRefusal;
    if (refusal === undefined) return;
    if (refusal instanceof SessionCrossSiteError) this.#service.reportCrossSite(refusal.origin);
    throw refusal;
  }

  #assertCsrfToken({ session, successor }: ResolvedVerdict & { readonly session: Session }): void {
    const { ring, rotationInterval, production } = this.#config;
    const acceptsEarlier = rotationInterval !== undefined;
    const binding = bindingOf(session);
    if (isCsrfToken(ring, this.#exchange.csrfToken, binding, acceptsEarlier)) return;
    // The token has changed all the same, and the client is to know it.
    if (successor && this.#exchange.canCarryToken) this.#send(successor, session.limitClass);
    this.#service.reportCrossSite();
    const why = `crossSite.token asks for the value of session.csrfToken() in the header ${CSRF_HEADER}`;
    throw new SessionCrossSiteError(why, { production });
  }

  #readCredential(): Credential {
    this.#credential ??= this.#exchange.credential((text) => this.#service.verify(text));
    return this.#credential;
  }

  #send(token: VerifiedToken, limitClass: string): void {
    if (!this.#exchange.sendCookie(token, limitClass, this.#service.now)) throw headersAreSent();
  }

  #become(verdict: RequestVerdict, credential: Credential): void {
    this.#verdict = verdict;
    this.#pending = Promise.resolve(verdict);
    this.#credential = credential;
  }
}

function bindingOf({ id, generation, authenticatedAt }: Session): CsrfBinding {
  return { sessionId: id, generation, authenticatedAt };
}

export function sessionIsRequired(): SessionError {
  return new SessionError('ERR_SESSION_REQUIRED', 'this needs a session of a user');
}

function sessionIsPending(): SessionError {
  return new SessionError('ERR_SESSION_PENDING', 'half a login is nobody on this route');
}

function sessionIsAmbiguous(): SessionError {
  return new SessionError(
    'ERR_SESSION_AMBIGUOUS',
    'the request carries two different session tokens, so no new session is begun',
  );
}

function ignore(): void {}
