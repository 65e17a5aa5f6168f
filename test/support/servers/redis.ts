// Redis and Valkey servers of a test's own: empty, on a loopback port, gone when the test is.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerName, findServer } from './locate.js';
import { findPort } from './ports.js';
import { type ServerProcess, launch } from './process.js';

export interface RedisOptions {
  /** Which server; Redis unless said otherwise. */
  version?: ServerName;
  /** More of the server's options, such as `['--maxmemory', '5mb']`. */
  args?: readonly string[];
  /** Listen on a unix socket too. */
  socket?: boolean;
  /** The password of the default user; part of the URL. */
  password?: string;
}

export interface RedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** The path of the unix socket, if one was asked for. */
  readonly socket?: string;
  /** The command line client that came with the server. */
  readonly cli?: string;
  /** The last lines that the server printed. */
  output(): string;
  /** Ends the server and deletes its folder. */
  stop(): Promise<void>;
  /** Ends the server the hard way, or as told; `restart()` brings it back. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Has it answer nothing until `thaw()`, with its connections open. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Starts it on the same port and with the same options, after ending it if it still runs. */
  restart(): Promise<void>;
}

const READY = /ready to accept connections|Sentinel ID is/i;
const TAKEN = /Address already in use|Failed listening on port/;

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { path, cli } = await findServer(options.version ?? 'redis');
  const folder = await mkdtemp(join(tmpdir(), 'nsk-redis-'));
  const host = '127.0.0.1';
  const socket = options.socket ? join(folder, 'redis.sock') : undefined;
  const credentials = options.password ? `:${encodeURIComponent(options.password)}@` : '';
  const start = (port: number) =>
    launch(path, argumentsFor({ ...options, port, folder, socket }), { ready: READY, cwd: folder });
  let server: ServerProcess;
  let port: number;
  try {
    [server, port] = await startOnFreePort(start);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `redis://${credentials}${host}:${port}`,
    host,
    port,
    ...(socket ? { socket } : {}),
    ...(cli ? { cli } : {}),
    get pid() {
      return server.pid;
    },
    output: () => server.output(),
    async stop() {
      await server.end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
    kill: (signal = 'SIGKILL') => server.end(signal),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    async restart() {
      await server.end('SIGTERM');
      server = await start(port);
    },
  };
}

interface Placement extends Omit<RedisOptions, 'socket'> {
  port: number;
  folder: string;
  socket: string | undefined;
}

function argumentsFor({ port, folder, socket, password, args = [] }: Placement) {
  return [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder],
    // Nothing is kept on disk, and ending waits for no replica.
    ...['--save', '', '--appendonly', 'no', '--shutdown-timeout', '0'],
    ...(socket ? ['--unixsocket', socket] : []),
    ...(password ? ['--requirepass', password, '--masterauth', password] : []),
    ...args,
  ];
}

/** Another process may take a port between the moment it was found free and the server's start. */
async function startOnFreePort(
  start: (port: number) => Promise<ServerProcess>,
): Promise<[ServerProcess, number]> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findPort();
    try {
      return [await start(port), port];
    } catch (error) {
      if (attempt === 5 || !TAKEN.test((error as Error).message)) throw error;
    }
  }
}
