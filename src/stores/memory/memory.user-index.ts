import type { LiveSession } from './memory.entries.js';

const NONE: ReadonlySet<LiveSession> = new Set();

/**
 * The live sessions of every user, so that a list costs what the user has and not what the store
 * holds. Anonymous sessions are in no index.
 */
export class UserIndex {
  readonly #users = new Map<string, Set<LiveSession>>();
  readonly #onCount: (before: number, after: number) => void;

  /** `onCount` hears of every change of a user's number of sessions. */
  constructor(onCount: (before: number, after: number) => void) {
    this.#onCount = onCount;
  }

  /** Costs a look at every user: for tests. */
  countEntries(): number {
    return [...this.#users.values()].reduce((sum, sessions) => sum + sessions.size, 0);
  }

  of(userKey: string): ReadonlySet<LiveSession> {
    return this.#users.get(userKey) ?? NONE;
  }

  add(session: LiveSession): void {
    if (session.userKey === undefined) return;
    const sessions = this.#users.get(session.userKey) ?? new Set();
    this.#users.set(session.userKey, sessions.add(session));
    this.#onCount(sessions.size - 1, sessions.size);
  }

  remove(session: LiveSession): void {
    if (session.userKey === undefined) return;
    const sessions = this.#users.get(session.userKey);
    if (sessions?.delete(session) !== true) return;
    if (sessions.size === 0) this.#users.delete(session.userKey);
    this.#onCount(sessions.size + 1, sessions.size);
  }
}
