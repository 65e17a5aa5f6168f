import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long answers took, without what this process itself stood still for. */
export class Latencies {
  /** Milliseconds, in the order of the requests. */
  #all: number[] = [];
  #stall = 0;

  get worst(): number {
    return Math.max(...this.#all) - this.#stall;
  }

  /** What was usual at the start, and at the end. */
  get early(): number {
    return median(this.#all.slice(0, this.#all.length / 4));
  }

  get late(): number {
    return median(this.#all.slice(-this.#all.length / 4));
  }

  /** Asks all at once. */
  async ofAll<Result>(requests: readonly (() => Promise<Result>)[]): Promise<Result[]> {
    return this.#measure((timed) => Promise.all(requests.map((request) => timed(request))));
  }

  /** Asks five times every 20 ms, whether answers come or not. */
  async underLoad<Result>(request: () => Promise<Result>, duration: number): Promise<Result[]> {
    return this.#measure(async (timed) => {
      const answers: Promise<Result>[] = [];
      for (const end = performance.now() + duration; performance.now() < end; await sleep(20)) {
        for (let i = 0; i < 5; i++) answers.push(timed(request));
      }
      return Promise.all(answers);
    });
  }

  async #measure<Result>(
    run: (timed: (request: () => Promise<Result>) => Promise<Result>) => Promise<Result[]>,
  ): Promise<Result[]> {
    const stalls = monitorEventLoopDelay({ resolution: 10 });
    stalls.enable();
    const all: number[] = [];
    let count = 0;
    const answers = await run(async (request) => {
      const place = count++;
      const begun = performance.now();
      const answer = await request();
      all[place] = performance.now() - begun;
      return answer;
    });
    stalls.disable();
    this.#all = all;
    this.#stall = Math.max(0, stalls.max / 1e6 - 10);
    return answers;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
