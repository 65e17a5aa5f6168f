import type { SessionId, SessionRecord } from '../../core/record.js';
import type { PageReply, PageRequest } from '../../core/store.js';
import type { BucketKeys, RedisKeys } from './redis.keys.js';
import { ReplyReader } from './redis.reader.js';
import type { RedisRules } from './redis.rules.js';
import type { RedisRunner } from './redis.runner.js';

/** Ids of one step: short enough to hold up nobody. */
const STEP = 1_000;
const MOST_BUCKETS_AT_ONCE = 64;

/** Where a page begins: behind this id in this bucket. */
interface Place {
  readonly bucket: number;
  readonly after: SessionId;
}

export interface RedisContext {
  readonly runner: RedisRunner;
  readonly keys: RedisKeys;
  readonly rules: RedisRules;
}

/**
 * Pages through all sessions: bucket by bucket, and in a bucket by id. The order of ids never
 * changes, whatever is touched, created or ended meanwhile; no index has it, so that each page
 * reads all ids of its bucket, which is what paging costs.
 */
export class RedisPages {
  readonly #context: RedisContext;

  constructor(context: RedisContext) {
    this.#context = context;
  }

  /** What is alive at that moment. */
  async page({ cursor, limit }: PageRequest, now: number): Promise<PageReply> {
    const { buckets } = this.#context.keys;
    const sessions: SessionRecord[] = [];
    let place = readCursor(cursor, buckets.length);
    // Few buckets at first: more and more as long as they hold next to nothing.
    let width = 1;
    while (place !== undefined && sessions.length < limit) {
      const { bucket: first, after } = place;
      const wave = await Promise.all(
        buckets.slice(first, first + width).map((bucket) => this.#idsOf(bucket)),
      );
      for (const [offset, all] of wave.entries()) {
        const ids = offset === 0 ? all.filter((id) => id > after) : all;
        const last = await this.#take(ids, now, limit, sessions);
        const bucket = first + offset;
        place = last === undefined ? { bucket: bucket + 1, after: '' } : { bucket, after: last };
        if (sessions.length >= limit) break;
      }
      if (place.bucket >= buckets.length) place = undefined;
      width = Math.min(width * 2, MOST_BUCKETS_AT_ONCE);
    }
    const next = place && { cursor: `${place.bucket}.${place.after}` };
    return { status: 'page', now, sessions, ...next };
  }

  /** Adds the live ones until the page is full; answers the last id if there are more. */
  async #take(
    ids: readonly SessionId[],
    now: number,
    limit: number,
    sessions: SessionRecord[],
  ): Promise<SessionId | undefined> {
    let from = 0;
    while (from < ids.length) {
      const wanted = ids.slice(from, from + limit - sessions.length);
      sessions.push(...(await this.#liveOf(wanted, now)));
      from += wanted.length;
      if (sessions.length >= limit && from < ids.length) return wanted.at(-1);
    }
    return undefined;
  }

  /** Ids of users' and anonymous sessions, sorted. */
  async #idsOf({ users, anonymous }: BucketKeys): Promise<readonly SessionId[]> {
    const ids = await Promise.all([users, anonymous].map((key) => this.#idsIn(key)));
    return [...new Set(ids.flat())].toSorted();
  }

  async #idsIn(key: string): Promise<readonly SessionId[]> {
    const ids: SessionId[] = [];
    let cursor = '0';
    do {
      const reply = await this.#context.runner.run('ids', [key], [cursor, STEP]);
      const reader = new ReplyReader(reply);
      cursor = reader.text();
      ids.push(...reader.texts());
    } while (cursor !== '0');
    return ids;
  }

  /** Those of one bucket that are alive. */
  async #liveOf(ids: readonly SessionId[], now: number): Promise<readonly SessionRecord[]> {
    const { runner, keys, rules } = this.#context;
    const known = ids.flatMap((id) => keys.session(id) ?? []);
    const [first] = known;
    if (first === undefined) return [];
    const reply = await runner.run(
      'page',
      [first.bucket.counters, ...known.map(({ index }) => index)],
      [rules.limits, now, ...known.map(({ id }) => id)],
    );
    const reader = new ReplyReader(reply);
    const sessions: SessionRecord[] = [];
    while (!reader.isDone) sessions.push(reader.record(reader.text()));
    return sessions;
  }
}

/** After a cursor that is not ours nothing comes. */
function readCursor(cursor: string | undefined, buckets: number): Place | undefined {
  if (cursor === undefined) return { bucket: 0, after: '' };
  const [, bucket, after = ''] = /^(\d{1,5})\.([\w-]{24})?$/.exec(cursor) ?? [];
  if (bucket === undefined || Number(bucket) >= buckets) return undefined;
  return { bucket: Number(bucket), after };
}
