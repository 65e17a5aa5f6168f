// A master with replicas, the Sentinels that watch them, and what tests do to them.
import { until } from '../until.js';
import { ask } from './ask.js';
import type { RedisServer } from './redis.js';
import { living } from './replication.js';
import { NAME, type SentinelOptions, startGroup } from './sentinel-form.js';

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

/** Starts the servers and has the Sentinels find each other. */
export async function startSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const { servers, sentinels, stop } = await startGroup(options);
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
