/**
 * Requests and replies of the store contract: what goes to a store and which verdicts come back.
 * The rules that hold for all of them stand in `store.ts`.
 */
import type { ConcurrencyRule } from './policy.js';
import type {
  EndReason,
  EndedSession,
  OwnLimits,
  SessionDevice,
  SessionId,
  SessionRecord,
  SessionTombstone,
} from './record.js';
import type { NextToken, PresentedToken, SuccessorHint } from './rotation.js';

/** Longest claims of a session, in UTF-8 bytes. */
export const MAX_CLAIMS_BYTES = 1024;

/** Encoded fields of a session: name → text as the field codec made it. */
export type EncodedFields = ReadonlyMap<string, string>;

/** Which fields are meant. */
export type FieldNames = readonly string[] | 'all';

/** A user as the store addresses them: both parts come from an HMAC of the user id. */
export interface UserPlace {
  readonly bucket: number;
  /** 8 bytes as 11 base64url characters; every session id of the user contains them. */
  readonly userKey: string;
}

/** Every reply says what time it is at the store. */
export interface Reply<Status extends string> {
  readonly status: Status;
  readonly now: number;
}

/** A session that is about to be created; fields taken from a replaced one do not override its own. */
export interface NewSession {
  /** From `createSid`: it contains the user's key, and says whether there is a user. */
  readonly id: SessionId;
  readonly token: NextToken;
  readonly limitClass: string;
  readonly ownLimits?: OwnLimits;
  readonly device: SessionDevice;
  /** How the user logged in; opaque to the store, at most {@link MAX_CLAIMS_BYTES}. */
  readonly claims?: string;
  readonly fields: EncodedFields;
  /** Absent in an anonymous session, which belongs to no index and no limit. */
  readonly user?: UserPlace & { readonly userId: string };
}

export interface CreateRequest {
  readonly session: NewSession;
  /**
   * The user's limit. `exempt`: the session is not held to one, now or later: no login that comes
   * after it counts it or evicts it, unless the user chose it.
   */
  readonly concurrency?: ConcurrencyRule | 'exempt';
  /**
   * A session of the same bucket that this one takes the place of; it ends first, as `replaced`,
   * and does not count for the limit. The fields named in `take` cross over if it is anonymous.
   */
  readonly replaces?: { readonly id: SessionId; readonly take: FieldNames };
  /** The user's epoch when their credentials were verified; a later one refuses the login. */
  readonly epoch?: number;
  /** When they were verified; a `revokeEveryone` of that moment or later refuses the login. */
  readonly verifiedAt?: number;
  /** One of the user's own sessions that makes room for this one: it ends first, as `evicted`. */
  readonly evicts?: SessionId;
  readonly notAfter: number;
}

/**
 * - `created`: exactly one new session; `ended` names the replaced and the evicted
 * - `limit`: the user is at the maximum and the rule is `reject`; nothing changed
 * - `superseded`: the user's sessions were all revoked since `epoch`; nothing changed
 * - `taken`: another session has this id; nothing changed
 */
export type CreateReply =
  | (Reply<'created'> & { readonly record: SessionRecord; readonly ended: readonly EndedSession[] })
  | Reply<'limit'>
  | Reply<'superseded'>
  | Reply<'taken'>
  | Reply<'too-large'>
  | Reply<'late'>;

export interface ResolveRequest {
  readonly id: SessionId;
  readonly token: PresentedToken;
  /** Whether this counts as activity. */
  readonly touch: boolean;
}

/**
 * - `active`: alive, and the token is good for this request
 * - `ended`: it ended, for this reason; `ended` is there if this very call ended it. With
 *   `rejected` only the token did: it was retired, the rules say `reject`, and the session lives
 *   on for the holder of its current token
 * - `retired`: the token was replaced by a hard rotation a moment ago
 * - `ahead`: the token is newer than the record: the store went back in time
 * - `gone`: nothing is known of it
 */
