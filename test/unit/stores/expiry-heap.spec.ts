import { describe, expect, it } from '@jest/globals';
import { type Due, ExpiryHeap } from '../../../src/stores/memory/expiry-heap.js';
import { Random } from '../../../src/testing/random.js';

const random = new Random(Number(process.env['TEST_SEED'] ?? 1));

function item(id: number, dueAt: number): Due {
  return { id: String(id).padStart(8, '0'), dueAt, slot: -1 };
}

function drain(heap: ExpiryHeap<Due>): Due[] {
  const drained: Due[] = [];
  for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
    heap.remove(first);
    drained.push(first);
  }
  return drained;
}

function inOrder(items: readonly Due[]): readonly Due[] {
  return items.toSorted((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
}

describe('the expiry heap', () => {
  it('is empty at first', () => {
    const heap = new ExpiryHeap<Due>();
    expect(heap.peek()).toBeUndefined();
    expect(heap.size).toBe(0);
  });

  it('gives what is due first, and of ties the smaller id', () => {
    for (let run = 0; run < 50; run++) {
      const heap = new ExpiryHeap<Due>();
      const items = Array.from({ length: run }, (_, id) => item(id, random.below(20)));
      for (const each of items) heap.add(each);
      expect(heap.size).toBe(run);
      expect(drain(heap)).toEqual(inOrder(items));
    }
  });

  it('stays in order whatever is added, removed and rescheduled', () => {
    const heap = new ExpiryHeap<Due>();
    const seen: unknown[][] = [];
    let kept: Due[] = [];
    for (let step = 0; step < 5_000; step++) {
      const dice = random.below(10);
      const some = random.pick(kept);
      if (dice < 4 || some === undefined) {
        const added = item(step, random.below(1_000));
        kept.push(added);
        heap.add(added);
      } else if (dice < 7) {
        heap.reschedule(some, random.below(1_000));
      } else if (dice < 9) {
        heap.remove(some);
        kept = kept.filter((other) => other !== some);
      } else {
        const offset = random.below(50);
        heap.rescheduleAll(({ dueAt, id }) => dueAt + ((Number(id) * 7 + offset) % 100));
      }
      if (step % 100 === 0) seen.push([heap.peek(), inOrder(kept)[0]]);
    }
    expect(seen.filter(([actual, expected]) => actual !== expected)).toEqual([]);
    expect(drain(heap)).toEqual(inOrder(kept));
  });

  it('marks what was removed, and removes it once', () => {
    const heap = new ExpiryHeap<Due>();
    const [first, second] = [item(1, 1), item(2, 2)];
    heap.add(first);
    heap.add(second);
    heap.remove(first);
    heap.remove(first);
    expect(first.slot).toBe(-1);
    expect([heap.size, heap.peek()]).toEqual([1, second]);
  });

  it('does not take in what it is only told to reschedule', () => {
    const heap = new ExpiryHeap<Due>();
    const stranger = item(1, 1);
    heap.reschedule(stranger, 5);
    expect([heap.size, stranger.dueAt]).toEqual([0, 5]);
  });

  it('moves at most two dozen items per operation among a million', () => {
    const heap = new ExpiryHeap<Due>();
    const items = Array.from({ length: 1_000_000 }, (_, id) => item(id, random.below(1e9)));
    for (const each of items) heap.add(each);
    const steps = (operation: () => void): number => {
      const before = heap.steps;
      operation();
      return heap.steps - before;
    };
    for (const each of items.slice(0, 1_000)) {
      expect(steps(() => heap.reschedule(each, random.below(1e9)))).toBeLessThanOrEqual(22);
      expect(steps(() => heap.remove(each))).toBeLessThanOrEqual(22);
      expect(steps(() => heap.add(each))).toBeLessThanOrEqual(22);
    }
    // Not n log n.
    expect(steps(() => heap.rescheduleAll(({ dueAt }) => 1e9 - dueAt))).toBeLessThan(2_000_000);
  });
});
