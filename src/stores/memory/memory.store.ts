/**
 * The store contract in one process: the default store, and the reference implementation that the
 * others are compared with. Read it from the top like a specification.
 *
 * Nothing in here waits, so every operation is one atomic step. There is no timer: each operation
 * looks at the clock and ends what it finds past its deadline.
 */
import { SessionConfigError, SessionStoreError } from '../../core/errors.js';
import { applyChanges } from '../../core/field-changes.js';
import { expiryOf } from '../../core/policy.js';
import { matchToken, rotateToken } from '../../core/rotation.js';
import type {
  CreateReply,
  CreateRequest,
  EraseUserReply,
  ListReply,
  ListRequest,
  PageReply,
  PageRequest,
  PeekReply,
  PeekRequest,
  PingReply,
  ReadReply,
  ReadRequest,
  Reply,
  ResolveReply,
  ResolveRequest,
  RevokeEveryoneReply,
  RevokeEveryoneRequest,
  RevokeReply,
  RevokeRequest,
  RevokeUserReply,
  RevokeUserRequest,
  RotateReply,
  RotateRequest,
  SessionStore,
  StatsReply,
  StoreLayout,
  StoreSettings,
  SweepReply,
  SweepRequest,
  WriteReply,
  WriteRequest,
} from '../../core/store.js';
import { createPlacementKey } from '../../core/user-id.js';
import { describeActive, pickFields, readCursor, takeFields } from './memory.entries.js';
import { UserEpochs } from './memory.epochs.js';
import { insertSession } from './memory.insert.js';
import { SessionTable } from './memory.table.js';

/** Options of {@link memoryStore}. @public */
export interface MemoryStoreOptions {
  /**
   * Live sessions at most; a login beyond that fails with `ERR_SESSION_STORE_FULL`. As many
   * tombstones and unannounced ends are kept, the newest ones.
   *
   * @defaultValue 100,000
   */
  readonly maxSessions?: number;
  /** Milliseconds since 1970, for tests. @defaultValue `Date.now` */
  readonly clock?: () => number;
}

/**
 * Keeps sessions in the memory of this process: nothing to set up, nothing survives a restart,
 * nothing is shared with another process.
 *
 * @public
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemorySessionStore {
  return new MemorySessionStore(options);
}

/** What {@link memoryStore} makes. @public */
export class MemorySessionStore implements SessionStore {
  readonly name = 'memory';
  readonly #clock: () => number;
  readonly #table: SessionTable;
  readonly #epochs = new UserEpochs();
  #layout: StoreLayout | undefined;
  /** Sessions created until then are over; milliseconds. */
  #revokedUntil = -Infinity;

