/**
 * The configuration cannot be changed, and the options are only read.
 */
import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/core/config.js';
import { DEVELOPMENT, PRODUCTION, SECRET, problemsOf } from './config.kit.js';

const MINUTE = 60_000;

describe('what resolveOptions leaves alone and locks up', () => {
  it('freezes the configuration deeply', () => {
    const options = {
      secret: SECRET,
      timeouts: { classes: { kiosk: { idle: '5m' } } },
      cookie: { domain: 'a.example', name: 's' },
    };
    const config = resolveOptions(options, DEVELOPMENT);
    expect(openParts(config, 'config')).toEqual([]);
    const { add } = config.persistentClasses as Set<string>;
    expect(() => add.call(config.persistentClasses, 'default')).toThrow('read-only');
    expect(config.persistentClasses.has('default')).toBe(false);
  });

  it('does not change, freeze or keep the options', () => {
    const keepOnLogin = ['cart'];
    const options = { secret: SECRET, data: { keepOnLogin }, timeouts: { idle: '5m' } };
    const config = resolveOptions(options, DEVELOPMENT);
    keepOnLogin.push('role');
    options.timeouts.idle = '9d';
    expect(config.keepOnLogin).toEqual(['cart']);
    expect(config.settings.limits.default.idle).toBe(5 * MINUTE);
    expect(Object.isFrozen(options)).toBe(false);
  });

  it('accepts frozen options and options without a prototype', () => {
    const bare = Object.assign(Object.create(null), { secret: SECRET, audience: 'a' });
    expect(resolveOptions(Object.freeze(bare), DEVELOPMENT).audience).toBe('a');
  });

  it('ignores what options inherit, with a warning', () => {
    const options = Object.create({ audience: 'inherited', timeouts: { idle: '1s' } });
    options.secret = SECRET;
    const config = resolveOptions(options, DEVELOPMENT);
    expect(config.audience).toBe('default');
    expect(config.settings.limits.default.idle).toBe(30 * MINUTE);
    expect(config.warnings).toEqual(
      ['audience', 'timeouts'].map((name) => ({
        code: 'inherited-option',
        message: `${name} is inherited from a prototype and was ignored: make it a property of its own`,
      })),
    );
  });

  it('is not steered by a polluted Object.prototype', () => {
    const pollution = { production: false, secret: SECRET, insecureDevCookies: true, idle: '400d' };
    try {
      Object.assign(Object.prototype, pollution);
      expect(problemsOf({ cookie: {} }, PRODUCTION)).toHaveLength(2);
      const { cookie, settings } = resolveOptions({ cookie: {}, timeouts: {} }, DEVELOPMENT);
      expect(cookie.secure).toBe(true);
      expect(settings.limits.default.idle).toBe(30 * MINUTE);
    } finally {
      for (const key of Object.keys(pollution)) Reflect.deleteProperty(Object.prototype, key);
    }
  });

  it('reads every property once', () => {
    const reads: string[] = [];
    const watched = <T extends object>(target: T, path: string): T =>
      new Proxy(target, {
        get: (from, key) => {
          reads.push(`${path}${String(key)}`);
          return Reflect.get(from, key) as unknown;
        },
      });
    const timeouts = watched({ idle: '5m', absolute: '1h' }, 'timeouts.');
    resolveOptions(watched({ secret: SECRET, timeouts }, ''), DEVELOPMENT);
    const ours = reads.filter((path) => !path.includes('Symbol'));
    expect(ours).toEqual(['secret', 'timeouts', 'timeouts.idle', 'timeouts.absolute']);
  });
});

/** Paths of objects that are not frozen; what belongs to others is not looked into. */
function openParts(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const open = Object.isFrozen(value) ? [] : [path];
  if (path === 'config.ring' || path === 'config.store') return open;
  return [
    ...open,
    ...Object.entries(value).flatMap(([key, part]) => openParts(part, `${path}.${key}`)),
  ];
}
