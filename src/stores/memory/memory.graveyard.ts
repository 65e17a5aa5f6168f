import type { Grave } from './memory.entries.js';

/**
 * The tombstones. Each user keeps the newest few; all together are bounded too, the oldest go
 * first: a lost tombstone costs its session only the reason in the answer to an old token.
 */
export class Graveyard {
  readonly #graves = new Map<string, Grave>();
  readonly #users = new Map<string, Grave[]>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#graves.size;
  }

  find(id: string): Grave | undefined {
    return this.#graves.get(id);
  }

  /** A user's tombstones, newest first. */
  of(userKey: string): readonly Grave[] {
    return this.#users.get(userKey) ?? [];
  }

  /** Adds one and gives those that had to make room; among them may be the new one itself. */
  add(grave: Grave, maxPerUser: number): readonly Grave[] {
    this.#graves.set(grave.id, grave);
    const displaced = this.#insertForUser(grave).slice(maxPerUser);
    if (this.#graves.size - displaced.length > this.#max) displaced.push(...this.#oldest());
    for (const other of displaced) this.remove(other);
    return displaced;
  }

  remove(grave: Grave): void {
    if (!this.#graves.delete(grave.id) || grave.userKey === undefined) return;
    const graves = this.#users.get(grave.userKey)?.filter((other) => other !== grave) ?? [];
    if (graves.length === 0) this.#users.delete(grave.userKey);
    else this.#users.set(grave.userKey, graves);
  }

  #insertForUser(grave: Grave): readonly Grave[] {
    if (grave.userKey === undefined) return [grave];
    const graves = [grave, ...(this.#users.get(grave.userKey) ?? [])];
    // Not always the last to end: a timeout is dated back to its deadline.
    graves.sort((a, b) => b.tombstone.endedAt - a.tombstone.endedAt);
    this.#users.set(grave.userKey, graves);
    return graves;
  }

  #oldest(): Grave[] {
    for (const grave of this.#graves.values()) return [grave];
    return [];
  }
}
