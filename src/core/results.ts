/**
 * What the service takes and gives.
 */
import type { SessionError } from './errors.js';
import type { LimitOptions } from './options.js';
import type {
  EndReason,
  EndedSession,
  SessionDevice,
  SessionId,
  SessionTombstone,
} from './record.js';
import type { Session, SessionInfo } from './session.js';
import type { MintedToken } from './token.js';

/** A new session and its token, which exists nowhere else. @public */
export interface CreatedSession {
  readonly session: Session;
  readonly token: MintedToken;
  /** Sessions that ended in the same step: replaced or evicted. */
  readonly ended: readonly EndedSession[];
}

/** A session that goes on under a new token. */
export interface Renewed {
  readonly token: MintedToken;
  readonly session: Session;
}

/** What became of a login. @internal */
export type LoginOutcome =
  | (CreatedSession & { readonly status: 'created' })
  | {
      readonly status: 'refused';
      readonly error: SessionError;
      readonly restored?: CreatedSession;
    };

/**
 * What a token is worth.
 *
 * - `active`: a live session
 * - `ended`: it is over, for this reason; only the holder of a genuine token is told
 * - `none`: everything else: malformed, forged, unknown, superseded by a newer token
 *
 * @public
 */
export type SessionVerdict =
  | { readonly status: 'active'; readonly session: Session }
  | { readonly status: 'ended'; readonly reason: EndReason }
  | { readonly status: 'none' };

/** What a request says when it resolves its token. */
export interface ResolveOptions {
  /** Whether it counts as activity. @defaultValue `true` */
  readonly touch?: boolean;
  /** Digest of slow-changing client properties. */
  readonly traits?: string;
  /** Who asks, to be compared with who logged in; looked at only if the session is alive. */
  readonly client?: () => SessionDevice;
  /** Whether the answer can carry a new token. @defaultValue `false` */
  readonly mayRotate?: boolean;
}

/** A user's sessions, newest first. @public */
export interface UserSessions {
  readonly sessions: readonly SessionInfo[];
  /** Ended sessions still remembered: at most 100, none past its deadline. */
  readonly ended: readonly SessionTombstone[];
}

/** Which of a user's sessions end. @public */
export interface RevokeUserOptions {
  /** The one to spare, such as the caller's own. */
  readonly except?: SessionId;
}

/** A session as administrators see it. @public */
export interface SessionPageEntry extends SessionInfo {
  /** Absent in an anonymous session. */
  readonly userId: string | undefined;
}

/** One page of all sessions. @public */
export interface SessionPage {
  readonly sessions: readonly SessionPageEntry[];
  /** For the next page; absent on the last. */
  readonly cursor?: string;
}

/** A further proof of identity in a session that goes on. @public */
export interface ElevateOptions {
  /** How the user has just proved who they are, such as `['otp']` (RFC 8176). */
  readonly methods: readonly string[];
  /** Assurance level reached by it, 0 to 9; never lowers the session's. */
  readonly level?: number;
  /** Confirms this one action, once: see `@StepUp()`. */
  readonly action?: string;
}

/** How somebody acts in another user's name. @public */
export interface ImpersonateOptions {
  /** Tighter timeouts than those of the limit class. */
  readonly timeouts?: LimitOptions;
  /** @defaultValue `'impersonation'`: idle 15 minutes, absolute 1 hour */
  readonly limitClass?: string;
  readonly device?: SessionDevice;
}
