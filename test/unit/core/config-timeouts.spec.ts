import { describe, expect, it } from '@jest/globals';

import { resolveOptions } from '../../../src/core/config.js';
import type { TimeoutOptions } from '../../../src/core/options.js';
import { type Limits, limitsOf } from '../../../src/core/policy.js';
import type { StoreSettings } from '../../../src/core/store.js';

const SECRET = 'q3Zk7xW1vB9mN4cJ8hG2dS6fL0pR5tYu';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function settingsOf(timeouts: TimeoutOptions): StoreSettings {
  return resolveOptions({ secret: SECRET, timeouts }, { production: false }).settings;
}

function limits(idle: number, absolute: number): Limits {
  return { idle, absolute };
}

describe('timeouts of the limit classes', () => {
  it('are inherited by anonymous sessions and by classes of the application', () => {
    const table = settingsOf({
      idle: '1h',
      absolute: '8h',
      anonymous: { idle: '2h' },
      classes: { kiosk: { idle: '5m' }, support: { absolute: '2d' }, plain: {} },
    }).limits;
    expect({ ...table }).toEqual({
      default: limits(HOUR, 8 * HOUR),
      remembered: limits(14 * DAY, 30 * DAY),
      anonymous: limits(2 * HOUR, 8 * HOUR),
      impersonation: limits(15 * MINUTE, HOUR),
      kiosk: limits(5 * MINUTE, 8 * HOUR),
      support: limits(HOUR, 2 * DAY),
      plain: limits(HOUR, 8 * HOUR),
    });
  });

  it('shrink an inherited idle timeout to a shorter absolute one', () => {
    const table = settingsOf({
      absolute: '10m',
      remembered: { absolute: '7d' },
      classes: { kiosk: { absolute: '2m' } },
    }).limits;
    expect({ ...table }).toEqual({
      default: limits(10 * MINUTE, 10 * MINUTE),
      remembered: limits(7 * DAY, 7 * DAY),
      anonymous: limits(10 * MINUTE, 10 * MINUTE),
      impersonation: limits(10 * MINUTE, 10 * MINUTE),
      kiosk: limits(2 * MINUTE, 2 * MINUTE),
    });
  });

  it('accept an idle timeout equal to the absolute one, and the longest duration', () => {
    expect(settingsOf({ idle: '400d', absolute: '400d' }).limits.default).toEqual(
      limits(400 * DAY, 400 * DAY),
    );
  });

  it('accept short ones with a unit and numbers from the point where they look like ms', () => {
    expect(settingsOf({ idle: '200ms', absolute: '1s' }).limits.default).toEqual(
      limits(200, 1_000),
    );
    expect(settingsOf({ idle: 60_000, absolute: 900_000 }).limits.default).toEqual(
      limits(60_000, 900_000),
    );
  });

  it('find no class that was dropped in the prototype', () => {
    const table = settingsOf({}).limits;
    expect(Object.getPrototypeOf(table)).toBeNull();
    for (const limitClass of ['toString', '__proto__', 'constructor', 'gone']) {
      expect(limitsOf({ limitClass }, table)).toEqual(table.default);
    }
  });

  it('hold for up to 32 classes with names of up to 24 characters', () => {
    const names = Array.from({ length: 32 }, (_, index) => `c${index}`.padEnd(24, '-'));
    const classes = Object.fromEntries(names.map((name) => [name, {}]));
    expect(Object.keys(settingsOf({ classes }).limits)).toHaveLength(36);
  });

  it('warn if remembered logins end sooner than others', () => {
    const options = { secret: SECRET, timeouts: { absolute: '90d', idle: '20d' } };
    const { warnings } = resolveOptions(options, { production: false });
    expect(warnings.map(({ code }) => code)).toEqual(['remembered-shorter']);
  });
});

describe('touch interval', () => {
  it.each<[TimeoutOptions, number]>([
    [{}, 30_000],
    [{ idle: '10m' }, 30_000],
    [{ idle: '5m' }, 15_000],
    [{ idle: '1s' }, 50],
    [{ idle: '101ms' }, 5],
    [{ anonymous: { idle: '2m' } }, 6_000],
    [{ remembered: { idle: '3m' } }, 9_000],
    [{ classes: { kiosk: { absolute: '1m' } } }, 3_000],
    [{ touchInterval: 0 }, 0],
    [{ touchInterval: '7.5m' }, 7.5 * MINUTE],
    [{ touchInterval: '20ms' }, 20],
    [{ touchInterval: 100 }, 100],
  ])('for %j it is %i ms', (timeouts, expected) => {
    expect(settingsOf(timeouts).touchInterval).toBe(expected);
  });
});
