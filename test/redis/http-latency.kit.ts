import { setTimeout as sleep } from 'node:timers/promises';

const TICK = 5;

/** How long answers took, without the time for which this process itself stood still. */
export class Latencies {
  /** Milliseconds, in the order of the requests. */
  #all: number[] = [];

  get worst(): number {
    return Math.max(...this.#all);
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
    const all: number[] = [];
    let count = 0;
    let running = 0;
    let last = performance.now();
    const clock = setInterval(() => {
      const now = performance.now();
      // A tick that comes much too late was held up by the machine, not by what is measured.
      running += Math.min(now - last, 3 * TICK);
      last = now;
    }, TICK);
    try {
      return await run(async (request) => {
        const place = count++;
        const begun = running;
        const answer = await request();
        all[place] = running - begun + TICK;
        return answer;
      });
    } finally {
      clearInterval(clock);
      this.#all = all;
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
