/**
 * Three processes clean up the same Redis, every second each.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { until } from '../support/until.js';
import { type Scene, fillUp, openScene, plainStores, scanKeys } from '../unit/stores/redis.kit.js';

const SESSIONS = 100_000;
const INSTANCES = 3;
const PREFIX = 'crowd:';
const PROGRAM = fileURLToPath(new URL('./programs/sweeper.js', import.meta.url));
/** Long enough for what an instance does between a claim and its confirmation. */
const LEASE = 4_000;
const PATIENCE = 120_000;

let first: RedisServer;
let second: RedisServer;
let client: Redis;
let instances: Instance[] = [];
/** Event ids by session, whoever announced it. */
let heard = new Map<string, Set<string>>();

/** A process that cleans up, and what it said. */
class Instance {
  announced = 0;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #isIdle = false;

  constructor(url: string, lease?: number) {
    const args = [PROGRAM, url, PREFIX, ...(lease === undefined ? [] : [String(lease)])];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit', 'pipe'] });
    this.#exited = once(this.#child, 'close');
    createInterface({ input: this.#child.stdio[3] as Readable }).on('line', (line) => {
      const [kind, id = '', eventId = ''] = line.split(' ');
      this.#isIdle = line === 'swept 0';
      if (kind !== 'ended') return;
      this.announced += 1;
      heard.set(id, (heard.get(id) ?? new Set()).add(eventId));
    });
  }

  /** The last run found nothing. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}

function start(server: RedisServer, lease?: number): void {
  heard = new Map();
  instances = Array.from({ length: INSTANCES }, () => new Instance(server.url, lease));
}

function announcements(): number {
  return instances.reduce((sum, { announced }) => sum + announced, 0);
}

async function untilIdle(working: readonly Instance[]): Promise<void> {
  await until(
    async () => working.every(({ isIdle }) => isIdle) && heard.size >= SESSIONS,
    (isOver) => isOver,
    PATIENCE,
  );
}

/** What the counters and the keys of a server say in the end. */
async function remains(server: RedisServer): Promise<object> {
  const other = new Redis(server.url, { enableAutoPipelining: true });
  try {
    const scene = await openScene(plainStores(() => other)(PREFIX), SETTINGS);
    const { created, active, ended } = await scene.store.stats();
    const outboxes = (await scanKeys(other, `${PREFIX}*`)).filter((key) => key.endsWith(':o'));
    return { created, active, idle: ended.idle, outboxes };
  } finally {
    other.disconnect();
  }
}

const SETTINGS = { limits: { default: { idle: 600_000, absolute: 600_000 } } };

beforeAll(async () => {
  [first, second] = await Promise.all([startRedis(), startRedis()]);
  client = new Redis(first.url, { enableAutoPipelining: true });
  const scene: Scene = await openScene(plainStores(() => client)(PREFIX), SETTINGS);
  const begun = performance.now();
  await fillUp(scene, SESSIONS);
  console.log(`${SESSIONS} sessions made in ${Math.round(performance.now() - begun)} ms`);
  // The other server gets a copy.
  const copy = new Redis(second.url);
  await copy.replicaof(first.host, first.port);
  await until(
    async () => copy.info('replication'),
    (text) => text.includes('master_link_status:up') && text.includes('master_sync_in_progress:0'),
    PATIENCE,
  );
  await copy.replicaof('NO', 'ONE');
  copy.disconnect();
}, 300_000);

afterEach(async () => {
  await Promise.all(instances.map((instance) => instance.stop()));
});

afterAll(async () => {
  client.disconnect();
  await Promise.all([first, second].map((server) => server.stop()));
});

describe(`three instances with ${SESSIONS} expired sessions`, () => {
  it('K-07: count and announce each of them exactly once', async () => {
    const begun = performance.now();
    start(first);
    await untilIdle(instances);
    console.log(`ended in ${Math.round(performance.now() - begun)} ms by three processes`);
    expect(announcements()).toBe(SESSIONS);
    expect(heard.size).toBe(SESSIONS);
    expect(new Set([...heard.values()].flatMap((ids) => [...ids])).size).toBe(SESSIONS);
    expect(instances.filter(({ announced }) => announced === 0)).toEqual([]);
    const nothing = { created: SESSIONS, active: 0, idle: SESSIONS, outboxes: [] };
    expect(await remains(first)).toEqual(nothing);
  }, 240_000);

  it('K-07: lose none of them when one is killed in the middle of a batch', async () => {
    start(second, LEASE);
    const [dying, ...others] = instances as [Instance, Instance, Instance];
    await until(
      async () => dying.announced,
      (count) => count > 5_000,
      PATIENCE,
    );
    await dying.kill();
    await untilIdle(others);
    const repeated = announcements() - SESSIONS;
    console.log(`killed after ${dying.announced} announcements; ${repeated} were announced again`);
    expect(heard.size).toBe(SESSIONS);
    expect([...heard.values()].filter(({ size }) => size !== 1)).toEqual([]);
    expect(await remains(second)).toEqual({
      created: SESSIONS,
      active: 0,
      idle: SESSIONS,
      outboxes: [],
    });
  }, 240_000);
});
