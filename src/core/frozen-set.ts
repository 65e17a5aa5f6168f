/** A set that cannot be changed: `Object.freeze` does not reach what a set holds. */
export function frozenSet<Item>(items: Iterable<Item>): ReadonlySet<Item> {
  const set = new Set(items);
  for (const name of ['add', 'delete', 'clear'] as const) {
    Object.defineProperty(set, name, { value: refuse });
  }
  return Object.freeze(set);
}

function refuse(): never {
  throw new TypeError('this set is read-only');
}
