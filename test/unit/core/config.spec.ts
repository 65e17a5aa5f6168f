import { afterEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';

import {
  type ConfigEnvironment,
  type SessionConfig,
  resolveOptions,
} from '../../../src/core/config.js';
import type { CleanupOptions, SessionOptions } from '../../../src/core/options.js';
import type { SessionStore } from '../../../src/core/store.js';
import { DEVELOPMENT, PRODUCTION, SECRET, STORE_METHODS, problemsOf } from './config.kit.js';
import { loginOf } from './logins.kit.js';

const OLD_SECRET = 'aZ8sX1dC4fV7gB0hN3jM6kL9qW2eR5tY';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function resolve(
  options: SessionOptions,
  environment: ConfigEnvironment = DEVELOPMENT,
): SessionConfig {
  return resolveOptions({ secret: SECRET, ...options }, environment);
}

/** Has every member of the contract and does nothing. */
function storeStub(): SessionStore {
  const members = STORE_METHODS.map((name) => [name, () => Promise.reject(new Error(name))]);
  return Object.freeze({ name: 'stub', ...Object.fromEntries(members) }) as SessionStore;
}

describe('resolveOptions in development', () => {
  it('fills in every default for {}', () => {
    const { ring, concurrency, classOf, warnings, ...rest } = resolveOptions({}, DEVELOPMENT);
    expect(rest).toEqual({
      audience: 'default',
      store: undefined,
      settings: {
        limits: Object.assign(Object.create(null), {
          default: { idle: 30 * MINUTE, absolute: 24 * HOUR },
          remembered: { idle: 14 * DAY, absolute: 30 * DAY },
          anonymous: { idle: 30 * MINUTE, absolute: 24 * HOUR },
          impersonation: { idle: 15 * MINUTE, absolute: HOUR },
        }),
        touchInterval: 30_000,
        rotation: { grace: 30_000, maxForks: 3, onReuse: 'revoke' },
        maxSessionBytes: 65_536,
        maxFields: 256,
        maxTombstones: 100,
        buckets: 256,
        deadline: 1_000,
        margin: 600_000,
      },
      persistentClasses: new Set(['remembered']),
      cookie: {
        name: '__Host-sid',
        path: '/',
        secure: true,
        httpOnly: true,
        sameSite: 'lax',
        partitioned: false,
      },
      insecureDevCookies: false,
      crossSite: {
        isChecked: true,
        trustedOrigins: new Set(),
        trustsLoopback: true,
        token: false,
      },
      preset: undefined,
      bearer: false,
      fieldLimits: { maxFieldBytes: 16_384, maxDepth: 32, maxNodes: 10_000 },
      keepOnLogin: [],
      encrypted: new Set(),
      privacy: { address: 'full', userAgent: 'label' },
      signals: {
        addressChange: 'report',
        clientChange: 'report',
        forgeryBurst: 'report',
        onRisk: undefined,
      },
      cleanup: {
        cron: '*/5 * * * *',
        jitter: 10_000,
        batch: 500,
        budget: 30_000,
        longestGap: 5 * MINUTE,
      },
      guard: undefined,
      rotationInterval: undefined,
      explain: true,
      production: false,
    });
    expect(ring.keys).toHaveLength(1);
    expect(classOf(loginOf('u1'))).toBeUndefined();
    expect(concurrency.atLimit(loginOf('u1'))).toBe('evict-least-recent');
    expect(concurrency.max(loginOf('u1'))).toBe(100);
    expect(warnings).toEqual([
      { code: 'ephemeral-secret', message: expect.stringContaining('secret is not set') },
    ]);
  });

  it('makes another secret for every process that has none', () => {
    const keyOf = (): Buffer => resolveOptions({}, DEVELOPMENT).ring.current.for('token').export();
    expect(keyOf().equals(keyOf())).toBe(false);
  });

  it('has nothing to warn about once there is a secret', () => {
    expect(resolve({}).warnings).toEqual([]);
  });

  it('takes undefined for an option that is not there', () => {
    const options = Object.fromEntries(
      ['audience', 'store', 'timeouts', 'cookie', 'cleanup', 'guard'].map((name) => [
        name,
        undefined,
      ]),
    );
    expect(resolve({ ...options }).cookie.name).toBe('__Host-sid');
    expect(resolveOptions(undefined, DEVELOPMENT).audience).toBe('default');
  });

  it('takes over what is given', () => {
    const store = storeStub();
    const config = resolve({
      audience: 'shop/staging',
      store,
      bearer: true,
      guard: 'global',
      storeDeadline: '250ms',
      cleanup: { cron: '0 */10 * * * *', jitter: '1m', batch: 5_000, budget: '10m' },
      concurrency: { max: 3, atLimit: 'reject' },
      cookie: { name: 'shop', sameSite: 'strict', path: '/app', domain: 'shop.example' },
      data: {
        maxFieldBytes: 100,
        maxSessionBytes: 200,
        maxFields: 2,
        keepOnLogin: ['cart', 'cart'],
      },
    });
    expect(config.audience).toBe('shop/staging');
    expect(config.store).toBe(store);
    expect(config.bearer).toBe(true);
    expect(config.guard).toBe('global');
    expect(config.settings).toMatchObject({ deadline: 250, maxSessionBytes: 200, maxFields: 2 });
    expect(config.cleanup).toEqual({
      cron: '0 */10 * * * *',
      jitter: MINUTE,
      batch: 5_000,
      budget: 10 * MINUTE,
      longestGap: 10 * MINUTE,
    });
    expect(config.concurrency.max(loginOf('u1'))).toBe(3);
    expect(config.cookie).toEqual({
      name: 'shop',
      path: '/app',
      domain: 'shop.example',
      secure: true,
      httpOnly: true,
      sameSite: 'strict',
      partitioned: false,
    });
    expect(config.fieldLimits.maxFieldBytes).toBe(100);
    expect(config.keepOnLogin).toEqual(['cart']);
  });

  it('drops Secure and the prefix for insecureDevCookies, with a warning', () => {
    const { cookie, insecureDevCookies, warnings } = resolve({
      cookie: { insecureDevCookies: true },
    });
    expect(cookie).toMatchObject({ name: 'sid', secure: false, httpOnly: true });
    expect(insecureDevCookies).toBe(true);
    expect(warnings.map(({ code }) => code)).toEqual(['insecure-dev-cookies']);
  });

  it('leaves the cleanup out for cleanup: false', () => {
    expect(resolve({ cleanup: false }).cleanup).toBe(false);
  });

  it('accepts a jitter of a quarter of the period and shrinks the default to it', () => {
    const jitterOf = (cleanup: CleanupOptions): unknown => resolve({ cleanup }).cleanup;
    expect(jitterOf({ cron: '* * * * *', jitter: '15s' })).toMatchObject({ jitter: 15_000 });
    expect(jitterOf({ cron: '*/20 * * * * *' })).toMatchObject({ jitter: 5_000 });
    expect(jitterOf({ jitter: 0 })).toMatchObject({ jitter: 0 });
  });

  it('lets a smaller total shrink the default of one field', () => {
    expect(resolve({ data: { maxSessionBytes: 1_000 } }).fieldLimits.maxFieldBytes).toBe(1_000);
  });
});

describe('resolveOptions in production', () => {
  it('demands a secret and a store and says what to add', () => {
    expect(problemsOf({}, PRODUCTION)).toEqual([
      'secret is required in production: put the output of `openssl rand -base64 32` into the ' +
        'environment and pass it, as in secret: process.env.SESSION_SECRET',
      'store is required in production: pass a lasting one, as in store: redisStore({ url: ' +
        'process.env.REDIS_URL }), or store: memoryStore() if a single process that forgets its ' +
        'sessions on every restart is enough',
    ]);
  });

  it('accepts any store that was asked for by name, the memory store too', () => {
    const store = { ...storeStub(), name: 'memory' };
    const config = resolve({ store }, PRODUCTION);
    expect(config.store).toBe(store);
    expect(config.production).toBe(true);
    expect(config.warnings).toEqual([]);
  });

  it('refuses insecureDevCookies', () => {
    const options = { secret: SECRET, store: storeStub(), cookie: { insecureDevCookies: true } };
    expect(problemsOf(options, PRODUCTION)).toEqual([
      'cookie.insecureDevCookies must not be used in production: remove it and serve the ' +
        'application over HTTPS',
    ]);
  });

  it('is switched off by production: false, with a warning', () => {
    const config = resolve({ production: false }, PRODUCTION);
    expect(config.production).toBe(false);
    expect(config.warnings.map(({ code }) => code)).toEqual(['production-rules-off']);
  });

  it('is switched on by production: true', () => {
    expect(problemsOf({ production: true }, DEVELOPMENT)).toHaveLength(2);
  });

  it('refuses a cleanup that nothing runs', () => {
    const options = { secret: SECRET, store: storeStub() };
    const environment = { production: true, hasScheduler: false };
    expect(problemsOf(options, environment)).toEqual([
      'cleanup has nothing that runs it: add ScheduleModule.forRoot() of @nestjs/schedule to the ' +
        'imports of the root module, or set cleanup: false where another process does it',
    ]);
    expect(problemsOf({ ...options, cleanup: false }, environment)).toEqual([]);
    expect(resolve({}, { production: false, hasScheduler: false }).warnings).toMatchObject([
      { code: 'no-scheduler' },
    ]);
  });

  describe('by NODE_ENV', () => {
    const before = process.env['NODE_ENV'];
    afterEach(() => {
      process.env['NODE_ENV'] = before;
    });

    it.each([
      ['production', 2],
      ['development', 0],
      ['test', 0],
    ])('%s: %i problems', (name, count) => {
      process.env['NODE_ENV'] = name;
      expect(problemsOf({}, undefined)).toHaveLength(count);
      expect(problemsOf({}, { hasScheduler: true })).toHaveLength(count);
      expect(problemsOf({}, DEVELOPMENT)).toEqual([]);
    });
  });
});

describe('secret', () => {
  it('takes a list, newest first', () => {
    const { ring } = resolve({ secret: [SECRET, OLD_SECRET] });
    expect(ring.keys).toHaveLength(2);
    expect(ring.current.id).toBe(resolve({ secret: SECRET }).ring.current.id);
  });

  it('takes bytes, and a copy of them', () => {
    const bytes = Buffer.from(SECRET);
    const key = resolve({ secret: bytes }).ring.current.for('token');
    bytes.fill(0);
    expect(key.equals(resolve({ secret: SECRET }).ring.current.for('token'))).toBe(true);
  });

  it('takes bytes of another realm, such as a test runner makes', () => {
    const bytes: unknown = runInNewContext('new Uint8Array(bytes)', { bytes: Buffer.from(SECRET) });
    const { ring } = resolveOptions({ secret: bytes }, DEVELOPMENT);
    expect(ring.current.id).toBe(resolve({ secret: SECRET }).ring.current.id);
  });

  it('shows up nowhere in the configuration', () => {
    const config = resolve({ secret: [SECRET, OLD_SECRET] });
    const shown = inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config);
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain(OLD_SECRET);
  });
});
