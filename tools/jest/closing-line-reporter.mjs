// Sums the run up in one plain line that scripts can read. tools/test.mjs prints it last: written
// from here it would land somewhere in Jest's own summary, which goes to the other stream.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const isFailed = ({ numFailingTests, testExecError }) => numFailingTests > 0 || testExecError;

export default class ClosingLineReporter {
  #folder;

  constructor(_globalConfig, { folder }) {
    this.#folder = folder;
  }

  onRunComplete(_contexts, results) {
    const passed = results.numPassedTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `jest: ${passed} passed, ${failed} failed, ${skipped} skipped`;
    writeFileSync(join(this.#folder, 'test-summary.txt'), `${line}\n`);
    const files = results.testResults.filter(isFailed).map(({ testFilePath }) => testFilePath);
    writeFileSync(join(this.#folder, 'test-failures.txt'), files.join('\n'));
  }
}
