import { type EndedSession, END_REASONS, type EndReason } from '../../core/record.js';
import { DURATION_BOUNDS, type MinuteStats, type StatsReply } from '../../core/store.js';

const MINUTE = 60_000;
const MINUTES = 60;

type Counter = 'created' | 'ended' | 'loginFailures';

/**
 * The counters of the sessions of users, kept step by step and read without a scan. An end counts
 * for the minute and the duration of the moment at which it was due, not of its discovery.
 */
export class MemoryStatistics {
  #active = 0;
  #created = 0;
  #loginFailures = 0;
  #durationSum = 0;
  readonly #ended = zeroOfEach(END_REASONS);
  readonly #durations: number[] = Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0);
  readonly #sessionsPerUser = new Map<number, number>();
  /** A ring: each minute overwrites the one an hour before. */
  readonly #minutes = Array.from({ length: MINUTES }, (_, slot) => emptyMinute(slot - MINUTES));

  countCreated(now: number): void {
    this.#active += 1;
    this.#created += 1;
    this.#countInMinute('created', now);
  }

  countEnded({ reason, createdAt, endedAt }: EndedSession): void {
    const duration = endedAt - createdAt;
    const bucket = DURATION_BOUNDS.findIndex((upTo) => duration <= upTo);
    const index = bucket === -1 ? DURATION_BOUNDS.length : bucket;
    this.#active -= 1;
    this.#ended[reason] += 1;
    this.#durationSum += duration;
    this.#durations[index] = (this.#durations[index] ?? 0) + 1;
    this.#countInMinute('ended', endedAt);
  }

  countLoginFailure(now: number): void {
    this.#loginFailures += 1;
    this.#countInMinute('loginFailures', now);
  }

  /** A user had `before` sessions and now has `after`. */
  countUser(before: number, after: number): void {
    this.#addUsers(before, -1);
    this.#addUsers(after, 1);
  }

  read(now: number): Omit<StatsReply, 'status' | 'now' | 'anonymous'> {
    const last = Math.floor(now / MINUTE);
    return {
      active: this.#active,
      created: this.#created,
      ended: { ...this.#ended },
      loginFailures: this.#loginFailures,
      duration: {
        count: END_REASONS.reduce((sum, reason) => sum + this.#ended[reason], 0),
        sum: this.#durationSum,
        buckets: [...this.#durations],
      },
      sessionsPerUser: new Map(this.#sessionsPerUser),
      minutes: Array.from({ length: MINUTES }, (_, index) =>
        this.#minuteAt(last - MINUTES + 1 + index),
      ),
    };
  }

  #minuteAt(minute: number): MinuteStats {
    const kept = this.#minutes[slotOf(minute)];
    const { created, ended, loginFailures } = kept?.minute === minute ? kept : emptyMinute(minute);
    return { at: minute * MINUTE, created, ended, loginFailures };
  }

  #countInMinute(counter: Counter, at: number): void {
    const minute = Math.floor(at / MINUTE);
    const slot = slotOf(minute);
    const kept = this.#minutes[slot];
    // An end that is discovered more than an hour late no longer has a minute to go to.
    if (kept === undefined || kept.minute > minute) return;
    const counted = kept.minute === minute ? kept : emptyMinute(minute);
    counted[counter] += 1;
    this.#minutes[slot] = counted;
  }

  #addUsers(sessions: number, change: 1 | -1): void {
    if (sessions === 0) return;
    const users = (this.#sessionsPerUser.get(sessions) ?? 0) + change;
    if (users === 0) this.#sessionsPerUser.delete(sessions);
    else this.#sessionsPerUser.set(sessions, users);
  }
}

function emptyMinute(minute: number): Record<Counter, number> & { readonly minute: number } {
  return { minute, created: 0, ended: 0, loginFailures: 0 };
}

function slotOf(minute: number): number {
  return ((minute % MINUTES) + MINUTES) % MINUTES;
}

function zeroOfEach(reasons: readonly EndReason[]): Record<EndReason, number> {
  return Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<EndReason, number>;
}