export type ResolveReply =
  | (Reply<'active'> & ActiveSession)
  | (Reply<'ended'> & {
      readonly reason: EndReason;
      readonly ended?: EndedSession;
      readonly rejected?: true;
    })
  | Reply<'retired'>
  | Reply<'ahead'>
  | Reply<'gone'>;

export interface ActiveSession {
  readonly record: SessionRecord;
  /** The preloaded fields. */
  readonly fields: EncodedFields;
  /** `false`: there are more fields, which `read` fetches. */
  readonly complete: boolean;
  /** When the current token was issued. */
  readonly rotatedAt: number;
  /**
   * - `current`: nothing to do
   * - `predecessor`: accepted within the grace; with `successor`, hand that token out
   * - `fork`: accepted; ask `rotate` for a second successor
   * - `reused`: a retired token, let through because the rules say `report`
   */
  readonly match: 'current' | 'predecessor' | 'fork' | 'reused';
  readonly successor?: SuccessorHint;
  /** The predecessor came from what looks like another client. */
  readonly suspicious: boolean;
}

export interface ReadRequest {
  readonly id: SessionId;
  /** All fields if absent. */
  readonly names?: readonly string[];
}

export type ReadReply = (Reply<'read'> & { readonly fields: EncodedFields }) | Reply<'gone'>;

/** One change of one field; values are texts of the field codec. */
export type FieldChange =
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  | { readonly kind: 'delete'; readonly name: string }
  /** Adds to an integer, which is 0 if absent; the sum must stay a safe integer. */
  | { readonly kind: 'increment'; readonly name: string; readonly by: number }
  /** Adds an item to the end of an array, which is empty if absent. */
  | { readonly kind: 'append'; readonly name: string; readonly item: string }
  /** Sets only if the field still has `expected` (`undefined`: is still absent). */
  | {
      readonly kind: 'replace';
      readonly name: string;
      readonly value: string;
      readonly expected: string | undefined;
    };

export interface WriteRequest {
  readonly id: SessionId;
  /**
   * Applied in order, all or none. A result that is not larger than before is never too large, so
   * that a session can still shrink after a limit was lowered.
   */
  readonly changes: readonly FieldChange[];
  readonly notAfter: number;
}

/**
 * - `written`: `fields` holds the new text of every changed field, `undefined` if deleted
 * - `conflict`: nothing was written: the field does not have the expected value (`changed`), or
 *   is not what the change needs
 */
export type WriteReply =
  | (Reply<'written'> & { readonly fields: ReadonlyMap<string, string | undefined> })
  | (Reply<'conflict'> & {
      readonly name: string;
      readonly why: 'changed' | 'not-an-integer' | 'not-an-array' | 'out-of-range';
      readonly current: string | undefined;
    })
  | Reply<'too-large'>
  | Reply<'gone'>
  | Reply<'late'>;

export interface RotateRequest {
  readonly id: SessionId;
  /** Must be the current token (`fork`: its predecessor), or the rotation is `lost`. */
  readonly token: PresentedToken;
  /** `reissue` is a hard rotation without a token: what it says in `token` does not matter. */
  readonly kind: 'soft' | 'fork' | 'hard' | 'reissue';
  /** Its generation must be one above the record's, or the rotation is `lost`. */
  readonly next: NextToken;
  /** The user has just proved who they are once more: sets `authenticatedAt`. */
  readonly authenticated?: boolean;
  /** Replaces the record's claims in the same step. */
  readonly claims?: string;
  readonly notAfter: number;
}

/**
 * - `rotated`: `next` is the current token
 * - `lost`: somebody else rotated first; with `successor`, hand that token out instead
 */
export type RotateReply =
  | (Reply<'rotated'> & { readonly record: SessionRecord })
  | (Reply<'lost'> & { readonly successor?: SuccessorHint })
  | Reply<'gone'>
  | Reply<'late'>;

