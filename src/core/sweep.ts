/**
 * One cleanup run: batch after batch until nothing is left or the time is up.
 */
import { performance } from 'node:perf_hooks';
import type { SweepReport } from './events.js';
import type { EndedSession, SessionId } from './record.js';
import type { StoreAccess } from './store-access.js';

/** Bounds of one run; `budget` in milliseconds. */
export interface SweepBounds {
  readonly batch: number;
  readonly budget: number;
}

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
  const repairs = { withoutExpiry: 0, danglingEntries: 0 };
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
    repairs.withoutExpiry += reply.repairs.withoutExpiry;
    repairs.danglingEntries += reply.repairs.danglingEntries;
    if (reply.ended.length === 0) {
      return { ended, repairs, took: performance.now() - start, unfinished: reply.more };
    }
    announced = reply.ended.map(({ id }) => id);
  }
}
