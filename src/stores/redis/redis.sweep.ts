import type { SessionId } from '../../core/record.js';
import type { SweepReply, SweepRequest } from '../../core/store.js';
import type { BucketKeys } from './redis.keys.js';
import type { RedisContext } from './redis.page.js';
import { RedisReorder } from './redis.reorder.js';
import { RedisRepair } from './redis.repair.js';
import { Late, SweepRun } from './redis.sweep-run.js';

/** Buckets that are asked at once what is due in them. */
const PROBES = 32;
/** Sessions that one script ends: it holds up the server for half a millisecond. */
const CLAIMS = 16;

interface DueSession {
  readonly id: SessionId;
  readonly isAnonymous: boolean;
  readonly at: number;
}

/** What there is to do in a bucket. */
interface Due {
  readonly bucket: BucketKeys;
  readonly openEnds: number;
  readonly isStale: boolean;
  /** The oldest first. */
  readonly sessions: readonly DueSession[];
}

/**
 * Ends what is past its deadline. Every claim is one step of one bucket: a session is ended and its
 * end put into the outbox, or somebody else was faster. What was handed out stays in the outbox
 * until it is confirmed, and is handed out again when the lease is over.
 *
 * A call ends long before the deadline of the store, whatever there is to do.
 */
export class RedisSweeper {
  readonly #context: RedisContext;
  readonly #reorder: RedisReorder;
  readonly #repair: RedisRepair;
  /** The bucket to begin with; several runners begin at different ones. */
  #next: number;

  constructor(context: RedisContext) {
    this.#context = context;
    this.#reorder = new RedisReorder(context);
    this.#repair = new RedisRepair(context);
    this.#next = Math.floor(Math.random() * context.keys.buckets.length);
  }

  async sweep(request: SweepRequest): Promise<SweepReply> {
    const run = new SweepRun(this.#context, request);
    try {
      await this.#confirm(request.announced ?? [], run);
      await this.#visit(run);
    } catch (error) {
      if (error instanceof Late) return { status: 'late', now: error.now };
      throw error;
    }
    // A backlog comes first; what is broken can wait.
    if (run.room > 0) await this.#repair.work(run);
    return run.reply();
  }

  async #confirm(announced: readonly SessionId[], run: SweepRun): Promise<void> {
    const byOutbox = new Map<string, SessionId[]>();
    for (const id of announced) {
      const outbox = this.#context.keys.session(id)?.bucket.outbox;
      if (outbox !== undefined) byOutbox.set(outbox, [...(byOutbox.get(outbox) ?? []), id]);
    }
    await Promise.all(
      [...byOutbox].map(([outbox, ids]) => run.script('confirm', [outbox], [run.notAfter, ...ids])),
    );
  }

  /** Goes through the buckets until the limit is reached and it is known whether there is more. */
  async #visit(run: SweepRun): Promise<void> {
    const { buckets } = this.#context.keys;
    const first = this.#next;
    let hasWorked = false;
    for (let from = 0; from < buckets.length; from += PROBES) {
      const wave = Array.from(
        { length: Math.min(PROBES, buckets.length - from) },
        (_, offset) => (first + from + offset) % buckets.length,
      );
      const dues = await Promise.all(
        wave.map(async (bucket) => [bucket, await this.#due(bucket, run)] as const),
      );
      for (const [bucket, due] of dues) {
        if (!hasWork(due)) continue;
        // Every call gets something done, however slow the server is.
        if (hasWorked && run.isOver) run.more = true;
        else await this.#sweepBucket(bucket, due, run);
        hasWorked = true;
        if (!run.more || (run.room > 0 && !run.isOver)) continue;
        // The next call goes on where this one stopped.
        this.#next = bucket;
        return;
      }
    }
  }

  async #due(index: number, run: SweepRun): Promise<Due> {
    const { keys, rules } = this.#context;
    const bucket = keys.buckets[index];
    if (bucket === undefined) throw new RangeError('there is no such bucket');
    // One more than one script ends tells whether there is more.
    const most = Math.min(run.room, CLAIMS) + 1;
    const reader = await run.script(
      'due',
      [bucket.users, bucket.anonymous, bucket.outbox, bucket.counters],
      [run.notAfter, most, rules.fingerprint],
    );
    const [openEnds, isStale] = [reader.integer(), reader.integer() === 1];
    const sessions: DueSession[] = [];
    while (!reader.isDone) {
      const isAnonymous = reader.integer() === 1;
      sessions.push({ isAnonymous, id: reader.text(), at: Number(reader.text()) });
    }
    return { bucket, openEnds, isStale, sessions: sessions.toSorted((a, b) => a.at - b.at) };
  }

  async #sweepBucket(index: number, first: Due, run: SweepRun): Promise<void> {
    const { bucket } = first;
    let due = first;
    if (due.isStale && run.room > 0 && (await this.#reorder.work(bucket, run))) {
      due = await this.#due(index, run);
    }
    const before = run.ended.length;
    if (due.openEnds > 0 && run.room > 0) await this.#reoffer(bucket, run);
    if (due.isStale || due.openEnds > run.ended.length - before) run.more = true;
    while (due.sessions.length > 0) {
      const size = Math.min(CLAIMS, run.room);
      if (size > 0) await this.#claim(bucket, due.sessions.slice(0, size), run);
      if (due.sessions.length <= size) return;
      if (run.room === 0 || run.isOver) {
        run.more = true;
        return;
      }
      due = await this.#due(index, run);
    }
  }

  async #claim(bucket: BucketKeys, due: readonly DueSession[], run: SweepRun): Promise<void> {
    const { users, anonymous, counters, outbox } = bucket;
    const owned = due.map(({ id, isAnonymous }) => {
      const at = this.#context.keys.session(id);
      if (at?.bucket === bucket) return { keys: [at.index, at.hash, at.large], name: at.hash };
      // What is no id of this bucket has no keys; it leaves the set like any dangling entry.
      const none = `${users}:none`;
      return { keys: [none, none, none], name: isAnonymous ? anonymous : users };
    });
    const ids = due.flatMap(({ id, isAnonymous }) => [id, isAnonymous ? 0 : 1]);
    const { limits, margin, maxTombstones, lease } = this.#context.rules;
    const keys = [users, anonymous, counters, outbox, ...owned.flatMap((each) => each.keys)];
    const args = [run.notAfter, limits, margin, maxTombstones, lease, ...ids];
    const reader = await run.script('sweep', keys, args);
    for (const position of reader.integers()) run.mended(owned[position]?.keys[0] ?? '');
    for (const position of reader.integers()) run.removed(owned[position]?.name ?? '');
    run.ended.push(...reader.endedSessions());
  }

  async #reoffer(bucket: BucketKeys, run: SweepRun): Promise<void> {
    const args = [run.notAfter, run.room, this.#context.rules.lease];
    const reader = await run.script('reoffer', [bucket.outbox], args);
    run.ended.push(...reader.endedSessions());
  }
}

function hasWork({ openEnds, isStale, sessions }: Due): boolean {
  return isStale || openEnds > 0 || sessions.length > 0;
}
