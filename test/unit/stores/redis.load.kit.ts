import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.js';
import { DRIVERS, type RedisEntry, type Scene, importRedis, openScene } from './redis.scene.kit.js';

type Login = Awaited<ReturnType<Scene['login']>>;

/** What a load found; as it should be in {@link AS_ACKNOWLEDGED}. */
export interface Findings {
  /** Verdicts over sessions that were acknowledged and should live, but do not; how often each. */
  readonly lost: Readonly<Record<string, number>>;
  /** Verdicts over sessions whose end was acknowledged, if it is something else. */
  readonly back: Readonly<Record<string, number>>;
  /** Answers that were never right. */
  readonly surprises: readonly string[];
  /** Whether there were sessions enough for this to mean something. */
  readonly isEnough: boolean;
}

export const AS_ACKNOWLEDGED: Findings = { lost: {}, back: {}, surprises: [], isEnough: true };

/** What users do all the time, and what they were told. */
export class Load {
  readonly scene: Scene;
  /** How many calls failed with which words. */
  readonly failures = new Map<string, number>();
  slowest = 0;
  readonly #patience: number;
  readonly #over = new AbortController();
  readonly #workers: readonly Promise<void>[];
  /** Acknowledged, and nobody has asked to end them. */
  readonly #live: Login[] = [];
  /** Their end was acknowledged. */
  readonly #ended: Login[] = [];
  readonly #surprises: string[] = [];
  #calls = 0;
  #lastFailure = 0;
  #lastAnswer = 0;

  /** `patience`: of a caller, after which a login must not come about any more. */
  constructor(scene: Scene, workers: number, patience: number) {
    this.scene = scene;
    this.#patience = patience;
    this.#workers = Array.from({ length: workers }, () => this.#work());
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    for (let turn = 0; !this.#over.signal.aborted; turn++) {
      const notAfter = Date.now() + this.#patience;
      const login = await this.#try('login', () => this.scene.login({ notAfter }));
      if (login === undefined) continue;
      const resolved = await this.#try('resolve', () => this.scene.resolve(login));
      this.#expect('active', resolved?.status);
      if (turn % 2 === 0) {
        this.#live.push(login);
        continue;
      }
      const revoked = await this.#try('revoke', () => this.scene.revoke(login));
      // "gone" is no answer to a session that was just acknowledged.
      this.#expect('revoked', revoked?.status);
      if (revoked !== undefined) this.#ended.push(login);
      await sleep(2);
    }
  }

  #expect(expected: string, status: string | undefined): void {
    if (status !== undefined && status !== expected) {
      this.#surprises.push(`${status} instead of ${expected}`);
    }
  }

  async #try<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    const start = performance.now();
    this.#calls += 1;
    try {
      const result = await call();
      this.#lastAnswer = performance.now();
      return result;
    } catch (error) {
      const { name, message } = error as Error;
      const words = `${what}: ${message}`;
      // A login that came too late did not happen, which is right.
      const isLate = message === 'create answered late';
      if (name !== 'SessionStoreError' && !isLate) this.#surprises.push(words);
      this.failures.set(words, (this.failures.get(words) ?? 0) + 1);
      this.#lastFailure = performance.now();
      await sleep(20);
      return undefined;
    } finally {
      this.slowest = Math.max(this.slowest, performance.now() - start);
    }
  }

  /** Until nothing fails any more; gives the milliseconds from `since` to the last failure. */
  async recovery(since: number, quiet: number, bound: number): Promise<number> {
    const last = (): number => Math.max(since, this.#lastFailure);
    await until(
      () => Promise.resolve(performance.now()),
      (now) => now - last() > quiet && this.#lastAnswer > last(),
      bound + quiet,
    );
    return last() - since;
  }

  /** Ends the load, and looks at every session. */
  async findings(): Promise<Findings> {
    await this.stop();
    const lost = await this.#others(this.#live, 'active current');
    const back = await this.#others(this.#ended, 'ended revoked');
    const isEnough = Math.min(this.#live.length, this.#ended.length) > 20;
    return { lost, back, surprises: this.#surprises, isEnough };
  }

  async #others(logins: readonly Login[], expected: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const login of logins) {
      const verdict = await this.scene.verdict(login);
      if (verdict !== expected) counts[verdict] = (counts[verdict] ?? 0) + 1;
    }
    return counts;
  }

  /** In one line, for people. */
  summary(): string {
    const failures = [...this.failures].map(([words, count]) => `${count} × ${words}`);
    const slowest = Math.round(this.slowest);
    return `${this.#calls} calls, slowest ${slowest} ms; ${failures.join('; ') || 'no failure'}`;
  }
}

/** Makes a store with one of the drivers; `prefix` is new each time. */
export type MakeStore = (entry: RedisEntry, prefix: string) => Scene['store'];

/** Loads with both drivers at the same time, on the same servers. */
export class Loads {
  readonly #loads: ReadonlyMap<string, Load>;

  private constructor(loads: ReadonlyMap<string, Load>) {
    this.#loads = loads;
  }

  static async start(make: MakeStore, deadline: number): Promise<Loads> {
    const scenes = new Map<string, Scene>();
    for (const driver of DRIVERS) {
      const store = make(await importRedis(driver), `${driver}:${Math.round(performance.now())}:`);
      scenes.set(driver, await openScene(store, { deadline }));
    }
    return new Loads(
      new Map([...scenes].map(([driver, scene]) => [driver, new Load(scene, 4, deadline)])),
    );
  }

  /** What failed so far. */
  get failures(): readonly string[] {
    return [...this.#loads].flatMap(([driver, { failures }]) =>
      [...failures].map(([words, count]) => `${driver}: ${count} × ${words}`),
    );
  }

  get slowest(): number {
    return Math.max(...[...this.#loads.values()].map(({ slowest }) => slowest));
  }

  /** Waits until nothing has failed for so long, and counts from then on. */
  async settle(quiet: number, bound: number): Promise<void> {
    await this.recovery(performance.now(), quiet, bound);
    for (const load of this.#loads.values()) {
      load.failures.clear();
      load.slowest = 0;
    }
  }

  /** Until nothing fails any more with any driver; gives the longest. */
  async recovery(since: number, quiet: number, bound: number): Promise<number> {
    let longest = 0;
    for (const load of this.#loads.values()) {
      longest = Math.max(longest, await load.recovery(since, quiet, bound));
    }
    return longest;
  }

  async findings(): Promise<Readonly<Record<string, Findings>>> {
    await Promise.all([...this.#loads.values()].map((load) => load.stop()));
    const all: Record<string, Findings> = {};
    for (const [driver, load] of this.#loads) all[driver] = await load.findings();
    return all;
  }

  /** One line for each driver, for people. */
  summary(): string {
    return [...this.#loads].map(([driver, load]) => `${driver}: ${load.summary()}`).join('\n');
  }

  async close(): Promise<void> {
    const loads = [...this.#loads.values()];
    await Promise.all(loads.map((load) => load.stop()));
    await Promise.all(loads.map(({ scene }) => scene.close()));
  }
}
