/**
 * The store contract: what every store does, atomically, with the same verdicts.
 *
 * Rules that hold for every operation:
 * - **Operations, not CRUD.** Only `create` brings a session into existence. Everything else
 *   answers `gone` for what is not there, so that no request in flight can undo a logout.
 * - **One atomic step each.** Index, limit, counters and record change together or not at all.
 * - **The store's clock decides.** Every reply carries `now`; a timeout is checked in every
 *   operation, whether or not the cleanup ran.
 * - **Late-proof.** A mutation that reaches the store after its `notAfter` answers `late` and
 *   changes nothing: a command whose caller gave up cannot create or extend a session. (`revoke`
 *   and `revokeUser` may land late: an end that was asked for is never wrong.) `create` and
 *   `rotate` repeated with the same arguments have the effect of one; `write` is never repeated
 *   by a store on its own, since an increment is not idempotent.
 * - **Verdicts are values.** A store rejects with `SessionStoreError` only for system faults.
 *   Such an error carries no host, key or payload.
 *
 * `describeStoreContract` in `nestjs-session-kit/testing` holds a store to all of this.
 */
import type { SessionBus } from './bus.js';
import type { LimitTable } from './policy.js';
import type { RotationRules } from './rotation.js';
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
  SweepReply,
  SweepRequest,
  WriteReply,
  WriteRequest,
} from './store-messages.js';
import type { StatsReply } from './store-stats.js';

export * from './store-messages.js';
export * from './store-stats.js';

/** The rules a store applies; given once, at boot. Durations in milliseconds. */
export interface StoreSettings {
  readonly limits: LimitTable;
  readonly touchInterval: number;
  readonly rotation: RotationRules;
  /** Total of the encoded names and values of one session, in UTF-8 bytes. */
  readonly maxSessionBytes: number;
  readonly maxFields: number;
  /** Tombstones kept per user, newest first. */
  readonly maxTombstones: number;
  /** How many buckets a store without a layout record gets. */
  readonly buckets: number;
  /** Total deadline of one call, connecting and retries included. */
  readonly deadline: number;
  /**
   * How long a store that expires keys by itself keeps them past their deadline, so that the sweep
   * can count and announce the end: at least two cleanup periods.
   */
  readonly margin: number;
}

/**
 * Where users are placed. Created once per store, never changed: a new placement key or bucket
 * count would lose every user's index.
 */
export interface StoreLayout {
  readonly buckets: number;
  /** 32 random bytes, base64url. */
  readonly placementKey: string;
}

/**
 * Where sessions live.
 *
 * @public
 */
export interface SessionStore {
  /** Short name for logs, health and metrics: `memory`, `redis`… */
  readonly name: string;

  /**
   * News about sessions from all instances, if the store can tell. Without it the end of a session
   * reaches its open streams within 5 seconds.
   */
  readonly bus?: SessionBus;

  /**
   * Connects, checks the server and reads or writes the layout. Called at boot, and again by the
   * next caller after it failed. A second call replaces the settings: deadlines of live sessions
   * follow a tighter policy.
   *
   * @throws SessionConfigError if the stored layout does not fit `settings.buckets`
   */
  open(settings: StoreSettings): Promise<StoreLayout>;

  /** Inserts a session; enforces the concurrency limit and the user's epoch in the same step. */
  create(request: CreateRequest): Promise<CreateReply>;

  /** Token → verdict. Records activity if due, preloads fields, advances the rotation state. */
  resolve(request: ResolveRequest): Promise<ResolveReply>;

  /** Fields that `resolve` did not preload. */
  read(request: ReadRequest): Promise<ReadReply>;

  /** Changes fields, each on its own: parallel writes to different fields all survive. */
  write(request: WriteRequest): Promise<WriteReply>;

  /** Makes `next` the current token, compare-and-set. */
  rotate(request: RotateRequest): Promise<RotateReply>;

  /** Ends one session. */
  revoke(request: RevokeRequest): Promise<RevokeReply>;

  /** Ends all sessions of a user (but one) and raises the user's epoch. */
  revokeUser(request: RevokeUserRequest): Promise<RevokeUserReply>;

  /**
   * Ends all sessions that were created until a moment, for every instance, before it returns;
   * what it costs does not depend on their number. After a restored backup, or a leaked secret.
   */
  revokeEveryone(request: RevokeEveryoneRequest): Promise<RevokeEveryoneReply>;

  /** Ends all sessions of a user and removes everything that is kept about them, tombstones too. */
  eraseUser(request: ListRequest): Promise<EraseUserReply>;

  /** What is known of a session by its id alone. Shows no token, so it lets nobody in. */
  peek(request: PeekRequest): Promise<PeekReply>;

  /** A user's sessions; costs what the user has, whatever the store holds. */
  list(request: ListRequest): Promise<ListReply>;

  /** All sessions, page by page, for administration. */
  page(request: PageRequest): Promise<PageReply>;

  /** Ends what is past its deadline, oldest first; safe with any number of runners. */
  sweep(request: SweepRequest): Promise<SweepReply>;

  /** The counters. */
  stats(): Promise<StatsReply>;

  /** Counts one failed login. */
  countLoginFailure(): Promise<Reply<'counted'>>;

  /** Is it there, and what time is it? */
  ping(): Promise<PingReply>;

  /** Ends what `open` started. Idempotent. A client that was handed in stays open. */
  close(): Promise<void>;
}
