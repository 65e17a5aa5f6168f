/**
 * The session of one request: resolved once, on demand, by whoever asks first.
 */
import { inspect } from 'node:util';
import type { SessionConfig } from '../core/config.js';
import { SessionError } from '../core/errors.js';
import { sessionIsGone } from '../core/fields.js';
import type { CreateOptions } from '../core/issuer.js';
import type { SessionId } from '../core/record.js';
import type { CreatedSession, SessionService } from '../core/service.js';
import type { Session, SessionInfo, TimeLeft } from '../core/session.js';
import type { SecretToken, VerifiedToken } from '../core/token.js';
import type { UserId } from '../core/user-id.js';
import type { Carrier, Credential } from './carrier.js';
import { describeDevice } from './device.js';
import { type HttpExchange, headersAreSent } from './exchange.js';
import { RequestFields, type RequestVerdict } from './request-fields.js';

export type { RequestVerdict } from './request-fields.js';

/** How a login through a request is done. @public */
export interface LoginOptions extends Omit<CreateOptions, 'replaces' | 'device'> {
  /**
   * `'bearer'` sets no cookie: send the token that is returned to the client yourself. Needs the
   * option `bearer`.
   *
   * @defaultValue `'cookie'`
   */
  readonly carrier?: Carrier;
}

/** @public */
export interface LoginResult {
  readonly session: Session;
  /** Only needed with `carrier: 'bearer'`; `reveal()` gives the text. */
  readonly token: SecretToken;
}

/** One of the user's sessions, as shown to them. @public */
export interface DeviceSession extends SessionInfo {
  /** It is the one that asks. */
  readonly isCurrent: boolean;
}

/**
 * The session of the current request, with everything a handler does with it. Inject it with
 * `@CurrentSession()`.
 *
 * Behind `SessionGuard` it is resolved and active. On a public route nothing is read until it is
 * asked for: `isActive()` resolves it. Facts such as `userId` can be read once it is resolved.
 *
 * @public
 */
export class RequestSession extends RequestFields {
  readonly #service: SessionService;
  readonly #config: SessionConfig;
  readonly #exchange: HttpExchange;
  #touch = true;
  #credential: Credential | undefined;
  #pending: Promise<RequestVerdict> | undefined;
  #verdict: RequestVerdict | undefined;

  /** @internal */
  constructor(service: SessionService, config: SessionConfig, exchange: HttpExchange) {
    super();
    this.#service = service;
    this.#config = config;
    this.#exchange = exchange;
  }

  /** This request does not count as activity; must be said before it is resolved. */
  skipTouch(): void {
    this.#touch = false;
  }

  /** The verdict on the request's credential; asks the store at most once per request. */
  override resolve(): Promise<RequestVerdict> {
    this.#pending ??= this.#resolve();
    return this.#pending;
  }

  /** Sets a header of the response, the same way on every adapter. @internal */
  setResponseHeader(name: string, value: string): void {
    this.#exchange.setHeader(name, value);
  }

  /** Whether there is a live session, of a user or anonymous. */
  async isActive(): Promise<boolean> {
    return (await this.resolve()).status === 'active';
  }

  /** Public id of the session; `undefined` if there is none. */
  get id(): SessionId | undefined {
    return this.#resolved?.id;
  }

  /** Who is logged in; `undefined` if nobody is. */
  get userId(): string | undefined {
    return this.#resolved?.userId;
  }

  /** When the user logged in; milliseconds since 1970. */
  get authenticatedAt(): number | undefined {
    return this.#resolved?.authenticatedAt;
  }

  /** What may be shown of the session; `undefined` if there is none. */
  get info(): SessionInfo | undefined {
    return this.#resolved?.info;
  }

  /** Seconds until the session ends; `undefined` if there is none. With `@SkipTouch()` a mere look. */
  async timeLeft(): Promise<TimeLeft | undefined> {
    const verdict = await this.resolve();
    return verdict.status === 'active' ? verdict.session.timeLeft : undefined;
  }

