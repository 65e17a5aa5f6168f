/**
 * THE MAIN PATH: what an application can do with sessions, independent of any framework.
 */
import { randomUUID } from 'node:crypto';
import type {
  RevokeWhereOptions,
  RevokeWhereReport,
  SessionExplanation,
  SessionFilter,
  UserExport,
} from './administration.js';
import { type ServiceParts, assemble } from './assembly.js';
import { type AuditFinding, auditConfig } from './config-audit.js';
import type { SessionConfig } from './config.js';
import {
  SessionEventBus,
  type SessionEventListener,
  type SessionEventName,
  type SweepReport,
} from './events.js';
import type { SessionLimitError } from './errors.js';
import type { Issued, Refused } from './issuer.js';
import { type PausedLogin, pauseLogin, resumeLogin } from './limit-ticket.js';
import type { CreateOptions, LoginTicket } from './login-options.js';
import { deadlinesOf } from './policy.js';
import type { Privileges } from './privileges.js';
import type { SessionDevice, SessionId } from './record.js';
import type { ResolvedToken } from './resolver.js';
import type {
  CreatedSession,
  ImpersonateOptions,
  LoginOutcome,
  Renewed,
  ResolveOptions,
  RevokeUserOptions,
  SessionPage,
  SessionVerdict,
  UserSessions,
} from './results.js';
import type { Rotated } from './rotator.js';
import { Session, infoOf } from './session.js';
import { type SessionStats, summarize } from './stats.js';
import type { ActiveSession, PingReply, SessionStore } from './store.js';
import { sweep } from './sweep.js';
import { type VerifiedToken, parseSessionId } from './token.js';
import { type UserId, canonicalUserId, placement } from './user-id.js';

/**
 * Creates, resolves, lists and ends sessions. Inject it anywhere; in a request, `RequestSession`
 * (`@CurrentSession()`) is the same bound to that request and its response.
 *
 * All methods reject with `SessionStoreError` if the store fails; that never means "no session".
 *
 * @public
 */
export class SessionService {
  readonly #parts: ServiceParts;

  /** @internal */
  constructor(config: SessionConfig, store: SessionStore, events = new SessionEventBus()) {
    this.#parts = assemble(config, store, events);
  }

  /** Name of the store: `memory`, `redis`… */
  get storeName(): string {
    return this.#parts.access.store.name;
  }

  /** The store's time as last learned; this process's before the first reply. @internal */
  get now(): number {
    return this.#parts.access.knownNow ?? Date.now();
  }

  /** Connects to the store now instead of at the first use. */
  async open(): Promise<void> {
    await this.#parts.access.layout();
  }

