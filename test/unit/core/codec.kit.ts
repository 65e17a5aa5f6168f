import { SessionValueError } from '../../../src/core/errors.js';

/** The error by which a value or a name is refused; any other fails the test. */
export function refusalOf(run: () => unknown): SessionValueError {
  try {
    run();
  } catch (error) {
    if (error instanceof SessionValueError) return error;
    throw error;
  }
  throw new Error('was not refused');
}
