/**
 * A cleanup run over a store that answers as it is told.
 */
import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/core/config.js';
import type { EndedSession } from '../../../src/core/record.js';
import type { SweepReply, SweepRequest } from '../../../src/core/store.js';
import { StoreAccess } from '../../../src/core/store-access.js';
import { sweep } from '../../../src/core/sweep.js';
import { memoryStore } from '../../../src/index.js';

const BOUNDS = { batch: 2, budget: 60_000 };

type Swept = Extract<SweepReply, { status: 'swept' }>;

function swept(reply: Partial<Swept> = {}): Swept {
  const repairs = { withoutExpiry: 0, danglingEntries: 0, names: [] };
  return { status: 'swept', now: 1, ended: [], repairs, more: false, ...reply };
}

function ended(...ids: readonly string[]): EndedSession[] {
  return ids.map((id) => ({ id, reason: 'idle', createdAt: 0, endedAt: 1 }));
}

/** A run over these replies, the last of which stands for all that follow. */
async function run(replies: readonly Swept[], bounds = BOUNDS) {
  const requests: SweepRequest[] = [];
  const store = memoryStore();
  store.sweep = async (request) => {
    requests.push(request);
    return replies[requests.length - 1] ?? replies.at(-1) ?? swept();
  };
  const access = new StoreAccess(store, resolveOptions({}).settings);
  const announced: string[] = [];
  const report = await sweep(access, bounds, ({ id }) => void announced.push(id));
  return { report, requests, announced };
}

describe('a cleanup run', () => {
  it('confirms with each call what it announced after the one before', async () => {
    const { report, requests, announced } = await run([
      swept({ ended: ended('a', 'b'), more: true }),
      swept({ ended: ended('c') }),
      swept(),
    ]);
    expect(report).toMatchObject({ ended: 3, unfinished: false });
    expect(announced).toEqual(['a', 'b', 'c']);
    expect(requests.map((request) => request.announced)).toEqual([[], ['a', 'b'], ['c']]);
    expect(requests.map(({ limit }) => limit)).toEqual([2, 2, 2]);
  });

  it('goes on after a call that ended nothing but says that there is more', async () => {
    const { report, requests } = await run([
      swept({ more: true }),
      swept({ more: true }),
      swept({ ended: ended('a'), more: true }),
      swept(),
    ]);
    expect(report).toMatchObject({ ended: 1, unfinished: false });
    expect(requests.length).toBe(4);
  });

  it('stops when its time is up, with a call that takes nothing more', async () => {
    const { report, requests } = await run([swept({ more: true })], { batch: 2, budget: 20 });
    expect(report).toMatchObject({ ended: 0, unfinished: true });
    expect(requests.at(-1)).toMatchObject({ limit: 0 });
    expect(requests.filter(({ limit }) => limit === 0).length).toBe(1);
  });

  it('counts all repairs and names the first 20', async () => {
    const names = (from: number, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `key ${from + index}`);
    const repairs = (from: number, withoutExpiry: number, danglingEntries: number) => ({
      withoutExpiry,
      danglingEntries,
      names: names(from, withoutExpiry + danglingEntries),
    });
    const { report } = await run([
      swept({ more: true, repairs: repairs(0, 3, 1) }),
      swept({ more: true, repairs: repairs(4, 10, 20) }),
      swept({ repairs: repairs(34, 1, 0) }),
    ]);
    expect(report.repairs).toEqual({
      withoutExpiry: 14,
      danglingEntries: 21,
      names: names(0, 20),
    });
  });
});
