/** Unrest among the servers while a suite runs on them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisKeys } from '../../../src/stores/redis/redis.keys.js';
import type { ClusterNode } from '../../support/servers/cluster-form.js';
import type { RedisCluster } from '../../support/servers/cluster.js';
import type { RedisServer } from '../../support/servers/redis.js';
import { isMaster, waitForReplica } from '../../support/servers/replication.js';
import type { RedisSentinel } from '../../support/servers/sentinel.js';
import { until } from '../../support/until.js';
import type { Scene } from './redis.scene.kit.js';

type Store = Scene['store'];

/** Moves the slots of all buckets from master to master, one after the other, all the time. */
export class Movers {
  readonly #cluster: RedisCluster;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  /** While somebody looks nothing moves. */
  readonly #looks = new Set<Promise<unknown>>();
  #turn: Promise<void> = Promise.resolve();
  moves = 0;

  constructor(cluster: RedisCluster, buckets: number) {
    this.#cluster = cluster;
    this.#running = this.#work(new RedisKeys('any:', buckets).buckets.map((key) => key.counters));
  }

  /** Looks at the keys while none of them is on its way. */
  async whileStill<T>(look: () => Promise<T>): Promise<T> {
    // No move begins from here on: the one that is under way is the last.
    const found = this.#turn.then(look);
    const seen = found.catch(() => undefined);
    this.#looks.add(seen);
    try {
      return await found;
    } finally {
      this.#looks.delete(seen);
    }
  }

  /** Ends it; throws what went wrong. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #work(keys: readonly string[]): Promise<void> {
    const { nodes } = this.#cluster;
    const places = await Promise.all(
      keys.map(async (key) => ({
        slot: await this.#cluster.slotOf(key),
        owner: nodes.indexOf(await this.#cluster.ownerOf(key)),
      })),
    );
    while (!this.#over.signal.aborted) {
      for (const place of places) {
        while (this.#looks.size > 0) await Promise.all(this.#looks);
        const next = (place.owner + 1) % MASTERS;
        const [from, to] = [nodes[place.owner], nodes[next]] as readonly ClusterNode[];
        if (from === undefined || to === undefined) throw new Error('there must be masters');
        this.#turn = this.#cluster.migrateSlots(from, to, [place.slot]);
        await this.#turn;
        place.owner = next;
        this.moves += 1;
        // The suite has times of its own to keep, on whatever else the machine does.
        await sleep(MOVE_PAUSE);
      }
    }
  }
}

const MASTERS = 3;
/** Milliseconds. */
const MOVE_PAUSE = 20;

/** How often the nodes of a cluster refused a command with a word such as `TRYAGAIN`. */
export async function refusalsOf(cluster: RedisCluster, word: string): Promise<number> {
  let count = 0;
  for (const { url } of cluster.nodes) {
    const client = new Redis(url);
    const info = await client.info('errorstats');
    count += Number(new RegExp(`errorstat_${word}:count=(\\d+)`).exec(info)?.[1] ?? 0);
    client.disconnect();
  }
  return count;
}

/** Operations that change nothing, or nothing that is missed: they go on meanwhile. */
const READING = new Set(['open', 'close', 'page', 'list', 'read', 'ping', 'stats']);

/**
 * Replaces the master behind Sentinels while a suite runs. A replica follows its master a moment
 * later and a connection ends with what is on its way, so what changes something is held back while
 * it happens: what the suite was told before must be true afterwards, and reading goes on.
 */
export class Replacements {
  readonly #group: RedisSentinel;
  #open: Promise<void> = Promise.resolve();
  #underWay = 0;
  /** Whether it is time for one. */
  isDue = false;
  /** Whether the current test can wait so long. */
  isPatient = false;
  readonly done: string[] = [];
  reads = 0;

  constructor(group: RedisSentinel) {
    this.#group = group;
  }

  /** A store over which the master may be replaced. */
  around(store: Store): Store {
    let changes = 0;
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        if (READING.has(String(name))) return call;
        return async (...args: unknown[]) => {
          changes += 1;
          if (changes > 2 && this.isDue && this.isPatient) {
            this.isDue = false;
            this.#open = this.#replace(target);
          }
          await this.#open;
          this.#underWay += 1;
          try {
            return await call(...args);
          } finally {
            this.#underWay -= 1;
          }
        };
      },
    });
  }

  async #replace(store: Store): Promise<void> {
    await until(
      () => Promise.resolve(this.#underWay),
      (count) => count === 0,
    );
    const old = await this.#group.master();
    await everyReplicaHas(old);
    const over = new AbortController();
    const reading = this.#read(store, over.signal);
    const isLost = this.done.length % 2 === 1;
    if (isLost) await this.#group.killMaster();
    else {
      await this.#group.failover();
      await until(
        () => isMaster(old),
        (is) => !is,
      );
    }
    this.done.push(isLost ? 'killed' : 'replaced');
    over.abort();
    await reading;
    if (isLost) await old.restart();
  }

  async #read(store: Store, over: AbortSignal): Promise<void> {
    for (; !over.aborted; await sleep(5)) {
      await store.stats();
      this.reads += 1;
    }
  }

  /** All servers are there again, for the next one. */
  async settle(): Promise<void> {
    const master = await this.#group.master();
    const others = this.#group.servers.filter((server) => server !== master);
    await Promise.all(others.map((server) => waitForReplica(server)));
  }
}

async function everyReplicaHas(master: RedisServer): Promise<void> {
  const client = new Redis(master.url);
  try {
    const replicas = Number(/connected_slaves:(\d+)/.exec(await client.info('replication'))?.[1]);
    await client.set('mark', '', 'PX', 1_000);
    const confirmed = await client.wait(replicas, 5_000);
    if (confirmed < replicas) throw new Error('a replica does not answer');
  } finally {
    client.disconnect();
  }
}
