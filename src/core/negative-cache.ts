/**
 * Damps replays of genuine but dead tokens: a client that polls with the cookie of an ended session
 * costs one store call in five seconds instead of one per request (row Q-03).
 *
 * Only what can never be alive again is kept, by the verifier, which is different in every token: a
 * new session is never hit. Nothing positive is kept: a revocation counts at once.
 */
import { performance } from 'node:perf_hooks';
import { BoundedMap } from './bounded-map.js';
import type { SessionVerdict } from './results.js';

/** Milliseconds: what a restored store brings back is believed again after that. */
const LIFETIME = 5_000;
const MAX_ENTRIES = 10_000;

/** A verdict that no request can change. */
export type DeadVerdict = Exclude<SessionVerdict, { readonly status: 'active' }>;

interface Entry {
  readonly verdict: DeadVerdict;
  readonly until: number;
}

export class NegativeCache {
  readonly #entries = new BoundedMap<string, Entry>(MAX_ENTRIES);
  readonly #now: () => number;

  /** `now`: milliseconds of a clock that nobody sets. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(verifier: string): DeadVerdict | undefined {
    if (this.#entries.size === 0) return undefined;
    const entry = this.#entries.get(verifier);
    if (entry === undefined) return undefined;
    if (this.#now() < entry.until) return entry.verdict;
    this.#entries.delete(verifier);
    return undefined;
  }

  /** All entries last equally long, so the one that makes room is the next to expire anyway. */
  add(verifier: string, verdict: DeadVerdict): DeadVerdict {
    this.#entries.set(verifier, { verdict, until: this.#now() + LIFETIME });
    return verdict;
  }
}
