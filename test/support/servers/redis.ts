// Redis and Valkey servers of a test's own: empty, on a loopback port, gone when the test is.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate } from './certificate.js';
import { type ServerName, findServer } from './locate.js';
import { findPort } from './ports.js';
import { type ServerProcess, launch } from './process.js';

export interface RedisOptions {
  /** Which server; Redis unless said otherwise. */
  version?: ServerName;
  /** More of the server's options, such as `['--maxmemory', '5mb']`. */
  args?: readonly string[];
  /** The password of the default user; part of the URL. */
  password?: string;
  /** Listen on a unix socket too. */
  socket?: boolean;
  /** Speak TLS, with a certificate that `ca` vouches for. */
  tls?: boolean;
  /** Run as a Sentinel. */
  sentinel?: boolean;
}

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
  thaw(): void;
  /** Starts it on the same port and with the same options, after ending it if it still runs. */
  restart(): Promise<void>;
}

const HOST = '127.0.0.1';
const READY = /ready to accept connections|Sentinel ID is/i;
const TAKEN = /Address already in use|Failed listening on port/;

/** Starts an empty server that keeps nothing on disk. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { path, cli, product, version } = await findServer(options.version ?? 'redis');
  const folder = await mkdtemp(join(tmpdir(), 'nsk-redis-'));
  const { password, tls } = options;
  const authority = tls ? await writeCertificate(folder) : undefined;
  // A Sentinel insists on a file that it can rewrite.
  const config = options.sentinel ? [join(folder, 'sentinel.conf'), '--sentinel'] : [];
  if (config[0]) await writeFile(config[0], '');
  const start = (port: number) => {
    const args = [...config, ...argumentsFor(options, folder, port), ...(options.args ?? [])];
    return launch(path, args, { ready: READY, cwd: folder });
  };
  const [first, port] = await startOnFreePort(start);
  let server = first;
  const credentials = password ? `:${encodeURIComponent(password)}@` : '';
  return {
    url: `${tls ? 'rediss' : 'redis'}://${credentials}${HOST}:${port}`,
    host: HOST,
    port,
    name: `${product} ${version}`,
    ...(options.socket ? { socket: join(folder, 'redis.sock') } : {}),
    ...(authority ? { ca: authority } : {}),
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

function argumentsFor(options: RedisOptions, folder: string, port: number): string[] {
  const { password, socket, tls } = options;
  const settings: Record<string, string> = {
    port: tls ? '0' : `${port}`,
    bind: HOST,
    dir: folder,
    save: '',
    appendonly: 'no',
    // Ending waits for no replica.
    'shutdown-timeout': '0',
    ...(socket ? { unixsocket: join(folder, 'redis.sock') } : {}),
    ...(password ? { requirepass: password, masterauth: password } : {}),
    ...(tls
      ? {
          'tls-port': `${port}`,
          'tls-cert-file': 'server.crt',
          'tls-key-file': 'server.key',
          'tls-ca-cert-file': 'server.crt',
          'tls-auth-clients': 'no',
        }
      : {}),
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

async function writeCertificate(folder: string): Promise<string> {
  const { certificate, key } = createCertificate();
  await writeFile(join(folder, 'server.crt'), certificate);
  await writeFile(join(folder, 'server.key'), key, { mode: 0o600 });
  return certificate;
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
