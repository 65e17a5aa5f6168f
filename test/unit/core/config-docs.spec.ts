import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

import { OPTION_PATHS } from '../../../src/core/config-keys.js';
import { CONFIG_WARNING_CODES } from '../../../src/core/config-reader.js';
import { human } from '../../../src/core/config-text.js';
import { type SessionConfig, resolveOptions } from '../../../src/core/config.js';
import { SessionConfigError } from '../../../src/core/errors.js';
import { loginOf } from './logins.kit.js';

const SECRET = 'q3Zk7xW1vB9mN4cJ8hG2dS6fL0pR5tYu';
// Seen from the compiled file.
const page = readFileSync(
  new URL('../../../../docs/reference/options.md', import.meta.url),
  'utf8',
);

/** Cells of all table rows that begin with a code span, without the code marks around a cell. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const options = rows.filter(({ length }) => length === 5).map(rowOf);
const codes = rows
  .filter(({ length }) => length === 2)
  .map(([code = '']) => code.replaceAll('`', ''));

interface Row {
  readonly path: string;
  readonly default: string;
  readonly range: string;
}

function rowOf([path = '', , preset = '', range = '']: string[]): Row {
  return { path: path.replaceAll('`', ''), default: preset, range };
}

function resolve(more: Readonly<Record<string, unknown>> = {}): SessionConfig {
  return resolveOptions({ secret: SECRET, ...more }, { production: false });
}

/** What the option comes to if it is not given. */
const DEFAULTS: Readonly<Record<string, (config: SessionConfig) => unknown>> = {
  audience: ({ audience }) => audience,
  bearer: ({ bearer }) => bearer,
  storeDeadline: ({ settings }) => human(settings.deadline),
  'timeouts.idle': ({ settings }) => human(settings.limits.default.idle),
  'timeouts.absolute': ({ settings }) => human(settings.limits.default.absolute),
  'timeouts.touchInterval': ({ settings }) => human(settings.touchInterval),
  'timeouts.remembered.idle': ({ settings }) => human(settings.limits['remembered']?.idle ?? 0),
  'timeouts.remembered.absolute': ({ settings }) =>
    human(settings.limits['remembered']?.absolute ?? 0),
  'concurrency.max': ({ concurrency }) => concurrency.max(loginOf('u1')),
  'concurrency.atLimit': ({ concurrency }) => concurrency.atLimit(loginOf('u1')),
  'rotation.grace': ({ settings }) => human(settings.rotation.grace),
  'rotation.onReuse': ({ settings }) => settings.rotation.onReuse,
  'cookie.name': ({ cookie }) => cookie.name,
  'cookie.sameSite': ({ cookie }) => cookie.sameSite,
  'cookie.path': ({ cookie }) => cookie.path,
  'cookie.partitioned': ({ cookie }) => cookie.partitioned,
  'cookie.insecureDevCookies': ({ insecureDevCookies }) => insecureDevCookies,
  'crossSite.insecureAllow': ({ crossSite }) => !crossSite.isChecked,
  'crossSite.token': ({ crossSite }) => crossSite.token,
  'data.maxFieldBytes': ({ fieldLimits }) => fieldLimits.maxFieldBytes,
  'data.maxSessionBytes': ({ settings }) => settings.maxSessionBytes,
  'data.maxFields': ({ settings }) => settings.maxFields,
  'cleanup.cron': ({ cleanup }) => cleanup && cleanup.cron,
  'cleanup.jitter': ({ cleanup }) => cleanup && human(cleanup.jitter),
  'cleanup.batch': ({ cleanup }) => cleanup && cleanup.batch,
  'cleanup.budget': ({ cleanup }) => cleanup && human(cleanup.budget),
};

/** Whether the option takes the value; what it may not exceed is out of the way. */
function accepts(path: string, value: number | string): boolean {
  const steps = path.replace('<name>', 'kiosk').split('.');
  const leaf = steps.pop() ?? '';
  const group = { ...ROOM[leaf], [leaf]: value };
  const content = steps.reduceRight<object>((inner, step) => ({ [step]: inner }), group);
  try {
    resolve({ ...content });
    return true;
  } catch (error) {
    if (error instanceof SessionConfigError) return false;
    throw error;
  }
}

const ROOM: Readonly<Record<string, object>> = {
  idle: { absolute: '400d' },
  maxFieldBytes: { maxSessionBytes: 4_194_304 },
};

describe('docs/reference/options.md', () => {
  it('has a row for every option and for nothing else', () => {
    expect(options.map(({ path }) => path).toSorted()).toEqual(OPTION_PATHS.toSorted());
  });

  it('lists every warning', () => {
    expect(codes).toEqual([...CONFIG_WARNING_CODES]);
  });

  it.each(options.filter(({ path }) => path in DEFAULTS))(
    '$path: the default is $default',
    (row) => {
      const [, stated = ''] = /^`([^`]+)`/.exec(row.default) ?? [];
      const actual = DEFAULTS[row.path]?.(resolve());
      expect(typeof actual === 'number' ? actual.toLocaleString('en-US') : String(actual)).toBe(
        stated,
      );
    },
  );

  const bounded = options.flatMap((row) => {
    const [, min, minUnit, max, maxUnit] =
      /^([\d,]+)(?: (ms|s|m|d))? to ([\d,]+)(?: (ms|s|m|d))?(?:$|,| bytes)/.exec(row.range) ?? [];
    if (min === undefined || max === undefined || row.path === 'audience') return [];
    const number = (text: string): number => Number(text.replaceAll(',', ''));
    return [
      { path: row.path, min: number(min), minUnit, max: number(max), maxUnit, range: row.range },
    ];
  });

  it('states a range for every number and duration but those bounded by others', () => {
    const stated = bounded.map(({ path }) => path);
    expect(stated).toHaveLength(18);
  });

  it.each(bounded)('$path: the range is $range', ({ path, min, minUnit, max, maxUnit }) => {
    const at = (value: number, unit: string | undefined): number | string =>
      unit === undefined ? value : `${value}${unit}`;
    expect(accepts(path, at(min, minUnit))).toBe(true);
    expect(accepts(path, at(max, maxUnit))).toBe(true);
    expect(accepts(path, at(min - (minUnit === 's' ? 0.001 : 1), minUnit))).toBe(false);
    expect(accepts(path, at(max + (maxUnit === undefined ? 1 : 0.001), maxUnit))).toBe(false);
  });
});
