/**
 * Values in sentences about them: short, harmless, in human units, and never a secret.
 */

/** The value for a message if it is short and harmless, else what kind of thing it is. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      // Anything longer or stranger may be a secret in the wrong place, or forge a line of the log.
      return /^[ -~]{0,24}$/.test(value) ? quote(value) : `a string of ${value.length} characters`;
    case 'number':
      return Number.isSafeInteger(value) ? grouped(value) : String(value);
    case 'boolean':
    case 'undefined':
      return String(value);
    default:
      return kindOf(value);
  }
}

/** What kind of thing it is, without showing it: for values that may be or hold a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const tag = tagOf(value);
  return tag === 'Array' ? 'a list' : /^[AEIO]/.test(tag) ? `an ${tag}` : `a ${tag}`;
}

/**
 * A duration for people: `30 h`, `1.8 s`, `7.5 m`. Hours up to two days, since that is how one
 * speaks of a day's session.
 */
export function human(ms: number): string {
  const units = [
    ['d', 86_400_000, 2],
    ['h', 3_600_000, 1],
    ['m', 60_000, 1],
    ['s', 1_000, 1],
  ] as const;
  for (const [unit, size, from] of units) {
    if (ms >= from * size && (ms * 10) % size === 0) return `${ms / size} ${unit}`;
  }
  return `${grouped(ms)} ms`;
}

/** Words as English lists them: `'a', 'b' or 'c'`. */
export function listed(choices: readonly string[]): string {
  const quoted = choices.map(quote);
  const last = String(quoted.pop());
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}

function quote(text: string): string {
  return `'${text}'`;
}

export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** What the language calls the kind of an object: `Map`, `Promise`, `Object`. */
export function tagOf(value: object): string {
  try {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    return /^\w{1,24}$/.test(tag) ? tag : 'object';
  } catch {
    // A revoked proxy, or a tag that throws.
    return 'object';
  }
}
