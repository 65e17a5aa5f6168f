/**
 * How a session is created.
 */
import type { SessionActor } from './claims.js';
import type { SessionFieldTypes } from './fields.js';
import type { LimitOptions } from './options.js';
import type { SessionDevice, SessionId } from './record.js';

/** How a session is created. @public */
export interface CreateOptions {
  /** A long-lived session that survives the end of the browser. @defaultValue `false` */
  readonly remember?: boolean;
  /**
   * Name of the timeouts that apply, from `timeouts.classes`.
   *
   * @defaultValue what `timeouts.classOf` says; else `'default'`, or `'remembered'`
   */
  readonly limitClass?: string;
  /** Tighter timeouts for this session alone; looser ones have no effect. */
  readonly timeouts?: LimitOptions;
  /**
   * How the user proved who they are, by short names such as `pwd`, `otp`, `hwk` (RFC 8176).
   *
   * @defaultValue `['login']`
   */
  readonly methods?: readonly string[];
  /** Assurance level of these proofs, 0 to 9, such as NIST's AAL. @defaultValue 0 */
  readonly level?: number;
  /**
   * The user has still to prove more, such as a second factor: only routes with `@AllowPending()`
   * let the session in until `elevate()` completes it.
   *
   * @defaultValue `false`
   */
  readonly pending?: boolean;
  /** Organisation the session belongs to; for `revokeWhere` and functions among the options. */
  readonly tenant?: string;
  readonly device?: SessionDevice;
  /** First fields. */
  readonly data?: Partial<SessionFieldTypes>;
  /** From `beginLogin`: refuses the login if all sessions were revoked since. */
  readonly ticket?: LoginTicket;
  /**
   * A session that this one takes the place of: it ends first. Fields named in
   * `data.keepOnLogin` cross over if it was anonymous.
   */
  readonly replaces?: SessionId;
  /** One of the user's sessions that makes room for this one at the concurrency limit. */
  readonly evicts?: SessionId;
  /** Who acts in the user's name. @internal */
  readonly actor?: SessionActor;
}

/** Proves when a login began; only worth something inside the process that got it. @public */
export interface LoginTicket {
  readonly userId: string;
  readonly epoch: number;
  /** Milliseconds since 1970 by the store's clock. */
  readonly at: number;
}
