/**
 * Where the sessions of the HTTP tests live. A suite is written once and told its stage: on one the
 * clock moves when a test says so, on the others the test waits, with spans that are short enough.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll } from '@jest/globals';
import { type SessionStore, memoryStore } from '../../src/index.js';
import type { RedisStoreOptions } from '../../src/stores/redis/index.js';
import { manualClock } from '../../src/testing/index.js';
import { type DriverName, type RedisEntry, importRedis } from '../unit/stores/redis.scene.kit.js';
import { ADAPTERS, type Adapter } from './app.js';
import { type Address, ask } from './servers/ask.js';
import type { RedisCluster } from './servers/cluster.js';
import type { RedisServer } from './servers/redis.js';
import type { RedisSentinel } from './servers/sentinel.js';

export interface Stage {
  readonly name: string;
  readonly adapters: readonly Adapter[];
  /** `moved`: time passes when a test says so; `real`: the test has to wait. */
  readonly clock: 'moved' | 'real';
  /** An empty place for sessions. */
  place(): Place;
}

export interface Place {
  /** The store of one more instance of the application. */
  connect(): SessionStore;
  /** The store's time, in milliseconds. */
  now(): Promise<number>;
  /** Comes back when so many milliseconds have passed on the store's clock. */
  passTime(ms: number): Promise<void>;
}

/** Memory, the instances of an application in one process. */
export function memoryStage(clock: Stage['clock']): Stage {
  return {
    name: 'memory',
    adapters: ADAPTERS,
    clock,
    place: () => (clock === 'moved' ? movedPlace() : realPlace(memoryStore())),
  };
}

function movedPlace(): Place {
  const clock = manualClock();
  const store = memoryStore({ clock: clock.now });
  return {
    connect: () => store,
    now: async () => clock.now(),
    passTime: async (ms) => clock.advance(ms),
  };
}

function realPlace(store: SessionStore): Place {
  const now = async (): Promise<number> => Date.now();
  return { connect: () => store, now, passTime: (ms) => waitOn(now, ms) };
}

export interface RedisStageOptions {
  /** Version 6 unless said otherwise. */
  readonly driver?: DriverName;
  /** All unless said otherwise. */
  readonly adapters?: readonly Adapter[];
  readonly store?: Pick<RedisStoreOptions, 'waitReplicas'>;
}

/** To be called in a describe block of its own, as the other Redis stages: drivers are swapped. */
export function redisStage(server: () => RedisServer, options: RedisStageOptions = {}): Stage {
  return stageOf(
    'Redis',
    options,
    () => ({ url: server().url }),
    () => [server()],
  );
}

export function clusterStage(cluster: () => RedisCluster, options: RedisStageOptions = {}): Stage {
  const target = (): RedisStoreOptions => ({ cluster: cluster().urls });
  return stageOf('a Redis cluster', options, target, () => cluster().nodes);
}

export function sentinelStage(
  sentinel: () => RedisSentinel,
  options: RedisStageOptions = {},
): Stage {
  const target = (): RedisStoreOptions => {
    const { name, sentinels } = sentinel();
    return { name, sentinels: sentinels.map(({ host, port }) => ({ host, port })) };
  };
  return stageOf('Redis through Sentinel', options, target, () => sentinel().servers);
}

/** Every place has a prefix of its own, so that one server serves all tests of a file. */
let places = 0;

function stageOf(
  what: string,
  { driver = 'ioredis', adapters = ADAPTERS, store }: RedisStageOptions,
  target: () => RedisStoreOptions,
  servers: () => readonly Address[],
): Stage {
  let entry: RedisEntry | undefined;
  beforeAll(async () => {
    entry = await importRedis(driver);
  });
  return {
    name: driver === 'ioredis' ? what : `${what} with ${driver}`,
    adapters,
    clock: 'real',
    place: () => {
      const { redisStore } = entry ?? {};
      if (redisStore === undefined) throw new Error('a place can be had only in a test');
      const prefix = `place-${++places}:`;
      const now = (): Promise<number> => timeOf(servers());
      return {
        connect: () => redisStore({ ...target(), ...store, prefix }),
        now,
        passTime: (ms) => waitOn(now, ms),
      };
    },
  };
}

/** What one that answers says; all of them run on one machine. */
async function timeOf(servers: readonly Address[]): Promise<number> {
  const [seconds, micros] = (await Promise.any(servers.map((one) => ask(one, 'TIME')))) as string[];
  return Number(seconds) * 1000 + Math.ceil(Number(micros) / 1000);
}

async function waitOn(now: () => Promise<number>, ms: number): Promise<void> {
  const end = (await now()) + ms;
  for (let left = ms; left > 0; left = end - (await now())) await sleep(left);
}
