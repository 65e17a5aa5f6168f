import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  type Container,
  machineInDocker,
  mayHaveDocker,
  startContainer,
} from '../support/servers/docker.js';
import { useRedisUrl } from '../support/servers/hooks.js';
import { type FoundServer, findServer, searchServer } from '../support/servers/locate.js';
import { argumentsFor } from '../support/servers/redis-options.js';
import { startRedis } from '../support/servers/redis.js';
import { watchProcess } from '../support/servers/watchdog.js';

const run = promisify(execFile);
const NOBODY = 65_534;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nsk-search-'));
  await chmod(folder, 0o755);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function readIfPresent(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Makes a program that tells a version and does nothing else; returns its folder. */
async function pretend(program: string, version: string): Promise<string> {
  const home = await mkdtemp(join(folder, 'bin-'));
  const script = `#!/bin/sh\necho "${version} sha=00000000:0 malloc=libc bits=64 build=0"\n`;
  await writeFile(join(home, program), script, { mode: 0o755 });
  return home;
}

describe('the search for a server', () => {
  it('takes the one on the PATH', async () => {
    const home = await pretend('redis-server', 'Redis server v=7.4.1');
    const found = await searchServer('redis', { PATH: home }, false);
    expect(found).toMatchObject({
      product: 'Redis',
      version: '7.4.1',
      path: `${home}/redis-server`,
    });
  });

  it('takes a Valkey where there is no Redis, and knows it under any name', async () => {
    const valkey = await pretend('valkey-server', 'Valkey server v=8.1.0');
    expect(await searchServer('redis', { PATH: valkey }, false)).toMatchObject({
      product: 'Valkey',
    });
    const alias = await pretend('redis-server', 'Valkey server v=8.1.0');
    expect(await searchServer('redis', { PATH: alias }, false)).toMatchObject({
      product: 'Valkey',
    });
  });

  it('passes over one that is too old', async () => {
    const old = await pretend('redis-server', 'Redis server v=6.0.16');
    const good = await pretend('redis-server', 'Redis server v=7.0.0');
    const found = await searchServer('redis', { PATH: [old, good].join(delimiter) }, false);
    expect(found.path).toBe(`${good}/redis-server`);
  });

  it('takes the one that a variable names, and no other', async () => {
    const named = join(await pretend('my-redis', 'Redis server v=7.2.4'), 'my-redis');
    const other = await pretend('redis-server', 'Redis server v=7.4.1');
    const found = await searchServer('redis', { PATH: other, NSK_REDIS_BINARY: named }, false);
    expect(found).toMatchObject({ path: named, way: 'NSK_REDIS_BINARY' });
    const wrong = { PATH: other, NSK_REDIS_BINARY: join(folder, 'nothing') };
    await expect(searchServer('redis', wrong, false)).rejects.toThrow('nothing');
  });

  it('says which ways there are when none works', async () => {
    const old = await pretend('redis-server', 'Redis server v=6.0.16');
    const env = { PATH: old, DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
    const failure = await searchServer('redis', env, false).catch((error: Error) => error.message);
    expect(failure).toMatch(/^no redis server for the tests/);
    expect(failure).toMatch(/redis-server or valkey-server on the PATH/);
    expect(failure).toMatch(/NSK_REDIS_BINARY/);
    expect(failure).toMatch(/Docker/);
    expect(failure).toMatch(/Debian or Ubuntu/);
    expect(failure).toMatch(/Redis 6\.0\.16, which is older than 7\.0/);
    expect(failure).toMatch(/there is no apt-get/);
  });
});

describe('the URL of a server', () => {
  const url = useRedisUrl();

  it('is that of REDIS_URL, or else of a server of the file', async () => {
    const client = new Redis(url());
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
    expect(url()).toBe(process.env['REDIS_URL'] || url());
  });
});

describe('a server in a container', () => {
  /** Commands as in a container, run on this machine. */
  async function standIn(): Promise<Container> {
    return {
      async exec([program = '', ...args]) {
        try {
          const { stdout } = await run(program, args, { env: { ...process.env, TMPDIR: folder } });
          return { output: stdout, exitCode: 0 };
        } catch (error) {
          const { code, stdout } = error as { code: number; stdout: string };
          return { output: stdout, exitCode: code };
        }
      },
      async copyContentToContainer(files) {
        for (const { target, content } of files) await writeFile(target, content);
      },
      stop: async () => void (stops += 1),
    };
  }
  let stops = 0;
  let found: FoundServer;

  beforeAll(async () => {
    found = await findServer('redis');
  }, 300_000);

  it('starts, freezes, thaws and ends by commands in the container', async () => {
    const machine = machineInDocker(
      found.image ?? 'no image',
      found.path,
      found.image ? startContainer : standIn,
    );
    const port = await machine.takePort();
    const home = await machine.makeFolder({ 'own.conf': 'maxmemory 3mb\n' });
    const bind = found.image ? machine.bind : '127.0.0.1';
    const settings = argumentsFor({}, { folder: home, port, bind });
    const args = [`${home}/own.conf`, ...settings];
    const server = await machine.launch(args, home, /ready to accept connections/i);
    const forget = found.image ? () => {} : watchProcess(server.pid);
    const client = new Redis(port, { commandTimeout: 500, retryStrategy: () => null });
    client.on('error', () => {});
    expect(await client.config('GET', 'maxmemory')).toEqual(['maxmemory', `${3 << 20}`]);
    await server.freeze();
    await expect(client.ping()).rejects.toThrow('Command timed out');
    await server.thaw();
    expect(await client.ping()).toBe('PONG');
    await server.freeze();
    await server.end('SIGTERM');
    forget();
    client.disconnect();
    await expect(machine.launch(['--port', 'x'], home, /never/)).rejects.toThrow('did not start');
    await machine.removeFolder(home);
    expect(existsSync(home)).toBe(false);
    expect(stops).toBe(0);
    await machine.returnPort(port);
    expect(stops).toBe(found.image ? 0 : 1);
  });

  it('gives its ports back when the container does not start', async () => {
    const fail = () => Promise.reject(new Error('no container'));
    const machine = machineInDocker('other image', 'redis-server', fail);
    for (let i = 0; i < 5; i += 1) await expect(machine.takePort()).rejects.toThrow('no container');
  });
});

// Where the machine has a server or Docker, or no apt, the tests do without the packages.
const onPath = (process.env['PATH'] ?? '').split(delimiter);
const programs = onPath.flatMap((home) => [`${home}/redis-server`, `${home}/valkey-server`]);
const needsPackages =
  existsSync('/usr/bin/apt-get') &&
  !mayHaveDocker(process.env) &&
  !process.env['NSK_REDIS_BINARY'] &&
  !programs.some((path) => existsSync(path));

const isDebian = /^ID=debian$/m.test(readIfPresent('/etc/os-release'));

(needsPackages ? describe : describe.skip)('the package of the distribution', () => {
  it('is unpacked once into an empty cache, by a user without rights', async () => {
    const cache = join(folder, 'cache');
    const tool = join(folder, 'fetch-servers.mjs');
    await mkdir(cache);
    await copyFile('tools/fetch-servers.mjs', tool);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(cache, NOBODY, NOBODY);
    const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    const fetch = () =>
      run(process.execPath, [tool, '--cache', cache, 'redis'], { cwd: folder, ...user });
    const results = await Promise.all([fetch(), fetch()]);
    const paths = results.map(({ stdout }) => (JSON.parse(stdout) as { path: string }).path);
    expect(paths[0]).toBe(paths[1]);
    expect(results.map(({ stderr }) => stderr).join('')).toMatch(/^.*fetching.*\n$/);
    const { stdout } = await run(paths[0] ?? '', ['--version'], user);
    expect(stdout).toMatch(/^Redis server v=/);
    const home = dirname(dirname(paths[0] ?? ''));
    expect((await readdir(home)).toSorted()).toEqual(['lists', 'lock', 'redis']);
  }, 300_000);
});

(needsPackages && isDebian ? describe : describe.skip)('the package of a newer release', () => {
  it('runs with the libraries of that release', async () => {
    const server = await startRedis({ version: 'redis8' });
    try {
      expect(server.name).toMatch(/^Redis 8\./);
      const client = new Redis(server.url);
      expect(await client.ping()).toBe('PONG');
      client.disconnect();
    } finally {
      await server.stop();
    }
  }, 300_000);
});
