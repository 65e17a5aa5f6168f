// Runs the test suite: compiles src and test with TypeScript 7, then starts Jest on the result.
//
// Jest has to run real ES modules because Nest 12 is published as ES modules only and Jest's
// CommonJS mode cannot load those before Node 24. Compiling first also makes `npm test` a type
// check, and it is the fastest variant that gives honest coverage.
//
//   npm test -- cookie          only the files whose path matches "cookie"
//   BUILD_DIR=build-2 npm test  a second run at the same time in the same tree
//   TEST_SEED=42 npm test       repeats a run that used random values
//   TEST_IGNORE_TYPES=1 …       runs in spite of type errors (never in CI)
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root, tsc } from './lib.mjs';

const buildDir = resolve(root, process.env.BUILD_DIR || 'build');
const logFile = join(buildDir, 'test-output.log');
const summaryFile = join(buildDir, 'test-summary.txt');
// Matches the token format of src/core/token.ts.
const TOKEN = /nsk_[A-Za-z0-9_-]{96}/;
const ON_SERVERS = /test[/\\](redis|contract[/\\]redis)/;
/** More than so many failures are no accident of times. */
const MOST_ALONE = 4;
const seed = process.env.TEST_SEED || String(randomInt(2 ** 31));
const env = { ...process.env, BUILD_DIR: buildDir, TEST_SEED: seed };

if (!/^build[\w.-]*$/.test(relative(root, buildDir))) {
  fail('BUILD_DIR must be a folder of the project whose name begins with "build"');
}

compile();
console.log(`seed: ${seed}`);
let jestCode = await runJest(process.argv.slice(2));
let summary = readIfPresent(summaryFile);
const alone = jestCode === 0 ? [] : failuresOnServers();
if (alone.length > 0) {
  // Failures and times of real servers, beside everything else that ran: once more by themselves,
  // with the same seed. What fails there fails.
  console.error(`test: failed beside others, now alone: ${alone.join(', ')}`);
  jestCode = await runJest(['--runInBand', ...alone]);
  summary = sumUp(summary, readIfPresent(summaryFile));
}
const problems = [...findNothingRun(summary), ...findLeakedTokens(readFileSync(logFile, 'utf8'))];
for (const problem of problems) console.error(`test: ${problem}`);
if (jestCode !== 0) console.error(`test: repeat with TEST_SEED=${seed}`);
process.stdout.write(summary);
process.exitCode = jestCode || (problems.length > 0 ? 1 : 0);

function readIfPresent(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** The failed files, if they are few and all keep times with real servers; none if not. */
function failuresOnServers() {
  const files = readIfPresent(join(buildDir, 'test-failures.txt')).split('\n').filter(Boolean);
  const paths = files.map((file) => relative(root, file));
  return paths.length <= MOST_ALONE && paths.every((path) => ON_SERVERS.test(path)) ? paths : [];
}

/** One closing line for both runs: what passed alone counts as passed. */
function sumUp(first, second) {
  const [passed = 0, failed = 0, skipped = 0] = (first.match(/\d+/g) ?? []).map(Number);
  const [, still = failed] = (second.match(/\d+/g) ?? []).map(Number);
  const mended = Math.max(0, failed - still);
  return `jest: ${passed + mended} passed, ${still} failed, ${skipped} skipped\n`;
}

function compile() {
  // Stale specs of deleted sources would run otherwise.
  rmSync(buildDir, { recursive: true, force: true });
  mkdirSync(buildDir, { recursive: true });
  const args = [tsc, '-p', 'tsconfig.test.json', '--outDir', buildDir];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  if (process.env.TEST_IGNORE_TYPES !== '1') fail('the sources have type errors');
  console.warn('test: type errors ignored because of TEST_IGNORE_TYPES=1');
}

/** Runs Jest, shows what it prints and keeps a copy of it in the log. */
async function runJest(args) {
  const log = createWriteStream(logFile, { flags: 'a' });
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const colors = process.stdout.isTTY ? ['--colors'] : [];
  const patterns = args.map((arg) => arg.replace(/^([^-].*)\.ts$/, '$1.js'));
  const jest = spawn(
    process.execPath,
    [...flags, join(root, 'node_modules/jest/bin/jest.js'), ...colors, ...patterns],
    { cwd: root, env, stdio: ['inherit', 'pipe', 'pipe'] },
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
  tee(jest.stdout, process.stdout, log);
  tee(jest.stderr, process.stderr, log);
  const code = await new Promise((done) => {
    jest.on('close', (exit, signal) => done(signal ? 128 + constants.signals[signal] : exit));
  });
  await new Promise((done) => log.end(done));
  return code;
}

/** Only whole lines reach the log, so that the two streams cannot cut each other's text apart. */
function tee(from, terminal, log) {
  let rest = '';
  from.setEncoding('utf8');
  from.on('data', (text) => {
    terminal.write(text);
    const end = (rest + text).lastIndexOf('\n') + 1;
    log.write((rest + text).slice(0, end));
    rest = (rest + text).slice(end);
  });
  from.on('end', () => log.write(rest && `${rest}\n`));
}

/** A pattern that matches no test must not look like success. */
function findNothingRun(text) {
  const [, passed, failed] = /^jest: (\d+) passed, (\d+) failed/.exec(text) ?? [];
  return Number(passed) + Number(failed) > 0 ? [] : ['no test ran'];
}

/** A token is a credential: nothing that the library or its tests print may contain one. */
function findLeakedTokens(text) {
  const found = stripVTControlCharacters(text)
    .split('\n')
    .flatMap((line, i) => (TOKEN.test(line) ? [i + 1] : []));
  if (found.length === 0) return [];
  return [`session tokens were printed: ${relative(root, logFile)} line ${found.join(', ')}`];
}

function fail(message) {
  console.error(`test: ${message}`);
  process.exit(1);
}
