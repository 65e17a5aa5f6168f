import { performance } from 'node:perf_hooks';
import { SessionStoreError } from '../../core/errors.js';
import type { RedisLink } from './redis.connection-link.js';
import {
  type RedisFault,
  faultOf,
  isPassing,
  overloadError,
  storeErrorOf,
  timeoutError,
} from './redis.errors.js';

/** What a call does, and what may be done with it. */
export interface Task {
  /**
   * Sends it over a link that is ready. `inFull`: the server did not know the script by its name.
   * `isWanted`: whether somebody still waits for it.
   */
  send(link: RedisLink, inFull: boolean, isWanted: () => boolean): Promise<unknown>;
  /** Has no effect that a second run would double. */
  readonly isRepeatable: boolean;
  /** Characters, about. */
  readonly size: number;
}

/** Bounds what a server that hangs can pile up here: about 20 MB of commands. */
const MAX_CALLS = 10_000;
const MAX_SIZE = 16 * 1024 * 1024;
/** A second attempt is worth it after a short while: a promotion, a moved slot. */
const RETRY_DELAY = 60;
/** Forgets calls that the driver never settled. */
const FORGET_AFTER = 30_000;

/** One list and one timer for all calls of one deadline: they end in the order they began. */
class DeadlineQueue {
  readonly #ms: number;
  #first: Call | undefined;
  #last: Call | undefined;
  #isArmed = false;

  constructor(ms: number) {
    this.#ms = ms;
  }

  add(call: Call): void {
    this.#dropSettled();
    if (this.#last === undefined) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    if (!this.#isArmed) this.#arm(this.#ms);
  }

  #dropSettled(): void {
    while (this.#first?.isSettled) this.#first = this.#first.next;
    if (this.#first === undefined) this.#last = undefined;
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    // After a pause of the process, answers that have already arrived are read first.
    setTimeout(() => setImmediate(() => this.#ring()), Math.ceil(ms)).unref();
  }

  #ring(): void {
    this.#isArmed = false;
    const now = performance.now();
    for (;;) {
      this.#dropSettled();
      if (this.#first === undefined) return;
      if (this.#first.until > now) return this.#arm(this.#first.until - now);
      this.#first.expire();
    }
  }
}

/** Holds the calls of one link to one total deadline: connecting, redirections, second attempts. */
export class RedisCalls {
  readonly link: RedisLink;
  readonly deadline: number;
  readonly #queue: DeadlineQueue;
  #count = 0;
  #size = 0;

  constructor(link: RedisLink, deadline: number) {
    this.link = link;
    this.deadline = deadline;
    this.#queue = new DeadlineQueue(deadline);
  }

  /** Calls without an answer, those that were given up included. */
  get pending(): number {
    return this.#count;
  }

  /** @throws SessionStoreError only, within the deadline */
  run(task: Task): Promise<unknown> {
    if (this.#count >= MAX_CALLS || this.#size >= MAX_SIZE) return Promise.reject(overloadError());
    this.#count += 1;
    this.#size += task.size;
    return new Promise((resolve, reject) => {
      const call = new Call(this, task, resolve, reject);
      this.#queue.add(call);
      call.goOn();
    });
  }

  /** The place of a call is free again. */
  release(size: number): void {
    this.#count -= 1;
    this.#size -= size;
  }
}

/** The two ends of a promise. */
interface Settle {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One call under way. Settled exactly once; an answer that comes later is ignored. */
class Call {
  readonly until: number;
  next: Call | undefined;
  readonly #calls: RedisCalls;
  readonly #task: Task;
  #settle: Settle | undefined;
  #inFull = false;
  #attempts = 0;
  /** How many answers had come when it was sent; `undefined` while it is not with the driver. */
  #mark: number | undefined;
  #isReleased = false;

  constructor(
    calls: RedisCalls,
    task: Task,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#calls = calls;
    this.#task = task;
    this.#settle = { resolve, reject };
    this.until = performance.now() + calls.deadline;
  }

  get isSettled(): boolean {
    return this.#settle === undefined;
  }

  /** Sends it, or waits until it can be sent. */
  goOn(): void {
    if (this.isSettled) return;
    const { link } = this.#calls;
    if (!link.isReady) {
      link.enter(this);
      return;
    }
    this.#mark = link.answers;
    this.#task
      .send(link, this.#inFull, () => !this.isSettled)
      .then(
        (value) => this.#onAnswer(value),
        (error: unknown) => this.#onError(error),
      );
  }

  giveUp(fault: RedisFault): void {
    this.#end()?.reject(storeErrorOf(fault));
  }

  /** The deadline is over. */
  expire(): void {
    const { link, deadline } = this.#calls;
    const mark = this.#mark;
    const fault = mark === undefined ? link.fault : undefined;
    this.#end()?.reject(fault === undefined ? timeoutError(deadline) : storeErrorOf(fault));
    link.leave(this);
    if (mark === undefined) return;
    // Not one answer to anybody for a whole deadline: the connection is dead.
    if (mark === link.answers) link.drop();
    setTimeout(() => this.#release(), FORGET_AFTER).unref();
  }

  #onAnswer(value: unknown): void {
    this.#mark = undefined;
    this.#calls.link.answers += 1;
    this.#end()?.resolve(value);
    this.#release();
  }

  #onError(error: unknown): void {
    const { link } = this.#calls;
    this.#mark = undefined;
    if (error instanceof SessionStoreError) {
      link.answers += 1;
      this.#end()?.reject(error);
      this.#release();
      return;
    }
    const fault = faultOf(error);
    if (fault.kind === 'refused' || fault.kind === 'failed') link.answers += 1;
    if (this.isSettled) {
      this.#release();
      return;
    }
    if (fault.word === 'NOSCRIPT' && !this.#inFull) {
      this.#inFull = true;
      this.goOn();
      return;
    }
    if (fault.kind === 'unsent') {
      // Ready by its state, but its socket is not: the event that says so is on its way.
      this.#goOnLater(RETRY_DELAY / 4, fault);
      return;
    }
    const mayRepeat = isPassing(fault) || (fault.kind === 'lost' && this.#task.isRepeatable);
    this.#attempts += 1;
    if (!mayRepeat || this.#attempts > 1) {
      this.giveUp(fault);
      return;
    }
    // A server that is a replica now will stay one: ask anew where the master is.
    if (fault.word === 'READONLY' || fault.word === 'MASTERDOWN') link.drop();
    this.#goOnLater(fault.kind === 'lost' ? 0 : RETRY_DELAY, fault);
  }

  #goOnLater(ms: number, fault: RedisFault): void {
    if (performance.now() + ms < this.until) setTimeout(() => this.goOn(), ms);
    else this.giveUp(fault);
  }

  #end(): Settle | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    if (this.#mark === undefined) this.#release();
    return settle;
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#calls.release(this.#task.size);
  }
}
