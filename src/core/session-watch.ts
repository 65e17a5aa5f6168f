/**
 * Tells when a session is over, to whoever holds a response open for it (row V-12).
 *
 * Ends are heard of at once: those of this process by its events, those of others over the bus of
 * the store. Neither is certain, and an expiry is announced by nobody in time, so the store is asked
 * besides: at the deadline, and every few seconds where the bus cannot be relied on. That is one
 * timer and one look for each session, however many responses wait for it.
 */
import type { SessionNotice } from './bus.js';
import { type Deadlines, deadlinesOf } from './policy.js';
import type { SessionId } from './record.js';
import type { Session, SessionContext } from './session.js';

/** Milliseconds between two looks while nobody tells of ends elsewhere: 5 s with the answer. */
const PERIOD = 4_500;
/** The same while the bus does: it may lose a message without knowing it. */
const PERIOD_WITH_BUS = 30_000;
/** Milliseconds over which the looks are spread that fall due at the same moment. */
const SPREAD = 1_000;
const RETRY = 2_000;
/** Against looks without a pause, where the store's clock goes back. */
const SHORTEST = 50;

type WatchContext = Pick<SessionContext, 'access' | 'events' | 'limitTable'>;

interface Watcher {
  /** The session, and that of whoever acts in it: with either it is over. */
  readonly ids: readonly SessionId[];
  readonly onEnd: () => void;
}

interface Watched {
  readonly id: SessionId;
  readonly watchers: Set<Watcher>;
  deadlines: Deadlines | undefined;
  timer: NodeJS.Timeout | undefined;
  /** The era of the bus in which it was last seen alive: of an end since then it would tell. */
  seenIn: number | undefined;
}

export class SessionWatch {
  readonly #context: WatchContext;
  readonly #watched = new Map<SessionId, Watched>();
  /** Grows with everything that makes earlier looks worthless. */
  #era = 0;
  #stopListening: (() => void) | undefined;

  constructor(context: WatchContext) {
    this.#context = context;
  }

  /** Calls `onEnd` once, when the session is over; the function that is returned ends the watch. */
  watch({ id, claims, deadlines }: Session, onEnd: () => void): () => void {
    const { actor } = claims;
    const watcher = { ids: actor ? [id, actor.sessionId] : [id], onEnd };
    this.#stopListening ??= this.#listen();
    this.#entryOf(id, deadlines).watchers.add(watcher);
    if (actor) this.#entryOf(actor.sessionId).watchers.add(watcher);
    return () => this.#release(watcher);
  }

  /** What nobody watches any more must not go on, so everything ends. */
  close(): void {
    for (const id of this.#watched.keys()) this.#end(id);
  }

  /** A new one is looked at soon: it may have ended between its request and this moment. */
  #entryOf(id: SessionId, deadlines?: Deadlines): Watched {
    const known = this.#watched.get(id);
    if (known) return known;
    const entry = {
      id,
      watchers: new Set<Watcher>(),
      deadlines,
      timer: undefined,
      seenIn: undefined,
    };
    this.#watched.set(id, entry);
    this.#lookInTime(entry);
    return entry;
  }

  #listen(): () => void {
    const { access, events } = this.#context;
    const stopEvents = events.on('session.ended', ({ sessionId }) => this.#end(sessionId));
    const stopBus = access.store.bus?.subscribe({
      onNotice: (notice) => this.#hear(notice),
      onCut: () => this.#lookAtAll(),
    });
    return () => {
      stopEvents();
      stopBus?.();
    };
  }

  #hear(notice: SessionNotice): void {
    if (notice.kind === 'ended') this.#end(notice.sessionId);
    else if (notice.kind === 'everyone') this.#lookAtAll();
  }

  #lookAtAll(): void {
    this.#era += 1;
    for (const entry of this.#watched.values()) {
      // One that is being looked at is not trusted, and looked at again within a period.
      if (entry.timer !== undefined) this.#lookIn(entry, Math.random() * SPREAD);
    }
  }

  #lookInTime(entry: Watched): void {
    const era = this.#heardEra;
    const period = era !== undefined && entry.seenIn === era ? PERIOD_WITH_BUS : PERIOD;
    const { idleAt, absoluteAt } = entry.deadlines ?? { idleAt: Infinity, absoluteAt: Infinity };
    const left = Math.min(idleAt, absoluteAt) - this.#now;
    this.#lookIn(entry, Math.max(SHORTEST, Math.min(left, jittered(period))));
  }

  #lookIn(entry: Watched, ms: number): void {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => void this.#look(entry), Math.ceil(ms)).unref();
  }

  async #look(entry: Watched): Promise<void> {
    const { id } = entry;
    const { access, limitTable } = this.#context;
    const era = this.#heardEra;
    entry.timer = undefined;
    try {
      const reply = await access.call((store) => store.peek({ id, touch: false }));
      if (this.#watched.get(id) !== entry) return;
      if (reply.status !== 'active') return this.#end(id);
      entry.deadlines = deadlinesOf(reply.record, limitTable);
      entry.seenIn = era;
      this.#lookInTime(entry);
    } catch {
      if (this.#watched.get(id) !== entry) return;
      // A store that fails ends nothing; but nothing moves this deadline.
      if (entry.deadlines && entry.deadlines.absoluteAt <= this.#now) this.#end(id);
      else this.#lookIn(entry, jittered(RETRY));
    }
  }

  #end(id: SessionId): void {
    for (const watcher of this.#watched.get(id)?.watchers ?? []) {
      this.#release(watcher);
      watcher.onEnd();
    }
  }

  #release(watcher: Watcher): void {
    for (const id of watcher.ids) {
      const entry = this.#watched.get(id);
      if (!entry?.watchers.delete(watcher) || entry.watchers.size > 0) continue;
      clearTimeout(entry.timer);
      this.#watched.delete(id);
    }
    if (this.#watched.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  /** The era, if ends elsewhere are heard of now. */
  get #heardEra(): number | undefined {
    return this.#context.access.store.bus?.isConnected ? this.#era : undefined;
  }

  get #now(): number {
    return this.#context.access.knownNow ?? Date.now();
  }
}

/** Streams that began together need not be looked at together. */
function jittered(ms: number): number {
  return ms * (0.75 + Math.random() / 4);
}
