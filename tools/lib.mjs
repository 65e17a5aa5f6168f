// What the tools share: where the project is, which entry points it has, how to run and to fail.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const tsc = join(root, 'node_modules/@typescript/native/bin/tsc');
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The entry points of the package: `{ subpath: './testing', name: 'testing', specifier, targets }`. */
export const entries = Object.entries(manifest.exports)
  .filter(([subpath]) => subpath !== './package.json')
  .map(([subpath, targets]) => ({
    subpath,
    name: subpath.slice(2) || 'index',
    specifier: manifest.name + subpath.slice(1),
    targets,
  }));

/** Runs a Node script to its end and stops this process as well if it fails. */
export function runNode(args, options = {}) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', ...options });
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a program and returns what it printed, with its exit code. */
export function capture(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    ...options,
  });
  if (error && error.code !== 'ETIMEDOUT') throw error;
  return { ok: status === 0, stdout, output: stdout + stderr };
}

/** Ends a check: prints what is wrong, or the one line that says what was looked at. */
export function conclude(check, problems, summary) {
  for (const problem of problems) console.error(`${check}: ${problem}`);
  if (problems.length > 0) process.exit(1);
  console.log(`${check}: ${summary}`);
}
