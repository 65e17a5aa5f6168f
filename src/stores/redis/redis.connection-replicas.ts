import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisCalls } from './redis.connection-calls.js';
import type { DriverClient } from './redis.connection-driver.js';
import type { RedisLink } from './redis.connection-link.js';
import { faultBehind, isPassing, timeoutError, unconfirmedError } from './redis.errors.js';
import type { RedisScript } from './scripts.gen.js';

/** One script that must be on the replicas before it is answered. */
interface Write {
  readonly script: RedisScript;
  readonly inFull: boolean;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  isWanted(): boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A write of our own, so that WAIT also speaks for a script that found its work done already. */
const MARK = "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], '', 'PX', 60000)";
const MOST_AT_ONCE = 200;

/**
 * A connection for writes that wait for replicas. WAIT speaks for the connection it is sent on and
 * holds it up, so these writes have one of their own: nothing else ever waits for a replica. What
 * arrives while it waits goes out together and is confirmed by one WAIT.
 */
class ReplicaLane {
  readonly calls: RedisCalls;
  readonly #replicas: number;
  readonly #patience: number;
  #queue: Write[] = [];
  #isBusy = false;

  /** `deadline`: of one call; two rounds of waiting fit into it. */
  constructor(link: RedisLink, replicas: number, deadline: number) {
    this.calls = new RedisCalls(link, deadline);
    this.#replicas = replicas;
    this.#patience = Math.max(1, Math.floor(deadline * 0.4));
  }

  /** Rejects with the driver's error, or with ours if too few replicas confirmed it. */
  run(write: Omit<Write, 'resolve' | 'reject'>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...write, resolve, reject });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, MOST_AT_ONCE).filter((write) => write.isWanted());
      if (batch.length > 0) await this.#send(batch);
    }
    this.#isBusy = false;
  }

  async #send(batch: readonly Write[]): Promise<void> {
    const results = await Promise.allSettled(
      batch.map(({ script, inFull, keys, args }) =>
        this.calls.link.evaluate(script, inFull, keys, args),
      ),
    );
    const done: (readonly [Write, unknown])[] = [];
    for (const [index, write] of batch.entries()) {
      const result = results[index];
      if (result?.status === 'fulfilled') done.push([write, result.value]);
      else write.reject(result?.reason);
    }
    const [first] = done;
    if (first === undefined) return;
    const confirmed = await this.#confirm(first[0].keys[0] ?? '');
    for (const [write, value] of done) {
      if (confirmed >= this.#replicas) write.resolve(value);
      else write.reject(unconfirmedError(this.#replicas, confirmed));
    }
  }

  /** How many replicas have all that this connection has seen happen so far. */
  async #confirm(key: string): Promise<number> {
    const { link } = this.calls;
    const { client } = link;
    link.cork();
    const [mark, count] = await Promise.allSettled([
      client.eval(MARK, 1, `${key.slice(0, key.indexOf('}') + 1)}:w`),
      client.call('wait', this.#replicas, this.#patience),
    ]);
    return mark.status === 'fulfilled' && count.status === 'fulfilled' ? Number(count.value) : 0;
  }
}

const SLOTS = 16_384;

/** The slot of a key, by what stands in its braces. */
function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}

/** The node of a cluster that serves a key, as far as is known. */
function nodeOf(cluster: DriverClient, key: string): DriverClient | undefined {
  const address = cluster.slots?.[slotOf(key)]?.[0];
  const nodes = cluster.nodes?.('master') ?? [];
  return nodes.find((node) => addressOf(node) === address) ?? nodes[0];
}

/** The writes that wait for replicas: one lane, or one for each master of a cluster. */
export class ReplicaWrites {
  readonly #main: RedisCalls;
  readonly #replicas: number;
  readonly #makeLink: (node: DriverClient | undefined) => RedisLink;
  readonly #lanes = new Map<string, ReplicaLane>();

  constructor(
    main: RedisCalls,
    replicas: number,
    makeLink: (node: DriverClient | undefined) => RedisLink,
  ) {
    this.#main = main;
    this.#replicas = replicas;
    this.#makeLink = makeLink;
  }

  /** @throws SessionStoreError also if too few replicas confirmed what was done */
  async run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const { deadline } = this.#main;
    const until = performance.now() + deadline;
    const isInTime = (): boolean => performance.now() < until;
    const over = new AbortController();
    const timeout = delay(deadline, undefined, { signal: over.signal, ref: false }).then(() => {
      throw timeoutError(deadline);
    });
    try {
      return await Promise.race([this.#try(script, keys, args, isInTime), timeout]);
    } finally {
      timeout.catch(() => undefined);
      over.abort();
    }
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.calls.link.close();
    this.#lanes.clear();
  }

  async #try(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    isInTime: () => boolean,
  ): Promise<unknown> {
    for (;;) {
      // Which node it is can be said once the cluster is known.
      await this.#main.run(NOTHING);
      const lane = this.#laneFor(keys[0] ?? '');
      try {
        return await lane.calls.run({
          send: (_, inFull, isWanted) =>
            lane.run({
              script,
              inFull,
              keys,
              args,
              isWanted: () => isWanted() && isInTime(),
            }),
          isRepeatable: false,
          size: 0,
        });
      } catch (error) {
        const fault = faultBehind(error);
        const { client } = this.#main.link;
        if (!client.isCluster || fault === undefined || !isPassing(fault)) throw error;
        await delay(RETRY_DELAY);
        if (!isInTime()) throw error;
        await new Promise((done) => client.refreshSlotsCache?.(done));
      }
    }
  }

  #laneFor(key: string): ReplicaLane {
    const { link, deadline } = this.#main;
    const node = link.client.isCluster ? nodeOf(link.client, key) : undefined;
    const name = node === undefined ? '' : addressOf(node);
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    this.#prune();
    const lane = new ReplicaLane(this.#makeLink(node), this.#replicas, deadline);
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Closes what leads to nodes that are no masters any more. */
  #prune(): void {
    const masters = this.#main.link.client.nodes?.('master').map(addressOf);
    for (const [name, lane] of this.#lanes) {
      if (masters === undefined || masters.includes(name)) continue;
      lane.calls.link.close();
      this.#lanes.delete(name);
    }
  }
}

const RETRY_DELAY = 60;
const NOTHING = { send: () => Promise.resolve(), isRepeatable: true, size: 0 };

function addressOf({ options }: DriverClient): string {
  return `${options.host}:${options.port}`;
}
