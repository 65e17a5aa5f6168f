/**
 * A map that never grows past its bound: the entry that was set first makes room.
 */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** Sets an entry, which is the newest then. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }
}

/** Remembers what a pure function made of the last `max` different texts. */
export function remembered<Value>(
  max: number,
  make: (text: string) => Value,
): (text: string) => Value {
  const known = new BoundedMap<string, { readonly value: Value }>(max);
  return (text) => {
    const found = known.get(text);
    if (found) return found.value;
    const value = make(text);
    known.set(text, { value });
    return value;
  };
}
