// Finds the hash tags of src/stores/redis/redis.tags.ts: for each of 256 equal ranges of the slots
// of a Redis Cluster the shortest text whose slot is the centre of the range.
//
//   node tools/redis-tags.mjs      prints them; they must never change: keys are found by them
const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const RANGES = 256;
const SLOTS = 16_384;
const size = SLOTS / RANGES;

const found = new Map();
for (const tag of tags()) {
  const slot = crc16(tag) % SLOTS;
  if (slot % size === size / 2 && !found.has(slot)) found.set(slot, tag);
  if (found.size === RANGES) break;
}
const all = [...found].toSorted(([a], [b]) => a - b).map(([, tag]) => tag);
for (let from = 0; from < RANGES; from += 16) console.log(all.slice(from, from + 16).join(' '));

function* tags() {
  for (const first of ALPHABET) yield first;
  for (const first of ALPHABET) for (const second of ALPHABET) yield first + second;
  for (const first of ALPHABET)
    for (const second of ALPHABET) for (const third of ALPHABET) yield first + second + third;
}

/** CRC-16/XMODEM, as the cluster specification has it. */
function crc16(text) {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}
