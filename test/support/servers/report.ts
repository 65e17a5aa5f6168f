// What the test files of a run tell each other and the end of the run about the servers they use.
// Every run starts with an empty build folder, so what is found there belongs to this run.
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Reported {
  /** What the run says about the server, such as `Redis 7.0.15 (package of the distribution)`. */
  readonly line: string;
}

const folder = resolve(process.env['BUILD_DIR'] || 'build', 'servers');

/** Notes that the run uses a server; `name` is what sorts it. */
export function report(name: string, facts: Reported): void {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `.${name}-${process.pid}`);
  writeFileSync(draft, JSON.stringify(facts));
  renameSync(draft, join(folder, `${name}.json`));
}

/** Returns what a test file of this run noted, if any did. */
export function readReport(name: string): Reported | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Reported;
  } catch {
    return undefined;
  }
}

/** One line that says which servers the run used, or none. */
export function summarize(): string | undefined {
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((file) => /^[^.].*\.json$/.test(file));
  } catch {
    return undefined;
  }
  const lines = names
    .toSorted()
    .flatMap((file) => readReport(file.replace(/\.json$/, ''))?.line ?? []);
  return lines.length > 0 ? `servers: ${lines.join(', ')}` : undefined;
}
