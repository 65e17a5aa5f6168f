import { randomBytes } from 'node:crypto';
import type { SessionBus, SessionBusListener, SessionNotice } from '../../core/bus.js';
import { END_REASONS, type EndReason } from '../../core/record.js';
import type { DriverClient } from './redis.connection-driver.js';

/** What the bus needs of the connection. */
export interface BusBackend {
  /** Sends a message; never rejects. */
  publish(channel: string, text: string): void;
  /** A client of its own for a subscriber, not connected; `undefined` if there is no server now. */
  makeSubscriber(): DriverClient | undefined;
}

export interface BusOptions {
  readonly channel: string;
  /** Longest time a connection may take, or be silent; milliseconds. */
  readonly deadline: () => number;
}

/** Notices of one message: about 10 kB. */
const MOST_AT_ONCE = 200;
const FORMAT = '1';
const RECONNECT_FIRST = 50;
const RECONNECT_MOST = 1_000;
const PING_PERIOD = 2_000;

/**
 * The bus over plain pub/sub: one channel, one connection for whoever listens. Why not sharded
 * pub/sub: `docs/decisions/0003-bus.md`.
 */
export class RedisBus implements SessionBus {
  readonly #backend: BusBackend;
  readonly #options: BusOptions;
  /** Tells our own messages from those of others. */
  readonly #origin = randomBytes(6).toString('base64url');
  readonly #listeners = new Set<SessionBusListener>();
  #client: DriverClient | undefined;
  #isConnected = false;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(backend: BusBackend, options: BusOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Whether somebody listens. */
  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  publish(notices: readonly SessionNotice[]): void {
    for (const notice of notices) this.#tell((listener) => listener.onNotice?.(notice));
    for (let from = 0; from < notices.length; from += MOST_AT_ONCE) {
      const lines = notices.slice(from, from + MOST_AT_ONCE).map(encodeNotice);
      const text = [`${FORMAT} ${this.#origin}`, ...lines].join('\n');
      this.#backend.publish(this.#options.channel, text);
    }
  }

  subscribe(listener: SessionBusListener): () => void {
    // A listener may be subscribed twice: each subscription ends on its own.
    const entry: SessionBusListener = {
      onNotice: (notice) => listener.onNotice?.(notice),
      onConnected: () => listener.onConnected?.(),
      onCut: () => listener.onCut?.(),
    };
    this.#listeners.add(entry);
    if (this.#client === undefined && this.#timer === undefined) this.#connect();
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#disconnect();
    };
  }

  /** Connects again, as after `close`, if somebody listens. */
  open(): void {
    this.#isClosed = false;
    if (this.isUsed && this.#client === undefined && this.#timer === undefined) this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  #connect(): void {
    this.#timer = undefined;
    if (this.#isClosed) return;
    const client = this.#backend.makeSubscriber();
    if (client === undefined) {
      this.#connectLater();
      return;
    }
    this.#client = client;
    const isCurrent = (): boolean => this.#client === client;
    client.on('error', () => undefined);
    client.on('message', (_channel: string, text: string) => {
      if (isCurrent()) this.#hear(text);
    });
    const onEnd = (): void => {
      if (isCurrent()) this.#lose();
    };
    client.on('close', onEnd);
    client.on('end', onEnd);
    // A server that accepts the connection and then says nothing is no connection.
    this.#timer = setTimeout(onEnd, this.#options.deadline());
    client
      .connect()
      .then(() => client.call('subscribe', this.#options.channel))
      .then(() => {
        if (!isCurrent()) return;
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#attempts = 0;
        this.#isConnected = true;
        this.#tell((listener) => listener.onConnected?.());
        this.#watch(client);
      }, onEnd);
  }

  /** Asks now and then whether the connection still lives: no message looks just like a dead one. */
  #watch(client: DriverClient): void {
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(() => {
        if (this.#client === client) this.#lose();
      }, this.#options.deadline());
      client.call('ping').then(
        () => {
          if (this.#client !== client) return;
          clearTimeout(this.#timer);
          this.#watch(client);
        },
        () => undefined,
      );
    }, PING_PERIOD);
    this.#timer.unref();
  }

  #lose(): void {
    const wasConnected = this.#isConnected;
    this.#disconnect();
    if (wasConnected) this.#tell((listener) => listener.onCut?.());
    if (!this.#isClosed && this.isUsed) this.#connectLater();
  }

  #connectLater(): void {
    const delay = Math.min(RECONNECT_FIRST * 2 ** Math.min(this.#attempts, 10), RECONNECT_MOST);
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#connect(), delay * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }

  #disconnect(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isConnected = false;
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
  }

  #hear(text: string): void {
    const [head = '', ...lines] = text.split('\n');
    const [format, origin] = head.split(' ');
    if (format === FORMAT && origin === this.#origin) return;
    const notices = format === FORMAT ? lines.map(decodeNotice) : [undefined];
    for (const notice of notices) {
      // Of a newer version, or of a stranger: whatever it meant, nothing old is certain any more.
      if (notice === undefined) this.#tell((listener) => listener.onCut?.());
      else this.#tell((listener) => listener.onNotice?.(notice));
    }
  }

  #tell(what: (listener: SessionBusListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        what(listener);
      } catch {
        // The next one must hear it all the same.
      }
    }
  }
}

function encodeNotice(notice: SessionNotice): string {
  switch (notice.kind) {
    case 'ended':
      return `e ${notice.sessionId} ${notice.reason}`;
    case 'rotated':
      return `r ${notice.sessionId} ${notice.generation}`;
    case 'everyone':
      return `a ${notice.until} ${notice.reason}`;
  }
}

function decodeNotice(line: string): SessionNotice | undefined {
  const [, kind, what = '', detail = ''] = /^([era]) ([\w-]{1,64}) ([\w-]{1,32})$/.exec(line) ?? [];
  const reason = END_REASONS.find((each): each is EndReason => each === detail);
  switch (kind) {
    case 'e':
      return reason && { kind: 'ended', sessionId: what, reason };
    case 'a': {
      const until = Number(what);
      return reason && Number.isSafeInteger(until)
        ? { kind: 'everyone', until, reason }
        : undefined;
    }
    case 'r': {
      const generation = Number(detail);
      if (!Number.isSafeInteger(generation)) return undefined;
      return { kind: 'rotated', sessionId: what, generation };
    }
    default:
      return undefined;
  }
}
