import { describe, expect, it } from '@jest/globals';
import { DURATION_BOUNDS } from '../../../src/core/store.js';
import { MemoryStatistics } from '../../../src/stores/memory/memory.statistics.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2030, 0, 1);

function ended(createdAt: number, endedAt: number): Parameters<MemoryStatistics['countEnded']>[0] {
  return { id: 'id', userId: 'user', reason: 'idle', createdAt, endedAt };
}

describe('the statistics of the memory store', () => {
  it('sort durations into classes by their upper bound', () => {
    for (const [index, bound] of DURATION_BOUNDS.entries()) {
      const statistics = new MemoryStatistics();
      statistics.countEnded(ended(START, START + bound));
      statistics.countEnded(ended(START, START + bound + 1));
      const { buckets, count, sum } = statistics.read(START).duration;
      expect({ count, sum }).toEqual({ count: 2, sum: 2 * bound + 1 });
      expect([buckets[index], buckets[index + 1]]).toEqual([1, 1]);
      expect(buckets.length).toBe(DURATION_BOUNDS.length + 1);
    }
  });

  it('cover 60 minutes with the running one', () => {
    const statistics = new MemoryStatistics();
    for (let minute = 0; minute < 70; minute++) statistics.countCreated(START + minute * MINUTE);
    const { minutes, created } = statistics.read(START + 69 * MINUTE + 59_999);
    expect(created).toBe(70);
    expect(minutes.length).toBe(60);
    expect(minutes[0]?.at).toBe(START + 10 * MINUTE);
    expect(minutes.map((minute) => minute.created)).toEqual(Array(60).fill(1));
  });

  it('forget the minutes in which nothing happened', () => {
    const statistics = new MemoryStatistics();
    statistics.countCreated(START);
    statistics.countLoginFailure(START + HOUR - 1);
    const before = statistics.read(START + HOUR - 1).minutes;
    expect([before.at(0)?.created, before.at(-1)?.loginFailures]).toEqual([1, 1]);
    const after = statistics.read(START + HOUR).minutes;
    expect(after.reduce((sum, minute) => sum + minute.created, 0)).toBe(0);
    expect(after.at(-2)?.loginFailures).toBe(1);
    const muchLater = statistics.read(START + 100 * HOUR).minutes;
    expect(muchLater.every(({ created, loginFailures }) => created + loginFailures === 0)).toBe(
      true,
    );
  });

  it('count an end for the minute in which it was due', () => {
    const statistics = new MemoryStatistics();
    statistics.countCreated(START + 10 * MINUTE);
    statistics.countEnded(ended(START, START + 3 * MINUTE));
    const { minutes } = statistics.read(START + 10 * MINUTE);
    expect(minutes.find(({ at }) => at === START + 3 * MINUTE)?.ended).toBe(1);
  });

  it('count an end that was due over an hour ago for no minute', () => {
    const statistics = new MemoryStatistics();
    statistics.countCreated(START + 2 * HOUR);
    statistics.countEnded(ended(START, START));
    const { minutes, ended: reasons } = statistics.read(START + 2 * HOUR);
    expect(minutes.reduce((sum, minute) => sum + minute.ended, 0)).toBe(0);
    expect(reasons.idle).toBe(1);
    expect(minutes.at(-1)?.created).toBe(1);
  });

  it('begin at any time', () => {
    for (const start of [0, 59 * MINUTE, START, -HOUR]) {
      const statistics = new MemoryStatistics();
      statistics.countCreated(start);
      const { minutes } = statistics.read(start);
      expect(minutes.map(({ created }) => created)).toEqual([...Array(59).fill(0), 1]);
    }
  });

  it('know how many users have how many sessions, without zeros', () => {
    const statistics = new MemoryStatistics();
    statistics.countUser(0, 1);
    statistics.countUser(0, 1);
    statistics.countUser(1, 2);
    expect([...statistics.read(START).sessionsPerUser]).toEqual([
      [1, 1],
      [2, 1],
    ]);
    statistics.countUser(2, 1);
    statistics.countUser(1, 0);
    expect([...statistics.read(START).sessionsPerUser]).toEqual([[1, 1]]);
  });
});
