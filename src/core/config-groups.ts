/**
 * `concurrency`, `data` and `cleanup`: the groups that need few rules.
 */
import { type FieldLimits, DEFAULT_FIELD_LIMITS, checkFieldName } from './codec.js';
import { OPTION_KEYS } from './config-keys.js';
import { OptionGroup, human, isWholeNumber, kindOf, show, wholeNumberIn } from './config-reader.js';
import { listOf } from './config-secret.js';
import { cronPeriod } from './cron-period.js';
import { SessionConfigError } from './errors.js';
import type { AtLimit } from './policy.js';

const MAX_SESSIONS = { min: 1, max: 1_000 };
const DEFAULT_MAX_SESSIONS = 100;
const AT_LIMIT: readonly AtLimit[] = ['evict-least-recent', 'evict-oldest', 'reject'];

/** The concurrency limit of a user, and what happens at it. */
export interface ResolvedConcurrency {
  /** Asked at each login; what the application's function says has been checked. */
  readonly max: (userId: string) => number | Promise<number>;
  readonly atLimit: AtLimit;
}

/** Reads the group `concurrency`. */
export function readConcurrency(
  group: OptionGroup<(typeof OPTION_KEYS.concurrency)[number]>,
): ResolvedConcurrency {
  const atLimit = group.choice('atLimit', AT_LIMIT) ?? 'evict-least-recent';
  return Object.freeze({ max: readMax(group), atLimit });
}

function readMax(group: OptionGroup<'max'>): ResolvedConcurrency['max'] {
  const raw = group.get('max');
  if (typeof raw === 'function') {
    const ask = raw as (userId: string) => unknown;
    return (userId) => {
      const answer = ask(userId);
      return isThenable(answer) ? Promise.resolve(answer).then(checkedMax) : checkedMax(answer);
    };
  }
  if (raw === undefined) return () => DEFAULT_MAX_SESSIONS;
  if (!isWholeNumber(raw, MAX_SESSIONS)) {
    const expected = `${wholeNumberIn(MAX_SESSIONS)}, or a function of the user id`;
    group.problem('max', `must be ${expected} (got ${show(raw)})`);
    return () => DEFAULT_MAX_SESSIONS;
  }
  return () => raw;
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

const FIELD_BYTES = { min: 1, max: 1_048_576 };
const SESSION_BYTES = { min: 1, max: 4_194_304 };
const FIELDS = { min: 1, max: 1_000 };
const DEFAULT_SESSION_BYTES = 65_536;
const DEFAULT_FIELDS = 256;

/** What a session may hold. */
export interface ResolvedData {
  readonly fieldLimits: FieldLimits;
  readonly maxSessionBytes: number;
  readonly maxFields: number;
  readonly keepOnLogin: readonly string[];
}

/** Reads the group `data`. */
export function readData(group: OptionGroup<(typeof OPTION_KEYS.data)[number]>): ResolvedData {
  const ownFieldBytes = group.integer('maxFieldBytes', FIELD_BYTES);
  const ownSessionBytes = group.integer('maxSessionBytes', SESSION_BYTES);
  const fallback = group.has('maxSessionBytes') ? SESSION_BYTES.max : DEFAULT_SESSION_BYTES;
  const maxSessionBytes = ownSessionBytes ?? fallback;
  // As with timeouts: a default gives way to a smaller total, a given value that exceeds it is a
  // mistake.
  const maxFieldBytes =
    ownFieldBytes ?? Math.min(DEFAULT_FIELD_LIMITS.maxFieldBytes, maxSessionBytes);
  if (maxFieldBytes > maxSessionBytes) {
    const remedy = ownSessionBytes === undefined ? '; set data.maxSessionBytes too' : '';
    const got = `(got ${show(maxFieldBytes)} and ${show(maxSessionBytes)})`;
    group.problem('maxFieldBytes', `must be at most data.maxSessionBytes ${got}${remedy}`);
  }
  return {
    fieldLimits: Object.freeze({ ...DEFAULT_FIELD_LIMITS, maxFieldBytes }),
    maxSessionBytes,
    maxFields: group.integer('maxFields', FIELDS) ?? DEFAULT_FIELDS,
    keepOnLogin: readKeepOnLogin(group),
  };
}

function readKeepOnLogin(group: OptionGroup<'keepOnLogin'>): readonly string[] {
  const raw = group.get('keepOnLogin');
  if (raw === undefined) return Object.freeze([]);
  const list = listOf(raw, FIELDS.max);
  if (list === undefined || typeof list === 'string') {
    const got = list === undefined ? kindOf(raw) : `${list} names`;
    group.problem('keepOnLogin', `must be a list of at most 1,000 field names (got ${got})`);
    return Object.freeze([]);
  }
  const names = list.filter((name, index): name is string => {
    const problem = fieldNameProblem(name);
    if (problem !== undefined) {
      group.report.problem(`${group.path('keepOnLogin')}[${index}] ${problem}`);
    }
    return problem === undefined;
  });
  return Object.freeze([...new Set(names)]);
}

function fieldNameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return `must be the name of a field (got ${kindOf(name)})`;
  try {
    checkFieldName(name);
    return undefined;
  } catch (error) {
    return `must be the name of a field: ${error instanceof Error ? error.message : 'it is not'}`;
  }
}

