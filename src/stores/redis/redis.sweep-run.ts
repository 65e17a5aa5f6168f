import { performance } from 'node:perf_hooks';
import type { EndedSession } from '../../core/record.js';
import type { SweepReply, SweepRequest } from '../../core/store.js';
import type { RedisContext } from './redis.page.js';
import { ReplyReader } from './redis.reader.js';
import type { ScriptName } from './scripts.gen.js';

/** The store refused a command as too late. */
export class Late extends Error {
  readonly now: number;

  constructor(now: number) {
    super('too late');
    this.now = now;
  }
}

/** One call of `sweep` under way: its bounds, and what it did so far. */
export class SweepRun {
  readonly limit: number;
  readonly notAfter: number;
  readonly ended: EndedSession[] = [];
  /** There is more to end than this call takes. */
  more = false;
  readonly #context: RedisContext;
  readonly #until: number;
  readonly #names: string[] = [];
  #withoutExpiry = 0;
  #danglingEntries = 0;
  #now = 0;

  constructor(context: RedisContext, { limit, notAfter }: SweepRequest) {
    this.#context = context;
    this.limit = limit;
    this.notAfter = notAfter;
    this.#until = performance.now() + context.rules.slice;
  }

  /** How many more sessions it may end. */
  get room(): number {
    return this.limit - this.ended.length;
  }

  /** It has had its time; the next call goes on. */
  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** @throws Late */
  async script(
    name: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<ReplyReader> {
    const reader = new ReplyReader(await this.#context.runner.run(name, keys, args));
    const status = reader.text();
    const now = reader.integer();
    if (status === 'late') throw new Late(now);
    this.#now = Math.max(this.#now, now);
    return reader;
  }

  /** This key of ours had lost its expiry. */
  mended(key: string): void {
    this.#withoutExpiry += 1;
    this.#names.push(key);
  }

  /** An index had an entry for what is not there. */
  removed(key: string): void {
    this.#danglingEntries += 1;
    this.#names.push(key);
  }

  reply(): SweepReply {
    const repairs = {
      withoutExpiry: this.#withoutExpiry,
      danglingEntries: this.#danglingEntries,
      names: this.#names,
    };
    return { status: 'swept', now: this.#now, ended: this.ended, repairs, more: this.more };
  }
}
