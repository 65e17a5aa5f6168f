import type { EndedSession, SessionId } from '../../core/record.js';
import type { SweepReply, SweepRequest } from '../../core/store.js';
import type { BucketKeys } from './redis.keys.js';
import type { RedisContext } from './redis.page.js';
import { RedisRepair } from './redis.repair.js';
import { ReplyReader } from './redis.reader.js';
import type { ScriptName } from './scripts.gen.js';

/** Buckets that are asked at once what is due in them. */
const PROBES = 32;
/** Sessions that one script ends: it holds up the server for that long. */
const CLAIMS = 32;
const REORDER_STEP = 500;

/** The store refused a command as too late. */
class Late extends Error {
  readonly now: number;

  constructor(now: number) {
    super('too late');
    this.now = now;
  }
}

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

/** One sweep under way. */
interface Run {
  readonly limit: number;
  readonly notAfter: number;
  readonly ended: EndedSession[];
  withoutExpiry: number;
  danglingEntries: number;
  more: boolean;
  now: number;
}

/**
 * Ends what is past its deadline. Every claim is one step of one bucket: a session is ended and its
 * end put into the outbox, or somebody else was faster. What was handed out stays in the outbox
 * until it is confirmed, and is handed out again when the lease is over.
 */
export class RedisSweeper {
  readonly #context: RedisContext;
  readonly #repair: RedisRepair;
  /** The bucket to begin with; several runners begin at different ones. */
  #next: number;

  constructor(context: RedisContext, repair?: RedisRepair) {
    this.#context = context;
    this.#repair = repair ?? new RedisRepair(context);
    this.#next = Math.floor(Math.random() * context.keys.buckets.length);
  }

  async sweep({ limit, announced = [], notAfter }: SweepRequest): Promise<SweepReply> {
    const run: Run = {
      limit,
      notAfter,
      ended: [],
      withoutExpiry: 0,
      danglingEntries: 0,
      more: false,
      now: 0,
    };
    try {
      await this.#confirm(announced, run);
      await this.#visit(run);
    } catch (error) {
      if (error instanceof Late) return { status: 'late', now: error.now };
      throw error;
    }
    // A backlog comes first; what is broken can wait.
    if (limit > run.ended.length) run.withoutExpiry += await this.#repair.step();
    const { ended, withoutExpiry, danglingEntries, more, now } = run;
    return { status: 'swept', now, ended, repairs: { withoutExpiry, danglingEntries }, more };
  }

