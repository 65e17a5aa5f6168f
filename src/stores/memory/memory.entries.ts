import type { SessionRecord, SessionTombstone } from '../../core/record.js';
import type { TokenMatch, TokenState } from '../../core/rotation.js';
import type { ActiveSession, EncodedFields, FieldNames, NewSession } from '../../core/store.js';
import type { Due } from './expiry-heap.js';

/** A live session. The parts are never changed, only exchanged, so that replies may share them. */
export interface LiveSession extends Due {
  readonly kind: 'session';
  /** Absent in an anonymous session. */
  readonly userKey: string | undefined;
  /** The concurrency limit does not count it. */
  readonly isExempt: boolean;
  /** Place in the order of creation: what a page cursor counts. */
  readonly serial: number;
  record: SessionRecord;
  tokens: TokenState;
  fields: EncodedFields;
}

/** What is left of an ended session, until the deadline that it had. */
export interface Grave extends Due {
  readonly kind: 'grave';
  readonly userKey: string | undefined;
  readonly tombstone: SessionTombstone;
}

/** The record of a session that begins now; a frozen copy, independent of the request. */
export function newRecord(
  session: NewSession,
  now: number,
  deadlines: Pick<SessionRecord, 'idleAt' | 'absoluteAt'>,
): SessionRecord {
  const { id, token, limitClass, ownLimits, device, claims, user } = session;
  return Object.freeze({
    id,
    ...(user && { userId: user.userId, authenticatedAt: now }),
    createdAt: now,
    seenAt: now,
    idleAt: deadlines.idleAt,
    absoluteAt: deadlines.absoluteAt,
    limitClass,
    ...(ownLimits && { ownLimits: Object.freeze({ ...ownLimits }) }),
    device: Object.freeze({ ...device }),
    ...(claims !== undefined && { claims }),
    generation: token.generation,
  });
}

/** The part of a `resolve` reply that speaks of the session itself. */
export function describeActive(
  session: LiveSession,
  match: Exclude<TokenMatch, { kind: 'retired' | 'ahead' }>,
): ActiveSession {
  const successor = match.kind === 'predecessor' ? match.successor : undefined;
  return {
    record: session.record,
    fields: new Map(session.fields),
    complete: true,
    rotatedAt: session.tokens.rotatedAt,
    match: match.kind,
    ...(successor && { successor }),
    suspicious: match.kind === 'predecessor' && match.suspicious,
  };
}

export function pickFields(fields: EncodedFields, names: readonly string[]): EncodedFields {
  return new Map([...fields].filter(([name]) => names.includes(name)));
}

/** What may cross a login: only of an anonymous session. */
export function takeFields(
  session: LiveSession | undefined,
  names: FieldNames = [],
): EncodedFields {
  if (session === undefined || session.userKey !== undefined) return new Map();
  return names === 'all' ? new Map(session.fields) : pickFields(session.fields, names);
}

/** The serial that a page goes on after. After a cursor that is not ours nothing comes. */
export function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  return /^\d{1,15}$/.test(cursor) ? Number(cursor) : Infinity;
}
