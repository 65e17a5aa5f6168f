/** A clock that only moves when told to. @public */
export interface ManualClock {
  /** Milliseconds since 1970. Needs no `this`: pass it as `clock`. */
  readonly now: () => number;
  /** Moves the clock forward. */
  readonly advance: (ms: number) => void;
}

/**
 * A clock for tests of timeouts: `memoryStore({ clock: clock.now })`, then `clock.advance(1_800_000)`.
 *
 * @param start - milliseconds since 1970
 *
 * @public
 */
export function manualClock(start = Date.UTC(2030, 0, 1)): ManualClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      if (!Number.isSafeInteger(ms) || ms < 0) {
        throw new RangeError(`a clock is advanced by whole milliseconds (got ${ms})`);
      }
      now += ms;
    },
  };
}
