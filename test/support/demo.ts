/**
 * The demo as people meet it: built from a copy of the sources like `npm start` does, and run as a
 * process of its own.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { ServerProcess } from './servers/machine.js';
import { launch } from './servers/process.js';
import { until } from './until.js';

const PROJECT = process.cwd();
/** Not the project itself: its dist may be somebody else's, and a fresh clone has none. */
const COPY = join(resolve(process.env['BUILD_DIR'] || 'build'), 'demo');
/** What the build of the demo reads. */
const PARTS = ['src', 'demo', 'tools', 'package.json', 'tsconfig.json'];
const CONFIGS = ['tsconfig.build.json', 'tsconfig.cjs.json'];
/** Says that the build has ended: empty, or why it failed. */
const OUTCOME = join(COPY, 'outcome.txt');
/** Long enough for a busy machine. */
const BOUND = 120_000;

export const PASSWORDS = { alice: 'green-teapot', bob: 'paper-lantern', ada: 'admin-lighthouse' };
export type UserName = keyof typeof PASSWORDS;

export interface Demo {
  readonly url: string;
  /** All that it printed. */
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Builds the demo once for all files of a run: whoever comes first builds, the others wait. The
 * folder goes away with everything else when the tests are compiled again.
 */
export async function buildDemo(): Promise<void> {
  const isFirst = await mkdir(COPY).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  if (isFirst) {
    const outcome = await buildCopy().then(
      () => '',
      (error: unknown) => String(error),
    );
    // In one step, so that nobody reads half of it.
    await writeFile(`${OUTCOME}.draft`, outcome);
    await rename(`${OUTCOME}.draft`, OUTCOME);
  }
  const read = (): Promise<string | undefined> => readFile(OUTCOME, 'utf8').catch(() => undefined);
  const outcome = await until(read, (text) => text !== undefined, BOUND);
  if (outcome) throw new Error(outcome);
}

async function buildCopy(): Promise<void> {
  const filter = (path: string): boolean => basename(path) !== 'dist';
  for (const part of [...PARTS, ...CONFIGS]) {
    await cp(join(PROJECT, part), join(COPY, part), { recursive: true, filter });
  }
  await symlink(join(PROJECT, 'node_modules'), join(COPY, 'node_modules'), 'junction');
  for (const args of [['tools/build.mjs'], ['tools/start.mjs', '--build-only']]) {
    await runNode(args);
  }
}

function runNode(args: readonly string[]): Promise<void> {
  return new Promise((done, failed) => {
    execFile(process.execPath, args, { cwd: COPY }, (error, stdout, stderr) => {
      if (error) failed(new Error(`${args[0]} failed:\n${stdout}${stderr}`));
      else done();
    });
  });
}

/** Starts one that `buildDemo` built, on a free port; nothing is set but what `env` says. */
export async function startDemo(env: NodeJS.ProcessEnv): Promise<Demo> {
  const ready = /http:\/\/localhost:\d+(?=\s)/;
  const unset = { REDIS_URL: '', SESSION_SECRET: '', HOST: '', DEMO_TRAFFIC: '' };
  const server: ServerProcess = await launch(process.execPath, ['demo/dist/main.js'], {
    ready,
    cwd: COPY,
    env: { ...process.env, ...unset, PORT: '0', NO_COLOR: '1', ...env },
    bound: BOUND / 2,
    kept: Infinity,
    patience: BOUND / 2,
  });
  return {
    url: ready.exec(server.output())?.[0] ?? '',
    output: () => server.output(),
    stop: (signal = 'SIGTERM') => server.end(signal),
  };
}
