import { END_REASONS, type EndReason } from '../../core/record.js';
import { DURATION_BOUNDS, type MinuteStats, type StatsReply } from '../../core/store.js';
import type { BucketKeys, RedisKeys } from './redis.keys.js';
import { ReplyReader, letterOf } from './redis.reader.js';
import type { RedisRunner } from './redis.runner.js';

const MINUTE = 60_000;
const MINUTES = 60;

/**
 * The counters of all buckets, added up. One short script for each bucket, no scan. The sessions
 * are those alive at one moment, though the buckets are asked one after the other.
 */
export async function readStats(
  runner: RedisRunner,
  keys: RedisKeys,
  now: number,
): Promise<StatsReply> {
  const sums = new CounterSums();
  await Promise.all(
    keys.buckets.map(async ({ users, anonymous, counters }: BucketKeys) => {
      sums.add(new ReplyReader(await runner.run('stats', [users, anonymous, counters], [now])));
    }),
  );
  return sums.reply(now);
}

/**
 * Counters of a bucket: `+` created, `-` failed logins, `e` and a letter ended for that reason,
 * `D` sum of the durations, `D1`… their classes, `h` and a number users with so many sessions,
 * `m0` to `m63` the last minutes: number of the minute, created, ended, failed logins.
 */
class CounterSums {
  #active = 0;
  #anonymous = 0;
  readonly #sums = new Map<string, number>();
  readonly #users = new Map<number, number>();
  readonly #minutes = new Map<number, number[]>();

  add(reader: ReplyReader): void {
    this.#active += reader.integer();
    this.#anonymous += reader.integer();
    const lines = reader.text().split('\n');
    for (let at = 0; at + 1 < lines.length; at += 2) {
      this.#addCounter(lines[at] ?? '', lines[at + 1] ?? '');
    }
  }

  reply(now: number): StatsReply {
    const ended = Object.fromEntries(
      END_REASONS.map((reason) => [reason, this.#sum(`e${letterOf(reason)}`)]),
    ) as Record<EndReason, number>;
    const last = Math.floor(now / MINUTE);
    return {
      status: 'stats',
      now,
      active: this.#active,
      anonymous: this.#anonymous,
      created: this.#sum('+'),
      ended,
      loginFailures: this.#sum('-'),
      duration: {
        count: Object.values(ended).reduce((sum, each) => sum + each, 0),
        sum: this.#sum('D'),
        buckets: [...DURATION_BOUNDS, Infinity].map((_, index) => this.#sum(`D${index + 1}`)),
      },
      sessionsPerUser: new Map([...this.#users].filter(([, users]) => users > 0)),
      minutes: Array.from({ length: MINUTES }, (_, index) =>
        this.#minute(last - MINUTES + 1 + index),
      ),
    };
  }

  // Tens of thousands of counters for one answer: no pattern is matched here.
  #addCounter(name: string, text: string): void {
    if (name.startsWith('h')) {
      const sessions = Number(name.slice(1));
      this.#users.set(sessions, (this.#users.get(sessions) ?? 0) + Number(text));
    } else if (name.startsWith('m')) {
      const [minute = 0, ...counts] = text.split(' ').map(Number);
      const sums = this.#minutes.get(minute);
      if (sums === undefined) this.#minutes.set(minute, counts);
      else for (const [index, count] of counts.entries()) sums[index] = (sums[index] ?? 0) + count;
    } else {
      this.#sums.set(name, this.#sum(name) + Number(text));
    }
  }

  #sum(name: string): number {
    return this.#sums.get(name) ?? 0;
  }

  #minute(minute: number): MinuteStats {
    const [created = 0, ended = 0, loginFailures = 0] = this.#minutes.get(minute) ?? [];
    return { at: minute * MINUTE, created, ended, loginFailures };
  }
}
