/** Some items in order, and whether there are more behind them. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/**
 * Everything in the order of its creation, so that a page goes on where the one before ended,
 * whatever was created or ended in between: a cursor is a serial number, not a position. What is
 * gone leaves a hole; when half the log is holes they are closed, which costs O(1) per removal.
 */
export class CreationLog<T extends { readonly serial: number }> {
  #items: (T | undefined)[] = [];
  #serials: number[] = [];
  #holes = 0;
  #next = 1;

  get size(): number {
    return this.#items.length - this.#holes;
  }

  nextSerial(): number {
    return this.#next++;
  }

  /** Serials must be added in ascending order. */
  add(item: T): void {
    this.#items.push(item);
    this.#serials.push(item.serial);
  }

  remove(item: T): void {
    const position = this.#after(item.serial - 1);
    if (this.#items[position] !== item) return;
    this.#items[position] = undefined;
    this.#holes += 1;
    if (this.#holes > 16 && this.#holes * 2 > this.#items.length) this.#closeHoles();
  }

  /** Up to `limit` items whose serial is greater. */
  page(afterSerial: number, limit: number): Page<T> {
    const items: T[] = [];
    for (let position = this.#after(afterSerial); position < this.#items.length; position++) {
      const item = this.#items[position];
      if (item === undefined) continue;
      if (items.length === limit) return { items, more: true };
      items.push(item);
    }
    return { items, more: false };
  }

  /** The first position with a greater serial. */
  #after(serial: number): number {
    let low = 0;
    let high = this.#serials.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#serials[middle] ?? Infinity) <= serial) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #closeHoles(): void {
    this.#items = this.#items.filter((item) => item !== undefined);
    this.#serials = this.#items.map((item) => item?.serial ?? 0);
    this.#holes = 0;
  }
}
