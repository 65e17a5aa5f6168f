import { randomInt } from 'node:crypto';
import type { StoreSettings } from '../../core/store.js';
import { Random } from '../random.js';
import type { Capability, ContractRunner, StoreCapabilities, StoreHarness } from './harness.js';
import { Stalled } from './actors.js';
import { Scene } from './scene.js';

/** Settings that a test asks for; everything else is wide enough to be in no test's way. */
export type WantedSettings = Partial<StoreSettings>;

const MINUTE = 60_000;

const WIDE: StoreSettings = {
  limits: {
    default: { idle: 30 * MINUTE, absolute: 240 * MINUTE },
    remembered: { idle: 300 * MINUTE, absolute: 3000 * MINUTE },
    anonymous: { idle: 20 * MINUTE, absolute: 120 * MINUTE },
  },
  touchInterval: 0,
  rotation: { grace: MINUTE, maxForks: 3, onReuse: 'revoke' },
  maxSessionBytes: 65_536,
  maxFields: 256,
  maxTombstones: 10,
  buckets: 16,
  deadline: 10_000,
  margin: 10 * MINUTE,
};

/** On a busy machine a test may miss the moment it is about; then it is begun anew. */
const ATTEMPTS = 6;

type TestBody = (scene: Scene) => Promise<void>;

/** What the parts of the suite are written with. */
export class Contract {
  readonly describe: ContractRunner['describe'];
  readonly expect: ContractRunner['expect'];
  readonly #runner: ContractRunner;
  readonly #harness: StoreHarness;
  readonly #seed: number;

  constructor(runner: ContractRunner, harness: StoreHarness) {
    this.#runner = runner;
    this.#harness = harness;
    this.#seed = harness.seed ?? randomInt(2 ** 31);
    this.describe = (name, define) => runner.describe(name, define);
    this.expect = (actual) => runner.expect(actual);
  }

  get capabilities(): StoreCapabilities {
    return this.#harness.capabilities;
  }

  /** One test with a fresh store. */
  readonly test = (name: string, settings: WantedSettings, body: TestBody): void => {
    this.#runner.it(name, () => this.#attempt(settings, body), this.#harness.timeout ?? MINUTE);
  };

  /** A test that needs more than the contract; its name says why where it cannot run. */
  readonly testWith = (
    needed: Capability,
    name: string,
    settings: WantedSettings,
    body: TestBody,
  ): void => {
    if (needed === true) return this.test(name, settings, body);
    const { it } = this.#runner;
    const why = `${name} (not tested: ${needed.missing})`;
    if (it.skip) it.skip(why, async () => {});
    else it(why, async () => {});
  };

  /** A number of repetitions, as many as the harness wants of them. */
  readonly repetitions = (full: number): number =>
    Math.max(1, Math.round(full * (this.#harness.effort ?? 1)));

  async #attempt(settings: WantedSettings, body: TestBody): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#run(settings, body);
        return;
      } catch (error) {
        if (!(error instanceof Stalled) || attempt === ATTEMPTS) throw withSeed(error, this.#seed);
      }
    }
  }

  async #run(settings: WantedSettings, body: TestBody): Promise<void> {
    const underTest = await this.#harness.create({ ...WIDE, ...settings });
    try {
      const scene = await Scene.open(underTest, new Random(this.#seed));
      try {
        await body(scene);
      } finally {
        await scene.close();
      }
    } finally {
      await underTest.close();
    }
  }
}

function withSeed(error: unknown, seed: number): unknown {
  if (error instanceof Error) error.message += `\n(repeat the random choices with seed ${seed})`;
  return error;
}
