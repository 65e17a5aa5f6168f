// Moves slots of a cluster, also step by step, so that a test can look at a half moved one.
import { ask } from './ask.js';
import type { ClusterNode } from './cluster-form.js';

/** A slot on its way: the old node answers ASK for keys that left, the new one serves them. */
export interface MovingSlot {
  /** Moves keys, all unless told how many. */
  moveKeys(count?: number): Promise<void>;
  /** Moves the remaining keys and gives the slot to the new node. */
  finish(): Promise<void>;
}

export async function beginMove(
  nodes: readonly ClusterNode[],
  from: ClusterNode,
  to: ClusterNode,
  slot: number,
): Promise<MovingSlot> {
  await ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);

  const moveKeys = async (count = Number.POSITIVE_INFINITY) => {
    for (let left = count; left > 0;) {
      const batch = Math.min(left, 100);
      const keys = (await ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, batch)) as string[];
      if (keys.length === 0) return;
      await ask(from, 'MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...keys);
      left -= keys.length;
    }
  };
  const finish = async () => {
    await moveKeys();
    // The new owner first: if the old one knew earlier, both would refuse the slot for a moment.
    const others = nodes.filter((node) => node !== from && node !== to);
    for (const node of [to, from, ...others]) {
      // Replicas learn it from their masters and refuse to be told.
      const told = ask(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
      await (node === to || node === from ? told : told.catch(() => {}));
    }
  };
  return { moveKeys, finish };
}
