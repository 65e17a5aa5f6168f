import type { BucketKeys } from './redis.keys.js';
import type { RedisContext } from './redis.page.js';
import { ReplyReader } from './redis.reader.js';
import type { SweepRun } from './redis.sweep-run.js';

/** Ids that are read at once. */
const STEP = 500;
/** Sessions that one script moves: it holds up the server for that long. */
const AT_ONCE = 16;

/** How far a bucket has come. */
interface Place {
  set: 'users' | 'anonymous';
  cursor: string;
}

/**
 * After the limits changed: has the order of deadlines follow the tighter ones. A large bucket takes
 * longer than one call of the sweep may, so that the next call goes on where this one stopped.
 */
export class RedisReorder {
  readonly #context: RedisContext;
  readonly #places = new Map<BucketKeys, Place>();

  constructor(context: RedisContext) {
    this.#context = context;
  }

  /** Works until the bucket is done or the time is up; says whether it is done. */
  async work(bucket: BucketKeys, run: SweepRun): Promise<boolean> {
    const { limits, fingerprint } = this.#context.rules;
    const place = this.#places.get(bucket) ?? { set: 'users', cursor: '0' };
    this.#places.set(bucket, place);
    for (;;) {
      place.cursor = await this.#step(bucket, place, run);
      if (place.cursor === '0') {
        if (place.set === 'anonymous') break;
        place.set = 'anonymous';
      }
      if (run.isOver) return false;
    }
    this.#places.delete(bucket);
    const last = [run.notAfter, limits, fingerprint];
    await run.script('reorder', [bucket.users, bucket.counters], last);
    return true;
  }

  async #step(bucket: BucketKeys, { set, cursor }: Place, run: SweepRun): Promise<string> {
    const { runner, keys, rules } = this.#context;
    const step = new ReplyReader(await runner.run('ids', [bucket[set]], [cursor, STEP]));
    const next = step.text();
    const sessions = step.texts().flatMap((id) => keys.session(id) ?? []);
    for (let from = 0; from < sessions.length; from += AT_ONCE) {
      const some = sessions.slice(from, from + AT_ONCE);
      const all = [bucket[set], bucket.counters, ...some.map(({ index }) => index)];
      const ids = some.map(({ id }) => id);
      await run.script('reorder', all, [run.notAfter, rules.limits, '', ...ids]);
    }
    return next;
  }
}
