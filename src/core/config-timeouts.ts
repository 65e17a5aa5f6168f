/**
 * `timeouts`: from options to the table of limit classes and the touch interval.
 */
import { OPTION_KEYS, isPrintableKey } from './config-keys.js';
import { type OfLogin, asked, isFunction } from './config-login.js';
import { type DurationRange, OptionGroup } from './config-reader.js';
import { human, listed, show } from './config-text.js';
import { MAX_DURATION } from './duration.js';
import { SessionConfigError } from './errors.js';
import type { Limits, LimitTable } from './policy.js';

const DAY = 86_400_000;

/** Timeouts where nothing is said; milliseconds. */
export const DEFAULT_LIMITS: Limits = Object.freeze({ idle: 1_800_000, absolute: DAY });
export const DEFAULT_REMEMBERED: Limits = Object.freeze({ idle: 14 * DAY, absolute: 30 * DAY });

/** The class of logins with `remember: true`, whose cookie outlives the browser. */
export const REMEMBERED_CLASS = 'remembered';

/** Limit class of sessions in which somebody acts in another user's name. */
export const IMPERSONATION_CLASS = 'impersonation';

/** Limit class of sessions without a user; presets do not look at it, so no login may have it. */
export const ANONYMOUS_CLASS = 'anonymous';

/** Whether a login may have this limit class. */
export function isClassOfLogins(name: string, table: LimitTable): boolean {
  return name !== ANONYMOUS_CLASS && Object.hasOwn(table, name);
}

const DEFAULT_IMPERSONATION: Limits = Object.freeze({ idle: 900_000, absolute: 3_600_000 });

const LONGEST_TOUCH_INTERVAL = 30_000;
const MAX_CLASSES = 32;
const CLASS_NAME = /^[a-z][A-Za-z0-9-]{0,23}$/;

// A plain number below these is nearly always a count of seconds: 1800 for half an hour, 86400 for
// a day. Whoever means it writes the unit ('1800ms').
const IDLE: DurationRange = { min: 100, hintBelow: 60_000 };
const ABSOLUTE: DurationRange = { min: 100, hintBelow: 900_000 };
const TOUCH_INTERVAL: DurationRange = { allowZero: true, hintBelow: 100 };

/** What the options say about time. */
export interface ResolvedTimeouts {
  readonly limits: LimitTable;
  readonly touchInterval: number;
  /** The limit class of a login that names none; `undefined`: the usual one. */
  readonly classOf: OfLogin<string | undefined>;
  /** Longest life of a persistent cookie. */
  readonly persistentAge: number;
}

/** A class while its timeouts are being worked out. */
interface LimitClass extends Limits {
  readonly name: string;
  readonly path: string;
}

type LimitKey = 'idle' | 'absolute';

/**
 * Reads the group `timeouts`; reports instead of throwing. `usual` takes the place of all defaults
 * for logins, also of remembered ones.
 */
export function readTimeouts(
  group: OptionGroup<(typeof OPTION_KEYS.timeouts)[number]>,
  usual?: Limits,
): ResolvedTimeouts {
  const { report } = group;
  const sub = (key: 'remembered' | 'anonymous' | 'impersonation'): OptionGroup<LimitKey> =>
    new OptionGroup(report, group.path(key), group.get(key), OPTION_KEYS.limits);

  const base = readLimits('default', group, 'timeouts', usual ?? DEFAULT_LIMITS, 'by default');
  const inherited = 'as in timeouts.absolute';
  const remembered = readLimits(
    REMEMBERED_CLASS,
    sub('remembered'),
    'timeouts.remembered',
    usual ?? DEFAULT_REMEMBERED,
    'by default',
  );
  const classes = [
    base,
    remembered,
    readLimits(ANONYMOUS_CLASS, sub('anonymous'), 'timeouts.anonymous', base, inherited),
    readLimits(
      IMPERSONATION_CLASS,
      sub('impersonation'),
      'timeouts.impersonation',
      {
        idle: Math.min(DEFAULT_IMPERSONATION.idle, base.idle),
        absolute: Math.min(DEFAULT_IMPERSONATION.absolute, base.absolute),
      },
      'by default',
    ),
    ...classGroups(group).map(({ name, path, limits }) =>
      readLimits(name, limits, path, base, inherited),
    ),
  ];
  if (remembered.idle < base.idle || remembered.absolute < base.absolute) {
    report.warn(
      'remembered-shorter',
      'timeouts.remembered ends sessions sooner than timeouts does for logins without remember',
    );
  }
  const limits = tableOf(classes);
  return Object.freeze({
    limits,
    classOf: readClassOf(group, limits),
    touchInterval: readTouchInterval(
      group,
      // Its default is short on purpose and must not forbid what fits all other sessions.
      classes.filter(({ name }) => name !== IMPERSONATION_CLASS || group.has('impersonation')),
    ),
    persistentAge: remembered.absolute,
  });
}

