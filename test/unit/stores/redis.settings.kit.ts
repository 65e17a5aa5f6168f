import type { StoreSettings } from '../../../src/core/store.js';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** What the options say by default. */
export const DEFAULTS: StoreSettings = {
  limits: {
    default: { idle: 30 * MINUTE, absolute: DAY },
    remembered: { idle: 14 * DAY, absolute: 30 * DAY },
    anonymous: { idle: 30 * MINUTE, absolute: DAY },
  },
  touchInterval: 30_000,
  rotation: { grace: 30_000, maxForks: 3, onReuse: 'revoke' },
  maxSessionBytes: 65_536,
  maxFields: 256,
  maxTombstones: 10,
  buckets: 256,
  deadline: 1_000,
  margin: 10 * MINUTE,
};
