/**
 * How often a cron expression fires. The syntax is that of the `cron` package: five parts (minute,
 * hour, day of month, month, day of week) or six with the second in front.
 */

const MAX_LENGTH = 256;
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

const PARTS: readonly Part[] = [
  { name: 'second', min: 0, max: 59 },
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
  const texts = expression.toLowerCase().match(/\S+/g) ?? [];
  if (expression.length > MAX_LENGTH) return failed(`must not exceed ${MAX_LENGTH} characters`);
  if (texts.length !== 5 && texts.length !== 6) {
    const example = "such as '*/5 * * * *' for every 5 minutes";
    return failed(`must have 5 or 6 parts, ${example} (got ${texts.length})`);
  }
  if (texts.length === 5) texts.unshift('0');
  const sets: ReadonlySet<number>[] = [];
  for (const [index, part] of PARTS.entries()) {
    const values = valuesOf(String(texts[index]), part);
    if (values === undefined) {
      const rule = `${part.min} to ${part.max}, lists, ranges and steps are known`;
      return failed(`has a bad part for the ${part.name}: ${rule}`);
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
  if (part.words?.includes(text)) return part.words.indexOf(text) + part.min;
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= part.min && value <= part.max ? value : undefined;
}

/** Seconds. */
function gapsOf([seconds, minutes, hours, ...days]: readonly ReadonlySet<number>[]):
  { shortest: number; longest: number } | undefined {
  const nights = nightsOf(days);
  if (nights === undefined) return undefined;
  const times = sorted(hours).flatMap((hour) =>
    sorted(minutes).flatMap((minute) =>
      sorted(seconds).map((second) => hour * 3_600 + minute * 60 + second),
    ),
  );
  const overnight = Number(times[0]) - Number(times.at(-1));
  let shortest = nights.fewest * DAY_SECONDS + overnight;
  let longest = nights.most * DAY_SECONDS + overnight;
  let previous: number | undefined;
  for (const time of times) {
    if (previous !== undefined) {
      shortest = Math.min(shortest, time - previous);
      longest = Math.max(longest, time - previous);
    }
    previous = time;
  }
  return { shortest, longest };
}

/** Fewest and most nights between two days with a run; `undefined` if there is no such day. */
function nightsOf([monthDays, months, weekdays]: readonly ReadonlySet<number>[]):
  { fewest: number; most: number } | undefined {
  const onWeekday = WEEKDAYS.map(
    (_, day) => weekdays?.has(day === 0 && weekdays.has(7) ? 7 : day) === true,
  );
  const anyWeekday = onWeekday.every(Boolean);
  const anyMonthDay = monthDays?.size === 31;
  if (anyWeekday && anyMonthDay && months?.size === 12) return { fewest: 1, most: 1 };
  let previous: number | undefined;
  let fewest = Infinity;
  let most = 0;
  for (let day = 0; day < DAYS; day++) {
    const date = new Date(Date.UTC(2024, 0, 1 + day));
    if (months?.has(date.getUTCMonth() + 1) !== true) continue;
    const byWeekday = onWeekday[date.getUTCDay()] === true;
    const byMonthDay = monthDays?.has(date.getUTCDate()) === true;
    // As the `cron` package has it: if both kinds of day are restricted, either one is enough.
    const runs = anyWeekday || anyMonthDay ? byWeekday && byMonthDay : byWeekday || byMonthDay;
    if (!runs) continue;
    if (previous !== undefined) {
      fewest = Math.min(fewest, day - previous);
      most = Math.max(most, day - previous);
    }
    previous = day;
  }
  return previous === undefined ? undefined : { fewest, most };
}

function sorted(values: ReadonlySet<number> | undefined): readonly number[] {
  return [...new Set(values)].toSorted((a, b) => a - b);
}
