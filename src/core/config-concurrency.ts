/**
 * `concurrency`: how many sessions a user may have.
 */
import type { OPTION_KEYS } from './config-keys.js';
import { type OfLogin, asked, isFunction } from './config-login.js';
import { type OptionGroup, isWholeNumber, wholeNumberIn } from './config-reader.js';
import { listed, show } from './config-text.js';
import { SessionConfigError } from './errors.js';
import type { AtLimit } from './policy.js';

const MAX_SESSIONS = { min: 1, max: 1_000 };
const DEFAULT_MAX_SESSIONS = 100;
const AT_LIMIT: readonly AtLimit[] = ['evict-least-recent', 'evict-oldest', 'reject'];
const DEFAULT_AT_LIMIT: AtLimit = 'evict-least-recent';

/** The concurrency limit of a login, and what happens at it. */
export interface ResolvedConcurrency {
  readonly max: OfLogin<number>;
  /** The same for every login; `undefined` if the application has a function for it. */
  readonly fixedMax: number | undefined;
  readonly atLimit: OfLogin<AtLimit>;
}

/** Reads the group `concurrency`; `usual` is the limit where none is given. */
export function readConcurrency(
  group: OptionGroup<(typeof OPTION_KEYS.concurrency)[number]>,
  usual = DEFAULT_MAX_SESSIONS,
): ResolvedConcurrency {
  return Object.freeze({ ...readMax(group, usual), atLimit: readAtLimit(group) });
}

function readMax(
  group: OptionGroup<'max'>,
  usual: number,
): Pick<ResolvedConcurrency, 'max' | 'fixedMax'> {
  const raw = group.get('max');
  if (isFunction(raw)) return { max: asked(raw, checkedMax), fixedMax: undefined };
  if (raw !== undefined && !isWholeNumber(raw, MAX_SESSIONS)) {
    const expected = `${wholeNumberIn(MAX_SESSIONS)}, or a function of the login`;
    group.problem('max', `must be ${expected} (got ${show(raw)})`);
  }
  const fixedMax = isWholeNumber(raw, MAX_SESSIONS) ? raw : usual;
  return { max: () => fixedMax, fixedMax };
}

function readAtLimit(group: OptionGroup<'atLimit'>): OfLogin<AtLimit> {
  const raw = group.get('atLimit');
  if (isFunction(raw)) return asked(raw, checkedAtLimit);
  const fixed = group.choice('atLimit', AT_LIMIT) ?? DEFAULT_AT_LIMIT;
  return () => fixed;
}

/** A limit of `undefined` or `NaN` would let everybody in or nobody: the login fails instead. */
function checkedMax(value: unknown): number {
  if (isWholeNumber(value, MAX_SESSIONS)) return value;
  throw new SessionConfigError([
    `concurrency.max must return ${wholeNumberIn(MAX_SESSIONS)} (got ${show(value)})`,
  ]);
}

function checkedAtLimit(value: unknown): AtLimit {
  const known = AT_LIMIT.find((one) => one === value);
  if (known !== undefined) return known;
  throw new SessionConfigError([
    `concurrency.atLimit must return ${listed(AT_LIMIT)} (got ${show(value)})`,
  ]);
}
