// What the nodes of a cluster believe about it.
import { until } from '../until.js';
import { type Address, ask } from './ask.js';

export interface NodeView {
  readonly id: string;
  readonly flags: readonly string[];
  /** The id of its master, if it is a replica. */
  readonly master?: string;
  /** The slots that it serves: pairs of first and last. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** What one node believes, or nothing if it does not answer. */
export async function viewFrom(node: Address): Promise<NodeView[]> {
  const text = await ask(node, 'CLUSTER', 'NODES').catch(() => '');
  return String(text).split('\n').filter(Boolean).map(parse);
}

/** `id address flags master ping pong epoch link slot… [slot->-id]…` */
function parse(line: string): NodeView {
  const [id = '', , flags = '', master = '-', , , , , ...words] = line.split(' ');
  const ranges = words
    .filter((word) => !word.startsWith('['))
    .map((word) => word.split('-').map(Number))
    .map(([from = 0, to = from]) => [from, to] as const);
  return { id, flags: flags.split(','), ranges, ...(master === '-' ? {} : { master }) };
}

export function countSlots(view: readonly NodeView[]): number {
  return view.flatMap(({ ranges }) => ranges).reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** Waits until each of the nodes answers, takes the cluster for whole and believes the expected. */
export async function waitForAgreement(
  nodes: readonly Address[],
  isExpected: (view: NodeView[]) => boolean,
): Promise<void> {
  for (const node of nodes) {
    const agrees = async () => isExpected(await viewFrom(node)) && (await isWhole(node));
    await until(agrees, Boolean, 20_000);
  }
}

async function isWhole(node: Address): Promise<boolean> {
  const info = await ask(node, 'CLUSTER', 'INFO').catch(() => '');
  return String(info).includes('cluster_state:ok');
}