  /** The options that are weaker than their safe defaults. */
  audit(): readonly AuditFinding[] {
    return auditConfig(this.#parts.config);
  }

  /** Ends the connection that `open` made, and the responses that hang on a session. */
  close(): Promise<void> {
    this.#parts.watch.close();
    return this.#parts.access.close();
  }

  /**
   * Creates a session for a user whose identity was just proved.
   *
   * @throws SessionLimitError if the user is at the limit and `concurrency.atLimit` is `reject`
   * @throws SessionError `ERR_SESSION_USER_ID` for what cannot be a user id
   */
  async create(userId: UserId, options: CreateOptions = {}): Promise<CreatedSession> {
    const outcome = await this.login(userId, options);
    if (outcome.status === 'refused') throw outcome.error;
    return outcome;
  }

  /** `create` for a caller that can hand out the token of a restored anonymous session. @internal */
  async login(userId: UserId, options: CreateOptions): Promise<LoginOutcome> {
    return this.#outcome(await this.#parts.issuer.forUser(userId, options));
  }

  /** What a user at the limit needs to choose which session makes room. @internal */
  async pauseLogin(
    userId: UserId,
    ...paused: [options: CreateOptions, max: number, pausedUntil?: number]
  ): Promise<SessionLimitError> {
    const { access, issuer } = this.#parts;
    const user = { userId: canonicalUserId(userId), ...(await this.#place(userId)) };
    return pauseLogin(access, issuer, user, ...paused);
  }

  /** The login of a ticket that is genuine and not too old; a ticket is good once. @internal */
  resumeLogin(ticket: unknown): Promise<PausedLogin | undefined> {
    return resumeLogin(this.#parts.access, this.#parts.tokens, ticket);
  }

  /** Creates a session without a user, for data that exists before the login. */
  async createAnonymous(
    data: Readonly<Record<string, unknown>>,
    device: SessionDevice = {},
  ): Promise<CreatedSession> {
    return this.#created(await this.#parts.issuer.forAnonymous(data, device));
  }

  /**
   * What a token is worth now. Counts as activity unless `touch` is `false`. A token that is not
   * genuine costs no store call.
   */
  async resolve(token: string, options?: { readonly touch?: boolean }): Promise<SessionVerdict> {
    const verified = this.verify(token);
    return verified === undefined ? { status: 'none' } : this.resolveVerified(verified, options);
  }

  /** Whether a text is a genuine token of this application; says nothing about its session. @internal */
  verify(token: string): VerifiedToken | undefined {
    return this.#parts.verify(token);
  }

  /** @internal */
  resolveVerified(token: VerifiedToken, options: ResolveOptions = {}): Promise<ResolvedToken> {
    return this.#parts.resolver.resolve(token, options);
  }

  /** Whether a newer token took the place of this one a moment ago. @internal */
  isOvertaken(token: VerifiedToken): Promise<boolean> {
    return this.#parts.resolver.isOvertaken(token);
  }

  /**
   * Gives a session a new token and keeps its id: after a change of privilege. The old token is
   * dead when the call returns. `undefined`: the session is gone, or another request rotated it.
   *
   * @internal
   */
  async rotate(token: VerifiedToken, session: Session): Promise<Renewed | undefined> {
    const rotated = await this.#parts.rotator.rotateHard(token, session.generation);
    return rotated && this.#renewed(session, rotated);
  }

  /** A further proof of identity in this session. @internal */
  async elevate(...proof: Parameters<Privileges['elevate']>): Promise<Renewed> {
    return this.#renewed(proof[2], await this.#parts.privileges.elevate(...proof));
  }

  /** @internal */
  async impersonate(
    token: VerifiedToken,
    actor: Session,
    target: UserId,
    options: ImpersonateOptions,
  ): Promise<LoginOutcome> {
    return this.#outcome(await this.#parts.privileges.impersonate(token, actor, target, options));
  }

  /** @internal */
  async endImpersonation(child: Session): Promise<CreatedSession | undefined> {
    const released = await this.#parts.privileges.release(child);
    if (released === undefined) return undefined;
    const { token, record } = released;
    const session = this.#session({ record, fields: new Map(), complete: false }, this.now);
    return { session, token, ended: [] };
  }

  /**
   * Call it before the credentials are verified and give the ticket to the login: it is refused if
   * all sessions of the user were revoked in between, such as by a password change.
   */
  async beginLogin(userId: UserId): Promise<LoginTicket> {
    const user = await this.#place(userId);
    const { epoch, now } = await this.#parts.access.call((store) => store.list({ user }));
    return { userId: canonicalUserId(userId), epoch, at: now };
  }

  /**
   * Ends all sessions of everybody that were created until a moment (milliseconds since 1970, by
   * default now), on every instance, before it returns: after a leaked secret or a restored backup.
   */
  revokeEveryone(until?: number): Promise<void> {
    return this.#parts.administration.revokeEveryone(until);
  }

  /** The live sessions of a user, and the ended ones that are still remembered. */
  async list(userId: UserId): Promise<UserSessions> {
    const user = await this.#place(userId);
    const reply = await this.#parts.access.call((store) => store.list({ user }));
    const { limits } = this.#parts.config.settings;
    const sessions = reply.sessions.map((record) => infoOf(record, deadlinesOf(record, limits)));
    return { sessions, ended: reply.tombstones };
  }

  /** All live sessions, page by page, in no promised order: for administration. */
  async page(
    options: { readonly cursor?: string; readonly limit?: number } = {},
  ): Promise<SessionPage> {
    const { limit = 50, ...cursor } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
      throw new RangeError('limit must be an integer from 1 to 100');
    }
    const reply = await this.#parts.access.call((store) => store.page({ ...cursor, limit }));
    const limits = this.#parts.config.settings.limits;
    const sessions = reply.sessions.map((record) => ({
      ...infoOf(record, deadlinesOf(record, limits)),
      userId: record.userId,
    }));
    return { sessions, ...(reply.cursor !== undefined && { cursor: reply.cursor }) };
  }

  /**
   * Ends one session. `false`: there is none with this id, or, with `userId`, it is not that
   * user's; the two cannot be told apart.
   */
  async revoke(
    id: SessionId,
    options: { readonly userId?: UserId; readonly reason?: 'revoked' | 'logout' } = {},
  ): Promise<boolean> {
    if (parseSessionId(id) === undefined) return false;
    const owner =
      options.userId === undefined ? {} : { userKey: (await this.#place(options.userId)).userKey };
    const reason = options.reason ?? 'revoked';
    const reply = await this.#parts.access.call((store) => store.revoke({ id, reason, ...owner }));
    if (reply.status === 'gone') return false;
    this.#parts.announceEnd(reply.ended);
    return true;
  }

  /** Ends all sessions of a user, or all but one; gives their number. */
  async revokeUser(userId: UserId, options: RevokeUserOptions = {}): Promise<number> {
    const user = await this.#place(userId);
    const reply = await this.#parts.access.call((store) =>
      store.revokeUser({ user, reason: 'revoked', ...options }),
    );
    reply.ended.forEach(this.#parts.announceEnd);
    return reply.ended.length;
  }

  /** A request carried two different genuine tokens: cookie injection, or a proxy gone wrong. @internal */
  reportAmbiguous(): void {
    const event = { eventId: `ambiguous:${randomUUID()}`, at: this.now };
    this.#parts.events.emit('session.ambiguous', event);
  }

  /** A request was refused as cross-site. @internal */
  reportCrossSite(origin?: string): void {
    const event = { eventId: `cross-site:${randomUUID()}`, at: this.now };
    this.#parts.events.emit('session.cross-site-refused', { ...event, ...(origin && { origin }) });
  }

  /**
   * Ends all sessions of users that meet the conditions, in batches; with `dryRun` only counts. A
   * call that ran out of its budget gives a cursor to go on with.
   */
  revokeWhere(filter: SessionFilter, options: RevokeWhereOptions = {}): Promise<RevokeWhereReport> {
    return this.#parts.administration.revokeWhere(filter, options);
  }

  /** Which check decides about a token or id, and when each deadline falls. For operators only. */
  explain(tokenOrId: string): Promise<SessionExplanation> {
    return this.#parts.administration.explain(tokenOrId);
  }

  /** Everything that is kept about a user, data included (GDPR art. 15). */
  async exportUser(userId: UserId): Promise<UserExport> {
    const user = canonicalUserId(userId);
    return this.#parts.administration.exportUser(user, await this.#place(user));
  }

  /** Ends a user's sessions and removes everything that is kept about them (GDPR art. 17). */
  async eraseUser(userId: UserId): Promise<number> {
    return this.#parts.administration.eraseUser(await this.#place(userId));
  }

  /** Counts a failed login, for the statistics and for whoever listens. */
  async recordLoginFailure(userId?: UserId): Promise<void> {
    const user = userId === undefined ? {} : { userId: canonicalUserId(userId) };
    const { now: at } = await this.#parts.access.call((store) => store.countLoginFailure());
    const eventId = `login-failed:${randomUUID()}`;
    this.#parts.events.emit('session.login-failed', { eventId, at, ...user });
  }

  /** Active sessions, creation rate, ends by reason, durations and more, over all instances. */
  async stats(): Promise<SessionStats> {
    return summarize(await this.#parts.access.call((store) => store.stats()));
  }

  /** Asks the store whether it is well. */
  ping(): Promise<PingReply> {
    return this.#parts.access.call((store) => store.ping());
  }

  /** Runs the cleanup once: ends what is past its deadline. Safe on any number of instances. */
  async sweep(bounds: { readonly batch: number; readonly budget: number }): Promise<SweepReport> {
    const report = await sweep(this.#parts.access, bounds, this.#parts.announceEnd);
    const event = { eventId: `swept:${randomUUID()}`, at: await this.#parts.access.now() };
    this.#parts.events.emit('session.swept', { ...event, ...report });
    return report;
  }

  /** Subscribes to what happens to sessions; the function that is returned ends the subscription. */
  on<Name extends SessionEventName>(name: Name, listener: SessionEventListener<Name>): () => void {
    return this.#parts.events.on(name, listener);
  }

  #outcome(reply: Issued | Refused): LoginOutcome {
    if (reply.status === 'issued') return { status: 'created', ...this.#created(reply) };
    const { error, restored } = reply;
    return { status: 'refused', error, ...(restored && { restored: this.#created(restored) }) };
  }

  #renewed(session: Session, { token, record }: Rotated): Renewed {
    return { token, session: session.renewed(record, this.now) };
  }

  #created(issued: Issued): CreatedSession {
    return { session: this.#session(issued, issued.now), token: issued.token, ended: issued.ended };
  }

  async #place(userId: UserId): Promise<{ bucket: number; userKey: string }> {
    const user = canonicalUserId(userId);
    return placement(user, await this.#parts.access.layout());
  }

  #session(active: Pick<ActiveSession, 'record' | 'fields' | 'complete'>, now: number): Session {
    return new Session(this.#parts.context, { ...active, now });
  }
}
