/**
 * An item that becomes due at an instant. `slot` is its place in the heap, kept by the heap so
 * that an item is found without a search; -1 while it is in none.
 */
export interface Due {
  readonly id: string;
  dueAt: number;
  slot: number;
}

/**
 * A binary heap of everything that becomes due, the earliest first. One heap replaces a timer per
 * session; every change costs O(log n).
 */
export class ExpiryHeap<T extends Due> {
  readonly #items: T[] = [];
  #steps = 0;

  get size(): number {
    return this.#items.length;
  }

  /** Items moved so far: what the operations really cost. @internal */
  get steps(): number {
    return this.#steps;
  }

  /** The item that becomes due first; ties go to the smaller id. */
  peek(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    this.#rise(item, this.#items.length);
  }

  remove(item: T): void {
    const { slot } = item;
    if (this.#items[slot] !== item) return;
    item.slot = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) this.#settle(last, slot);
  }

  /** Puts an item where its new instant belongs. */
  reschedule(item: T, dueAt: number): void {
    item.dueAt = dueAt;
    if (this.#items[item.slot] === item) this.#settle(item, item.slot);
  }

  /** Gives every item a new instant at once, in O(n). */
  rescheduleAll(dueAt: (item: T) => number): void {
    for (const item of this.#items) item.dueAt = dueAt(item);
    for (let slot = (this.#items.length >> 1) - 1; slot >= 0; slot--) {
      const item = this.#items[slot];
      if (item !== undefined) this.#sink(item, slot);
    }
  }

  #settle(item: T, slot: number): void {
    const above = this.#items[parentOf(slot)];
    if (slot > 0 && above !== undefined && isBefore(item, above)) this.#rise(item, slot);
    else this.#sink(item, slot);
  }

  #rise(item: T, from: number): void {
    let slot = from;
    while (slot > 0) {
      const above = this.#items[parentOf(slot)];
      if (above === undefined || !isBefore(item, above)) break;
      this.#put(above, slot);
      slot = parentOf(slot);
    }
    this.#put(item, slot);
  }

  #sink(item: T, from: number): void {
    let slot = from;
    for (;;) {
      const left = this.#items[2 * slot + 1];
      const right = this.#items[2 * slot + 2];
      const first =
        right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (first === undefined || !isBefore(first, item)) break;
      const below = first.slot;
      this.#put(first, slot);
      slot = below;
    }
    this.#put(item, slot);
  }

  #put(item: T, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
    this.#steps += 1;
  }
}

function parentOf(slot: number): number {
  return (slot - 1) >> 1;
}

function isBefore(a: Due, b: Due): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.id < b.id);
}
