import { SessionStoreError } from '../../core/errors.js';
import type { BucketKeys } from './redis.keys.js';
import type { RedisContext } from './redis.page.js';
import { ReplyReader } from './redis.reader.js';
import type { SweepRun } from './redis.sweep-run.js';

/** Keys of one step through a node: a fraction of a millisecond of the server. */
const STEP = 100;
/** Keys that are looked at together: about a dozen of each bucket, which one script can do. */
const ROUND = 3_000;
/** Buckets that are asked at once. */
const AT_ONCE = 32;

/** A key of ours and what it is. */
interface OwnKey {
  readonly key: string;
  readonly kind: string;
  /** The index that its expiry follows from. */
  readonly index: string;
  readonly id: string;
}

/**
 * Looks for keys of ours that never expire though they should: from one node after the other, as far
 * as the time of a call reaches, and on from there in the next one. No script of ours makes such
 * keys; people and other programs do.
 *
 * Which node serves which bucket is not known here. A node is asked through one of its buckets;
 * all buckets that turn up on the way need not be asked any more.
 */
export class RedisRepair {
  readonly #context: RedisContext;
  readonly #pattern: string;
  #bucket = 0;
  #cursor = '0';
  /** Buckets whose nodes this pass has seen already. */
  #seen = new Set<BucketKeys>();
  #onThisNode = new Set<BucketKeys>();

  constructor(context: RedisContext) {
    this.#context = context;
    this.#pattern = `${context.keys.prefix.replace(/[*?[\]\\^-]/g, '\\$&')}{*`;
  }

  /** Goes on until all keys were looked at once or the time is up, and mends what is broken. */
  async work(run: SweepRun): Promise<void> {
    let isPassOver = false;
    do {
      const found = new Set<string>();
      do {
        isPassOver = await this.#scan(found);
      } while (!isPassOver && found.size < ROUND && !run.isOver);
      await this.#mend(found, run);
    } while (!isPassOver && !run.isOver);
  }

  /** One step; says whether it was the last of a pass over all nodes. */
  async #scan(found: Set<string>): Promise<boolean> {
    const { runner, keys } = this.#context;
    for (;;) {
      const bucket = keys.buckets[this.#bucket];
      if (bucket === undefined) {
        this.#bucket = 0;
        this.#seen = new Set();
        return true;
      }
      if (this.#cursor !== '0' || !this.#seen.has(bucket)) {
        const args = [this.#cursor, this.#pattern, STEP];
        this.#take(new ReplyReader(await runner.run('scan', [bucket.counters], args)), found);
        return false;
      }
      this.#bucket += 1;
    }
  }

  #take(step: ReplyReader, found: Set<string>): void {
    this.#cursor = step.text();
    for (const key of step.texts()) {
      const owner = this.#context.keys.parse(key)?.bucket;
      if (owner === undefined) continue;
      this.#onThisNode.add(owner);
      found.add(key);
    }
    if (this.#cursor !== '0') return;
    this.#bucket += 1;
    for (const each of this.#onThisNode) this.#seen.add(each);
    this.#onThisNode = new Set();
  }

  async #mend(found: ReadonlySet<string>, run: SweepRun): Promise<void> {
    const byBucket = new Map<BucketKeys, OwnKey[]>();
    for (const key of found) {
      const own = this.#ownKey(key);
      if (own === undefined) continue;
      const others = byBucket.get(own.bucket);
      if (others === undefined) byBucket.set(own.bucket, [own]);
      else others.push(own);
    }
    const all = [...byBucket.values()];
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE);
      await Promise.all(some.map((keys) => this.#mendInBucket(keys, run)));
    }
  }

  async #mendInBucket(keys: readonly OwnKey[], run: SweepRun): Promise<void> {
    const names = keys.map(({ key }) => key);
    const lasting = await this.#context.runner.run('lasting', names, []);
    for (const position of Array.isArray(lasting) ? lasting : []) {
      const own = keys[Number(position)];
      if (own !== undefined && (await this.#mendKey(own))) run.mended(own.key);
    }
  }

  async #mendKey({ key, index, kind, id }: OwnKey): Promise<boolean> {
    const { runner, rules } = this.#context;
    try {
      const args = [kind, rules.limits, rules.margin, id];
      return (await runner.run('mend', [key, index], args)) === 1;
    } catch (error) {
      // A key of ours that holds something foreign must not keep the cleanup from its work.
      if (error instanceof SessionStoreError) return false;
      throw error;
    }
  }

  /** A key that has to expire; `undefined` for the others and for those that are not ours. */
  #ownKey(key: string): (OwnKey & { readonly bucket: BucketKeys }) | undefined {
    const parsed = this.#context.keys.parse(key);
    if (parsed === undefined) return undefined;
    const { bucket, kind, name } = parsed;
    switch (kind) {
      case 's':
      case 'f': {
        const session = this.#context.keys.session(name);
        if (session?.bucket !== bucket) return undefined;
        return { bucket, key, kind, index: session.index, id: name };
      }
      case 'u':
      case 'd':
      case 'a':
      case 'o':
        return { bucket, key, kind, index: key, id: '' };
      default:
        return undefined;
    }
  }
}
