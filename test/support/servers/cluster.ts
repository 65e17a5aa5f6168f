// A Redis Cluster of real nodes on the loopback interface, and what tests do to one.
import { until } from '../until.js';
import { ask } from './ask.js';
import { type ClusterNode, type ClusterOptions, join, startNodes } from './cluster-form.js';
import { type NodeView, viewFrom, waitForAgreement } from './cluster-view.js';
import { isMaster, living, waitForReplica } from './replication.js';
import { type MovingSlot, beginMove } from './slots.js';

export interface RedisCluster {
  /** As started: the masters in the order of their slots, then the replicas. */
  readonly nodes: readonly ClusterNode[];
  readonly urls: readonly string[];
  slotOf(key: string): Promise<number>;
  /** The node that serves the slot of a key now. */
  ownerOf(key: string): Promise<ClusterNode>;
  /** Moves slots with their keys. */
  migrateSlots(from: ClusterNode, to: ClusterNode, slots: readonly number[]): Promise<void>;
  /** Begins to move a slot; the keys move when told to. */
  beginMove(from: ClusterNode, to: ClusterNode, slot: number): Promise<MovingSlot>;
  /** Has a replica take over from its master without loss; returns it once all nodes know. */
  failover(master: ClusterNode): Promise<ClusterNode>;
  /** Kills a master; returns the replica that took over once all living nodes know. */
  crash(master: ClusterNode): Promise<ClusterNode>;
  /** Waits until each node is back, and known to all, and each replica has its master's data. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster. New masters refuse writes for two seconds, so it takes a little longer. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = masters === 1 ? 0 : 1, ...rest } = options;
  const followers = typeof replicas === 'number' ? Array<number>(masters).fill(replicas) : replicas;
  const nodes = await startNodes(
    followers.reduce((sum, each) => sum + 1 + each, 0),
    rest,
  );
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    await join(nodes, followers);
  } catch (error) {
    await stop();
    throw error;
  }

  const view = async () => {
    const views = await Promise.all(nodes.map(viewFrom));
    return views.find(({ length }) => length > 0) ?? [];
  };
  const nodeOf = (id: string | undefined) => {
    const node = nodes.find((candidate) => candidate.id === id);
    if (!node) throw new Error('no node of the cluster is the one asked for');
    return node;
  };
  const slotOf = async (key: string) => {
    const [node = nodeOf(undefined)] = await living(nodes);
    return Number(await ask(node, 'CLUSTER', 'KEYSLOT', key));
  };
  const replicasOf = async (master: ClusterNode) =>
    (await view()).filter((seen) => seen.master === master.id).map(({ id }) => id);
  /** Waits until all living nodes agree that one of the heirs is a master. */
  const waitForHeir = async (
    heirs: string[],
    isExpected = (seen: NodeView[]) => seen.length > 0,
  ) => {
    let heir: string | undefined;
    await waitForAgreement(await living(nodes), (seen) => {
      heir = seen.find(({ id, ranges }) => heirs.includes(id) && ranges.length > 0)?.id;
      return heir !== undefined && isExpected(seen);
    });
    return nodeOf(heir);
  };

  return {
    nodes,
    urls: nodes.map(({ url }) => url),
    slotOf,
    async ownerOf(key) {
      const slot = await slotOf(key);
      const serves = ([from, to]: readonly [number, number]) => from <= slot && slot <= to;
      return nodeOf((await view()).find(({ ranges }) => ranges.some(serves))?.id);
    },
    async migrateSlots(from, to, slots) {
      for (const slot of slots) await (await beginMove(nodes, from, to, slot)).finish();
    },
    beginMove: (from, to, slot) => beginMove(nodes, from, to, slot),
    async failover(master) {
      const [replica] = await replicasOf(master);
      const heir = nodeOf(replica);
      await promote(heir);
      await waitForHeir([heir.id], (seen) =>
        seen.some(({ id, master: followed }) => id === master.id && followed === heir.id),
      );
      await waitForReplica(master);
      return heir;
    },
    async crash(master) {
      const heirs = await replicasOf(master);
      await master.kill();
      return waitForHeir(heirs);
    },
    async whole() {
      const isWhole = ({ flags, ranges, master }: NodeView) =>
        !flags.some((flag) => flag.startsWith('fail')) && ranges.length > 0 !== Boolean(master);
      await waitForAgreement(nodes, (seen) => seen.length === nodes.length && seen.every(isWhole));
      const isServing = await Promise.all(nodes.map(isMaster));
      await Promise.all(nodes.filter((_, i) => !isServing[i]).map(waitForReplica));
    },
    stop,
  };
}

/** A replica gives up after five seconds if the masters do not vote for it, as after a recent vote. */
async function promote(replica: ClusterNode): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await ask(replica, 'CLUSTER', 'FAILOVER');
    try {
      await until(() => isMaster(replica), Boolean, 5500);
      return;
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}
