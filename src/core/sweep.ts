/**
 * One cleanup run: batch after batch until nothing is left or the time is up.
 */
import { performance } from 'node:perf_hooks';
import type { SweepReport } from './events.js';
import type { EndedSession, SessionId } from './record.js';
import type { SweepRepairs } from './store.js';
import type { StoreAccess } from './store-access.js';

/** Bounds of one run; `budget` in milliseconds. */
export interface SweepBounds {
  readonly batch: number;
  readonly budget: number;
}

/** Names of what was mended that a report has room for. */
const MOST_NAMES = 20;

/**
 * Ends what is past its deadline and announces it. Any number of instances may run it at once:
 * every session is claimed by one of them. A batch counts as announced when the next call says
 * so; what a dying process had claimed is handed out again.
 */
export async function sweep(
  access: StoreAccess,
  bounds: SweepBounds,
  announce: (ended: EndedSession) => void,
): Promise<SweepReport> {
  const start = performance.now();
  let repairs: SweepRepairs = { withoutExpiry: 0, danglingEntries: 0, names: [] };
  let ended = 0;
  let announced: readonly SessionId[] = [];
  for (;;) {
    const timeIsUp = performance.now() - start >= bounds.budget;
    // The call after the last batch takes nothing: it only confirms.
    const request = { limit: timeIsUp ? 0 : bounds.batch, announced };
    const reply = await access.mutate((store, _now, notAfter) =>
      store.sweep({ ...request, notAfter }),
    );
    reply.ended.forEach(announce);
    ended += reply.ended.length;
    repairs = sum(repairs, reply.repairs);
    if (reply.ended.length === 0 && (timeIsUp || !reply.more)) {
      return { ended, repairs, took: performance.now() - start, unfinished: reply.more };
    }
    announced = reply.ended.map(({ id }) => id);
  }
}

function sum(a: SweepRepairs, b: SweepRepairs): SweepRepairs {
  return {
    withoutExpiry: a.withoutExpiry + b.withoutExpiry,
    danglingEntries: a.danglingEntries + b.danglingEntries,
    names: [...a.names, ...b.names].slice(0, MOST_NAMES),
  };
}
