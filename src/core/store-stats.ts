/**
 * The counters of the store contract.
 */
import type { EndReason } from './record.js';
import type { Reply } from './store-messages.js';

/** Counters kept in the same atomic steps as the sessions; read without a scan. */
export interface StatsReply extends Reply<'stats'> {
  /** Live sessions of users. All other figures speak of these only, never of anonymous ones. */
  readonly active: number;
  /** Live anonymous sessions. */
  readonly anonymous: number;
  /** Since the store was set up. */
  readonly created: number;
  readonly ended: Readonly<Record<EndReason, number>>;
  readonly loginFailures: number;
  readonly duration: DurationStats;
  /** How many users have how many live sessions: sessions → users. */
  readonly sessionsPerUser: ReadonlyMap<number, number>;
  /** The last 60 minutes with the running one, oldest first; `at` is the start of the minute. */
  readonly minutes: readonly MinuteStats[];
}

/** Duration of ended sessions: from creation to end, in milliseconds. */
export interface DurationStats {
  readonly count: number;
  readonly sum: number;
  /** Ended sessions per class of {@link DURATION_BOUNDS}, and one more for the longer ones. */
  readonly buckets: readonly number[];
}

export interface MinuteStats {
  readonly at: number;
  readonly created: number;
  readonly ended: number;
  readonly loginFailures: number;
}

const MINUTE = 60_000;

/** Upper bounds of the duration classes, in milliseconds. */
export const DURATION_BOUNDS: readonly number[] = Object.freeze([
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  60 * MINUTE,
  4 * 60 * MINUTE,
  8 * 60 * MINUTE,
  24 * 60 * MINUTE,
  7 * 24 * 60 * MINUTE,
  30 * 24 * 60 * MINUTE,
]);
