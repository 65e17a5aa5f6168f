/**
 * Eight-hour sessions of honest browsers through the real code, on a simulated clock: pages with
 * parallel requests, responses that are slow or never arrive. A program of its own, since the same
 * code takes three times as long inside the sandbox of a test.
 *
 * Arguments: seed, sessions, share of lost responses, fewest and most requests a page. Prints how
 * the sessions ended that did not live to their end, and how often a token was rotated.
 */
import { SessionService, memoryStore } from '../../../../src/index.js';
import { type SessionConfig, resolveOptions } from '../../../../src/core/config.js';
import { Random } from '../../../../src/testing/random.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface World {
  /** Share of responses that never reach the browser. */
  readonly lost: number;
  readonly requestsPerPage: readonly [min: number, max: number];
}

interface Outcome {
  readonly status: string;
  readonly rotations: number;
}

/** One browser with one cookie jar. Things happen in the order of their time. */
class Browser {
  readonly #queue: { readonly at: number; readonly run: () => Promise<void> | void }[] = [];
  readonly #service: SessionService;
  readonly #random: Random;
  readonly #world: World;
  #now = Date.UTC(2026, 5, 1);
  #jar = '';
  #outcome = 'alive';
  #rotations = 0;

  constructor(config: SessionConfig, random: Random, world: World) {
    this.#service = new SessionService(config, memoryStore({ clock: () => this.#now }));
    this.#random = random;
    this.#world = world;
  }

  async live(): Promise<Outcome> {
    const { token } = await this.#service.create('alice');
    this.#jar = token.token.reveal();
    const end = this.#now + 8 * HOUR;
    for (let page = this.#now; page < end; page += this.#pause()) this.#openPage(page);
    while (this.#outcome === 'alive') {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      await next.run();
    }
    return { status: this.#outcome, rotations: this.#rotations };
  }

  #openPage(at: number): void {
    const [min, max] = this.#world.requestsPerPage;
    const requests = min + this.#random.below(max - min + 1);
    for (let i = 0; i < requests; i++) {
      // The browser reads its jar when it sends, not when the page was opened.
      const sentAt = at + i * this.#random.below(40);
      this.#at(sentAt, () => this.#send(sentAt));
    }
  }

  #send(sentAt: number): void {
    const cookie = this.#jar;
    const latency = this.#latency();
    this.#at(sentAt + latency / 2, async () => {
      const token = this.#service.verify(cookie);
      if (token === undefined) throw new Error('the jar holds something that is no token');
      const verdict = await this.#service.resolveVerified(token, {
        mayRotate: true,
        traits: 'same',
      });
      if (verdict.status !== 'active') {
        this.#outcome = verdict.status === 'ended' ? verdict.reason : verdict.status;
        return;
      }
      if (verdict.successor === undefined) return;
      this.#rotations += 1;
      const text = verdict.successor.token.reveal();
      if (this.#random.next() < this.#world.lost) return;
      this.#at(sentAt + latency, () => {
        this.#jar = text;
      });
    });
  }

  #at(at: number, run: () => Promise<void> | void): void {
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1]?.at ?? 0) > at) place -= 1;
    this.#queue.splice(place, 0, { at, run });
  }

  /** Between pages: mostly minutes, never as long as the idle timeout. */
  #pause(): number {
    const mean = 4 * MINUTE;
    return Math.min(-mean * Math.log(1 - this.#random.next()), 25 * MINUTE) + SECOND;
  }

  /** Log-normal around 60 ms. */
  #latency(): number {
    const unit = (): number => 1 - this.#random.next();
    const normal = Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit());
    return 60 * Math.exp(0.6 * normal);
  }
}

const [seed = 1, sessions = 1, lost = 0, min = 1, max = 1] = process.argv.slice(2).map(Number);
const config = resolveOptions(
  {
    secret: 'simulation-3e9b51c07fd24a86b7a0c4f1d85e2639',
    rotation: { interval: 15 * MINUTE, grace: 30 * SECOND },
    data: { maxFields: 1 },
  },
  { production: false },
);
const random = new Random(seed);
const ended: string[] = [];
let rotations = 0;
for (let i = 0; i < sessions; i++) {
  const outcome = await new Browser(config, random, { lost, requestsPerPage: [min, max] }).live();
  if (outcome.status !== 'alive') ended.push(outcome.status);
  rotations += outcome.rotations;
}
console.log(JSON.stringify({ ended, rotations }));
