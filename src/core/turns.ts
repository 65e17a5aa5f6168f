/**
 * Lets work on one thing happen one after the other within this process. Other processes are kept
 * apart by the store's compare-and-set; this only spares them and us most of the failed attempts.
 */
export class Turns {
  /** The end of each queue; empty queues leave nothing behind. */
  readonly #last = new Map<string, Promise<void>>();

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const result = before === undefined ? work() : before.then(work);
    const settled = result.then(ignore, ignore);
    this.#last.set(key, settled);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}

function ignore(): void {}
