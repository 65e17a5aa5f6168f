/**
 * The rules of a session's life as pure functions: when it ends, whether activity is due to be
 * recorded, and who has to go at the concurrency limit.
 */
import type { SessionRecord } from './record.js';

/** Timeouts in milliseconds. */
export interface Limits {
  readonly idle: number;
  readonly absolute: number;
}

/** The current timeouts of every limit class; `default` is always there. */
export interface LimitTable {
  readonly default: Limits;
  readonly [limitClass: string]: Limits;
}

/** What happens to a login when the user is at the limit. @public */
export type AtLimit = 'evict-oldest' | 'evict-least-recent' | 'reject';

/** How many live sessions one user may have, as given to the store for one login. */
export interface ConcurrencyRule {
  readonly max: number;
  readonly atLimit: AtLimit;
}

/** The two deadlines of a session: milliseconds since 1970 by the store's clock. */
export interface Deadlines {
  readonly idleAt: number;
  readonly absoluteAt: number;
}

type Timed = Pick<
  SessionRecord,
  'createdAt' | 'seenAt' | 'idleAt' | 'absoluteAt' | 'limitClass' | 'ownLimits'
>;

/** Current timeouts of a record: the smaller of its class's and its own. */
export function limitsOf(
  record: Pick<SessionRecord, 'limitClass' | 'ownLimits'>,
  table: LimitTable,
): Limits {
  // A class that was removed from the options; also `constructor` and the like.
  const known = Object.hasOwn(table, record.limitClass);
  const byClass = (known ? table[record.limitClass] : undefined) ?? table.default;
  return {
    idle: Math.min(byClass.idle, record.ownLimits?.idle ?? Infinity),
    absolute: Math.min(byClass.absolute, record.ownLimits?.absolute ?? Infinity),
  };
}

/**
 * When the record ends under the current policy. A tighter policy counts at once; a looser one
 * cannot move a deadline that was already promised, so an expired session never comes back.
 */
export function deadlinesOf(record: Timed, table: LimitTable): Deadlines {
  const limits = limitsOf(record, table);
  return {
    idleAt: Math.min(record.idleAt, record.seenAt + limits.idle),
    absoluteAt: Math.min(record.absoluteAt, record.createdAt + limits.absolute),
  };
}

/** The timeout that has passed, the earlier one if both have; `undefined` while alive. */
export function expiryOf(
  record: Timed,
  table: LimitTable,
  now: number,
): 'idle' | 'absolute' | undefined {
  const { idleAt, absoluteAt } = deadlinesOf(record, table);
  if (now < idleAt && now < absoluteAt) return undefined;
  return absoluteAt <= idleAt ? 'absolute' : 'idle';
}

/** At most one touch per interval is written; 0 records every activity. */
export function isTouchDue(seenAt: number, now: number, touchInterval: number): boolean {
  return now - seenAt >= touchInterval && now > seenAt;
}

/** The idle deadline after activity at `now`: never past the absolute one. */
export function idleAtAfterTouch(record: Timed, table: LimitTable, now: number): number {
  const { absoluteAt } = deadlinesOf(record, table);
  return Math.min(now + limitsOf(record, table).idle, absoluteAt);
}

/**
 * Who has to go so that one more session fits; `'reject'` if the rule says that the newcomer does.
 * Ties go to the smaller id, so that every store picks the same.
 */
export function chooseEvicted<T extends Pick<SessionRecord, 'id' | 'createdAt' | 'seenAt'>>(
  live: readonly T[],
  rule: ConcurrencyRule,
): readonly T[] | 'reject' {
  const surplus = live.length + 1 - rule.max;
  if (surplus <= 0) return [];
  if (rule.atLimit === 'reject') return 'reject';
  const age = rule.atLimit === 'evict-oldest' ? 'createdAt' : 'seenAt';
  return live.toSorted((a, b) => a[age] - b[age] || (a.id < b.id ? -1 : 1)).slice(0, surplus);
}
