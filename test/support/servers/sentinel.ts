// A master with replicas and the Sentinels that watch them.
import { until } from '../until.js';
import { ask } from './ask.js';
import { living, waitForReplica } from './replication.js';
import { type RedisOptions, type RedisServer, startRedis } from './redis.js';

export interface SentinelOptions extends Pick<RedisOptions, 'version' | 'args'> {
  /** 3 unless said otherwise; more than half of them have to agree. */
  sentinels?: number;
  /** 2 unless said otherwise. */
  replicas?: number;
  /** After this many milliseconds of silence a server is taken for dead. */
  downAfter?: number;
}

export interface RedisSentinel {
  /** The name of the group, which clients ask the Sentinels for. */
  readonly name: string;
  readonly sentinels: readonly RedisServer[];
  /** The first is the master at the start. */
  readonly servers: readonly RedisServer[];
  /** The master in the eyes of the Sentinels. */
  master(): Promise<RedisServer>;
  /** Kills the master; returns the server that took over once all Sentinels say so. */
  killMaster(): Promise<RedisServer>;
  /** Has the Sentinels replace a healthy master; returns the new one. */
  failover(): Promise<RedisServer>;
  stop(): Promise<void>;
}

const NAME = 'sessions';

/** Starts the servers and has the Sentinels find each other. */
export async function startSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
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
    return control([master, ...followers], sentinels, stop);
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

function control(
  servers: readonly RedisServer[],
  sentinels: readonly RedisServer[],
  stop: () => Promise<void>,
): RedisSentinel {
  const masterFor = async (sentinel: RedisServer) => {
    const answer = await ask(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
    const [, port] = answer as string[];
    return servers.find((server) => server.port === Number(port));
  };
  const master = async () => {
    const [sentinel] = await living(sentinels);
    const found = sentinel && (await masterFor(sentinel));
    if (!found) throw new Error('no Sentinel knows the master');
    return found;
  };
  const waitForHeir = async (old: RedisServer) => {
    for (const sentinel of await living(sentinels)) {
      await until(
        () => masterFor(sentinel),
        (found) => found !== undefined && found !== old,
        20_000,
      );
    }
    return master();
  };
  return {
    name: NAME,
    sentinels,
    servers,
    master,
    async killMaster() {
      const old = await master();
      await old.kill();
      return waitForHeir(old);
    },
    async failover() {
      const old = await master();
      const [sentinel = old] = await living(sentinels);
      await ask(sentinel, 'SENTINEL', 'FAILOVER', NAME);
      return waitForHeir(old);
    },
    stop,
  };
}
