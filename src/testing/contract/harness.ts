import type { SessionStore, StoreSettings } from '../../core/store.js';

/** The matchers that the suite uses; those of Jest and Vitest fit. @public */
export interface ContractMatchers {
  toBe(expected: unknown): unknown;
  toEqual(expected: unknown): unknown;
  toMatchObject(expected: object): unknown;
  toBeLessThanOrEqual(expected: number): unknown;
  toBeGreaterThanOrEqual(expected: number): unknown;
}

/** Defines a test; `skip` shows one that cannot run. @public */
export interface ContractTest {
  (name: string, run: () => Promise<void>, timeout?: number): unknown;
  skip?(name: string, run: () => Promise<void>): unknown;
}

/**
 * The functions of the test runner, handed in so that any runner will do:
 * `import { describe, expect, it } from '@jest/globals'`.
 *
 * @public
 */
export interface ContractRunner {
  describe(name: string, define: () => void): unknown;
  readonly it: ContractTest;
  expect(actual: unknown): ContractMatchers;
}

/** `true`, or why not: a test that cannot run says so in its name. @public */
export type Capability = true | { readonly missing: string };

/** What a store can be tested for beyond the contract itself. @public */
export interface StoreCapabilities {
  /** `advance` moves the store's clock. Without it the tests wait, with short timeouts. */
  readonly movableClock: Capability;
  /** `connect` gives a second instance on the same data. */
  readonly severalInstances: Capability;
  /** `inspect` counts what is really kept. */
  readonly inspection: Capability;
}

/** What a store really holds, found by looking and not by asking its counters. @public */
export interface StoreContents {
  readonly sessions: number;
  readonly tombstones: number;
  /** Entries of all indexes that name a session. */
  readonly indexEntries: number;
}

/** One fresh, empty store. @public */
export interface StoreUnderTest {
  /** The suite opens it. */
  readonly store: SessionStore;
  /** The settings to open it with: those that were asked for, adapted if the store needs it. */
  readonly settings: StoreSettings;
  /** Moves the store's clock by so many milliseconds. */
  advance?(ms: number): Promise<void>;
  /** A second instance on the same data, not opened yet; the suite closes it. */
  connect?(): Promise<SessionStore>;
  inspect?(): Promise<StoreContents>;
  /** Takes the store away with all it holds, after the suite has closed it. */
  close(): Promise<void>;
}

/** Gives the suite the stores it tests. @public */
export interface StoreHarness {
  create(settings: StoreSettings): Promise<StoreUnderTest>;
  readonly capabilities: StoreCapabilities;
  /**
   * How many of the repetitions of the long tests are run: a tenth is 0.1.
   *
   * @defaultValue 1
   */
  readonly effort?: number;
  /** Repeats the random choices of another run. @defaultValue a random one, printed on failure */
  readonly seed?: number;
  /** Timeout of one test in milliseconds. @defaultValue 60,000 */
  readonly timeout?: number;
}
