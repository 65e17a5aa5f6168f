import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeMainPath } from '../e2e/main-path.suite.js';
import type { RedisCluster } from '../support/servers/cluster.js';
import { useCluster } from '../support/servers/hooks.js';
import { clusterStage } from '../support/stores.js';
import { RedisKeys } from '../unit/stores/redis.kit.js';

const cluster = useCluster();

describe('ioredis 6', () => {
  describeMainPath(clusterStage(cluster));
});

describe('ioredis 5', () => {
  describeMainPath(clusterStage(cluster, { driver: 'ioredis5', adapters: ['express'] }));
});

describe('while slots move from master to master', () => {
  let mover: Mover;
  beforeAll(() => {
    mover = new Mover(cluster());
  });
  afterAll(() => mover.stop());

  describeMainPath(clusterStage(cluster, { adapters: ['fastify'] }));

  it('has moved many that hold sessions', async () => {
    await mover.stop();
    expect(mover.moves).toBeGreaterThan(50);
  });
});

/** Gives one slot after the other to the next master until it is stopped. */
class Mover {
  moves = 0;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;

  constructor(servers: RedisCluster) {
    this.#running = this.#run(servers);
  }

  stop(): Promise<void> {
    this.#stopped.abort();
    return this.#running;
  }

  async #run(servers: RedisCluster): Promise<void> {
    const masters = servers.nodes.slice(0, 3);
    // The places of keys are the same whatever their prefix.
    for (;;) {
      for (const { counters } of new RedisKeys('any:', 256).buckets) {
        if (this.#stopped.signal.aborted) return;
        const owner = await servers.ownerOf(counters);
        const next = masters[(masters.indexOf(owner) + 1) % masters.length] ?? owner;
        await servers.migrateSlots(owner, next, [await servers.slotOf(counters)]);
        this.moves += 1;
      }
    }
  }
}
