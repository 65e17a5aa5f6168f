/**
 * The way to the store: opens it when needed, holds it to the deadline, learns its clock from every
 * reply, and gives mutations the moment after which they must not take effect.
 */
import { performance } from 'node:perf_hooks';
import { DeadlineQueue } from './deadline-queue.js';
import { SessionStoreError } from './errors.js';
import type { Reply, SessionStore, StoreLayout, StoreSettings } from './store.js';

type Late = Reply<'late'>;

/** Told when the store begins to fail, and with `undefined` when it answers again. */
export type StoreChangeListener = (failure: SessionStoreError | undefined) => void;

export class StoreAccess {
  readonly store: SessionStore;
  readonly #settings: StoreSettings;
  readonly #deadline: Deadline;
  #layout: StoreLayout | undefined;
  #opening: Promise<StoreLayout> | undefined;
  /** Store time minus this process's monotonic time, which no clock change moves. */
  #offset: number | undefined;
  readonly #onChange: StoreChangeListener;
  #isFailing = false;

  constructor(
    store: SessionStore,
    settings: StoreSettings,
    onChange: StoreChangeListener = () => undefined,
  ) {
    this.store = store;
    this.#onChange = onChange;
    this.#settings = settings;
    this.#deadline = new Deadline(settings.deadline);
  }

  /** The layout; opens the store at the first call, and again after a failure. */
  async layout(): Promise<StoreLayout> {
    return this.#layout ?? (await this.#open());
  }

  /** The layout if the store is open. */
  get knownLayout(): StoreLayout | undefined {
    return this.#layout;
  }

  /** The store's time as learned so far; `undefined` before the first reply. */
  get knownNow(): number | undefined {
    return this.#offset === undefined ? undefined : Math.round(performance.now() + this.#offset);
  }

  /** The store's time; asks the store if it is not known. */
  async now(): Promise<number> {
    return this.knownNow ?? (await this.call((store) => store.ping())).now;
  }

  /**
   * One call of the store, opening it included.
   *
   * @throws SessionStoreError `ERR_SESSION_STORE_TIMEOUT` if it takes longer than the deadline, also
   *   if the store would never answer
   */
  async call<R extends Reply<string>>(operation: (store: SessionStore) => Promise<R>): Promise<R> {
    const pending =
      this.#layout === undefined
        ? this.#open().then(() => operation(this.store))
        : operation(this.store);
    try {
      const reply = await this.#deadline.hold(pending);
      this.#offset = reply.now - performance.now();
      if (this.#isFailing) this.#note(undefined);
      return reply;
    } catch (error) {
      throw this.#note(error);
    }
  }

  /**
   * One mutation that must not take effect after its deadline. An answer `late` that still reaches
   * us means that our idea of the store's clock was wrong; the reply has corrected it.
   */
  async mutate<R extends Reply<string>>(
    operation: (store: SessionStore, now: number, notAfter: number) => Promise<R | Late>,
  ): Promise<Exclude<R, Late>> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const now = await this.now();
      const reply = await this.call((store) =>
        operation(store, now, now + this.#settings.deadline),
      );
      if (!isLate(reply)) return reply as Exclude<R, Late>;
    }
    throw new SessionStoreError('the session store refused a change as too late', {
      code: 'ERR_SESSION_STORE_TIMEOUT',
    });
  }

  async close(): Promise<void> {
    this.#layout = undefined;
    await this.#deadline.hold(this.store.close());
  }

  async #open(): Promise<StoreLayout> {
    // Given up at the deadline, so that the next caller asks anew instead of joining a dead attempt.
    this.#opening ??= this.#deadline.hold(this.store.open(this.#settings)).finally(() => {
      this.#opening = undefined;
    });
    try {
      this.#layout = await this.#opening;
      return this.#layout;
    } catch (error) {
      throw this.#note(error);
    }
  }

  /** A store that is full has answered. */
  #note(error: unknown): unknown {
    const failure =
      error instanceof SessionStoreError && error.code !== 'ERR_SESSION_STORE_FULL'
        ? error
        : undefined;
    const isFailing = failure !== undefined;
    if (isFailing !== this.#isFailing) {
      this.#isFailing = isFailing;
      this.#onChange(failure);
    }
    return error;
  }
}

/** Holds replies to one deadline. */
class Deadline {
  readonly #ms: number;
  readonly #queue: DeadlineQueue;

  constructor(ms: number) {
    this.#ms = ms;
    this.#queue = new DeadlineQueue(ms);
  }

  /** The same reply, or a rejection at the deadline. What comes after that is ignored. */
  hold<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = {
        until: performance.now() + this.#ms,
        isSettled: false,
        next: undefined,
        expire: () => {
          wait.isSettled = true;
          reject(tooSlow(this.#ms));
        },
      };
      this.#queue.add(wait);
      reply.then(
        (value) => {
          wait.isSettled = true;
          resolve(value);
        },
        (error: unknown) => {
          wait.isSettled = true;
          reject(error);
        },
      );
    });
  }
}

function tooSlow(ms: number): SessionStoreError {
  return new SessionStoreError(`the session store did not answer within ${ms} ms`, {
    code: 'ERR_SESSION_STORE_TIMEOUT',
  });
}

function isLate(reply: Reply<string>): reply is Late {
  return reply.status === 'late';
}
