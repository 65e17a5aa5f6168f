/**
 * The store's counters in the form in which people ask for them.
 */
import { DURATION_BOUNDS, type MinuteStats, type StatsReply } from './store.js';
import type { EndReason } from './record.js';

/**
 * Figures over all instances. They speak of sessions of users; only `anonymous` speaks of others.
 *
 * @public
 */
export interface SessionStats {
  /** When they were read, by the store's clock. */
  readonly at: number;
  /** Sessions alive now. */
  readonly active: number;
  /** Anonymous sessions alive now. */
  readonly anonymous: number;
  /** Sessions created since the store was set up. */
  readonly created: number;
  /** Sessions ended since the store was set up, by reason. */
  readonly ended: Readonly<Record<EndReason, number>>;
  /** Failed logins that the application reported since the store was set up. */
  readonly loginFailures: number;
  readonly creationRate: CreationRate;
  readonly duration: DurationSummary;
  readonly users: UserSummary;
  /** The last 60 minutes with the running one, oldest first. */
  readonly minutes: readonly MinuteStats[];
}

/** Sessions created per minute, averaged over the last full minutes. @public */
export interface CreationRate {
  readonly last1: number;
  readonly last5: number;
  readonly last15: number;
}

/** How long ended sessions had lasted; milliseconds. @public */
export interface DurationSummary {
  readonly count: number;
  /** 0 before the first end. */
  readonly average: number;
  /** Ended sessions that lasted at most `upTo`, and longer than the class before; `null`: no bound. */
  readonly classes: readonly { readonly upTo: number | null; readonly count: number }[];
}

/** Concurrent sessions per user. @public */
export interface UserSummary {
  /** Users with at least one live session. */
  readonly active: number;
  readonly max: number;
  readonly average: number;
  /** How many users have how many sessions, ascending. */
  readonly distribution: readonly { readonly sessions: number; readonly users: number }[];
}

export function summarize(reply: StatsReply): SessionStats {
  return {
    at: reply.now,
    active: reply.active,
    anonymous: reply.anonymous,
    created: reply.created,
    ended: reply.ended,
    loginFailures: reply.loginFailures,
    creationRate: {
      last1: creationRate(reply.minutes, 1),
      last5: creationRate(reply.minutes, 5),
      last15: creationRate(reply.minutes, 15),
    },
    duration: {
      count: reply.duration.count,
      average: reply.duration.count === 0 ? 0 : reply.duration.sum / reply.duration.count,
      classes: reply.duration.buckets.map((count, index) => ({
        upTo: DURATION_BOUNDS[index] ?? null,
        count,
      })),
    },
    users: summarizeUsers(reply.sessionsPerUser),
    minutes: reply.minutes,
  };
}

/** Over full minutes only: the running one would make every rate too low. */
function creationRate(minutes: readonly MinuteStats[], span: number): number {
  const full = minutes.slice(0, -1).slice(-span);
  return full.reduce((sum, minute) => sum + minute.created, 0) / span;
}

function summarizeUsers(sessionsPerUser: ReadonlyMap<number, number>): UserSummary {
  const distribution = [...sessionsPerUser]
    .filter(([sessions, users]) => sessions > 0 && users > 0)
    .map(([sessions, users]) => ({ sessions, users }))
    .toSorted((a, b) => a.sessions - b.sessions);
  const active = distribution.reduce((sum, { users }) => sum + users, 0);
  const total = distribution.reduce((sum, { sessions, users }) => sum + sessions * users, 0);
  return {
    active,
    max: distribution.at(-1)?.sessions ?? 0,
    average: active === 0 ? 0 : total / active,
    distribution,
  };
}
