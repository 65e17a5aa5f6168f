/**
 * What a store keeps of a session, and the parts of it that may be shown.
 */

/**
 * Public, stable handle of a session: 24 base64url characters, the same before and after a
 * rotation. Safe in logs, lists and URLs; it grants nothing.
 *
 * @public
 */
export type SessionId = string;

/**
 * Why a session ended. The list is closed.
 *
 * - `idle`, `absolute`: a timeout; nobody's act
 * - `logout`: its user logged out in it
 * - `revoked`: somebody entitled ended it (another device, an administrator, the application)
 * - `evicted`: a newer login of the same user took its place at the concurrency limit
 * - `replaced`: a login in the same browser took its place
 * - `reused`: a retired token of it was presented, which means it was copied
 *
 * @public
 */
export const END_REASONS = [
  'idle',
  'absolute',
  'logout',
  'revoked',
  'evicted',
  'replaced',
  'reused',
] as const;

/** One of {@link END_REASONS}. @public */
export type EndReason = (typeof END_REASONS)[number];

/**
 * What is known of the device behind a session, as shown to its user. At most 64 bytes each, so
 * that a Redis hash stays in its compact encoding.
 *
 * @public
 */
export interface SessionDevice {
  /** Browser or client, such as `Firefox 131`. */
  readonly client?: string;
  /** Operating system, such as `Android`. */
  readonly platform?: string;
  /** Address of the client as the adapter knows it (its trust-proxy setting decides). */
  readonly address?: string;
}

/**
 * Timeouts of one session, in milliseconds, on top of those of its limit class: the smaller of the
 * two always counts.
 *
 * @public
 */
export interface OwnLimits {
  readonly idle?: number;
  readonly absolute?: number;
}

/**
 * A live session as the store keeps it, without its token and without its data. Instants are
 * milliseconds since 1970 by the store's clock.
 *
 * @public
 */
export interface SessionRecord {
  readonly id: SessionId;
  /** Absent in an anonymous session. */
  readonly userId?: string;
  readonly createdAt: number;
  /** When the user last proved who they are; absent in an anonymous session. */
  readonly authenticatedAt?: number;
  /** Last recorded activity: at most one touch interval before the real one. */
  readonly seenAt: number;
  /** Upper bound of the idle timeout, as the policy was at the last touch. */
  readonly idleAt: number;
  /** Upper bound of the absolute timeout as it stood at creation; it never moves. */
  readonly absoluteAt: number;
  /** Name of the timeouts that apply: `default`, `remembered`, `anonymous` or the application's own. */
  readonly limitClass: string;
  readonly ownLimits?: OwnLimits;
  readonly device: SessionDevice;
  /** How the user logged in, as `claims.ts` encodes it; absent: nothing is known. */
  readonly claims?: string;
  /** Highest token generation issued so far; 0 until the first rotation. */
  readonly generation: number;
}

/**
 * What stays of an ended session for its user's eyes and for the answer to its old token: no data,
 * no device, no address. It is kept until the `absoluteAt` of the session at the longest: from
 * then on the token is refused by the deadline it carries.
 *
 * @public
 */
export interface SessionTombstone {
  readonly id: SessionId;
  readonly reason: EndReason;
  readonly endedAt: number;
}

/**
 * The end of one session, handed out exactly once by the step that ended it.
 *
 * @public
 */
export interface EndedSession extends SessionTombstone {
  readonly userId?: string;
  readonly createdAt: number;
}
