import { performance } from 'node:perf_hooks';
import type { DriverClient } from './redis.connection-driver.js';
import { type RedisFault, faultOf, isLasting } from './redis.errors.js';
import type { RedisScript } from './scripts.gen.js';

const RECONNECT_DELAY = 50;

/** Somebody who cannot go on before the client is ready. */
export interface Waiter {
  goOn(): void;
  /** Not over this link, but maybe over another one. */
  goOnLater(fault: RedisFault): void;
  giveUp(fault: RedisFault): void;
}

export interface LinkOptions {
  /** Whether we made the client: only then may it be dropped, and its errors are ours to hear. */
  readonly isOurs: boolean;
  /** Longest time that a connection may take until it is ready. */
  readonly deadline: number;
  /** For one connection only, after whose end this is called. */
  readonly onEnd?: () => void;
}

/**
 * One client of ioredis and whether it is ready. ioredis connects again by itself; what hangs while
 * it connects is dropped, so that a server that comes back is found soon.
 */
export class RedisLink {
  readonly client: DriverClient;
  readonly #options: LinkOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #listeners: readonly (readonly [event: string, listener: (...args: never[]) => void])[];
  /** Why the last attempt to connect failed. */
  #fault: RedisFault | undefined;
  #downSince: number | undefined;
  #supervision: NodeJS.Timeout | undefined;
  #isCorked = false;
  #isDropped = false;
  #isClosed = false;
  /** Answers that came; it tells a silent connection from a busy one. */
  answers = 0;

  constructor(client: DriverClient, options: LinkOptions) {
    this.client = client;
    this.#options = options;
    this.#listeners = [
      ['ready', () => this.#onReady()],
      ['connecting', () => this.#supervise()],
      ['close', () => this.#onClose()],
      ['end', () => this.#onEnd()],
    ];
    // A listener on a client of the application would keep its errors from being printed.
    if (options.isOurs) {
      this.#listeners = [...this.#listeners, ['error', (error: unknown) => this.#onError(error)]];
    }
    for (const [event, listener] of this.#listeners) client.on(event, listener);
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** Why there is no connection, as far as that is known. */
  get fault(): RedisFault | undefined {
    return this.#fault;
  }

  /** How long there has been no connection, in milliseconds; 0 if there is one, or never was. */
  get downFor(): number {
    return this.#downSince === undefined ? 0 : performance.now() - this.#downSince;
  }

  /** Waits for the client; connects it if nobody did. */
  enter(waiter: Waiter): void {
    const { status } = this.client;
    if (this.#options.onEnd !== undefined && status === 'end') {
      waiter.goOnLater(this.#fault ?? { word: 'closed', kind: 'unsent' });
      return;
    }
    if (this.#isClosed || (status === 'end' && !this.#options.isOurs)) {
      waiter.giveUp({ word: 'ended', kind: 'unsent' });
      return;
    }
    const isHopeless = this.downFor > this.#options.deadline;
    if (this.#fault !== undefined && (isHopeless || isLasting(this.#fault))) {
      waiter.giveUp({ ...this.#fault, kind: 'unsent' });
      return;
    }
    this.#waiters.add(waiter);
    if (status === 'wait') this.#connect();
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** Sends a script, by its name or in full. */
  evaluate(
    script: RedisScript,
    inFull: boolean,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    this.cork();
    return inFull
      ? this.client.eval(script.text, keys.length, ...keys, ...args)
      : this.client.evalsha(script.sha1, keys.length, ...keys, ...args);
  }

  /**
   * Gathers what is sent until the next turn of the event loop into one write: a system call for
   * all requests that arrived together instead of one for each.
   */
  cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const clients = this.client.nodes?.('master') ?? [this.client];
    const streams = clients.flatMap(({ stream }) => stream ?? []);
    for (const stream of streams) stream.cork();
    setImmediate(() => {
      this.#isCorked = false;
      for (const stream of streams) stream.uncork();
    });
  }

  /** Gives up a connection that does not answer any more, and makes a new one. */
  drop(): void {
    if (!this.#options.isOurs || this.client.isCluster || this.#isClosed) return;
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#fault ??= { word: 'ETIMEDOUT', kind: 'unsent' };
    this.#downSince ??= performance.now();
    this.client.disconnect(true);
  }

  /** Ends a client of ours; one of the application is left as it is. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#supervision);
    const fault: RedisFault = { word: 'ended', kind: 'unsent' };
    if (this.#options.onEnd === undefined) this.#turnAway(fault);
    else this.#dismiss((waiter) => waiter.goOnLater(fault));
    if (this.#options.isOurs) {
      this.client.disconnect();
      // It still tells of its end, and an error that nobody hears would be printed.
      this.client.on('error', () => undefined);
    }
    for (const [event, listener] of this.#listeners) this.client.off(event, listener);
  }

  #onReady(): void {
    clearTimeout(this.#supervision);
    this.#fault = undefined;
    this.#downSince = undefined;
    this.#dismiss((waiter) => waiter.goOn());
  }

  #onClose(): void {
    clearTimeout(this.#supervision);
    this.#downSince ??= performance.now();
    this.#fault ??= { word: 'closed', kind: 'unsent' };
  }

  /** The application closed its client, or ioredis gave up: it does if dropped while it connects. */
  #onEnd(): void {
    const { isOurs, onEnd } = this.#options;
    if (onEnd !== undefined) {
      onEnd();
      const fault = this.#fault ?? { word: 'closed', kind: 'unsent' };
      this.#dismiss((waiter) => waiter.goOnLater({ ...fault, kind: 'unsent' }));
      return;
    }
    if (isOurs) {
      setTimeout(() => {
        if (!this.#isClosed && this.client.status === 'end') this.#connect();
      }, RECONNECT_DELAY);
      return;
    }
    this.#turnAway({ word: 'ended', kind: 'unsent' });
  }

  #onError(error: unknown): void {
    const fault = faultOf(error);
    this.#fault = fault;
    this.#downSince ??= performance.now();
    if (isLasting(fault)) this.#turnAway(fault);
  }

  #connect(): void {
    // A failed attempt is told by events.
    this.client.connect().catch(() => undefined);
  }

  #turnAway(fault: RedisFault): void {
    this.#dismiss((waiter) => waiter.giveUp({ ...fault, kind: 'unsent' }));
  }

  #dismiss(tell: (waiter: Waiter) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) tell(waiter);
  }

  /** A server can accept a connection and then say nothing. ioredis would wait for ever. */
  #supervise(): void {
    this.#isDropped = false;
    clearTimeout(this.#supervision);
    if (!this.#options.isOurs || this.client.isCluster) return;
    this.#supervision = setTimeout(() => {
      this.#fault = { word: 'ETIMEDOUT', kind: 'unsent' };
      this.drop();
    }, this.#options.deadline);
    this.#supervision.unref();
  }
}