  async #confirm(announced: readonly SessionId[], run: Run): Promise<void> {
    const byOutbox = new Map<string, SessionId[]>();
    for (const id of announced) {
      const outbox = this.#context.keys.session(id)?.bucket.outbox;
      if (outbox !== undefined) byOutbox.set(outbox, [...(byOutbox.get(outbox) ?? []), id]);
    }
    await Promise.all(
      [...byOutbox].map(([outbox, ids]) =>
        this.#run('confirm', [outbox], [run.notAfter, ...ids], run),
      ),
    );
  }

  /** Goes through the buckets until the limit is reached and it is known whether there is more. */
  async #visit(run: Run): Promise<void> {
    const { buckets } = this.#context.keys;
    const first = this.#next;
    for (let from = 0; from < buckets.length; from += PROBES) {
      const wave = Array.from(
        { length: Math.min(PROBES, buckets.length - from) },
        (_, offset) => (first + from + offset) % buckets.length,
      );
      const dues = await Promise.all(
        wave.map(async (bucket) => [bucket, await this.#due(bucket, run)] as const),
      );
      for (const [bucket, due] of dues) {
        await this.#sweepBucket(bucket, due, run);
        if (!run.more || run.ended.length < run.limit) continue;
        // The next run goes on where this one stopped.
        this.#next = bucket;
        return;
      }
    }
  }

  async #due(index: number, run: Run): Promise<Due> {
    const { keys, rules } = this.#context;
    const bucket = keys.buckets[index];
    if (bucket === undefined) throw new RangeError('there is no such bucket');
    // One more than one script ends tells whether there is more.
    const most = Math.min(run.limit - run.ended.length, CLAIMS) + 1;
    const reader = await this.#run(
      'due',
      [bucket.users, bucket.anonymous, bucket.outbox, bucket.counters],
      [run.notAfter, most, rules.fingerprint],
      run,
    );
    const [openEnds, isStale] = [reader.integer(), reader.integer() === 1];
    const sessions: DueSession[] = [];
    while (!reader.isDone) {
      const isAnonymous = reader.integer() === 1;
      sessions.push({ isAnonymous, id: reader.text(), at: Number(reader.text()) });
    }
    return { bucket, openEnds, isStale, sessions: sessions.toSorted((a, b) => a.at - b.at) };
  }

  async #sweepBucket(index: number, first: Due, run: Run): Promise<void> {
    const { bucket } = first;
    const room = (): number => run.limit - run.ended.length;
    let due = first;
    if (due.isStale && room() > 0) {
      await this.#reorder(bucket, run);
      due = await this.#due(index, run);
    }
    const before = run.ended.length;
    if (due.openEnds > 0 && room() > 0) await this.#reoffer(bucket, run);
    if (due.isStale || due.openEnds > run.ended.length - before) run.more = true;
    while (due.sessions.length > 0) {
      if (room() === 0) {
        run.more = true;
        return;
      }
      const size = Math.min(CLAIMS, room());
      await this.#claim(bucket, due.sessions.slice(0, size), run);
      if (due.sessions.length <= size) return;
      due = await this.#due(index, run);
    }
  }

  async #claim(bucket: BucketKeys, due: readonly DueSession[], run: Run): Promise<void> {
    const { users, anonymous, counters, outbox } = bucket;
    const owned = due.flatMap(({ id }) => {
      const at = this.#context.keys.session(id);
      // What is no id of this bucket has no keys; it leaves the set like any dangling entry.
      if (at?.bucket !== bucket) return [`${users}:none`, `${users}:none`, `${users}:none`];
      return [at.index, at.hash, at.large];
    });
    const ids = due.flatMap(({ id, isAnonymous }) => [id, isAnonymous ? 0 : 1]);
    const { limits, margin, maxTombstones, lease } = this.#context.rules;
    const keys = [users, anonymous, counters, outbox, ...owned];
    const args = [run.notAfter, limits, margin, maxTombstones, lease, ...ids];
    const reader = await this.#run('sweep', keys, args, run);
    this.#takeOver(reader, run);
  }

  async #reoffer(bucket: BucketKeys, run: Run): Promise<void> {
    const args = [run.notAfter, run.limit - run.ended.length, this.#context.rules.lease];
    this.#takeOver(await this.#run('reoffer', [bucket.outbox], args, run), run);
  }

  #takeOver(reader: ReplyReader, run: Run): void {
    run.withoutExpiry += reader.integer();
    run.danglingEntries += reader.integer();
    run.ended.push(...reader.endedSessions());
  }

  /** After the limits changed: the order of deadlines follows the tighter ones. */
  async #reorder(bucket: BucketKeys, run: Run): Promise<void> {
    const { runner, keys, rules } = this.#context;
    const { notAfter } = run;
    for (const set of [bucket.users, bucket.anonymous]) {
      let cursor = '0';
      do {
        const step = new ReplyReader(await runner.run('ids', [set], [cursor, REORDER_STEP]));
        cursor = step.text();
        const sessions = step.texts().flatMap((id) => keys.session(id) ?? []);
        for (let from = 0; from < sessions.length; from += CLAIMS) {
          const some = sessions.slice(from, from + CLAIMS);
          const all = [set, bucket.counters, ...some.map(({ index }) => index)];
          const ids = some.map(({ id }) => id);
          await this.#run('reorder', all, [notAfter, rules.limits, '', ...ids], run);
        }
      } while (cursor !== '0');
    }
    const last = [notAfter, rules.limits, rules.fingerprint];
    await this.#run('reorder', [bucket.users, bucket.counters], last, run);
  }

  async #run(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
    run: Run,
  ): Promise<ReplyReader> {
    const reader = new ReplyReader(await this.#context.runner.run(script, keys, args));
    const status = reader.text();
    const now = reader.integer();
    if (status === 'late') throw new Late(now);
    run.now = Math.max(run.now, now);
    return reader;
  }

  /** The same under other settings. */
  reopened(context: RedisContext): RedisSweeper {
    return new RedisSweeper(context, this.#repair.reopened(context));
  }
}
