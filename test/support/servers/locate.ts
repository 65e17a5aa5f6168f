// Finds a server for the tests: a program of this machine, Docker, or the distribution's package.
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { mayHaveDocker, startContainer } from './docker.js';
import { type Reported, readReport, report } from './report.js';
import { SERVERS, type ServerName, readVersion } from './products.js';

export interface FoundServer {
  readonly product: string;
  readonly version: string;
  /** How it was found, for people. */
  readonly way: string;
  /** The program: a path of this machine, or its name in the image. */
  readonly path: string;
  readonly cli?: string;
  /** The Docker image that it is in. */
  readonly image?: string;
}

const run = promisify(execFile);

/** The first search of a run does the work; the other test files read what it found. */
export async function findServer(name: ServerName): Promise<FoundServer> {
  const known = readReport(name) as (Reported & FoundServer) | undefined;
  if (known && (known.image || existsSync(known.path))) return known;
  const found = await searchServer(name, process.env);
  report(name, { ...found, line: `${found.product} ${found.version} (${found.way})` });
  return found;
}

/** Tries each way in turn; what keeps one from working is part of the error when none does. */
export async function searchServer(
  name: ServerName,
  env: NodeJS.ProcessEnv,
  docker = mayHaveDocker(env),
): Promise<FoundServer> {
  const { programs, variable } = SERVERS[name];
  const named = env[variable];
  if (named) return inspect(name, named, variable);
  const paths = programs.flatMap((program) => findOnPath(program, env));
  const ways = [
    ...paths.map((path) => () => inspect(name, path, path)),
    ...(docker ? [() => useDocker(name)] : []),
    () => usePackage(name, env),
  ];
  const failures: string[] = [];
  for (const way of ways) {
    try {
      return await way();
    } catch (error) {
      failures.push(`- ${(error as Error).message.trim()}`);
    }
  }
  throw new Error(
    `no ${name} server for the tests. Each of these would do: ${programs.join(' or ')} on the ` +
      `PATH; ${variable} with the path of one; Docker; Debian or Ubuntu with a package of it, ` +
      `which is unpacked into a cache folder. What was tried:\n${failures.join('\n')}`,
  );
}

async function inspect(name: ServerName, path: string, way: string): Promise<FoundServer> {
  const { stdout } = await run(path, ['--version']);
  const cli = path.replace(/-server$/, '-cli');
  const client = cli !== path && existsSync(cli) ? { cli } : {};
  return { ...readVersion(name, stdout, path), way, path, ...client };
}

async function useDocker(name: ServerName): Promise<FoundServer> {
  const { image, program } = SERVERS[name].docker;
  const container = await startContainer(image, []);
  try {
    const { output } = await container.exec([program, '--version']);
    return { ...readVersion(name, output, image), way: 'Docker', path: program, image };
  } finally {
    await container.stop();
  }
}

async function usePackage(name: ServerName, env: NodeJS.ProcessEnv): Promise<FoundServer> {
  const { stdout } = await run(process.execPath, ['tools/fetch-servers.mjs', name], { env });
  const { path } = JSON.parse(stdout) as { path: string };
  return inspect(name, path, 'package of the distribution');
}

function findOnPath(program: string, env: NodeJS.ProcessEnv): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, program)).filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
