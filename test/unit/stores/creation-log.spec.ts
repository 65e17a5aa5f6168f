import { describe, expect, it } from '@jest/globals';
import { CreationLog } from '../../../src/stores/memory/creation-log.js';
import { Random } from '../../../src/testing/random.js';

const random = new Random(Number(process.env['TEST_SEED'] ?? 1));

describe('the creation log', () => {
  it('pages in the order of creation', () => {
    const log = new CreationLog<{ serial: number }>();
    const items = Array.from({ length: 5 }, () => ({ serial: log.nextSerial() }));
    for (const item of items) log.add(item);
    expect(log.page(0, 2)).toEqual({ items: items.slice(0, 2), more: true });
    expect(log.page(2, 2)).toEqual({ items: items.slice(2, 4), more: true });
    expect(log.page(4, 2)).toEqual({ items: items.slice(4), more: false });
    expect(log.page(3, 2)).toEqual({ items: items.slice(3), more: false });
    expect(log.page(Infinity, 2)).toEqual({ items: [], more: false });
  });

  it('goes on behind what was removed, and closes the holes', () => {
    const log = new CreationLog<{ serial: number }>();
    let kept: { serial: number }[] = [];
    for (let step = 0; step < 5_000; step++) {
      const item = { serial: log.nextSerial() };
      log.add(item);
      kept.push(item);
      while (random.below(100) < 48 && kept.length > 0) {
        const gone = random.pick(kept);
        if (gone !== undefined) log.remove(gone);
        kept = kept.filter((other) => other !== gone);
      }
    }
    expect(log.size).toBe(kept.length);
    const seen: { serial: number }[] = [];
    for (let after = 0, more = true; more; after = seen.at(-1)?.serial ?? 0) {
      const page = log.page(after, 7);
      seen.push(...page.items);
      ({ more } = page);
    }
    expect(seen).toEqual(kept);
  });

  it('keeps nothing of what is gone', () => {
    const log = new CreationLog<{ serial: number }>();
    for (let count = 0; count < 100_000; count++) {
      const item = { serial: log.nextSerial() };
      log.add(item);
      log.remove(item);
      log.remove(item);
    }
    expect(log.size).toBe(0);
    expect(JSON.stringify(log.page(0, 100))).toBe('{"items":[],"more":false}');
  });
});
