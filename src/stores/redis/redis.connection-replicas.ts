import { Buffer } from 'node:buffer';
import type { RedisCalls, Task } from './redis.connection-calls.js';
import type { DriverClient, NodeAddress } from './redis.connection-driver.js';
import type { RedisLink } from './redis.connection-link.js';
import { unconfirmedError } from './redis.errors.js';
import type { RedisScript } from './scripts.gen.js';

/** One script that must be on the replicas before it is answered. */
interface Write {
  readonly script: RedisScript;
  readonly inFull: boolean;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  isWanted(): boolean;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

interface Outcome {
  readonly reply: unknown;
  /** How many replicas have it; `undefined` if the server was replaced before it could say so. */
  readonly confirmed: number | undefined;
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
  readonly link: RedisLink;
  readonly #replicas: number;
  readonly #patience: number;
  #queue: Write[] = [];
  #isBusy = false;
  #isRetired = false;

  /** `deadline`: of one call; two rounds of waiting fit into it. */
  constructor(link: RedisLink, replicas: number, deadline: number) {
    this.link = link;
    this.#replicas = replicas;
    this.#patience = Math.max(1, Math.floor(deadline * 0.4));
  }

  /** Rejects with the driver's error. */
  run(write: Omit<Write, 'resolve' | 'reject'>): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...write, resolve, reject });
      void this.#work();
    });
  }

  /** Closes it once nobody waits for an answer. */
  retire(): void {
    this.#isRetired = true;
    if (!this.#isBusy) this.link.close();
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, MOST_AT_ONCE);
      for (const write of batch) if (!write.isWanted()) write.reject(new Error('not wanted'));
      await this.#send(batch.filter((write) => write.isWanted()));
    }
    this.#isBusy = false;
    if (this.#isRetired) this.link.close();
  }

  async #send(batch: readonly Write[]): Promise<void> {
    const results = await Promise.allSettled(
      batch.map(({ script, inFull, keys, args }) => this.link.evaluate(script, inFull, keys, args)),
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
    for (const [write, reply] of done) write.resolve({ reply, confirmed });
  }

  /** How many replicas have all that this connection has seen happen so far. */
  async #confirm(key: string): Promise<number | undefined> {
    const { link } = this;
    link.cork();
    const [mark, count] = await Promise.allSettled([
      link.client.eval(MARK, 1, `${tagOf(key)}:w`),
      link.client.call('wait', this.#replicas, this.#patience),
    ]);
    const isKnown = mark.status === 'fulfilled' && count.status === 'fulfilled';
    return isKnown ? Number(count.value) : undefined;
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

/** Where the master of a key is in a cluster, as far as is known. */
function masterOf(cluster: DriverClient, key: string): NodeAddress | undefined {
  const address = cluster.slots?.[slotOf(key)]?.[0];
  if (address === undefined) return undefined;
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/**
 * Makes a connection of its own, to a node of a cluster if it is said where; then it is for once,
 * and it is told when it has ended. `undefined` while there is no cluster.
 */
export type MakeLane = (at?: NodeAddress, onEnd?: () => void) => RedisLink | undefined;

/** The writes that wait for replicas: one lane, or one for each master of a cluster. */
export class ReplicaWrites {
  readonly #main: RedisCalls;
  readonly #replicas: number;
  readonly #makeLink: MakeLane;
  readonly #lanes = new Map<string, ReplicaLane>();

  constructor(main: RedisCalls, replicas: number, makeLink: MakeLane) {
    this.#main = main;
    this.#replicas = replicas;
    this.#makeLink = makeLink;
  }

  /**
   * Rejects also if too few replicas confirmed what was done. If the server is replaced meanwhile,
   * the script runs once more where its keys are now: either it finds its work done, or the new
   * server had not received it and it is done now.
   *
   * @throws SessionStoreError only
   */
  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    rest: Pick<Task, 'isRepeatable' | 'place' | 'size'>,
  ): Promise<unknown> {
    const { link } = this.#main;
    const [key = ''] = keys;
    let lane: ReplicaLane | undefined;
    let told: unknown;
    return this.#main.run({
      ...rest,
      // Which node it is can be said once the cluster is known.
      route: () => {
        lane = link.isReady ? this.#laneFor(key) : undefined;
        return lane?.link ?? link;
      },
      send: async (_, inFull, isWanted) => {
        if (lane === undefined) throw new Error("the cluster isn't ready");
        const { reply, confirmed } = await lane
          .run({ script, inFull, keys, args, isWanted })
          .catch((error: unknown) => {
            this.#lookAgain();
            throw error;
          });
        told = told === undefined ? reply : fuller(told, reply);
        if (confirmed === undefined) {
          this.#lookAgain();
          throw new Error('UNBLOCKED');
        }
        if (confirmed < this.#replicas) throw unconfirmedError(this.#replicas, confirmed);
        return told;
      },
    });
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.link.close();
    this.#lanes.clear();
  }

  #laneFor(key: string): ReplicaLane | undefined {
    const { link, deadline } = this.#main;
    const at = link.client.isCluster ? masterOf(link.client, key) : undefined;
    const name = at === undefined ? '' : nameOf(at);
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    this.#prune();
    // Another node may be the master when this one has gone, so it is not waited for.
    const onEnd = (): void => {
      if (this.#lanes.get(name) === lane) this.#lanes.delete(name);
      this.#lookAgain();
    };
    const made = at === undefined ? this.#makeLink() : this.#makeLink(at, onEnd);
    if (made === undefined) return undefined;
    const lane = new ReplicaLane(made, this.#replicas, deadline);
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Leaves what leads to nodes that are no masters any more. */
  #prune(): void {
    const nodes = this.#main.link.client.nodes?.('master');
    const masters = nodes?.map(({ options }) => nameOf(options));
    for (const [name, lane] of this.#lanes) {
      if (masters === undefined || masters.includes(name)) continue;
      this.#lanes.delete(name);
      lane.retire();
    }
  }

  /** Asks the cluster who has which slots now. */
  #lookAgain(): void {
    const { client, isReady } = this.#main.link;
    if (client.isCluster && isReady) client.refreshSlotsCache?.(() => undefined);
  }
}

/**
 * What the caller is told if a script ran twice. If it only found its work done, its first reply
 * says more, such as who was ended.
 */
function fuller(first: unknown, later: unknown): unknown {
  if (!Array.isArray(first) || !Array.isArray(later)) return later;
  const [status] = later as readonly unknown[];
  const isDone = status === first[0] || status === 'gone' || status === 'taken';
  return isDone && later.length < first.length ? first : later;
}

function tagOf(key: string): string {
  return key.slice(0, key.indexOf('}') + 1);
}

function nameOf({ host, port }: NodeAddress): string {
  return `${host}:${port}`;
}