  /** @internal */
  constructor({ maxSessions = 100_000, clock = Date.now }: MemoryStoreOptions) {
    if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
      throw new SessionConfigError([
        `memoryStore: maxSessions must be a positive integer (got ${maxSessions})`,
      ]);
    }
    this.#clock = clock;
    this.#table = new SessionTable(maxSessions);
  }

  async open(settings: StoreSettings): Promise<StoreLayout> {
    const { buckets } = settings;
    this.#layout ??= { buckets, placementKey: createPlacementKey() };
    if (this.#layout.buckets !== buckets) {
      throw new SessionConfigError([
        `the store was set up with ${this.#layout.buckets} buckets and cannot be opened with ${buckets}`,
      ]);
    }
    this.#table.applyRules(settings, this.#clock());
    return { ...this.#layout };
  }

  async create(request: CreateRequest): Promise<CreateReply> {
    const now = this.#now();
    const { session, epoch, verifiedAt, notAfter } = request;
    if (now > notAfter) return { status: 'late', now };
    this.#table.endOverdue(now);

    const known = this.#table.find(session.id);
    if (known?.tokens.verifier === session.token.verifier) {
      return { status: 'created', now, record: known.record, ended: [] };
    }
    if (known !== undefined || this.#table.tombstone(session.id, now) !== undefined) {
      return { status: 'taken', now };
    }
    const current = session.user === undefined ? 0 : this.#epochs.of(session.user.userKey);
    if ((epoch ?? current) < current || (verifiedAt ?? Infinity) <= this.#revokedUntil) {
      return { status: 'superseded', now };
    }
    return insertSession(this.#table, request, now);
  }

  async resolve({ id, token, touch }: ResolveRequest): Promise<ResolveReply> {
    const now = this.#now();
    const session = this.#table.find(id);
    if (session === undefined) {
      const tombstone = this.#table.tombstone(id, now);
      return tombstone === undefined
        ? { status: 'gone', now }
        : { status: 'ended', now, reason: tombstone.reason };
    }
    const expired = this.#table.expire(session, now);
    if (expired !== undefined) {
      return { status: 'ended', now, reason: expired.reason, ended: expired };
    }
    const { rotation } = this.#table.rules;
    const match = matchToken(session.tokens, token, now, rotation);
    if (match.kind === 'retired' || match.kind === 'ahead') return { status: match.kind, now };
    if (match.kind === 'reused' && rotation.onReuse === 'revoke') {
      const ended = this.#table.end(session, 'reused', now);
      return { status: 'ended', now, reason: 'reused', ended };
    }
    if (match.kind === 'reused' && rotation.onReuse === 'reject') {
      return { status: 'ended', now, reason: 'reused', rejected: true };
    }
    if (match.kind === 'current') session.tokens = match.next;
    if (touch) this.#table.touch(session, now);
    return { status: 'active', now, ...describeActive(session, match) };
  }

  async read({ id, names }: ReadRequest): Promise<ReadReply> {
    const now = this.#now();
    const session = this.#table.live(id, now);
    if (session === undefined) return { status: 'gone', now };
    const fields = names === undefined ? session.fields : pickFields(session.fields, names);
    return { status: 'read', now, fields: new Map(fields) };
  }

  async write({ id, changes, notAfter }: WriteRequest): Promise<WriteReply> {
    const now = this.#now();
    if (now > notAfter) return { status: 'late', now };
    const session = this.#table.live(id, now);
    if (session === undefined) return { status: 'gone', now };
    const outcome = applyChanges(session.fields, changes, this.#table.rules);
    if (outcome.status !== 'written') return { ...outcome, now };
    session.fields = outcome.fields;
    return { status: 'written', now, fields: outcome.changed };
  }

  async rotate(request: RotateRequest): Promise<RotateReply> {
    const now = this.#now();
    if (now > request.notAfter) return { status: 'late', now };
    const session = this.#table.live(request.id, now);
    if (session === undefined) return { status: 'gone', now };
    const outcome = rotateToken(session.tokens, request, now, this.#table.rules.rotation);
    if (outcome.kind === 'lost') {
      const { successor } = outcome;
      return { status: 'lost', now, ...(successor && { successor }) };
    }
    if (outcome.next !== session.tokens) {
      const proved = request.authenticated === true && session.userKey !== undefined;
      const { generation } = outcome.next;
      const { claims } = request;
      const changes = {
        generation,
        ...(proved && { authenticatedAt: now }),
        ...(claims !== undefined && { claims }),
      };
      session.tokens = outcome.next;
      session.record = Object.freeze({ ...session.record, ...changes });
    }
    return { status: 'rotated', now, record: session.record };
  }

  async revoke({ id, reason, userKey, take }: RevokeRequest): Promise<RevokeReply> {
    const now = this.#now();
    const session = this.#table.live(id, now);
    if (session === undefined || (userKey !== undefined && session.userKey !== userKey)) {
      return { status: 'gone', now };
    }
    const fields = takeFields(session, take);
    return { status: 'revoked', now, ended: this.#table.end(session, reason, now), fields };
  }

  async revokeUser({ user, except, reason }: RevokeUserRequest): Promise<RevokeUserReply> {
    const now = this.#now();
    this.#epochs.forget(now);
    const epoch = this.#epochs.raise(user.userKey, now);
    const doomed = this.#table.liveOf(user.userKey, now).filter(({ id }) => id !== except);
    const ended = doomed.map((session) => this.#table.end(session, reason, now));
    return { status: 'revoked', now, ended, epoch };
  }

  async revokeEveryone({ until, reason }: RevokeEveryoneRequest): Promise<RevokeEveryoneReply> {
    const now = this.#now();
    this.#revokedUntil = Math.max(this.#revokedUntil, Math.min(until ?? now, now));
    this.#table.endCreatedUntil(this.#revokedUntil, reason, now);
    return { status: 'revoked', now, until: this.#revokedUntil };
  }

  async eraseUser({ user }: ListRequest): Promise<EraseUserReply> {
    const now = this.#now();
    const live = this.#table.liveOf(user.userKey, now);
    const ended = live.map((session) => this.#table.end(session, 'revoked', now));
    this.#table.forgetUser(user.userKey);
    // A login that is under way must not bring the user back.
    this.#epochs.raise(user.userKey, now);
    return { status: 'erased', now, ended };
  }

  async peek({ id, touch }: PeekRequest): Promise<PeekReply> {
    const now = this.#now();
    const session = this.#table.find(id);
    const overdue = session && expiryOf(session.record, this.#table.rules.limits, now);
    if (overdue !== undefined) return { status: 'ended', now, reason: overdue };
    if (session !== undefined) {
      if (touch) this.#table.touch(session, now);
      return { status: 'active', now, record: session.record };
    }
    const tombstone = this.#table.tombstone(id, now);
    return tombstone === undefined
      ? { status: 'gone', now }
      : { status: 'ended', now, reason: tombstone.reason, endedAt: tombstone.endedAt };
  }

  async list({ user }: ListRequest): Promise<ListReply> {
    const now = this.#now();
    const live = this.#table.liveOf(user.userKey, now).map(({ record }) => record);
    return {
      status: 'listed',
      now,
      sessions: live.toReversed(),
      tombstones: this.#table.tombstonesOf(user.userKey, now),
      epoch: this.#epochs.of(user.userKey),
    };
  }

  async page({ cursor, limit }: PageRequest): Promise<PageReply> {
    const now = this.#now();
    this.#table.endOverdue(now);
    const { items, more } = this.#table.page(readCursor(cursor), limit);
    const last = items.at(-1);
    return {
      status: 'page',
      now,
      sessions: items.map(({ record }) => record),
      ...(more && last !== undefined && { cursor: String(last.serial) }),
    };
  }

  /** What was handed out is announced or lost with this process, so `announced` adds nothing. */
  async sweep({ limit, notAfter }: SweepRequest): Promise<SweepReply> {
    const now = this.#now();
    if (now > notAfter) return { status: 'late', now };
    this.#epochs.forget(now);
    const ended = this.#table.takeUnannounced(limit);
    while (ended.length < limit) {
      const session = this.#table.nextOverdue(now);
      const expired = session && this.#table.expire(session, now);
      if (expired === undefined) break;
      ended.push(expired);
    }
    const more = this.#table.hasUnannounced() || this.#table.nextOverdue(now) !== undefined;
    const repairs = { withoutExpiry: 0, danglingEntries: 0, names: [] };
    return { status: 'swept', now, ended, repairs, more };
  }

  async stats(): Promise<StatsReply> {
    const now = this.#now();
    this.#table.endOverdue(now);
    const counted = this.#table.statistics.read(now);
    return { status: 'stats', now, ...counted, anonymous: this.#table.size - counted.active };
  }

  async countLoginFailure(): Promise<Reply<'counted'>> {
    const now = this.#now();
    this.#table.statistics.countLoginFailure(now);
    return { status: 'counted', now };
  }

  async ping(): Promise<PingReply> {
    const now = this.#now();
    const { size: sessions, maxSessions, tombstones } = this.#table;
    const details = { sessions, maxSessions, tombstones };
    return { status: 'pong', now, issues: [], details };
  }

  /** There is nothing to end: the sessions stay for the next `open`. */
  async close(): Promise<void> {}

  /** What is really kept, and what the heap has cost so far. @internal */
  inspect(): ReturnType<SessionTable['contents']> & { readonly epochs: number } {
    return { ...this.#table.contents(), epochs: this.#epochs.size };
  }

  #now(): number {
    if (this.#layout === undefined) throw new SessionStoreError('the session store is not open');
    return this.#clock();
  }
}