const DEFAULT_CRON = '*/5 * * * *';
const DEFAULT_JITTER = 10_000;
const DEFAULT_BATCH = 500;
const DEFAULT_BUDGET = 30_000;
const BATCH = { min: 1, max: 5_000 };
const BUDGET = { min: 1_000, max: 600_000 };

/** When and how much the cleanup works; milliseconds. */
export interface ResolvedCleanup {
  readonly cron: string;
  /** The start of a run is delayed by a random part of this. */
  readonly jitter: number;
  readonly batch: number;
  readonly budget: number;
  /** Longest time between two runs. */
  readonly longestGap: number;
}

/** Reads the option `cleanup` and its group. */
export function readCleanup(parent: OptionGroup<'cleanup'>): ResolvedCleanup | false {
  const raw = parent.get('cleanup');
  if (raw === false) return false;
  if (raw !== undefined && (typeof raw !== 'object' || raw === null)) {
    const got = raw === true ? 'true, which is the default: leave it out' : show(raw);
    parent.problem('cleanup', `must be false or an object (got ${got})`);
    return false;
  }
  const group = new OptionGroup(parent.report, 'cleanup', raw, OPTION_KEYS.cleanup);
  const { cron, shortest, longest } = readCron(group);
  const most = Math.floor(shortest / 4);
  const jitter = group.duration('jitter', { allowZero: true });
  if (jitter !== undefined && jitter > most) {
    const got = `(got ${human(jitter)}; cleanup.cron runs every ${human(shortest)})`;
    group.problem('jitter', `must be at most ${human(most)}, a quarter of the period ${got}`);
  }
  return Object.freeze({
    cron,
    jitter: jitter ?? Math.min(DEFAULT_JITTER, most),
    batch: group.integer('batch', BATCH) ?? DEFAULT_BATCH,
    budget: group.duration('budget', BUDGET) ?? DEFAULT_BUDGET,
    longestGap: longest,
  });
}

function readCron(group: OptionGroup<'cron'>): { cron: string; shortest: number; longest: number } {
  const given = group.get('cron');
  const cron = given ?? DEFAULT_CRON;
  if (typeof cron !== 'string') {
    group.problem(
      'cron',
      `must be a cron expression such as '${DEFAULT_CRON}' (got ${kindOf(cron)})`,
    );
  } else {
    const period = cronPeriod(cron);
    if (period.ok) return { cron, shortest: period.shortest, longest: period.longest };
    group.problem('cron', period.problem);
  }
  // A refused expression must not cause a problem of the jitter too.
  return { cron: DEFAULT_CRON, shortest: Infinity, longest: 0 };
}
