/**
 * Reads raw options: every key once, own keys only, and whatever is wrong becomes a sentence in
 * the report instead of an exception.
 */
import { isPrintableKey, unknownKeyProblem } from './config-keys.js';
import { type DurationRules, parseDuration } from './duration.js';
import { grouped, human, kindOf, listed, show, tagOf } from './config-text.js';
import { suggest } from './suggest.js';

/** What the options may be warned about. The list is closed. @public */
export const CONFIG_WARNING_CODES = [
  'ephemeral-secret',
  'inherited-option',
  'insecure-dev-cookies',
  'no-scheduler',
  'production-rules-off',
  'remembered-shorter',
] as const;

/** Something legal that whoever runs the application should know of. @public */
export interface ConfigWarning {
  readonly code: (typeof CONFIG_WARNING_CODES)[number];
  readonly message: string;
}

/** Collects what was found while the options were read. */
export class ConfigReport {
  readonly #problems: string[] = [];
  readonly #warnings: ConfigWarning[] = [];

  problem(sentence: string): void {
    this.#problems.push(sentence);
  }

  warn(code: ConfigWarning['code'], message: string): void {
    this.#warnings.push(Object.freeze({ code, message }));
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  get warnings(): readonly ConfigWarning[] {
    return Object.freeze([...this.#warnings]);
  }
}

/** So many unknown keys are named; beyond that the value is no options object at all. */
const UNKNOWN_NAMED = 5;

/** One object of options. Its values are read when it is made, each exactly once. */
export class OptionGroup<Key extends string> {
  readonly report: ConfigReport;
  readonly #path: string;
  readonly #values = new Map<string, unknown>();

  /** `value` may be anything; `undefined` is an empty group. `known` absent: any key goes. */
  constructor(report: ConfigReport, path: string, value: unknown, known?: readonly Key[]) {
    this.report = report;
    this.#path = path;
    if (value === undefined) return;
    const title = path || 'the options';
    const keys = keysOf(value);
    if (keys === undefined) {
      report.problem(`${title} must be a plain object (got ${kindOf(value)})`);
      return;
    }
    for (const key of known ?? keys) this.#read(value as object, key);
    if (known === undefined) return;
    const strangers = keys.filter((key) => !known.some((name) => name === key));
    for (const key of strangers.slice(0, UNKNOWN_NAMED)) {
      report.problem(unknownKeyProblem(path, key, known));
    }
    const more = strangers.length - UNKNOWN_NAMED;
    if (more > 0) report.problem(`${title} must not have ${more} more unknown keys`);
  }

  /** Whether the key has a value, good or bad. */
  has(key: Key): boolean {
    return this.#values.has(key);
  }

  /** The raw value; `undefined` if absent. */
  get(key: Key): unknown {
    return this.#values.get(key);
  }

  keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  path(key: Key): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }

  problem(key: Key, sentence: string): void {
    this.report.problem(`${this.path(key)} ${sentence}`);
  }

  boolean(key: Key): boolean | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    this.problem(key, `must be true or false (got ${show(value)})`);
    return undefined;
  }

  /** A whole number within the range, both ends included. */
  integer(key: Key, range: NumberRange): number | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (isWholeNumber(value, range)) return value;
    this.problem(key, `must be ${wholeNumberIn(range)} (got ${show(value)})`);
    return undefined;
  }

  /** Milliseconds. */
  duration(key: Key, range: DurationRange): number | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' && typeof value !== 'string') {
      this.problem(key, `must be a duration such as '30m' (got ${kindOf(value)})`);
      return undefined;
    }
    const parsed = parseDuration(value, range);
    if (!parsed.ok) {
      this.problem(key, parsed.problem);
      return undefined;
    }
    // A count of seconds taken for milliseconds ends every session at once (row E-11).
    if (parsed.hint !== undefined) {
      this.problem(key, parsed.hint);
      return undefined;
    }
    const { min = 0 } = range;
    if (parsed.ms >= min) return parsed.ms;
    this.problem(key, `must be at least ${human(min)} (got ${human(parsed.ms)})`);
    return undefined;
  }

  choice<Choice extends string>(key: Key, choices: readonly Choice[]): Choice | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    const choice = choices.find((one) => one === value);
    if (choice !== undefined) return choice;
    const near = typeof value === 'string' ? suggest(value, choices) : undefined;
    const hint = near === undefined ? '' : `; did you mean '${near}'?`;
    this.problem(key, `must be ${listed(choices)} (got ${show(value)}${hint})`);
    return undefined;
  }

  #read(from: object, key: string): void {
    const path = this.path(key as Key);
    try {
      if (Object.hasOwn(from, key)) {
        const value: unknown = Reflect.get(from, key);
        if (value !== undefined) this.#values.set(key, value);
      } else if (key in from) {
        // A default hidden in a prototype is nobody's decision, least of all a polluted one.
        this.report.warn(
          'inherited-option',
          `${path} is inherited from a prototype and was ignored: make it a property of its own`,
        );
      }
    } catch {
      this.#values.set(key, undefined);
      // What the getter threw may quote a secret, and so may a key that is no name.
      const shown = isPrintableKey(key) ? path : this.#path;
      this.report.problem(`${shown} could not be read: its getter threw`);
    }
  }
}

/** What a duration may be; milliseconds. */
export interface DurationRange extends DurationRules {
  /** @defaultValue 0 */
  readonly min?: number;
  /** A plain number below this is refused, as it looks like seconds: the unit must be written. */
  readonly hintBelow: number;
}

/** Both ends belong to the range. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

export function isWholeNumber(value: unknown, range: NumberRange): value is number {
  return Number.isInteger(value) && Number(value) >= range.min && Number(value) <= range.max;
}

export function wholeNumberIn(range: NumberRange): string {
  return `a whole number from ${grouped(range.min)} to ${grouped(range.max)}`;
}

/** Own enumerable keys of something that can be an options object; of nothing else. */
function keysOf(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  // A Map, a promise or an array has no keys of ours: reading it would silently mean "defaults".
  if (tagOf(value) !== 'Object' && tagOf(value) !== 'Module') return undefined;
  try {
    return Object.keys(value);
  } catch {
    return undefined;
  }
}

/**
 * A copy of a list; its size as text if that is above `max`, `undefined` if it is no list. A list
 * that cannot be read has items that are `undefined`.
 */
export function listOf(value: unknown, max: number): readonly unknown[] | string | undefined {
  try {
    if (!Array.isArray(value)) return undefined;
    if (value.length > max) return grouped(value.length);
    return Array.from({ length: value.length }, (_, index): unknown => value[index]);
  } catch {
    return [undefined];
  }
}
