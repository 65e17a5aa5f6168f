/**
 * The sessions and everything that has to change together with them: user index, order of
 * creation, deadlines, counters, tombstones. Only `insert` and `end` add and remove.
 */
import { SessionStoreError } from '../../core/errors.js';
import {
  deadlinesOf,
  expiryOf,
  idleAtAfterTouch,
  isTouchDue,
  limitsOf,
} from '../../core/policy.js';
import type {
  EndReason,
  EndedSession,
  SessionId,
  SessionRecord,
  SessionTombstone,
} from '../../core/record.js';
import { firstTokenState } from '../../core/rotation.js';
import type { EncodedFields, NewSession, StoreSettings } from '../../core/store.js';
import { CreationLog, type Page } from './creation-log.js';
import { ExpiryHeap } from './expiry-heap.js';
import { type Grave, type LiveSession, newRecord } from './memory.entries.js';
import { Graveyard } from './memory.graveyard.js';
import { MemoryStatistics } from './memory.statistics.js';
import { UserIndex } from './memory.user-index.js';

export class SessionTable {
  readonly maxSessions: number;
  readonly statistics = new MemoryStatistics();
  readonly #sessions = new Map<SessionId, LiveSession>();
  readonly #users = new UserIndex((before, after) => this.statistics.countUser(before, after));
  readonly #log = new CreationLog<LiveSession>();
  /** When which session ends and which tombstone is forgotten. */
  readonly #due = new ExpiryHeap<LiveSession | Grave>();
  readonly #graves: Graveyard;
  /** Timeouts found by operations whose reply does not name them; `sweep` hands them out. */
  readonly #unannounced = new Set<EndedSession>();
  #rules: StoreSettings | undefined;

  constructor(maxSessions: number) {
    this.maxSessions = maxSessions;
    this.#graves = new Graveyard(maxSessions);
  }

