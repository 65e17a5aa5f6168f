import { SessionStoreError } from '../../core/errors.js';
import type { BucketKeys } from './redis.keys.js';
import type { RedisContext } from './redis.page.js';
import { ReplyReader } from './redis.reader.js';

/** Keys of one step: a fraction of a millisecond of the server. */
const STEP = 300;
/** Buckets nobody has used are passed over, but not all in one step. */
const UNUSED_AT_ONCE = 64;

/** A key of ours and what it is. */
interface OwnKey {
  readonly key: string;
  readonly kind: string;
  /** The index that its expiry follows from. */
  readonly index: string;
  readonly id: string;
}

/**
 * Looks for keys of ours that never expire though they should: a few hundred keys at a time, from
 * one node after the other. No script of ours makes such keys; people and other programs do.
 *
 * Which node serves which bucket is not known here. A node is asked through one of its buckets;
 * all buckets that turn up on the way need not be asked any more.
 */
export class RedisRepair {
  readonly #context: RedisContext;
  readonly #pattern: string;
  #bucket = 0;
  #cursor = '0';
  /** Buckets whose nodes this round has seen already. */
  #seen = new Set<BucketKeys>();
  #onThisNode = new Set<BucketKeys>();

  constructor(context: RedisContext) {
    this.#context = context;
    this.#pattern = `${context.keys.prefix.replace(/[*?[\]\\^-]/g, '\\$&')}{*`;
  }

  /** Looks at the next keys and mends what is broken; says how many keys that were. */
  async step(): Promise<number> {
    try {
      return await this.#mend(await this.#scan());
    } catch (error) {
      // A key of ours that holds something foreign must not keep the cleanup from its work.
      if (error instanceof SessionStoreError) return 0;
      throw error;
    }
  }

  reopened(context: RedisContext): RedisRepair {
    return new RedisRepair(context);
  }

  async #scan(): Promise<readonly string[]> {
    const { runner, keys } = this.#context;
    for (let asked = 0; asked < UNUSED_AT_ONCE; asked++) {
      const bucket = keys.buckets[this.#bucket];
      if (bucket === undefined) return this.#beginAgain();
      if (this.#cursor === '0' && this.#seen.has(bucket)) {
        this.#bucket += 1;
        continue;
      }
      const args = [this.#cursor, this.#pattern, STEP];
      const reader = new ReplyReader(await runner.run('scan', [bucket.counters], args));
      this.#cursor = reader.text();
      const wasUsed = reader.integer() === 1;
      const found = reader.texts();
      for (const key of found) {
        const owner = keys.parse(key)?.bucket;
        if (owner !== undefined) this.#onThisNode.add(owner);
      }
      if (this.#cursor === '0') {
        this.#bucket += 1;
        for (const each of this.#onThisNode) this.#seen.add(each);
        this.#onThisNode = new Set();
      }
      if (wasUsed) return found;
    }
    return [];
  }

  #beginAgain(): readonly string[] {
    this.#bucket = 0;
    this.#seen = new Set();
    return [];
  }

  async #mend(found: readonly string[]): Promise<number> {
    const byBucket = new Map<BucketKeys, OwnKey[]>();
    for (const key of new Set(found)) {
      const own = this.#ownKey(key);
      if (own !== undefined) byBucket.set(own.bucket, [...(byBucket.get(own.bucket) ?? []), own]);
    }
    const mended = await Promise.all(
      [...byBucket.values()].map((keys) => this.#mendInBucket(keys)),
    );
    return mended.reduce((sum, each) => sum + each, 0);
  }

  async #mendInBucket(keys: readonly OwnKey[]): Promise<number> {
    const { runner, rules } = this.#context;
    const names = keys.map(({ key }) => key);
    const lasting = await runner.run('lasting', names, []);
    let mended = 0;
    for (const position of Array.isArray(lasting) ? lasting : []) {
      const own = keys[Number(position)];
      if (own === undefined) continue;
      const args = [own.kind, rules.limits, rules.margin, own.id];
      mended += Number(await runner.run('mend', [own.key, own.index], args));
    }
    return mended;
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
