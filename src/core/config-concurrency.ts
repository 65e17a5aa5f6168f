/**
 * `concurrency`: how many sessions a user may have.
 */
import type { OPTION_KEYS } from './config-keys.js';
import { type OptionGroup, isWholeNumber, wholeNumberIn } from './config-reader.js';
import { show } from './config-text.js';
import { SessionConfigError } from './errors.js';
import type { AtLimit } from './policy.js';

const MAX_SESSIONS = { min: 1, max: 1_000 };
const DEFAULT_MAX_SESSIONS = 100;
const AT_LIMIT: readonly AtLimit[] = ['evict-least-recent', 'evict-oldest', 'reject'];

/** The concurrency limit of a user, and what happens at it. */
export interface ResolvedConcurrency {
  /** Asked at each login; what the application's function says has been checked. */
  readonly max: (userId: string) => number | Promise<number>;
  /** The same for every user; `undefined` if the application has a function for it. */
  readonly fixedMax: number | undefined;
  readonly atLimit: AtLimit;
}

/** Reads the group `concurrency`; `usual` is the limit where none is given. */
export function readConcurrency(
  group: OptionGroup<(typeof OPTION_KEYS.concurrency)[number]>,
  usual = DEFAULT_MAX_SESSIONS,
): ResolvedConcurrency {
  const atLimit = group.choice('atLimit', AT_LIMIT) ?? 'evict-least-recent';
  return Object.freeze({ ...readMax(group, usual), atLimit });
}

function readMax(
  group: OptionGroup<'max'>,
  usual: number,
): Pick<ResolvedConcurrency, 'max' | 'fixedMax'> {
  const raw = group.get('max');
  if (typeof raw === 'function') {
    const ask = raw as (userId: string) => unknown;
    const max: ResolvedConcurrency['max'] = (userId) => {
      const answer = ask(userId);
      return isThenable(answer) ? Promise.resolve(answer).then(checkedMax) : checkedMax(answer);
    };
    return { max, fixedMax: undefined };
  }
  if (raw !== undefined && !isWholeNumber(raw, MAX_SESSIONS)) {
    const expected = `${wholeNumberIn(MAX_SESSIONS)}, or a function of the user id`;
    group.problem('max', `must be ${expected} (got ${show(raw)})`);
  }
  const fixedMax = isWholeNumber(raw, MAX_SESSIONS) ? raw : usual;
  return { max: () => fixedMax, fixedMax };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** A limit of `undefined` or `NaN` would let everybody in or nobody: the login fails instead. */
function checkedMax(value: unknown): number {
  if (isWholeNumber(value, MAX_SESSIONS)) return value;
  throw new SessionConfigError([
    `concurrency.max must return ${wholeNumberIn(MAX_SESSIONS)} (got ${show(value)})`,
  ]);
}
