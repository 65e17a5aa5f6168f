/**
 * Reads raw options: every key once, own keys only, and whatever is wrong becomes a sentence in
 * the report instead of an exception.
 */
import { unknownKeyProblem } from './config-keys.js';
import { type DurationRules, parseDuration } from './duration.js';
import { suggest } from './suggest.js';

/** Something legal that its reader should know of; `code` is stable. @public */
export interface ConfigWarning {
  readonly code: string;
  readonly message: string;
}

/** Collects what was found while the options were read. */
export class ConfigReport {
  readonly #problems: string[] = [];
  readonly #warnings: ConfigWarning[] = [];

  problem(sentence: string): void {
    this.#problems.push(sentence);
  }

  warn(code: string, message: string): void {
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
    const keys = keysOf(value);
    if (keys === undefined) {
      report.problem(`${path || 'the options'} must be an object (got ${kindOf(value)})`);
      return;
    }
    const strangers = known ? keys.filter((key) => !known.some((name) => name === key)) : [];
    for (const key of strangers.slice(0, UNKNOWN_NAMED)) {
      report.problem(unknownKeyProblem(path, key, known ?? []));
    }
    const more = strangers.length - UNKNOWN_NAMED;
    if (more > 0)
      report.problem(`${path || 'the options'} must not have ${more} more unknown keys`);
    for (const key of known ?? keys) this.#read(value as object, key);
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
    const parsed = parseDuration(value, range);
    if (!parsed.ok) {
      this.problem(key, parsed.problem);
      return undefined;
    }
    if (parsed.hint !== undefined) {
      if (range.refuseHinted) {
        this.problem(key, parsed.hint);
        return undefined;
      }
      this.report.warn('tiny-duration', `${this.path(key)} ${parsed.hint}`);
    }
    if (parsed.ms >= (range.min ?? 0)) return parsed.ms;
    this.problem(key, `must be at least ${human(range.min ?? 0)} (got ${human(parsed.ms)})`);
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
      // What the getter threw may quote a secret.
      this.report.problem(`${path} could not be read: its getter threw`);
    }
  }
}

/** What a duration may be; milliseconds. */
export interface DurationRange extends DurationRules {
  /** @defaultValue 0 */
  readonly min?: number;
  /** Whether a number that looks like seconds is a problem instead of a warning. */
  readonly refuseHinted?: boolean;
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

/** The value for a message if it is short and harmless, else what kind of thing it is. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= 24 ? quote(value) : `a string of ${value.length} characters`;
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
function listed(choices: readonly string[]): string {
  const quoted = choices.map(quote);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}

function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1)}'`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
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

function tagOf(value: object): string {
  try {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    return /^\w{1,32}$/.test(tag) ? tag : 'object';
  } catch {
    // Only a proxy can throw here, and nothing can be said about what is behind it.
    return 'proxy';
  }
}