  get rules(): StoreSettings {
    if (this.#rules === undefined) throw new SessionStoreError('the session store is not open');
    return this.#rules;
  }

  /** Deadlines follow the new rules from now on; what is over under the old ones stays over. */
  applyRules(rules: StoreSettings, now: number): void {
    if (this.#rules !== undefined) this.endOverdue(now);
    this.#rules = structuredClone(rules);
    this.#due.rescheduleAll((item) =>
      item.kind === 'grave' ? item.dueAt : this.#deadlineOf(item.record),
    );
  }

  get size(): number {
    return this.#sessions.size;
  }

  get tombstones(): number {
    return this.#graves.size;
  }

  /** How much of everything is really kept, found by looking. */
  contents(): Readonly<
    Record<'sessions' | 'tombstones' | 'indexEntries' | 'unannounced' | 'steps', number>
  > {
    const deadlines = this.#due.size - this.#graves.size;
    return {
      sessions: this.#sessions.size,
      tombstones: this.#graves.size,
      indexEntries: this.#users.countEntries() + this.#log.size + deadlines,
      unannounced: this.#unannounced.size,
      steps: this.#due.steps,
    };
  }

  /** A session that did not end yet, even if its deadline has passed. */
  find(id: SessionId): LiveSession | undefined {
    return this.#sessions.get(id);
  }

  /** A live session; ends it if its deadline has passed. */
  live(id: SessionId, now: number): LiveSession | undefined {
    const session = this.#sessions.get(id);
    return session === undefined || this.#isOver(session, now) ? undefined : session;
  }

  /** A user's live sessions, oldest first. */
  liveOf(userKey: string, now: number): readonly LiveSession[] {
    return [...this.#users.of(userKey)].filter((session) => !this.#isOver(session, now));
  }

  /** Sessions in the order of their creation, those after the given serial. */
  page(afterSerial: number, limit: number): Page<LiveSession> {
    return this.#log.page(afterSerial, limit);
  }

  insert(wanted: NewSession, fields: EncodedFields, isExempt: boolean, now: number): LiveSession {
    const limits = limitsOf(wanted, this.rules.limits);
    const absoluteAt = now + limits.absolute;
    const idleAt = Math.min(now + limits.idle, absoluteAt);
    const session: LiveSession = {
      kind: 'session',
      id: wanted.id,
      userKey: wanted.user?.userKey,
      isExempt,
      serial: this.#log.nextSerial(),
      record: newRecord(wanted, now, { idleAt, absoluteAt }),
      tokens: firstTokenState(wanted.token, now),
      fields,
      dueAt: idleAt,
      slot: -1,
    };
    this.#sessions.set(session.id, session);
    this.#users.add(session);
    this.#log.add(session);
    this.#due.add(session);
    if (session.userKey !== undefined) this.statistics.countCreated(now);
    return session;
  }

  /** Records activity, if that is due. Never moves the absolute deadline. */
  touch(session: LiveSession, now: number): void {
    const { record } = session;
    const { limits, touchInterval } = this.rules;
    if (!isTouchDue(record.seenAt, now, touchInterval)) return;
    const idleAt = idleAtAfterTouch(record, limits, now);
    session.record = Object.freeze({ ...record, seenAt: now, idleAt });
    this.#due.reschedule(session, this.#deadlineOf(session.record));
  }

  /** `endedAt` lies before now if a deadline has passed. */
  end(session: LiveSession, reason: EndReason, now: number, endedAt = now): EndedSession {
    const { id, userKey, record } = session;
    this.#sessions.delete(id);
    this.#users.remove(session);
    this.#log.remove(session);
    this.#due.remove(session);
    const tombstone = Object.freeze({ id, reason, endedAt });
    const { createdAt, userId } = record;
    const ended = { ...tombstone, createdAt, ...(userId !== undefined && { userId }) };
    if (userKey !== undefined) this.statistics.countEnded(ended);
    if (now < record.absoluteAt) this.#bury(tombstone, userKey, record.absoluteAt);
    return ended;
  }

  /** Ends a session whose deadline has passed; dated back to the deadline. */
  expire(session: LiveSession, now: number): EndedSession | undefined {
    const { limits } = this.rules;
    const reason = expiryOf(session.record, limits, now);
    if (reason === undefined) return undefined;
    const { idleAt, absoluteAt } = deadlinesOf(session.record, limits);
    return this.end(session, reason, now, reason === 'idle' ? idleAt : absoluteAt);
  }

  /** Ends what is that old; `sweep` hands it out. */
  endCreatedUntil(moment: number, reason: EndReason, now: number): void {
    this.endOverdue(now);
    for (const session of this.#sessions.values()) {
      if (session.record.createdAt <= moment) this.#leaveForSweep(this.end(session, reason, now));
    }
  }

  /** Removes the tombstones of a user. */
  forgetUser(userKey: string): void {
    for (const grave of this.#graves.of(userKey)) {
      this.#due.remove(grave);
      this.#graves.remove(grave);
    }
  }

  /** Ends all sessions past their deadline and forgets the tombstones past theirs. */
  endOverdue(now: number): void {
    for (;;) {
      const session = this.nextOverdue(now);
      if (session === undefined || !this.#isOver(session, now)) return;
    }
  }

  /** The session whose deadline passed first, if any has. */
  nextOverdue(now: number): LiveSession | undefined {
    for (;;) {
      const first = this.#due.peek();
      if (first === undefined || first.dueAt > now) return undefined;
      if (first.kind === 'session') return first;
      this.#due.remove(first);
      this.#graves.remove(first);
    }
  }

  /** Hands out what `expire` ended on the way, each once. */
  takeUnannounced(limit: number): EndedSession[] {
    const taken: EndedSession[] = [];
    for (const ended of this.#unannounced) {
      if (taken.length === limit) break;
      this.#unannounced.delete(ended);
      taken.push(ended);
    }
    return taken;
  }

  hasUnannounced(): boolean {
    return this.#unannounced.size > 0;
  }

  tombstone(id: SessionId, now: number): SessionTombstone | undefined {
    const grave = this.#graves.find(id);
    return grave !== undefined && now < grave.dueAt ? grave.tombstone : undefined;
  }

  /** A user's tombstones, newest first. */
  tombstonesOf(userKey: string, now: number): readonly SessionTombstone[] {
    const graves = this.#graves.of(userKey).filter(({ dueAt }) => now < dueAt);
    return graves.slice(0, this.rules.maxTombstones).map(({ tombstone }) => tombstone);
  }

  #deadlineOf(record: SessionRecord): number {
    const { idleAt, absoluteAt } = deadlinesOf(record, this.rules.limits);
    return Math.min(idleAt, absoluteAt);
  }

  #isOver(session: LiveSession, now: number): boolean {
    const ended = this.expire(session, now);
    if (ended === undefined) return false;
    this.#leaveForSweep(ended);
    return true;
  }

  #leaveForSweep(ended: EndedSession): void {
    this.#unannounced.add(ended);
    if (this.#unannounced.size > this.maxSessions) this.takeUnannounced(1);
  }

  /** Kept until the deadline that the session had: from then on its token is refused unseen. */
  #bury(tombstone: SessionTombstone, userKey: string | undefined, until: number): void {
    const grave: Grave = {
      kind: 'grave',
      id: tombstone.id,
      userKey,
      tombstone,
      dueAt: until,
      slot: -1,
    };
    this.#due.add(grave);
    const displaced = this.#graves.add(grave, this.rules.maxTombstones);
    for (const other of displaced) this.#due.remove(other);
  }
}
