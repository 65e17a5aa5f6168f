import { describe, expect, it } from '@jest/globals';
import { tagOf } from '../../../src/stores/redis/redis.tags.js';

const SLOTS = 16_384;

/** CRC-16/XMODEM of the text, as the specification of the cluster has it. */
function slotOf(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}

function tagsOf(buckets: number): readonly string[] {
  return Array.from({ length: buckets }, (_, bucket) => tagOf(bucket, buckets));
}

describe('hash tags', () => {
  it('are computed as Redis computes them', () => {
    // The example of the specification: CLUSTER KEYSLOT somekey is 11058.
    expect([slotOf('123456789'), slotOf('somekey')]).toEqual([0x31c3, 11_058]);
  });

  it('of 256 buckets lie in the centre of 256 equal ranges of slots', () => {
    const tags = tagsOf(256);
    expect(tags.map(slotOf)).toEqual(tags.map((_, index) => index * 64 + 32));
    expect(tags.filter((tag) => !/^[A-Za-z0-9]{1,3}$/.test(tag))).toEqual([]);
    expect(new Set(tags).size).toBe(256);
  });

  it('never change: keys are found by them', () => {
    expect(tagsOf(256).slice(0, 5)).toEqual(['dlH', 'cPb', 'aio', 'fUE', 'lFD']);
    expect(tagsOf(256).slice(-2)).toEqual(['dc1', 'ivA']);
  });

  it.each([3, 7, 64])('give each of %d masters its share of the buckets', (masters) => {
    for (const buckets of [64, 100, 256]) {
      const shares = Array.from({ length: masters }, () => 0);
      for (const slot of tagsOf(buckets).map(slotOf)) {
        // As redis-cli and the operators split them: contiguous, as equal as they can be.
        const master = Math.min(Math.floor((slot * masters) / SLOTS), masters - 1);
        shares[master] = (shares[master] ?? 0) + 1;
      }
      const fair = buckets / masters;
      expect(shares.filter((share) => Math.abs(share - fair) > 1)).toEqual([]);
    }
  });

  it.each([1, 2, 16, 100])('of %d buckets are all different', (buckets) => {
    expect(new Set(tagsOf(buckets)).size).toBe(buckets);
  });

  it('are shared by neighbours if there are more buckets than tags', () => {
    const tags = tagsOf(1_024);
    expect(new Set(tags).size).toBe(256);
    expect(tags.map(slotOf)).toEqual(tags.map((_, index) => Math.floor(index / 4) * 64 + 32));
  });
});
