import { createRequire } from 'node:module';
import { jest } from '@jest/globals';
import { Random } from '../../../src/testing/random.js';
import { Scene } from '../../../src/testing/contract/scene.js';
import type { StoreSettings } from '../../../src/core/store.js';
import type * as redis from '../../../src/stores/redis/index.js';

export type RedisEntry = typeof redis;
export { Scene };

export const DRIVERS = ['ioredis', 'ioredis5'] as const;
export type DriverName = (typeof DRIVERS)[number];

const require = createRequire(import.meta.url);
const MINUTE = 60_000;

export const SETTINGS: StoreSettings = {
  limits: {
    default: { idle: 30 * MINUTE, absolute: 240 * MINUTE },
    remembered: { idle: 300 * MINUTE, absolute: 3000 * MINUTE },
    anonymous: { idle: 20 * MINUTE, absolute: 120 * MINUTE },
  },
  touchInterval: 0,
  rotation: { grace: MINUTE, maxForks: 3, onReuse: 'revoke' },
  maxSessionBytes: 65_536,
  maxFields: 256,
  maxTombstones: 10,
  buckets: 256,
  deadline: 1_000,
  margin: 10 * MINUTE,
};

/** The entry `/redis` with one of the supported drivers behind it. */
export async function importRedis(driver: DriverName): Promise<RedisEntry> {
  jest.resetModules();
  // Not by import(), which would ask the mock for itself.
  const { Redis, Cluster } = require(driver) as typeof import('ioredis');
  jest.unstable_mockModule('ioredis', () => ({ Redis, Cluster }));
  return import('../../../src/stores/redis/index.js');
}

/** A scene on a store; the random choices follow the seed of the run. */
export function openScene(
  store: Scene['store'],
  settings: Partial<StoreSettings> = {},
): Promise<Scene> {
  const seed = Number(process.env['TEST_SEED'] ?? 1);
  const underTest = {
    store,
    settings: { ...SETTINGS, ...settings },
    close: () => store.close(),
  };
  return Scene.open(underTest, new Random(seed));
}
