/**
 * How often a cron expression fires. The syntax is that of the `cron` package: five parts (minute,
 * hour, day of month, month, day of week) or six with the second in front.
 */

const DAY_SECONDS = 86_400;
// Four years hold every combination of month and day; twice, so that the last gap is seen too.
const DAYS = 2 * (4 * 365 + 1);

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface Part {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}

const SECOND: Part = { name: 'second', min: 0, max: 59 };
const PARTS: readonly Part[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  { name: 'day of week', min: 0, max: 7, words: WEEKDAYS },
];

/**
 * Shortest and longest time between two runs in milliseconds, time changes aside, or what is wrong
 * as the rest of a sentence that begins with the option's name.
 */
export type CronPeriod =
  | { readonly ok: true; readonly shortest: number; readonly longest: number }
  | { readonly ok: false; readonly problem: string };

/** Reads a cron expression; never throws. */
export function cronPeriod(expression: string): CronPeriod {
  const texts = expression.trim().toLowerCase().split(/\s+/);
  if (expression.length > 256 || (texts.length !== 5 && texts.length !== 6)) {
    const got = expression.trim() === '' ? 0 : texts.length;
    return failed(`must have 5 or 6 parts, such as '*/5 * * * *' for every 5 minutes (got ${got})`);
  }
  const withSeconds = texts.length === 6;
  const sets: ReadonlySet<number>[] = withSeconds ? [] : [new Set([0])];
  for (const [index, part] of (withSeconds ? [SECOND, ...PARTS] : PARTS).entries()) {
    const values = valuesOf(texts[index] ?? '', part);
    if (values === undefined) {
      return failed(
        `has a bad part for the ${part.name}: ${part.min} to ${part.max}, lists, ranges and steps are known`,
      );
    }
    sets.push(values);
  }
  const gaps = gapsOf(sets);
  if (gaps === undefined) return failed('never runs: no month has such a day');
  return { ok: true, shortest: gaps.shortest * 1_000, longest: gaps.longest * 1_000 };
}

function failed(problem: string): CronPeriod {
  return { ok: false, problem };
}

/** The values of one part; `undefined` if it is not one. */
function valuesOf(text: string, part: Part): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const [, from = '', to, step] =
      /^(\*|\w{1,3})(?:-(\w{1,3}))?(?:\/(\d{1,3}))?$/.exec(item) ?? [];
    if (from === '*' && to !== undefined) return undefined;
    const first = from === '*' ? part.min : numberOf(from, part);
    const single = from !== '*' && step === undefined;
    const last = to === undefined ? (single ? first : part.max) : numberOf(to, part);
    const by = Number(step ?? 1);
    if (first === undefined || last === undefined || first > last || by === 0) return undefined;
    for (let value = first; value <= last; value += by) values.add(value);
  }
  return values;
}

function numberOf(text: string, part: Part): number | undefined {
  const word = part.words?.indexOf(text) ?? -1;
  if (word !== -1) return word + part.min;
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= part.min && value <= part.max ? value : undefined;
}

/** Seconds. */
function gapsOf(
  sets: readonly ReadonlySet<number>[],
): { shortest: number; longest: number } | undefined {
  const [seconds, minutes, hours, ...days] = sets;
  const times = timesOfDay(sorted(hours), sorted(minutes), sorted(seconds));
  const [first = 0] = times;
  const final = times.at(-1) ?? first;
  let shortest = Infinity;
  let longest = 0;
  const note = (gap: number): void => {
    shortest = Math.min(shortest, gap);
    longest = Math.max(longest, gap);
  };
  for (let i = 1; i < times.length; i++) note((times[i] ?? 0) - (times[i - 1] ?? 0));
  let previous: number | undefined;
  for (let day = 0; day < DAYS; day++) {
    if (!runsOn(new Date(Date.UTC(2024, 0, 1 + day)), days)) continue;
    if (previous !== undefined) note((day - previous) * DAY_SECONDS + first - final);
    previous = day;
  }
  return previous === undefined ? undefined : { shortest, longest };
}

function timesOfDay(
  hours: readonly number[],
  minutes: readonly number[],
  seconds: readonly number[],
): readonly number[] {
  return hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => hour * 3_600 + minute * 60 + second)),
  );
}

/** As the `cron` package has it: if both kinds of day are restricted, either one is enough. */
function runsOn(
  date: Date,
  [monthDays, months, weekdays]: readonly ReadonlySet<number>[],
): boolean {
  if (months?.has(date.getUTCMonth() + 1) !== true) return false;
  const weekday = date.getUTCDay();
  const byWeekday = weekdays?.has(weekday) === true || (weekday === 0 && weekdays?.has(7) === true);
  const byMonthDay = monthDays?.has(date.getUTCDate()) === true;
  const anyWeekday = WEEKDAYS.every(
    (_, day) => weekdays?.has(day) === true || (day === 0 && weekdays?.has(7)),
  );
  const anyMonthDay = monthDays?.size === 31;
  if (anyWeekday || anyMonthDay) return byWeekday && byMonthDay;
  return byWeekday || byMonthDay;
}

function sorted(values: ReadonlySet<number> | undefined): readonly number[] {
  return [...(values ?? [])].toSorted((a, b) => a - b);
}
