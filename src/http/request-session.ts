/**
 * The session of one request: resolved once, on demand, by whoever asks first.
 */
import { inspect } from 'node:util';
import { type FreshnessRule, isFresh } from '../core/claims.js';
import type { SessionConfig } from '../core/config.js';
import { SessionError } from '../core/errors.js';
import { sessionIsGone } from '../core/fields.js';
import type { SessionDevice, SessionId, SessionTombstone } from '../core/record.js';
import type { ElevateOptions, ImpersonateOptions, Renewed } from '../core/results.js';
import type { SessionService } from '../core/service.js';
import type { Session, SessionInfo, TimeLeft } from '../core/session.js';
import type { SecretToken, VerifiedToken } from '../core/token.js';
import type { UserId } from '../core/user-id.js';
import type { HttpExchange } from './exchange.js';
import { logIn, ticketIsNoGood } from './log-in.js';
import { RequestFields, type RequestVerdict } from './request-fields.js';
import type { DeviceSession, LoginOptions, LoginResult } from './request-results.js';
import { Resolution, sessionIsRequired } from './resolution.js';

export type { RequestVerdict } from './request-fields.js';
export type { DeviceSession, LoginOptions, LoginResult } from './request-results.js';

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
  readonly #resolution: Resolution;

  /** @internal */
  constructor(service: SessionService, config: SessionConfig, exchange: HttpExchange) {
    super();
    this.#service = service;
    this.#config = config;
    this.#exchange = exchange;
    this.#resolution = new Resolution(service, config, exchange);
  }

  /** This request does not count as activity; must be said before it is resolved. */
  skipTouch(): void {
    this.#resolution.skipTouch();
  }

  /** The verdict on the request's credential; asks the store at most once per request. */
  override resolve(): Promise<RequestVerdict> {
    return this.#resolution.resolve();
  }

  /** The guard of a route has the request; `admitsPending`: the route takes proofs. @internal */
  enter(admitsPending: boolean): void {
    this.#resolution.enter(admitsPending);
  }

  /**
   * The synchroniser token, for pages and answers of your own: with the option `crossSite.token`
   * unsafe requests of this session have to show it in the header `X-CSRF-Token`. Another text at
   * each call; all count until the next login, `elevate()` or, unless tokens rotate by the clock,
   * `rotate()`. `undefined` without a session, since none is asked for then.
   *
   * @throws SessionError `ERR_SESSION_CONFIG` without the option
   */
  async csrfToken(): Promise<string | undefined> {
    if (this.#config.crossSite.token) return this.#resolution.csrfToken();
    const why = 'csrfToken() needs the option crossSite: { token: true }';
    throw new SessionError('ERR_SESSION_CONFIG', why);
  }

  /** The response ends with the session, at the latest. @internal */
  endWithSession(): void {
    this.#resolution.endWithSession();
  }

  /** Sets a header of the response. @internal */
  setResponseHeader(name: string, value: string): void {
    this.#exchange.setHeader(name, value);
  }

  /** Which check refuses this request, in words. For developers: never show it to strangers. */
  explain(): Promise<string> {
    return this.#resolution.explain();
  }

  /** Whether there is a live session, of a user or anonymous. */
  async isActive(): Promise<boolean> {
    return (await this.resolve()).status === 'active';
  }

  /** Public id of the session; `undefined` if there is none. */
  get id(): SessionId | undefined {
    return this.#resolved?.id;
  }

  /** Who is logged in, if anybody is. Half a login counts behind `@AllowPending()` only. */
  get userId(): string | undefined {
    return this.#resolution.userOf(this.#resolved);
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
   * @throws SessionCrossSiteError if a page of another site made the request; nothing was changed
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
    return this.#resolution.inTurn(async () => {
      await this.#resolution.authorise(carrier);
      return logIn(this.#service, this.#resolution, userId, create, carrier);
    });
  }

  /**
   * Completes a login that met the concurrency limit: ends the session that the user chose and
   * begins the new one, in one step. Ticket and choices are in the `SessionLimitError` (and in the
   * 409) that the login was refused with.
   *
   * @throws SessionError `ERR_SESSION_SUPERSEDED` if the ticket is not genuine, older than 5
   *   minutes, or was used; `SessionLimitError` with a new one if the choice made no room
   */
  async completeLogin(
    ticket: string,
    chosen: SessionId,
    options: Pick<LoginOptions, 'carrier' | 'data'> = {},
  ): Promise<LoginResult> {
    const { carrier = 'cookie', ...data } = options;
    return this.#resolution.inTurn(async () => {
      await this.#resolution.authorise(carrier);
      const paused = await this.#service.resumeLogin(ticket);
      if (paused === undefined) throw ticketIsNoGood();
      const { userId, options: wanted, ticket: began, until } = paused;
      const create = { ...wanted, ...data, evicts: chosen, ticket: began };
      return logIn(this.#service, this.#resolution, userId, create, carrier, until);
    });
  }

  /**
   * Ends this session, for every instance, before it returns; the response tells the browser to
   * forget the cookie. Of an impersonation it ends both sides. No error if there is nothing to end.
   */
  logout(): Promise<void> {
    return this.#resolution.inTurn(async () => {
      await this.#resolution.authorise(this.#resolution.carrier);
      await this.#resolution.logOut();
    });
  }

  /**
   * Gives this session a new token and keeps its id and data: after a change of rights. The old
   * token is dead when this returns. A client with `Bearer` has to be sent the one that is returned.
   */
  rotate(): Promise<SecretToken> {
    return this.#resolution.inTurn(async () => {
      const session = await this.#resolution.require();
      return this.#replaceToken((token) => this.#service.rotate(token, session));
    });
  }

  /**
   * The user has just proved once more who they are: notes how, gives the session a new token, and
   * completes it if it was pending. The old token is dead when this returns.
   */
  elevate(options: ElevateOptions): Promise<SecretToken> {
    return this.#resolution.inTurn(async () => {
      const { session } = await this.#resolution.requireUser();
      const raise = this.#service.elevate.bind(this.#service);
      const token = await this.#replaceToken((...at) => raise(...at, session, options));
      // Behind the new token: a store that fails now must not cost the client its session.
      if (options.action !== undefined) await session.grant(options.action);
      return token;
    });
  }

  /** Whether the last proof of identity is recent enough; see `@RequireFresh()`. */
  async isFresh(rule: FreshnessRule): Promise<boolean> {
    const { session } = await this.#resolution.requireUser();
    return isFresh(session.claims, rule, this.#service.now);
  }

  /** Uses up a confirmation of this action by `elevate`; see `@StepUp()`. @internal */
  useGrant(action: string, maxAge: number): Promise<boolean> {
    return this.#resolution.useGrant(action, maxAge);
  }

  /**
   * Acts in another user's name, in a session of its own that shows in that user's list, with
   * short timeouts and no proof of identity. It ends with this session, which rests until
   * `endImpersonation()`. Whether the user may do this is for the application to decide.
   */
  async impersonate(target: UserId, options: ImpersonateOptions = {}): Promise<LoginResult> {
    const resolution = this.#resolution;
    return resolution.inTurn(async () => {
      const { session: own } = await resolution.requireUser();
      const [old] = resolution.presented;
      resolution.assertTokenCanBeSent();
      if (old === undefined) throw sessionIsRequired();
      const wanted = { device: resolution.device, ...options };
      const outcome = await this.#service.impersonate(old, own, target, wanted);
      if (outcome.status === 'refused') throw outcome.error;
      const { token, session } = outcome;
      resolution.handOver(token, session);
      return { session, token: token.token };
    });
  }

  /**
   * Goes back to the own session, under a new token. `false`: it has ended meanwhile. Of two
   * requests at once the other one is refused with `ERR_SESSION_ENDED`.
   */
  endImpersonation(): Promise<boolean> {
    return this.#resolution.inTurn(async () => {
      const session = await this.#resolution.require();
      this.#resolution.assertTokenCanBeSent();
      const own = await this.#service.endImpersonation(session);
      if (own) this.#resolution.handOver(own.token, own.session);
      else this.#resolution.forget();
      return own !== undefined;
    });
  }

  /**
   * Call it when the user has changed their password or a factor: ends their other sessions and
   * gives this one a new token (ASVS 5.0 7.4.3). Gives the number of sessions that ended.
   */
  async credentialChanged(): Promise<number> {
    const count = await this.revokeOthers();
    await this.rotate();
    return count;
  }

  /** The user's sessions, newest first; this one is marked. */
  async devices(): Promise<DeviceSession[]> {
    const { session, userId } = await this.#resolution.requireUser();
    const { sessions } = await this.#service.list(userId);
    return sessions.map((info) => ({ ...info, isCurrent: info.id === session.id }));
  }

  /** The user's ended sessions that are still remembered, newest first, with the reason. */
  async endedDevices(): Promise<readonly SessionTombstone[]> {
    const { userId } = await this.#resolution.requireUser();
    return (await this.#service.list(userId)).ended;
  }

  /**
   * Ends one of the user's own sessions by its public id; this one means `logout()`. `false`:
   * the user has no such session.
   */
  async revoke(id: SessionId): Promise<boolean> {
    const { session, userId } = await this.#resolution.requireUser();
    const revoked = await this.#service.revoke(id, { userId });
    if (revoked && id === session.id) this.#resolution.forget();
    return revoked;
  }

  /** Ends the user's other sessions; gives their number. */
  async revokeOthers(): Promise<number> {
    const { session, userId } = await this.#resolution.requireUser();
    return this.#service.revokeUser(userId, { except: session.id });
  }

  /** Ends all of the user's sessions, this one too; gives their number. */
  async revokeAll(): Promise<number> {
    const { userId } = await this.#resolution.requireUser();
    const count = await this.#service.revokeUser(userId);
    this.#resolution.forget();
    return count;
  }

  toJSON(): SessionInfo | null {
    const { verdict } = this.#resolution;
    return verdict?.status === 'active' ? verdict.session.info : null;
  }

  [inspect.custom](): unknown {
    return { status: this.#resolution.verdict?.status ?? 'unresolved', info: this.toJSON() };
  }

  async #replaceToken(
    replace: (token: VerifiedToken, device: SessionDevice) => Promise<Renewed | undefined>,
  ): Promise<SecretToken> {
    const [token] = this.#resolution.presented;
    this.#resolution.assertTokenCanBeSent();
    const next = token && (await replace(token, this.#resolution.device));
    if (!next) throw sessionIsGone();
    this.#resolution.handOver(next.token, next.session);
    return next.token.token;
  }

  get #resolved(): Session | undefined {
    const { verdict } = this.#resolution;
    if (verdict === undefined) {
      throw new TypeError(
        'this session is not resolved yet: on a public route, call `await session.isActive()` first',
      );
    }
    return verdict.status === 'active' ? verdict.session : undefined;
  }

  /** @internal */
  protected override begin(values: Readonly<Record<string, unknown>>): Promise<Session> {
    const resolution = this.#resolution;
    return resolution.inTurn(async () => {
      const verdict = await this.resolve();
      if (verdict.status === 'active') {
        // Another write or a login in this request was faster.
        if (Object.keys(values).length > 0) await verdict.session.set(values as never);
        return verdict.session;
      }
      await resolution.authorise('cookie');
      resolution.assertUnambiguous();
      resolution.assertTokenCanBeSent('cookie');
      await resolution.assertNotOvertaken();
      const created = await this.#service.createAnonymous(values, resolution.device);
      await resolution.adopt(created, 'cookie');
      return created.session;
    });
  }
}
