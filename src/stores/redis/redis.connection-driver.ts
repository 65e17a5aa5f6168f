/**
 * The only file that touches ioredis: loads it when it is needed, and makes clients that fail fast.
 */
import type { ConnectionOptions } from 'node:tls';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import { SessionConfigError } from '../../core/errors.js';

/** What we use of ioredis, in its versions 5 and 6, for one server as for a cluster. */
export interface DriverClient {
  readonly status: string;
  readonly isCluster?: boolean;
  readonly options: DriverOptions;
  /** The socket; absent in a cluster and before the first connection. */
  readonly stream?: { cork(): void; uncork(): void; readonly writable: boolean } | null;
  /** Of a cluster: the nodes of each slot, the master first, as `host:port`. */
  readonly slots?: readonly (readonly string[] | undefined)[];
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  duplicate(...args: unknown[]): DriverClient;
  evalsha(...args: (string | number)[]): Promise<unknown>;
  eval(...args: (string | number)[]): Promise<unknown>;
  /** Commands in lower case: ioredis knows them by that. */
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  nodes?(role: 'all' | 'master'): readonly DriverClient[];
  refreshSlotsCache?(callback?: (error?: unknown) => void): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
}

/** Options of ioredis that are looked at; `undefined` and `null` are not the same there. */
export interface DriverOptions {
  readonly host?: string;
  readonly port?: number;
  readonly keyPrefix?: string | null;
  readonly maxRetriesPerRequest?: number | null;
  readonly commandTimeout?: number;
  readonly enableOfflineQueue?: boolean;
  readonly autoResendUnfulfilledCommands?: boolean;
  readonly retryDelayOnFailover?: number;
  readonly scaleReads?: unknown;
  readonly redisOptions?: DriverOptions;
}

/** Access to a server, besides its address. */
export interface ServerOptions {
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: boolean | ConnectionOptions;
}

/** Which server, servers or client. */
export type RedisTarget =
  | { readonly kind: 'single'; readonly server: ServerOptions & NodeAddress }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly NodeAddress[];
      readonly name: string;
      readonly access: Pick<ServerOptions, 'username' | 'password'>;
      readonly server: ServerOptions;
    }
  | {
      readonly kind: 'cluster';
      readonly nodes: readonly NodeAddress[];
      readonly server: ServerOptions;
    }
  | { readonly kind: 'client'; readonly client: object };

