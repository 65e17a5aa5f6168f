import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

// tools/test.mjs compiles the tests into this folder; several runs may use different ones.
const build = resolve(import.meta.dirname, process.env.BUILD_DIR || 'build');
const ifPresent = (option, file) => (existsSync(file) ? { [option]: file } : {});

export default {
  rootDir: import.meta.dirname,
  roots: [build],
  testMatch: ['**/*.spec.js'],
  testEnvironment: 'node',
  testTimeout: 120_000,
  // The files are ready to run. Jest's own transform would turn them into CommonJS.
  transform: {},
  // Jest's default leaves one core idle, which is half of a small CI machine.
  maxWorkers: '100%',
  // A worker that is done still gives hundreds of megabytes back, which takes longer than Jest's
  // half second when the machine is busy. One that really holds something open is still told of.
  workerGracefulExitTimeout: 10_000,
  // The modules of every file stay in memory: a worker that has grown is slow, and late in all it does.
  workerIdleMemoryLimit: '400MB',
  ...ifPresent('globalSetup', join(build, 'test/support/global-setup.js')),
  ...ifPresent('globalTeardown', join(build, 'test/support/global-teardown.js')),
  collectCoverageFrom: [`${relative(import.meta.dirname, build)}/src/**/*.js`],
  coverageProvider: 'babel',
  coverageDirectory: join(build, 'coverage'),
  coverageReporters: ['text', 'lcov', 'json-summary'],
  testSequencer: '<rootDir>/tools/jest/servers-first-sequencer.mjs',
  snapshotResolver: '<rootDir>/tools/jest/snapshot-resolver.cjs',
  reporters: ['default', ['<rootDir>/tools/jest/closing-line-reporter.mjs', { folder: build }]],
};
