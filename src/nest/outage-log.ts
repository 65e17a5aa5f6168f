import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { SessionStoreError } from '../core/errors.js';

/** A store that comes and goes is told of once in this time; milliseconds. */
const PAUSE = 10_000;

/**
 * One line when the store begins to fail and one when it answers again, not one a request. The last
 * line is true in the end, also of a store that fails once more within the pause.
 */
export class OutageLog implements OnApplicationShutdown {
  readonly #logger = new Logger('SessionModule');
  #failure: SessionStoreError | undefined;
  #isTold = false;
  #pause: NodeJS.Timeout | undefined;

  /** `undefined`: the store answers again. */
  note(failure: SessionStoreError | undefined): void {
    this.#failure = failure;
    if (failure !== undefined) {
      this.#tell();
      return;
    }
    if (this.#isTold) this.#logger.log('the session store answers again');
    this.#isTold = false;
  }

  /** An application that is closed says nothing any more. */
  onApplicationShutdown(): void {
    clearTimeout(this.#pause);
  }

  #tell(): void {
    const failure = this.#failure;
    if (failure === undefined || this.#isTold || this.#pause !== undefined) return;
    this.#isTold = true;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#tell();
    }, PAUSE).unref();
    this.#logger.error(`${failure.message} (${failure.code}); requests get 503 until it answers`);
  }
}
