import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type StoreHarness, describeStoreContract } from '../../src/testing/index.js';
import { redisHarness } from '../unit/stores/redis.kit.js';
import { DRIVERS, type RedisEntry, importRedis } from '../unit/stores/redis.scene.kit.js';
import { Replacements } from '../unit/stores/redis.unrest.kit.js';
import { type RedisSentinel, startSentinel } from '../support/servers/sentinel.js';

/** Shorter timeouts would be over before a new master is there. */
const PATIENT = 60_000;
/** In the first test from these on that has longer ones. */
const TESTS = [10, 40, 80];

let group: RedisSentinel;
let client: Redis;
let replacements: Replacements;

beforeAll(async () => {
  group = await startSentinel();
  client = new Redis({ sentinels: addresses(), name: group.name });
  replacements = new Replacements(group);
}, 60_000);

afterAll(async () => {
  client.disconnect();
  await group.stop();
});

function addresses(): { host: string; port: number }[] {
  return group.sentinels.map(({ host, port }) => ({ host, port }));
}

function harnessOf(entry: () => RedisEntry): StoreHarness {
  const harness = redisHarness(
    () => client,
    (prefix) => {
      const { redisStore } = entry();
      const options = { sentinels: addresses(), name: group.name, prefix };
      return replacements.around(redisStore(options));
    },
    { effort: 0.02, timeout: 120_000 },
  );
  let tests = 0;
  return {
    ...harness,
    create: async (settings) => {
      tests += 1;
      if (TESTS.includes(tests)) {
        await replacements.settle();
        replacements.isDue = true;
      }
      const timeouts = Object.values(settings.limits).map(({ idle }) => idle);
      replacements.isPatient = Math.min(...timeouts) >= PATIENT;
      return harness.create(settings);
    },
  };
}

describe.each(DRIVERS)('with %s', (driver) => {
  let entry: RedisEntry;
  beforeAll(async () => {
    entry = await importRedis(driver);
  });

  describeStoreContract(
    'redis behind Sentinels, with masters that are replaced',
    { describe, expect, it },
    harnessOf(() => entry),
  );
});

it('masters were replaced and lost, and reading went on', () => {
  const { done, reads } = replacements;
  console.log(`masters: ${done.join(', ')}; ${reads} reads meanwhile`);
  expect(done.length).toBe(DRIVERS.length * TESTS.length);
  expect(done).toContain('killed');
  expect(reads).toBeGreaterThan(10 * done.length);
});
