/**
 * `rotation`: whether and when the token of a session changes by itself.
 */
import type { OPTION_KEYS } from './config-keys.js';
import type { OptionGroup } from './config-reader.js';
import { human } from './config-text.js';
import type { RotationRules } from './rotation.js';

const INTERVAL = { min: 4_000, hintBelow: 4_000 };
const GRACE = { min: 1_000, max: 120_000, hintBelow: 1_000 };
const DEFAULT_GRACE = 30_000;
const MAX_FORKS = 3;
const ON_REUSE = ['revoke', 'reject', 'insecure-report'] as const;

/** Two rotations within one response time must be impossible (security edge case 2). */
const GRACES_PER_INTERVAL = 4;

/** When tokens change, and what is done about old ones. */
export interface ResolvedRotation {
  /** Milliseconds; `undefined`: never by itself. */
  readonly interval: number | undefined;
  readonly rules: RotationRules;
}

/** Reads the group `rotation`; `usual` is the interval where none is given, in milliseconds. */
export function readRotation(
  group: OptionGroup<(typeof OPTION_KEYS.rotation)[number]>,
  usual?: number,
): ResolvedRotation {
  const interval = group.duration('interval', INTERVAL) ?? usual;
  const grace = group.duration('grace', GRACE) ?? DEFAULT_GRACE;
  const shortest = GRACES_PER_INTERVAL * grace;
  if (interval !== undefined && interval < shortest) {
    const got = `(got ${human(interval)} and ${human(grace)})`;
    group.problem('interval', `must be at least four times rotation.grace ${got}`);
  }
  const onReuse = group.choice('onReuse', ON_REUSE) ?? 'revoke';
  return Object.freeze({
    interval,
    rules: Object.freeze({
      grace,
      maxForks: MAX_FORKS,
      onReuse: onReuse === 'insecure-report' ? 'report' : onReuse,
    }),
  });
}
