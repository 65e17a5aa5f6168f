/**
 * `cleanup`: when the sweep runs, and how much it may do at a time.
 */
import { OPTION_KEYS } from './config-keys.js';
import { type DurationRange, OptionGroup } from './config-reader.js';
import { human, kindOf, show } from './config-text.js';
import { cronPeriod } from './cron-period.js';

const DEFAULT_CRON = '*/5 * * * *';
const DEFAULT_JITTER = 10_000;
const DEFAULT_BATCH = 500;
const DEFAULT_BUDGET = 30_000;
const BATCH = { min: 1, max: 5_000 };
const JITTER: DurationRange = { allowZero: true, hintBelow: 100 };
const BUDGET: DurationRange = { min: 1_000, max: 600_000, hintBelow: 0 };

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
export function readCleanup(
  parent: OptionGroup<'cleanup'>,
  production: boolean,
  hasScheduler: boolean,
): ResolvedCleanup | false {
  const raw = parent.get('cleanup');
  if (raw === false) return false;
  if (raw !== undefined && (typeof raw !== 'object' || raw === null)) {
    const got = raw === true ? 'true, which is the default: leave it out' : show(raw);
    parent.problem('cleanup', `must be false or an object (got ${got})`);
    return false;
  }
  if (!hasScheduler) reportMissingScheduler(parent, production);
  const group = new OptionGroup(parent.report, 'cleanup', raw, OPTION_KEYS.cleanup);
  const { cron, shortest, longest } = readCron(group);
  const most = Math.floor(shortest / 4);
  const jitter = group.duration('jitter', JITTER);
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

function reportMissingScheduler(parent: OptionGroup<'cleanup'>, production: boolean): void {
  const remedy =
    'add ScheduleModule.forRoot() of @nestjs/schedule to the imports of the root module, or set ' +
    'cleanup: false where another process does it';
  if (production) parent.problem('cleanup', `has nothing that runs it: ${remedy}`);
  else parent.report.warn('no-scheduler', `cleanup has nothing that runs it: ${remedy}`);
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
