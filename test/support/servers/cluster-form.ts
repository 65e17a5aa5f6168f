// Makes a cluster of separate servers.
import { until } from '../until.js';
import { ask } from './ask.js';
import { countSlots, waitForAgreement } from './cluster-view.js';
import { type RedisOptions, type RedisServer, startRedis } from './redis.js';
import { waitForReplica } from './replication.js';

export interface ClusterOptions extends Pick<RedisOptions, 'version' | 'args'> {
  /** 3 unless said otherwise; 1 is enough to show that no command crosses slots. */
  masters?: number;
  /** For each master, or a number of its own for each; 1 unless said otherwise, 0 with a single master. */
  replicas?: number | readonly number[];
  /**
   * After this many milliseconds of silence a node is taken for dead: 5,000 unless said otherwise,
   * since on a busy machine a node may not get to run for a second.
   */
  nodeTimeout?: number;
}

export interface ClusterNode extends RedisServer {
  readonly id: string;
}

const SLOTS = 16_384;

/** Starts the nodes, each still alone, or none of them. */
export async function startNodes(count: number, options: ClusterOptions): Promise<ClusterNode[]> {
  const { args = [], nodeTimeout = 5000, ...rest } = options;
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': `${nodeTimeout}`,
    'cluster-announce-ip': '127.0.0.1',
    // Who follows whom is for the test to say.
    'cluster-allow-replica-migration': 'no',
    'cluster-replica-validity-factor': '0',
    'repl-diskless-sync-delay': '0',
    // Clients are told of a replica once it has received something, if only a ping.
    'repl-ping-replica-period': '1',
  };
  const cluster = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const start = async () => {
    const server = await startRedis({ ...rest, args: [...cluster, ...args] });
    return Object.assign(server, { id: String(await ask(server, 'CLUSTER', 'MYID')) });
  };
  const results = await Promise.allSettled(Array.from({ length: count }, start));
  const nodes = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return nodes;
  await Promise.all(nodes.map((node) => node.stop()));
  throw failed.reason;
}

/** Joins the nodes: the first become masters, one for each number; so many others follow each. */
export async function join(
  nodes: readonly ClusterNode[],
  replicas: readonly number[],
): Promise<void> {
  const count = replicas.length;
  const masters = nodes.slice(0, count);
  const followed = replicas.flatMap((number, i) => Array<number>(number).fill(i));
  const pairs = nodes
    .slice(count)
    .map((node, i) => [node, masters[followed[i] ?? 0]?.id ?? ''] as const);
  const borders = Array.from({ length: count + 1 }, (_, i) => Math.floor((i * SLOTS) / count));
  await Promise.all(
    masters.map(async (node, i) => {
      const [from = 0, to = SLOTS] = borders.slice(i);
      await ask(node, 'CLUSTER', 'ADDSLOTSRANGE', from, to - 1);
      await ask(node, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    }),
  );
  // Each with each: hearsay would take seconds.
  const meetings = nodes.flatMap((a, i) => nodes.slice(0, i).map((b) => [a, b] as const));
  await Promise.all(meetings.map(([a, b]) => ask(a, 'CLUSTER', 'MEET', b.host, b.port)));
  await Promise.all(
    pairs.map(([node, master]) =>
      until(
        () => ask(node, 'CLUSTER', 'REPLICATE', master).catch(() => 'master still unknown'),
        (answer) => answer === 'OK',
      ),
    ),
  );
  await waitForAgreement(
    nodes,
    (view) =>
      view.length === nodes.length &&
      view.every(({ flags }) => !flags.includes('handshake')) &&
      countSlots(view) === SLOTS &&
      pairs.every(([node, master]) =>
        view.some((seen) => seen.id === node.id && seen.master === master),
      ),
  );
  await Promise.all(pairs.map(([node]) => waitForReplica(node)));
  for (const node of nodes) {
    await until(
      () => ask(node, 'CLUSTER', 'SLOTS') as Promise<unknown[][]>,
      (slots) => slots.reduce((sum, [, , ...servers]) => sum + servers.length, 0) === nodes.length,
    );
  }
}