  /**
   * Logs a user in: a new session with a new token. The session that this browser had before ends
   * first. When this returns the session is stored and the response carries its cookie.
   *
   * @throws SessionLimitError at the concurrency limit, if the policy is `reject`
   * @throws SessionError `ERR_SESSION_HEADERS_SENT` if the response has begun; nothing was changed
   */
  async login(userId: UserId, options: LoginOptions = {}): Promise<LoginResult> {
    const { carrier = 'cookie', ...create } = options;
    if (carrier === 'bearer' && !this.#config.bearer) {
      throw new SessionError(
        'ERR_SESSION_CONFIG',
        "carrier 'bearer' needs the option bearer: true",
      );
    }
    if (carrier === 'cookie') this.#exchange.assertCookieCanBeSent();
    const presented = this.#presented;
    // Of several nothing may cross over: who knows whose they are.
    const old = presented.length === 1 ? presented[0] : undefined;
    const outcome = await this.#service.login(userId, {
      ...create,
      device: this.#device(),
      ...(old && { replaces: old.sessionId }),
    });
    if (outcome.status === 'refused') {
      if (outcome.restored) await this.#adopt(outcome.restored, 'cookie');
      throw outcome.error;
    }
    if (old === undefined) await this.#end(presented);
    await this.#adopt(outcome, carrier);
    return { session: outcome.session, token: outcome.token.token };
  }

  /**
   * Ends this session, for every instance, before it returns; the response tells the browser to
   * forget the cookie. No error if there is nothing to end.
   */
  async logout(): Promise<void> {
    await this.#end(this.#presented);
    this.#forget();
  }

  /**
   * Gives this session a new token and keeps its id and data: after a change of rights. The old
   * token is dead when this returns. A client with `Bearer` has to be sent the one that is returned.
   */
  async rotate(): Promise<SecretToken> {
    const session = await this.#require();
    const credential = this.#readCredential();
    if (credential.kind !== 'token') throw sessionIsRequired();
    const { token, carrier } = credential;
    if (carrier === 'cookie') this.#exchange.assertCookieCanBeSent();
    const next = await this.#service.rotate(token);
    if (!next) throw sessionIsGone();
    this.#credential = { kind: 'token', token: next, carrier };
    if (carrier === 'cookie') this.#send(next, session.limitClass);
    return next.token;
  }

  /** The user's sessions, newest first; this one is marked. */
  async devices(): Promise<DeviceSession[]> {
    const { id, userId } = await this.#requireUser();
    const { sessions } = await this.#service.list(userId);
    return sessions.map((info) => ({ ...info, isCurrent: info.id === id }));
  }

  /**
   * Ends one of the user's own sessions by its public id; this one means `logout()`. `false`:
   * the user has no such session.
   */
  async revoke(id: SessionId): Promise<boolean> {
    const session = await this.#requireUser();
    const revoked = await this.#service.revoke(id, { userId: session.userId });
    if (revoked && id === session.id) this.#forget();
    return revoked;
  }

  /** Ends the user's other sessions; gives their number. */
  async revokeOthers(): Promise<number> {
    const { id, userId } = await this.#requireUser();
    return this.#service.revokeUser(userId, { except: id });
  }

  /** Ends all of the user's sessions, this one too; gives their number. */
  async revokeAll(): Promise<number> {
    const { userId } = await this.#requireUser();
    const count = await this.#service.revokeUser(userId);
    this.#forget();
    return count;
  }

  toJSON(): SessionInfo | null {
    return this.#verdict?.status === 'active' ? this.#verdict.session.info : null;
  }

  [inspect.custom](): unknown {
    return { status: this.#verdict?.status ?? 'unresolved', info: this.toJSON() };
  }

  async #resolve(): Promise<RequestVerdict> {
    const credential = this.#readCredential();
    try {
      const verdict = await this.#verdictOf(credential);
      if (credential === this.#credential) {
        this.#verdict = verdict;
        return verdict;
      }
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

  async #verdictOf(credential: Credential): Promise<RequestVerdict> {
    if (credential.kind === 'none') return { status: 'none' };
    if (credential.kind === 'ambiguous') {
      this.#service.reportAmbiguous();
      return { status: 'ambiguous' };
    }
    return this.#service.resolveVerified(credential.token, { touch: this.#touch });
  }

  #readCredential(): Credential {
    this.#credential ??= this.#exchange.credential((text) => this.#service.verify(text));
    return this.#credential;
  }

  /** All genuine tokens that this request carries: more than one if it is ambiguous. */
  get #presented(): readonly VerifiedToken[] {
    const credential = this.#readCredential();
    if (credential.kind === 'ambiguous') return credential.tokens;
    return credential.kind === 'token' ? [credential.token] : [];
  }

  get #resolved(): Session | undefined {
    if (this.#verdict === undefined) {
      throw new TypeError(
        'this session is not resolved yet: on a public route, call `await session.isActive()` first',
      );
    }
    return this.#verdict.status === 'active' ? this.#verdict.session : undefined;
  }

  async #require(): Promise<Session> {
    const verdict = await this.resolve();
    if (verdict.status !== 'active') throw sessionIsRequired();
    return verdict.session;
  }

  async #requireUser(): Promise<{ readonly id: SessionId; readonly userId: string }> {
    const { id, userId } = await this.#require();
    if (userId === undefined) throw sessionIsRequired();
    return { id, userId };
  }

  /** @internal */
  protected override async begin(values: Readonly<Record<string, unknown>>): Promise<Session> {
    // A new cookie would take the place of one of the two, which may be the user's login.
    if (this.#readCredential().kind === 'ambiguous') throw sessionIsAmbiguous();
    this.#exchange.assertCookieCanBeSent();
    const created = await this.#service.createAnonymous(values, this.#device());
    await this.#adopt(created, 'cookie');
    return created.session;
  }

  async #end(tokens: readonly VerifiedToken[]): Promise<void> {
    for (const { sessionId } of tokens) await this.#service.revoke(sessionId, { reason: 'logout' });
  }

  async #adopt({ session, token }: CreatedSession, carrier: Carrier): Promise<void> {
    try {
      if (carrier === 'cookie') this.#send(token, session.limitClass);
    } catch (error) {
      // Nobody will ever hold its token.
      await this.#end([token]);
      throw error;
    }
    this.#become({ status: 'active', session }, { kind: 'token', token, carrier });
  }

  #send(token: VerifiedToken, limitClass: string): void {
    if (!this.#exchange.sendCookie(token, limitClass, this.#service.now)) throw headersAreSent();
  }

  #forget(): void {
    const byCookie = this.#credential?.kind !== 'token' || this.#credential.carrier === 'cookie';
    this.#become({ status: 'none' }, { kind: 'none' });
    if (byCookie) this.#exchange.clearCookie();
  }

  #become(verdict: RequestVerdict, credential: Credential): void {
    this.#verdict = verdict;
    this.#pending = Promise.resolve(verdict);
    this.#credential = credential;
  }

  #device(): ReturnType<typeof describeDevice> {
    return describeDevice(this.#exchange.userAgent, this.#exchange.address);
  }
}

function sessionIsAmbiguous(): SessionError {
  return new SessionError(
    'ERR_SESSION_AMBIGUOUS',
    'the request carries two different session tokens, so no new session is begun',
  );
}

function sessionIsRequired(): SessionError {
  return new SessionError('ERR_SESSION_REQUIRED', 'this needs a session of a user');
}
