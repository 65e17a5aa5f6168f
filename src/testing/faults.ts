import { setTimeout as sleep } from 'node:timers/promises';
import { SessionStoreError } from '../core/errors.js';
import type { SessionStore } from '../core/store.js';
import { Random } from './random.js';

const OPERATIONS = [
  'open',
  'create',
  'resolve',
  'read',
  'write',
  'rotate',
  'revoke',
  'revokeUser',
  'revokeEveryone',
  'eraseUser',
  'peek',
  'list',
  'page',
  'sweep',
  'stats',
  'countLoginFailure',
  'ping',
  'close',
] as const satisfies readonly (keyof SessionStore)[];

/** Name of an operation of a store. @public */
export type StoreOperation = (typeof OPERATIONS)[number];

/** What goes wrong with one operation. @public */
export interface StoreFault {
  /** Waits up to this many milliseconds before the store is asked; how long follows the seed. */
  readonly delayBefore?: number;
  /** Waits up to this many milliseconds before the reply is passed on. */
  readonly delayAfter?: number;
  /**
   * - `before`: the command never reaches the store
   * - `after`: it takes effect, but the reply is lost
   */
  readonly fail?: 'before' | 'after';
  /** Stops there until `release()` is called. */
  readonly hang?: 'before' | 'after';
  /** How many calls are affected. @defaultValue all */
  readonly times?: number;
}

/** Which operations go wrong, and how. `all` holds for those that are not named. @public */
export type FaultPlan = Readonly<Partial<Record<StoreOperation | 'all', StoreFault>>>;

/** A store with faults; see {@link withFaults}. @public */
export interface FaultyStore extends SessionStore {
  /** How often each operation was called, whatever became of it. */
  readonly calls: Readonly<Record<StoreOperation, number>>;
  /** Replaces the plan; calls that hang go on hanging. */
  plan(plan: FaultPlan): void;
  /** Lets all calls go on that hang now. */
  release(): void;
}

/**
 * Puts faults between an application and its store: slow, failing, hanging, with lost replies.
 *
 * @example
 * ```ts
 * const store = withFaults(memoryStore(), { resolve: { fail: 'before' } });
 * // …every guarded request is now answered 503
 * store.plan({});
 * ```
 *
 * @param options - `seed` repeats the delays of another run
 *
 * @public
 */
export function withFaults(
  store: SessionStore,
  plan: FaultPlan = {},
  options: { readonly seed?: number } = {},
): FaultyStore {
  const faults = new Faults(plan, new Random(options.seed ?? 1));
  const wrapped = OPERATIONS.map((operation) => [
    operation,
    (...args: unknown[]) => {
      const call = store[operation] as (...args: unknown[]) => Promise<unknown>;
      return faults.run(operation, () => call.apply(store, args));
    },
  ]);
  return {
    ...(Object.fromEntries(wrapped) as Pick<SessionStore, StoreOperation>),
    name: store.name,
    ...(store.bus && { bus: store.bus }),
    calls: faults.calls,
    plan: (next) => faults.replace(next),
    release: () => faults.release(),
  };
}

class Faults {
  readonly calls = Object.fromEntries(OPERATIONS.map((operation) => [operation, 0])) as Record<
    StoreOperation,
    number
  >;
  readonly #random: Random;
  #plan: FaultPlan = {};
  /** Calls that each entry of the plan may still affect. */
  #left = new Map<StoreFault, number>();
  #hanging: (() => void)[] = [];

  constructor(plan: FaultPlan, random: Random) {
    this.#random = random;
    this.replace(plan);
  }

  replace(plan: FaultPlan): void {
    this.#plan = plan;
    this.#left = new Map(Object.values(plan).map((fault) => [fault, fault.times ?? Infinity]));
  }

  release(): void {
    const hanging = this.#hanging;
    this.#hanging = [];
    for (const goOn of hanging) goOn();
  }

  async run(operation: StoreOperation, call: () => Promise<unknown>): Promise<unknown> {
    this.calls[operation] += 1;
    const fault = this.#faultFor(operation);
    await this.#disturb('before', fault.delayBefore, fault);
    const reply = await call();
    await this.#disturb('after', fault.delayAfter, fault);
    return reply;
  }

  #faultFor(operation: StoreOperation): StoreFault {
    const fault = this.#plan[operation] ?? this.#plan.all;
    const left = fault === undefined ? 0 : (this.#left.get(fault) ?? 0);
    if (fault === undefined || left === 0) return {};
    this.#left.set(fault, left - 1);
    return fault;
  }

  async #disturb(
    when: 'before' | 'after',
    delay: number | undefined,
    fault: StoreFault,
  ): Promise<void> {
    if (delay !== undefined) await sleep(this.#random.next() * delay);
    if (fault.hang === when) {
      await new Promise<void>((goOn) => {
        this.#hanging.push(goOn);
      });
    }
    if (fault.fail === when) {
      const what = when === 'before' ? 'is not reachable' : 'took the command, its reply is lost';
      throw new SessionStoreError(`the session store ${what} (a planned fault)`);
    }
  }
}