/**
 * One class. A timeout that is not given is inherited; an inherited idle timeout gives way to a
 * shorter absolute one, since nobody asked for it, while a given one that is longer is a problem.
 */
function readLimits(
  name: string,
  group: OptionGroup<LimitKey>,
  path: string,
  inherited: Limits,
  origin: string,
): LimitClass {
  const ownIdle = group.duration('idle', IDLE);
  const ownAbsolute = group.duration('absolute', ABSOLUTE);
  // A value that was refused stands in as the longest one, so that it causes no second problem.
  const fallback = (key: LimitKey): number => (group.has(key) ? MAX_DURATION : inherited[key]);
  const absolute = ownAbsolute ?? fallback('absolute');
  const idle = ownIdle ?? Math.min(fallback('idle'), absolute);
  if (idle > absolute) {
    const remedy = group.has('absolute')
      ? ''
      : `; set ${path}.absolute too, which is ${human(absolute)} ${origin}`;
    const got = `(got ${human(idle)} and ${human(absolute)})`;
    group.problem('idle', `must be at most ${path}.absolute ${got}${remedy}`);
  }
  return { name, path, idle, absolute };
}

function classGroups(
  group: OptionGroup<'classes'>,
): { name: string; path: string; limits: OptionGroup<LimitKey> }[] {
  const path = group.path('classes');
  const classes = new OptionGroup<string>(group.report, path, group.get('classes'));
  const names = classes.keys();
  if (names.length > MAX_CLASSES) {
    group.problem('classes', `must be at most ${MAX_CLASSES} classes (got ${names.length})`);
    return [];
  }
  return names
    .filter((name) => isClassName(name, classes))
    .map((name) => ({
      name,
      path: `${path}.${name}`,
      limits: new OptionGroup(
        group.report,
        `${path}.${name}`,
        classes.get(name),
        OPTION_KEYS.limits,
      ),
    }));
}

function readClassOf(
  group: OptionGroup<'classOf'>,
  table: LimitTable,
): OfLogin<string | undefined> {
  const raw = group.get('classOf');
  if (!isFunction(raw)) {
    if (raw !== undefined) {
      group.problem('classOf', `must be a function of the login (got ${show(raw)})`);
    }
    return () => undefined;
  }
  return asked(raw, (answer) => {
    if (answer === undefined) return undefined;
    if (typeof answer === 'string' && isClassOfLogins(answer, table)) return answer;
    const names = listed(Object.keys(table).filter((name) => isClassOfLogins(name, table)));
    throw new SessionConfigError([
      `timeouts.classOf must return ${names}, or undefined (got ${show(answer)})`,
    ]);
  });
}

function isClassName(name: string, classes: OptionGroup<string>): boolean {
  if (!CLASS_NAME.test(name)) {
    const shown = isPrintableKey(name) ? `'${name}'` : `a name of ${name.length} characters`;
    classes.report.problem(
      `timeouts.classes must have names of 1 to 24 letters, digits and hyphens that begin with a small letter (got ${shown})`,
    );
    return false;
  }
  if (name === 'default') {
    classes.problem(name, 'is a built-in class: set timeouts.idle and timeouts.absolute instead');
    return false;
  }
  if (name === REMEMBERED_CLASS || name === ANONYMOUS_CLASS || name === IMPERSONATION_CLASS) {
    classes.problem(name, `is a built-in class: set timeouts.${name} instead`);
    return false;
  }
  // Such a name finds something in every plain object that is keyed by class.
  if (name in Object.prototype) {
    classes.problem(name, 'has a name that every JavaScript object knows: choose another one');
    return false;
  }
  return true;
}

function readTouchInterval(
  group: OptionGroup<'touchInterval'>,
  classes: readonly LimitClass[],
): number {
  const shortest = classes.reduce((least, one) => (one.idle < least.idle ? one : least));
  const interval = group.duration('touchInterval', TOUCH_INTERVAL);
  if (interval === undefined) {
    return Math.min(LONGEST_TOUCH_INTERVAL, Math.floor(shortest.idle / 20));
  }
  const most = Math.floor(shortest.idle / 4);
  if (interval > most) {
    group.problem(
      'touchInterval',
      `must be at most a quarter of the shortest idle timeout (got ${human(interval)}; ` +
        `${shortest.path}.idle is ${human(shortest.idle)}, so at most ${human(most)})`,
    );
  }
  return interval;
}

/** Without a prototype: a class that was dropped must not be found in `Object.prototype`. */
function tableOf(classes: readonly LimitClass[]): LimitTable {
  const table: Record<string, Limits> = Object.create(null);
  for (const { name, idle, absolute } of classes) table[name] = Object.freeze({ idle, absolute });
  return Object.freeze(table) as LimitTable;
}
