// Starts a master with replicas and Sentinels that know each other.
import { until } from '../until.js';
import { ask } from './ask.js';
import { type RedisOptions, type RedisServer, startRedis } from './redis.js';
import { waitForReplica } from './replication.js';

export interface SentinelOptions extends Pick<RedisOptions, 'version' | 'args'> {
  /** 3 unless said otherwise; more than half of them have to agree. */
  sentinels?: number;
  /** 2 unless said otherwise. */
  replicas?: number;
  /** After this many milliseconds of silence a server is taken for dead. */
  downAfter?: number;
}

export interface SentinelGroup {
  /** The first is the master. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  stop(): Promise<void>;
}

/** The name of the group, which clients ask the Sentinels for. */
export const NAME = 'sessions';

/** Starts them all, or none. */
export async function startGroup(options: SentinelOptions): Promise<SentinelGroup> {
  const { sentinels: count = 3, replicas = 2, downAfter = 500, args = [], ...rest } = options;
  const started: RedisServer[] = [];
  const start = async (extra: RedisOptions) => {
    const server = await startRedis({ ...rest, ...extra });
    started.push(server);
    return server;
  };
  const stop = async () => void (await Promise.all(started.map((server) => server.stop())));
  try {
    const shared = ['--repl-diskless-sync-delay', '0', ...args];
    const master = await start({ args: shared });
    const follow = ['--replicaof', `${master.host} ${master.port}`, ...shared];
    const followers = await startAll(replicas, () => start({ args: follow }));
    const sentinels = await startAll(count, () => start({ sentinel: true }));
    await Promise.all(followers.map(waitForReplica));
    await Promise.all(sentinels.map((sentinel) => monitor(sentinel, master, count, downAfter)));
    await Promise.all(sentinels.map((sentinel) => waitForOthers(sentinel, count, replicas)));
    return { servers: [master, ...followers], sentinels, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for all even if one fails, so that the caller knows of each server that has started. */
async function startAll<Server>(count: number, start: () => Promise<Server>): Promise<Server[]> {
  const starts = Array.from({ length: count }, start);
  await Promise.allSettled(starts);
  return Promise.all(starts);
}

async function monitor(
  sentinel: RedisServer,
  master: RedisServer,
  count: number,
  downAfter: number,
): Promise<void> {
  // The periods are made for networks. A long tilt, the pause after the machine stood still, would
  // outlast the test.
  const periods = { 'info-period': 200, 'publish-period': 200, 'tilt-period': 1000 };
  await ask(sentinel, 'SENTINEL', 'DEBUG', ...Object.entries(periods).flat());
  const quorum = Math.floor(count / 2) + 1;
  await ask(sentinel, 'SENTINEL', 'MONITOR', NAME, master.host, master.port, quorum);
  const settings = { 'down-after-milliseconds': downAfter, 'failover-timeout': 5000 };
  await ask(sentinel, 'SENTINEL', 'SET', NAME, ...Object.entries(settings).flat());
}

async function waitForOthers(sentinel: RedisServer, count: number, replicas: number) {
  await until(
    async () => {
      const facts = (await ask(sentinel, 'SENTINEL', 'MASTER', NAME)) as string[];
      const read = (name: string) => Number(facts[facts.indexOf(name) + 1]);
      const quorum = await ask(sentinel, 'SENTINEL', 'CKQUORUM', NAME).catch(() => '');
      return (
        read('num-other-sentinels') === count - 1 &&
        read('num-slaves') === replicas &&
        String(quorum).startsWith('OK')
      );
    },
    Boolean,
    20_000,
  );
}
