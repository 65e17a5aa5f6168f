// Finds a server for the tests: a program of this machine, Docker, or the distribution's package.
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Reported, readReport, report } from './report.js';

export type ServerName = 'redis' | 'valkey' | 'redis8';

export interface FoundServer {
  readonly product: string;
  readonly version: string;
  /** How it was found, for people. */
  readonly way: string;
  readonly path: string;
  readonly cli?: string;
}

interface Wanted {
  readonly programs: readonly string[];
  readonly variable: string;
  /** The oldest major and minor version that the library supports. */
  readonly oldest: Readonly<Record<string, number>>;
}

const SERVERS: Readonly<Record<ServerName, Wanted>> = {
  redis: {
    programs: ['redis-server', 'valkey-server'],
    variable: 'NSK_REDIS_BINARY',
    oldest: { Redis: 7.0, Valkey: 7.2 },
  },
  valkey: { programs: ['valkey-server'], variable: 'NSK_VALKEY_BINARY', oldest: { Valkey: 7.2 } },
  redis8: { programs: ['redis-server'], variable: 'NSK_REDIS8_BINARY', oldest: { Redis: 8.0 } },
};

const run = promisify(execFile);

/** The first search of a run does the work; the other test files read what it found. */
export async function findServer(
  name: ServerName,
  env: NodeJS.ProcessEnv = process.env,
): Promise<FoundServer> {
  const known = readReport(name) as (Reported & FoundServer) | undefined;
  if (known && existsSync(known.path)) return known;
  const found = await search(name, env);
  report(name, { ...found, line: `${found.product} ${found.version} (${found.way})` });
  return found;
}

async function search(name: ServerName, env: NodeJS.ProcessEnv): Promise<FoundServer> {
  const { programs, variable } = SERVERS[name];
  const named = env[variable];
  if (named) return inspect(name, named, variable);
  const refused: string[] = [];
  for (const path of programs.flatMap((program) => findOnPath(program, env))) {
    try {
      return await inspect(name, path, path);
    } catch (error) {
      refused.push((error as Error).message);
    }
  }
  try {
    return await fetchPackage(name);
  } catch (error) {
    refused.push((error as Error).message);
  }
  throw new Error(
    `no ${name} server for the tests. Any of these gives one: put ${programs.join(' or ')} on the ` +
      `PATH, name the program in ${variable}, start Docker, or use Debian or Ubuntu, whose ` +
      `package is then unpacked into a cache folder.\n${refused.join('\n')}`,
  );
}

/** Asks the program what it is: names on the PATH may be those of a compatible product. */
async function inspect(name: ServerName, path: string, way: string): Promise<FoundServer> {
  const { stdout } = await run(path, ['--version']);
  const [, product = '', version = ''] = /^(\w+) server v=([\d.]+)/.exec(stdout) ?? [];
  const oldest = SERVERS[name].oldest[product];
  if (oldest === undefined || Number.parseFloat(version) < oldest) {
    throw new Error(`${path} is ${product} ${version}, too old or another product`);
  }
  const cli = path.replace(/-server$/, '-cli');
  return { product, version, way, path, ...(cli !== path && existsSync(cli) ? { cli } : {}) };
}

async function fetchPackage(name: ServerName): Promise<FoundServer> {
  const { stdout } = await run(process.execPath, ['tools/fetch-servers.mjs', name]);
  const { path } = JSON.parse(stdout) as { path: string };
  return inspect(name, path, 'package of the distribution');
}

function findOnPath(program: string, env: NodeJS.ProcessEnv): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return folders
    .map((folder) => join(folder, program))
    .filter((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
