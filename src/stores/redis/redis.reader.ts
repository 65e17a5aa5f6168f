import { SessionStoreError } from '../../core/errors.js';
import type { EndReason, EndedSession, SessionId, SessionRecord } from '../../core/record.js';
import type { EncodedFields } from '../../core/store.js';
import { decodeClass, decodeDevice, decodeOwnLimits } from './redis.keys.js';
import type { ScriptReply } from './redis.runner.js';

const LETTERS: Readonly<Record<EndReason, string>> = {
  idle: 'i',
  absolute: 'a',
  logout: 'l',
  revoked: 'r',
  evicted: 'e',
  replaced: 'p',
  reused: 'u',
};

const REASONS = new Map(
  Object.entries(LETTERS).map(([reason, letter]) => [letter, reason as EndReason]),
);

/** The letter that stands for a reason in Redis. */
export function letterOf(reason: EndReason): string {
  return LETTERS[reason];
}

/**
 * Reads the reply of a script from its beginning to its end: a flat list of integers and texts.
 * Anything unexpected is a fault of the store.
 */
export class ReplyReader {
  readonly #values: readonly ScriptReply[];
  #at = 0;

  constructor(reply: ScriptReply) {
    if (!Array.isArray(reply)) throw nonsense();
    this.#values = reply as readonly ScriptReply[];
  }

  get isDone(): boolean {
    return this.#at >= this.#values.length;
  }

  text(): string {
    const value = this.#values[this.#at++];
    if (typeof value !== 'string') throw nonsense();
    return value;
  }

  integer(): number {
    const value = this.#values[this.#at++];
    if (typeof value !== 'number') throw nonsense();
    return value;
  }

  /** Integers, behind their number. */
  integers(): number[] {
    return Array.from({ length: this.integer() }, () => this.integer());
  }

  /** A text, or `undefined` where the script says 0. */
  optionalText(): string | undefined {
    const value = this.#values[this.#at++];
    if (value === 0) return undefined;
    if (typeof value !== 'string') throw nonsense();
    return value;
  }

  /** An integer, or `undefined` where the script says a word instead. */
  optionalInteger(): number | undefined {
    const value = this.#values[this.#at++];
    return typeof value === 'number' ? value : undefined;
  }

  reason(): EndReason {
    const reason = REASONS.get(this.text());
    if (reason === undefined) throw nonsense();
    return reason;
  }

  /** A live session; eleven values. */
  record(id: SessionId): SessionRecord {
    return this.recordOf(id, this.text());
  }

  /** The same where the user is known already; ten values. */
  recordOf(id: SessionId, userId: string): SessionRecord {
    const createdAt = this.integer();
    const authenticatedAt = this.integer();
    const seenAt = this.integer();
    const idleAt = this.integer();
    const absoluteAt = this.integer();
    const limitClass = decodeClass(this.text());
    const ownLimits = decodeOwnLimits(this.text());
    const device = decodeDevice(this.text());
    const claims = this.text();
    const generation = this.integer();
    return {
      id,
      ...(userId !== '' && { userId, authenticatedAt }),
      createdAt,
      seenAt,
      idleAt,
      absoluteAt,
      limitClass,
      ...(ownLimits && { ownLimits }),
      device,
      ...(claims !== '' && { claims }),
      generation,
    };
  }

  /** A session that ended; five values. */
  endedSession(): EndedSession {
    const id = this.text();
    const reason = this.reason();
    const endedAt = this.integer();
    const createdAt = this.integer();
    const userId = this.text();
    return { id, ...(userId !== '' && { userId }), reason, createdAt, endedAt };
  }

  /** Sessions that ended, up to the end of the reply. */
  endedSessions(): EndedSession[] {
    const all: EndedSession[] = [];
    while (!this.isDone) all.push(this.endedSession());
    return all;
  }

  /** Names and values, up to the end of the reply; `skip` characters before each name. */
  fields(skip = 0): EncodedFields {
    const all = new Map<string, string>();
    while (!this.isDone) all.set(this.text().slice(skip), this.text());
    return all;
  }

  /** Texts, up to the end of the reply. */
  texts(): string[] {
    const all: string[] = [];
    while (!this.isDone) all.push(this.text());
    return all;
  }
}

export function nonsense(): SessionStoreError {
  return new SessionStoreError('the session store gave an answer that makes no sense');
}
