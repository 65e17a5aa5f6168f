import { performance } from 'node:perf_hooks';
import { DeadlineQueue, type Waiting } from '../../core/deadline-queue.js';
import { SessionStoreError } from '../../core/errors.js';
import type { RedisLink } from './redis.connection-link.js';
import {
  type RedisFault,
  faultOf,
  isMoving,
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
  /** The link for the next attempt, if it is not that of all calls. */
  route?(): RedisLink;
  /** Has no effect that a second run would double. */
  readonly isRepeatable: boolean;
  /** What fails together: a bucket in a cluster, which may have lost the master of just that one. */
  readonly place: string;
  /** Characters, about. */
  readonly size: number;
}

/** Bounds what a server that hangs can pile up here: about 20 MB of commands. */
const MAX_CALLS = 10_000;
const MAX_SIZE = 16 * 1024 * 1024;
/** A further attempt is worth it after a short while, and then after longer ones. */
const RETRY_FIRST = 10;
const RETRY_MOST = 100;
/** Forgets calls that the driver never settled. */
const FORGET_AFTER = 30_000;

/** Since when a place has been nothing but trouble, and when it was last. */
interface Trouble {
  readonly since: number;
  last: number;
}

/** Holds the calls of one link to one total deadline: connecting, redirections, further attempts. */
export class RedisCalls {
  readonly link: RedisLink;
  readonly deadline: number;
  readonly #queue: DeadlineQueue;
  readonly #troubles = new Map<string, Trouble>();
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

  /** Another call may take this one's room. */
  release(size: number): void {
    this.#count -= 1;
    this.#size -= size;
  }

  /** There was trouble at a place: for more than a deadline already, without an answer between? */
  isHopeless(place: string): boolean {
    const now = performance.now();
    const known = this.#troubles.get(place);
    if (known === undefined || now - known.last > this.deadline) {
      this.#troubles.set(place, { since: now, last: now });
      return false;
    }
    known.last = now;
    return now - known.since > this.deadline;
  }

  isWell(place: string): void {
    if (this.#troubles.size > 0) this.#troubles.delete(place);
  }
}

/** The two ends of a promise. */
interface Settle {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One call under way. Settled exactly once; an answer that comes later is ignored. */
class Call implements Waiting {
  readonly until: number;
  next: Waiting | undefined;
  readonly #calls: RedisCalls;
  readonly #task: Task;
  #settle: Settle | undefined;
  #link: RedisLink;
  #inFull = false;
  #attempts = 0;
  /** Why the last attempt failed. */
  #fault: RedisFault | undefined;
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
    this.#link = calls.link;
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
    const link = this.#task.route?.() ?? this.#calls.link;
    this.#link = link;
    if (!link.isReady) {
      link.enter(this);
      return;
    }
    this.#mark = link.answers;
    this.#task
      .send(link, this.#inFull, () => !this.isSettled)
      .then(
        (value) => this.#onAnswer(value, link),
        (error: unknown) => this.#onError(error, link),
      );
  }

  giveUp(fault: RedisFault): void {
    this.#end()?.reject(storeErrorOf(fault));
  }

  /** Once more, a little later, if there is time for it. */
  goOnLater(fault: RedisFault): void {
    this.#fault = fault;
    const isFirst = this.#attempts === 0;
    const delay = Math.min(RETRY_FIRST * 2 ** this.#attempts, RETRY_MOST);
    this.#attempts += 1;
    // All that waited for the same must not come at the same moment.
    const ms = isFirst && fault.kind === 'lost' ? 0 : delay * (0.75 + Math.random() / 2);
    if (performance.now() + ms < this.until) setTimeout(() => this.goOn(), ms);
    else this.giveUp(fault);
  }

  /** The deadline is over. */
  expire(): void {
    const link = this.#link;
    const mark = this.#mark;
    const fault = mark === undefined ? (this.#fault ?? link.fault) : undefined;
    this.#end()?.reject(
      fault === undefined ? timeoutError(this.#calls.deadline) : storeErrorOf(fault),
    );
    link.leave(this);
    if (mark === undefined) return;
    // Not one answer to anybody for a whole deadline: the connection is dead.
    if (mark === link.answers) link.drop();
    setTimeout(() => this.#release(), FORGET_AFTER).unref();
  }

  #onAnswer(value: unknown, link: RedisLink): void {
    this.#mark = undefined;
    link.answers += 1;
    this.#calls.isWell(this.#task.place);
    this.#end()?.resolve(value);
    this.#release();
  }

  #onError(error: unknown, link: RedisLink): void {
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
    if (!this.#mayRepeat(fault)) {
      this.giveUp(fault);
      return;
    }
    // A server that is a replica now will stay one: ask anew where the master is.
    if (fault.word === 'READONLY' || fault.word === 'MASTERDOWN') link.drop();
    this.goOnLater(fault);
  }

  /**
   * What did not run may be tried until the deadline; so may what has no effect that a second run
   * would double. But only a slot that moves is waited for every time: who asks for what has been
   * out of order for long is told so at once.
   */
  #mayRepeat(fault: RedisFault): boolean {
    if (isMoving(fault)) return true;
    const isSafe = isPassing(fault) || (fault.kind === 'lost' && this.#task.isRepeatable);
    return isSafe && !this.#calls.isHopeless(this.#task.place);
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
