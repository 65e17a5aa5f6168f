/**
 * The way to the store: opens it when needed, learns its clock from every reply, and gives
 * mutations the moment after which they must not take effect.
 */
import { performance } from 'node:perf_hooks';
import { SessionStoreError } from './errors.js';
import type { Reply, SessionStore, StoreLayout, StoreSettings } from './store.js';

type Late = Reply<'late'>;

export class StoreAccess {
  readonly store: SessionStore;
  readonly #settings: StoreSettings;
  #layout: StoreLayout | undefined;
  #opening: Promise<StoreLayout> | undefined;
  /** Store time minus this process's monotonic time, which no clock change moves. */
  #offset: number | undefined;

  constructor(store: SessionStore, settings: StoreSettings) {
    this.store = store;
    this.#settings = settings;
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

  /** One call of the store. */
  async call<R extends Reply<string>>(operation: (store: SessionStore) => Promise<R>): Promise<R> {
    if (this.#layout === undefined) await this.#open();
    const reply = await operation(this.store);
    this.#offset = reply.now - performance.now();
    return reply;
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
    await this.store.close();
  }

  async #open(): Promise<StoreLayout> {
    this.#opening ??= this.store.open(this.#settings).finally(() => {
      this.#opening = undefined;
    });
    this.#layout = await this.#opening;
    return this.#layout;
  }
}

function isLate(reply: Reply<string>): reply is Late {
  return reply.status === 'late';
}