export interface RevokeRequest {
  readonly id: SessionId;
  readonly reason: EndReason;
  /** Only if it belongs to this user; somebody else's answers `gone`, like one that never was. */
  readonly userKey?: string;
  /** Fields to hand over, if the session is anonymous: what may cross a login. */
  readonly take?: FieldNames;
}

export type RevokeReply =
  | (Reply<'revoked'> & { readonly ended: EndedSession; readonly fields: EncodedFields })
  | Reply<'gone'>;

export interface RevokeUserRequest {
  readonly user: UserPlace;
  /** Spared, if it is this user's and alive. */
  readonly except?: SessionId;
  readonly reason: EndReason;
}

export interface RevokeUserReply extends Reply<'revoked'> {
  readonly ended: readonly EndedSession[];
  /** The user's new epoch: a login that verified credentials under an older one is refused. */
  readonly epoch: number;
}

export interface RevokeEveryoneRequest {
  /** Milliseconds since 1970; sessions created until then end. @defaultValue now */
  readonly until?: number;
  readonly reason: EndReason;
}

/** `until`: the moment that counts. The ends are counted and handed out by `sweep`, in time. */
export interface RevokeEveryoneReply extends Reply<'revoked'> {
  readonly until: number;
}

export interface EraseUserReply extends Reply<'erased'> {
  readonly ended: readonly EndedSession[];
}

export interface PeekRequest {
  readonly id: SessionId;
  /** Whether it counts as activity, as when its user acts through another session. */
  readonly touch: boolean;
}

/**
 * As of `resolve`, but a session past its deadline is left for others to end. `endedAt` is there for
 * one that has ended.
 */
export type PeekReply =
  | (Reply<'active'> & { readonly record: SessionRecord })
  | (Reply<'ended'> & { readonly reason: EndReason; readonly endedAt?: number })
  | Reply<'gone'>;

export interface ListRequest {
  readonly user: UserPlace;
}

export interface ListReply extends Reply<'listed'> {
  /** The live ones, newest first. */
  readonly sessions: readonly SessionRecord[];
  /** The ended ones still remembered, newest first. */
  readonly tombstones: readonly SessionTombstone[];
  readonly epoch: number;
}

export interface PageRequest {
  /** From the previous page; absent for the first. After one that is not ours nothing comes. */
  readonly cursor?: string;
  /** 1 to 100. */
  readonly limit: number;
}

export interface PageReply extends Reply<'page'> {
  /**
   * Live sessions, anonymous ones included, in no promised order; one that lives through the whole
   * paging is seen once.
   */
  readonly sessions: readonly SessionRecord[];
  /** Absent on the last page. A page may be empty and still not be the last. */
  readonly cursor?: string;
}

export interface SweepRequest {
  /** Sessions to end at most; 0 only confirms. */
  readonly limit: number;
  /** What this runner was handed before and has announced; the rest is handed out again in time. */
  readonly announced?: readonly SessionId[];
  readonly notAfter: number;
}

/** What a sweep found broken and mended. */
export interface SweepRepairs {
  /** Keys of ours that had lost their expiry. */
  readonly withoutExpiry: number;
  /** Index entries without a session. */
  readonly danglingEntries: number;
  /** What each of them is called in the store: for operators, without a secret or a user id. */
  readonly names: readonly string[];
}

/** `ended`: claimed by this call alone, each counted exactly once. `more`: there is more to end. */
export type SweepReply =
  | (Reply<'swept'> & {
      readonly ended: readonly EndedSession[];
      readonly repairs: SweepRepairs;
      readonly more: boolean;
    })
  | Reply<'late'>;

/** `issues` names what is wrong with a store that answers, such as an eviction policy. */
export interface PingReply extends Reply<'pong'> {
  readonly issues: readonly string[];
  /** Facts for operators, shown only where asked for; never a host, key or credential. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}
