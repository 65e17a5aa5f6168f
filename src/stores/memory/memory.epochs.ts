const DAY = 24 * 60 * 60_000;

/**
 * How often all sessions of a user were revoked, so that a login which verified its credentials
 * before such a moment is refused after it.
 *
 * An epoch is remembered for 24 hours and then reads 0 again: by then every login that could have
 * known an older one is over. The numbers come from one count for all users and never repeat, so
 * an epoch that was forgotten is still older than the next one.
 */
export class UserEpochs {
  /** Oldest first, because a user who gets a new epoch moves to the end. */
  readonly #epochs = new Map<string, { readonly epoch: number; readonly raisedAt: number }>();
  #last = 0;

  get size(): number {
    return this.#epochs.size;
  }

  of(userKey: string): number {
    return this.#epochs.get(userKey)?.epoch ?? 0;
  }

  raise(userKey: string, now: number): number {
    this.#last += 1;
    this.#epochs.delete(userKey);
    this.#epochs.set(userKey, { epoch: this.#last, raisedAt: now });
    return this.#last;
  }

  forget(now: number): void {
    for (const [userKey, { raisedAt }] of this.#epochs) {
      if (now - raisedAt < DAY) return;
      this.#epochs.delete(userKey);
    }
  }
}
