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
/** Milliseconds that a store is given to confirm what was known. */
const REASKING = 1_000;

/** A verdict that no request can change. */
export type DeadVerdict = Exclude<SessionVerdict, { readonly status: 'active' }>;

interface Entry {
  readonly verdict: DeadVerdict;
  readonly until: number;
  /** Somebody asks the store again: only those beside it are still answered from here. */
  readonly isAsked?: true;
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
    const now = this.#now();
    if (now < entry.until) return entry.verdict;
    // A burst is not sent to the store as one: the first asks, the others wait for nothing.
    if (entry.isAsked) this.#entries.delete(verifier);
    else {
      const { verdict } = entry;
      this.#entries.set(verifier, { verdict, until: now + REASKING, isAsked: true });
    }
    return undefined;
  }

  /** All entries last equally long, so the one that makes room is the next to expire anyway. */
  add(verifier: string, verdict: DeadVerdict): DeadVerdict {
    this.#entries.set(verifier, { verdict, until: this.#now() + LIFETIME });
    return verdict;
  }
}
