/**
 * Presets: the figures of the standards, on which options may only improve.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

import { human } from '../../../src/core/config-text.js';
import { type SessionConfig, resolveOptions } from '../../../src/core/config.js';
import { SESSION_PRESETS, type SessionPreset } from '../../../src/core/presets.js';
import { SECRET, problemsIn } from './config.kit.js';
import { loginOf } from './logins.kit.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Options = Readonly<Record<string, unknown>>;

function resolve(options: Options): SessionConfig {
  return resolveOptions({ secret: SECRET, ...options }, { production: false });
}

function problemsOf(options: Options): readonly string[] {
  return problemsIn(() => resolve(options));
}

// Written down from the standards (security.md, section 0.1 and row E-02), not from the code.
const FIGURES: Readonly<Record<SessionPreset, { idle: number; absolute: number; max: number }>> = {
  owasp: { idle: 30 * MINUTE, absolute: 8 * HOUR, max: 10 },
  'nist-aal2': { idle: HOUR, absolute: 24 * HOUR, max: 5 },
  'nist-aal3': { idle: 15 * MINUTE, absolute: 12 * HOUR, max: 3 },
  pci: { idle: 15 * MINUTE, absolute: 12 * HOUR, max: 3 },
};

describe.each(SESSION_PRESETS)('preset %s', (preset) => {
  const { idle, absolute, max } = FIGURES[preset];
  const config = resolve({ preset });

  it('E-02: sets the timeouts of every class', () => {
    const { limits } = config.settings;
    expect(limits.default).toEqual({ idle, absolute });
    expect(limits['remembered']).toEqual({ idle, absolute });
    expect(limits['anonymous']).toEqual({ idle, absolute });
    expect(limits['impersonation']).toEqual({ idle: Math.min(idle, 15 * MINUTE), absolute: HOUR });
    expect(config.warnings).toEqual([]);
  });

  it('K-01: sets the number of sessions', () => {
    expect(config.concurrency.max(loginOf('u1'))).toBe(max);
  });

  it('R-07, R-09, R-10: turns periodic rotation on', () => {
    expect(config.rotationInterval).toBe(15 * MINUTE);
    expect(config.settings.rotation).toMatchObject({ grace: 30_000, onReuse: 'revoke' });
  });

  it('C-05, C-06: keeps the cookie first-party and never persistent', () => {
    expect(config.cookie.sameSite).toBe('lax');
    expect(config.persistentClasses.size).toBe(0);
  });

  it('lets stricter options win', () => {
    const strict = resolve({
      preset,
      timeouts: { idle: '10m', absolute: '1h', remembered: { idle: '12m', absolute: '2h' } },
      concurrency: { max: 1, atLimit: 'reject' },
      rotation: { interval: '5m', grace: '10s' },
      cookie: { sameSite: 'strict', name: '__Host-Http-bank' },
    });
    const { limits, rotation } = strict.settings;
    expect(limits.default).toEqual({ idle: 10 * MINUTE, absolute: HOUR });
    expect(limits['remembered']).toEqual({ idle: 12 * MINUTE, absolute: 2 * HOUR });
    expect(strict.concurrency.max(loginOf('u1'))).toBe(1);
    expect(strict.rotationInterval).toBe(5 * MINUTE);
    expect(rotation.grace).toBe(10_000);
    expect(strict.cookie.sameSite).toBe('strict');
  });

  it('gives way with an idle timeout that nobody asked for', () => {
    const { limits } = resolve({ preset, timeouts: { absolute: '10m' } }).settings;
    expect(limits.default).toEqual({ idle: 10 * MINUTE, absolute: 10 * MINUTE });
  });

  const weaker = (option: string, got: string, own: string, remedy?: string): string =>
    `${option} must not be weaker than preset '${preset}' (got ${got}, the preset has ${own}): ` +
    (remedy ?? `use at most ${own}, or leave the option or the preset out`);
  const leaveOut = 'leave the option or the preset out';
  const day = 24 * HOUR;

  it.each<[Options, string[]]>([
    [
      { timeouts: { idle: idle + 1, absolute } },
      [weaker('timeouts.idle', human(idle + 1), human(idle))],
    ],
    [
      { timeouts: { absolute: absolute + 1 } },
      [weaker('timeouts.absolute', human(absolute + 1), human(absolute))],
    ],
    [
      { timeouts: { remembered: { idle: '14d', absolute: '30d' } } },
      [
        weaker('timeouts.remembered.idle', '14 d', human(idle)),
        weaker('timeouts.remembered.absolute', '30 d', human(absolute)),
      ],
    ],
    [
      { timeouts: { impersonation: { absolute: 2 * day } } },
      [weaker('timeouts.impersonation.absolute', '2 d', human(absolute))],
    ],
    [
      { timeouts: { classes: { kiosk: { absolute: 2 * day } } } },
      [weaker('timeouts.classes.kiosk.absolute', '2 d', human(absolute))],
    ],
    // One mistake is one problem, whoever inherits it.
    [
      { timeouts: { absolute: 2 * day, classes: { kiosk: {} } } },
      [weaker('timeouts.absolute', '2 d', human(absolute))],
    ],
    [{ concurrency: { max: max + 1 } }, [weaker('concurrency.max', `${max + 1}`, `${max}`)]],
    [{ rotation: { interval: '16m' } }, [weaker('rotation.interval', '16 m', '15 m')]],
    [{ rotation: { grace: '31s' } }, [weaker('rotation.grace', '31 s', '30 s')]],
    [
      { rotation: { onReuse: 'insecure-report' } },
      [weaker('rotation.onReuse', "'insecure-report'", "'revoke'", leaveOut)],
    ],
    [
      { rotation: { onReuse: 'reject' } },
      [weaker('rotation.onReuse', "'reject'", "'revoke'", leaveOut)],
    ],
    [
      { cookie: { sameSite: 'none' } },
      [weaker('cookie.sameSite', "'none'", "'lax' or 'strict'", leaveOut)],
    ],
    [
      { crossSite: { insecureAllow: true } },
      [
        weaker(
          'crossSite.insecureAllow',
          'true',
          'false',
          'list the pages in crossSite.trustedOrigins, or leave the preset out',
        ),
      ],
    ],
  ])('refuses to boot with %j', (options, problems) => {
    expect(problemsOf({ preset, ...options })).toEqual(problems);
  });

  it('says all at once', () => {
    const options = {
      preset,
      timeouts: { idle: '2d', absolute: '3d' },
      concurrency: { max: 900 },
      cookie: { sameSite: 'none' },
    };
    expect(problemsOf(options)).toHaveLength(4);
  });

  it('leaves anonymous sessions to the application, in which nobody is logged in', () => {
    expect(
      problemsOf({ preset, timeouts: { anonymous: { idle: '7d', absolute: '30d' } } }),
    ).toEqual([]);
  });

  it.each([
    ['at once', (most: number) => most],
    ['later', (most: number) => Promise.resolve(most)],
  ])('K-01: holds a function that answers %s to the number of sessions', async (_, answer) => {
    const ask = async (most: number): Promise<number> =>
      resolve({ preset, concurrency: { max: () => answer(most) } }).concurrency.max(loginOf('u1'));
    await expect(ask(max)).resolves.toBe(max);
    await expect(ask(max + 1)).rejects.toThrow(
      `concurrency.max must not be weaker than preset '${preset}' (it returned ${max + 1}, the ` +
        `preset has ${max}): return at most ${max}, or leave the preset out`,
    );
  });
});

describe('the option preset', () => {
  it('is off by default', () => {
    expect(resolve({}).preset).toBeUndefined();
  });

  it.each([
    ['nist', "preset must be 'owasp', 'nist-aal2', 'nist-aal3' or 'pci' (got 'nist')"],
    [
      'nist-aal',
      "preset must be 'owasp', 'nist-aal2', 'nist-aal3' or 'pci' (got 'nist-aal'; did you mean 'nist-aal2'?)",
    ],
    [true, "preset must be 'owasp', 'nist-aal2', 'nist-aal3' or 'pci' (got true)"],
  ])('refuses %j', (preset, problem) => {
    expect(problemsOf({ preset })).toEqual([problem]);
  });
});

describe('docs/guides/presets.md', () => {
  // Seen from the compiled file.
  const page = readFileSync(new URL('../../../../docs/guides/presets.md', import.meta.url), 'utf8');
  const table = page
    .split('\n')
    .filter((line) => line.startsWith('|') && line.split('|').length === 7)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  const ACTUAL: Readonly<Record<string, (config: SessionConfig) => string | undefined>> = {
    'timeouts.idle': ({ settings }) => human(settings.limits.default.idle),
    'timeouts.absolute': ({ settings }) => human(settings.limits.default.absolute),
    'concurrency.max': ({ concurrency }) => String(concurrency.fixedMax),
    'rotation.interval': ({ rotationInterval }) => human(rotationInterval ?? 0),
    'rotation.grace': ({ settings }) => human(settings.rotation.grace),
    'rotation.onReuse': ({ settings }) => settings.rotation.onReuse,
    'cookie.sameSite': ({ preset }) => preset?.rules.sameSite.join(' or '),
    'persistent cookie': ({ persistentClasses }) =>
      persistentClasses.size === 0 ? 'never' : 'allowed',
    'pages of other sites': ({ crossSite }) => (crossSite.isChecked ? 'refused' : 'allowed'),
    // Proved over HTTP, in test/e2e/presets.spec.ts.
    'what looks plain HTTP': () => 'refused',
  };

  it('has a column for every preset and a row for every figure', () => {
    const [head = [], , ...rows] = table;
    expect(head).toEqual(['Option', ...SESSION_PRESETS]);
    expect(new Set(rows.map(([option]) => option))).toEqual(new Set(Object.keys(ACTUAL)));
  });

  it.each(SESSION_PRESETS)('%s: the figures are those of the code', (preset) => {
    const column = SESSION_PRESETS.indexOf(preset) + 1;
    const config = resolve({ preset });
    for (const [option = '', ...cells] of table.slice(2)) {
      expect([option, cells[column - 1]]).toEqual([option, ACTUAL[option]?.(config)]);
    }
  });

  it('quotes the error as it is', () => {
    const [problem = ''] = problemsOf({ preset: 'pci', timeouts: { idle: '30m' } });
    expect(page).toContain(problem);
  });
});
