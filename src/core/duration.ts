/**
 * Durations as options take them: a number of milliseconds or a text such as `'30m'`. Inside the
 * library a duration is always a whole number of milliseconds.
 */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Units of a {@link Duration}: milliseconds, seconds, minutes, hours, days of 24 hours. @public */
export type DurationUnit = keyof typeof UNITS;

/**
 * Milliseconds as a number, or one number and one unit: `'500ms'`, `'10s'`, `'30m'`, `'1.5h'`,
 * `'7d'`. Must come out as a whole number of milliseconds.
 *
 * @public
 */
export type Duration = number | `${number}${DurationUnit}`;

/**
 * Longest duration: 400 days, in milliseconds. Browsers cut the life of a cookie there
 * (draft-ietf-httpbis-rfc6265bis 5.5), so nothing longer can be promised.
 */
export const MAX_DURATION = 400 * UNITS.d;

/** What a particular option allows; milliseconds. */
export interface DurationRules {
  /** @defaultValue `false` */
  readonly allowZero?: boolean;
  /** @defaultValue {@link MAX_DURATION} */
  readonly max?: number;
  /** A plain number below this gets a hint that it may be meant as seconds. @defaultValue 1,000 */
  readonly hintBelow?: number;
}

/**
 * Milliseconds, or what is wrong. `problem` and `hint` continue a sentence that begins with the
 * name of the option: "timeouts.idle must be positive (got -5)".
 */
export type ParsedDuration =
  | { readonly ok: true; readonly ms: number; readonly hint?: string }
  | { readonly ok: false; readonly problem: string };

const TEXT = /^(\d{1,15})(?:\.(\d{1,9}))?(ms|s|m|h|d)$/;
const LONGEST_TEXT = 32;
const EXAMPLES = 'a number of milliseconds or a text such as "30m", "24h" or "7d"';

/** Reads a duration of any origin; never throws (row E-11). */
export function parseDuration(value: unknown, rules: DurationRules = {}): ParsedDuration {
  if (typeof value === 'number') {
    const problem = problemOfNumber(value) ?? problemOfRange(value, String(value), rules);
    if (problem !== undefined) return { ok: false, problem };
    // A smaller number is legal (a touch interval of 500 is), so that it is only worth a warning.
    const suspicious = value !== 0 && value < (rules.hintBelow ?? 1_000);
    // `+ 0` turns -0 into 0.
    return { ok: true, ms: value + 0, ...(suspicious && { hint: secondsHint(value) }) };
  }
  if (typeof value !== 'string') {
    return { ok: false, problem: `must be ${EXAMPLES} (got ${kindOf(value)})` };
  }
  const [, whole = '', fraction = '', unit = ''] = TEXT.exec(value) ?? [];
  if (!isUnit(unit)) return { ok: false, problem: problemOfText(value) };
  // Exact decimal arithmetic: 1.1 * 3,600,000 is not a whole number in floating point.
  const scale = 10n ** BigInt(fraction.length);
  const scaled = BigInt(whole + fraction) * BigInt(UNITS[unit]);
  if (scaled % scale !== 0n) {
    return { ok: false, problem: `must be a whole number of milliseconds (got "${value}")` };
  }
  const ms = Number(scaled / scale);
  const problem = problemOfRange(ms, `"${value}"`, rules);
  return problem === undefined ? { ok: true, ms } : { ok: false, problem };
}

/** The shortest exact text of a whole number of milliseconds: `'30m'`, `'1500ms'`, `'400d'`. */
export function formatDuration(ms: number): string {
  const units: readonly DurationUnit[] = ['d', 'h', 'm', 's'];
  const unit = units.find((candidate) => ms !== 0 && ms % UNITS[candidate] === 0) ?? 'ms';
  return `${ms / UNITS[unit]}${unit}`;
}

function problemOfNumber(value: number): string | undefined {
  if (Number.isNaN(value)) return 'must not be NaN';
  if (!Number.isFinite(value)) return 'must be finite';
  if (value > 0 && !Number.isInteger(value)) {
    return `must be a whole number of milliseconds (got ${value})`;
  }
  return undefined;
}

function problemOfRange(ms: number, shown: string, rules: DurationRules): string | undefined {
  const max = rules.max ?? MAX_DURATION;
  if (ms < 0) return `must not be negative (got ${shown})`;
  if (ms === 0 && rules.allowZero !== true) return 'must be more than zero';
  if (ms > max) return `must be at most ${formatDuration(max)} (got ${shown})`;
  return undefined;
}

/** Says what is wrong with a text, without repeating one that may be anything. */
function problemOfText(text: string): string {
  if (text.length > LONGEST_TEXT) return `must be ${EXAMPLES} (got a text that is too long)`;
  if (/\s/.test(text)) return 'must not contain white space: write "30m"';
  if (/^-\d/.test(text)) return 'must not be negative';
  if (/^[\d.]+$/.test(text)) {
    return 'must have a unit (ms, s, m, h or d): write "30m", or a number for milliseconds';
  }
  if (/^(?:\d[\d.]*[a-z]+){2,}$/i.test(text)) {
    return 'must be one number and one unit: write "90m" instead of "1h30m"';
  }
  if (/^\d[\d.]*[a-z]+$/i.test(text)) return 'must end in one of the units ms, s, m, h and d';
  return `must be ${EXAMPLES}`;
}

function secondsHint(value: number): string {
  return `is ${value} milliseconds: write "${value}s" if seconds were meant, "${value}ms" if not`;
}

function isUnit(unit: string): unit is DurationUnit {
  return Object.hasOwn(UNITS, unit);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
