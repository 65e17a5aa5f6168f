// Redis and Valkey servers of a test's own: empty, on a loopback port, gone when the test is.
import { machineInDocker } from './docker.js';
import { findServer } from './locate.js';
import { type Machine, type ServerProcess, thisMachine } from './machine.js';
import { CERTIFICATE, type RedisOptions, SOCKET, argumentsFor, filesFor } from './redis-options.js';

export type { RedisOptions };

export interface RedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Its product and version, such as `Redis 7.0.15`. */
  readonly name: string;
  /** The path of the unix socket, if one was asked for. */
  readonly socket?: string;
  /** The certificate authority that clients have to trust, if it speaks TLS. */
  readonly ca?: string;
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
  thaw(): Promise<void>;
  /** Starts it on the same port and with the same options, after ending it if it still runs. */
  restart(): Promise<void>;
}

const HOST = '127.0.0.1';
const READY = /ready to accept connections|Sentinel ID is/i;
const TAKEN = /Address already in use|Failed listening on port/;

/** Starts an empty server that keeps nothing on disk. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const found = await findServer(options.version ?? 'redis');
  const machine = found.image ? machineInDocker(found.image, found.path) : thisMachine(found.path);
  const { password, tls, socket } = options;
  if (socket && found.image) throw new Error('a container has no unix socket for this machine');
  const files = filesFor(options);
  const { port, folder, start, first } = await startOnFreePort(machine, options, files);
  let server = first;
  const credentials = password ? `:${encodeURIComponent(password)}@` : '';
  const authority = files[CERTIFICATE];
  return {
    url: `${tls ? 'rediss' : 'redis'}://${credentials}${HOST}:${port}`,
    host: HOST,
    port,
    name: `${found.product} ${found.version}`,
    ...(socket ? { socket: `${folder}/${SOCKET}` } : {}),
    ...(authority ? { ca: authority } : {}),
    ...(found.cli ? { cli: found.cli } : {}),
    get pid() {
      return server.pid;
    },
    output: () => server.output(),
    async stop() {
      await server.end('SIGTERM');
      await machine.removeFolder(folder);
      await machine.returnPort(port);
    },
    kill: (signal = 'SIGKILL') => server.end(signal),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    async restart() {
      await server.end('SIGTERM');
      server = await start();
    },
  };
}

interface Started {
  readonly port: number;
  readonly folder: string;
  readonly first: ServerProcess;
  readonly start: () => Promise<ServerProcess>;
}

/** Another program may take a port between the moment it was found free and the server's start. */
async function startOnFreePort(
  machine: Machine,
  options: RedisOptions,
  files: Readonly<Record<string, string>>,
): Promise<Started> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await machine.takePort();
    const folder = await machine.makeFolder(files);
    const args = argumentsFor(options, { folder, port, bind: machine.bind });
    const start = () => machine.launch(args, folder, READY);
    try {
      return { port, folder, start, first: await start() };
    } catch (error) {
      await machine.removeFolder(folder);
      await machine.returnPort(port);
      if (attempt === 5 || !TAKEN.test((error as Error).message)) throw error;
    }
  }
}