/** Where a server listens. */
export interface NodeAddress {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

/** The module, as far as we use it. */
interface Driver {
  readonly Redis: new (options: RedisOptions) => unknown;
  readonly Cluster: new (nodes: NodeAddress[], options: ClusterOptions) => unknown;
}

const RECONNECT_FIRST = 20;
const RECONNECT_MOST = 400;
const KEEP_ALIVE = 5_000;

/**
 * Loads ioredis. Not before a client is to be made: with a client of the application it need not
 * even be installed beside this package.
 */
export async function loadDriver(): Promise<Driver> {
  let driver: unknown;
  try {
    driver = await import('ioredis');
  } catch {
    throw new SessionConfigError([
      'redisStore needs the package ioredis, version 5.9 or newer: npm install ioredis',
    ]);
  }
  return driver as Driver;
}

/** Makes a client that is not connected yet. `role` is its name in `CLIENT LIST`. */
export function makeClient(
  driver: Driver,
  target: Exclude<RedisTarget, { kind: 'client' }>,
  deadline: number,
  role: string,
): DriverClient {
  const base = baseOptions(deadline, role);
  if (target.kind === 'cluster') {
    const nodes = target.nodes.map(({ host = 'localhost', port = 6379 }) => ({ host, port }));
    const options = clusterOptions({ ...base, ...accessTo(target.server) }, deadline);
    return new driver.Cluster(nodes, options) as DriverClient;
  }
  if (target.kind === 'single') {
    const { host, port, path } = target.server;
    const address = path === undefined ? { host, port } : { path };
    return new driver.Redis({
      ...(base as object),
      ...(address as object),
      ...accessTo(target.server),
    }) as DriverClient;
  }
  const { sentinels, name, access } = target;
  const { tls } = accessTo(target.server);
  return new driver.Redis({
    ...base,
    ...accessTo(target.server),
    name,
    sentinels: sentinels.map(({ host = 'localhost', port = 26_379 }) => ({ host, port })),
    ...(access.username !== undefined && { sentinelUsername: access.username }),
    ...(access.password !== undefined && { sentinelPassword: access.password }),
    ...(tls !== undefined && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    // One that hangs must leave time to ask another one.
    sentinelCommandTimeout: Math.ceil(deadline / 3),
    sentinelRetryStrategy: reconnectDelay,
  }) as DriverClient;
}

export interface DuplicateOptions {
  readonly deadline: number;
  readonly role: string;
  /** It does not connect again by itself. */
  readonly once?: boolean;
  /** Another node of the cluster, with the same access. */
  readonly at?: NodeAddress | undefined;
}

/** One more connection to the same server, or to a node of a cluster, with our options. */
export function duplicateOf(
  client: DriverClient,
  { deadline, role, once = false, at }: DuplicateOptions,
): DriverClient {
  const again = once ? { retryStrategy: null } : {};
  return client.duplicate({ ...baseOptions(deadline, role), readOnly: false, ...again, ...at });
}

function baseOptions(deadline: number, role: string): RedisOptions {
  return {
    // What version 5 speaks as well: the same replies, and no HELLO that the user must be allowed.
    protocol: 2,
    lazyConnect: true,
    // Nothing is kept for later and nothing is sent twice: whoever asked has given up by then.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: Math.ceil(deadline / 2),
    disconnectTimeout: 50,
    retryStrategy: reconnectDelay,
    maxLoadingRetryTime: RECONNECT_MOST,
    keepAlive: KEEP_ALIVE,
    connectionName: `nestjs-session-kit:${role}`,
    // CLIENT SETINFO is one more right, and is only there since 7.2.
    disableClientInfo: true,
  };
}

function clusterOptions(node: RedisOptions, deadline: number): ClusterOptions {
  const { lazyConnect: _lazy, enableOfflineQueue: _queue, retryStrategy: _retry, ...rest } = node;
  return {
    lazyConnect: true,
    // Otherwise a node whose connection is just being made refuses all commands but the first. We
    // hold calls back until the cluster is ready, so that little ever waits in there.
    enableOfflineQueue: true,
    clusterRetryStrategy: reconnectDelay,
    scaleReads: 'master',
    maxRedirections: 16,
    retryDelayOnMoved: 0,
    retryDelayOnClusterDown: 100,
    retryDelayOnTryAgain: 50,
    // A command whose connection was lost may have run: it is never sent again.
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: Math.ceil(deadline / 3),
    // The name is what its certificate is for.
    ...(rest.tls !== undefined && {
      dnsLookup: (host: string, done: (error: null, address: string) => void) => done(null, host),
    }),
    redisOptions: {
      ...rest,
      // A node that is silent for so long is given up; the others say who has its slots now.
      socketTimeout: deadline,
      // A master that hands over is on nobody's list for a moment and is let go, with answers still
      // on their way.
      disconnectTimeout: Math.ceil(deadline / 2),
    },
  };
}

function accessTo({ username, password, db, tls }: ServerOptions): Partial<RedisOptions> {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { db }),
    ...(tls !== undefined && tls !== false && { tls: tls === true ? {} : tls }),
  };
}

/** Soon, then less often; never all instances at once. */
function reconnectDelay(attempt: number): number {
  const delay = Math.min(RECONNECT_FIRST * 2 ** Math.min(attempt - 1, 10), RECONNECT_MOST);
  return Math.round(delay * (0.75 + Math.random() / 2));
}
