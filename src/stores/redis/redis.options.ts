/**
 * Options of `redisStore()`: a closed list, checked when it is called. What was given as an address
 * or a password is never shown.
 */
import type { ConnectionOptions } from 'node:tls';
import { ConfigReport, OptionGroup, listOf } from '../../core/config-reader.js';
import { kindOf } from '../../core/config-text.js';
import { SessionConfigError } from '../../core/errors.js';
import { clientProblems } from './redis.connection-check.js';
import type { RedisTarget, ServerOptions } from './redis.connection-driver.js';
import { checkPrefix } from './redis.keys.js';
import { type ParsedAddress, parseAddress } from './redis.options-address.js';

/** A server or node. @public */
export interface RedisAddress {
  readonly host: string;
  /** @defaultValue 6379; 26379 for a Sentinel */
  readonly port?: number;
}

/**
 * An ioredis client that the application made: version 5.9 or newer, or 6.
 *
 * @public
 */
export interface RedisClient {
  readonly status: string;
  readonly options: object;
  duplicate(): unknown;
  disconnect(): void;
}

/**
 * Options of `redisStore()`: exactly one of `url`, `sentinels`, `cluster` and `client`.
 *
 * @public
 */
export interface RedisStoreOptions {
  /** One server: `redis://`, `rediss://` (TLS) or `unix:///path`, with `user:password@` and `/db`. */
  readonly url?: string | undefined;
  /** The Sentinels that know which server is the master; needs `name`. */
  readonly sentinels?: readonly RedisAddress[] | undefined;
  /** Some nodes of a cluster, as addresses or URLs; the others are found through them. */
  readonly cluster?: readonly (string | RedisAddress)[] | undefined;
  /** A client of the application; it is checked, used and never closed. */
  readonly client?: RedisClient | undefined;

  /** What the Sentinels call the group of servers. */
  readonly name?: string | undefined;
  /** User name and password for the Sentinels, if they want them. */
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;

  /** @defaultValue that of the URL */
  readonly username?: string | undefined;
  /** @defaultValue that of the URL */
  readonly password?: string | undefined;
  /** Number of the database; not with `cluster`. @defaultValue that of the URL, or 0 */
  readonly db?: number | undefined;
  /**
   * `true`, or options of `tls.connect()` such as `ca`. Certificates are always checked unless
   * these say otherwise. `false`: plain on purpose, also over a network.
   *
   * @defaultValue `true` for `rediss://`
   */
  readonly tls?: boolean | ConnectionOptions | undefined;

  /**
   * Begins every key and channel; two applications on one server need different ones. 1 to 64
   * visible ASCII characters without braces.
   *
   * @defaultValue `'nsk:'`
   */
  readonly prefix?: string | undefined;
  /**
   * A login, a rotation or a revocation is only answered when so many replicas have confirmed it:
   * 0 to 5. Then it survives the loss of the master.
   *
   * @defaultValue 0
   */
  readonly waitReplicas?: number | undefined;
}

type Key = keyof RedisStoreOptions;

const KEYS = Object.keys({
  url: true,
  sentinels: true,
  cluster: true,
  client: true,
  name: true,
  sentinelUsername: true,
  sentinelPassword: true,
  username: true,
  password: true,
  db: true,
  tls: true,
  prefix: true,
  waitReplicas: true,
} satisfies Record<Key, true>) as readonly Key[];

const WAYS = ['url', 'sentinels', 'cluster', 'client'] as const;
const ONLY_OURS = ['username', 'password', 'db', 'tls'] as const;
const ONLY_SENTINELS = ['name', 'sentinelUsername', 'sentinelPassword'] as const;
const MAX_NODES = 1_000;
const EXAMPLE = 'redisStore({ url: process.env.REDIS_URL })';

/** The options with their defaults. */
export interface ResolvedRedisOptions {
  readonly target: RedisTarget;
  readonly prefix: string;
  readonly waitReplicas: number;
}

/** @throws SessionConfigError with every mistake in it */
export function resolveRedisOptions(raw: unknown): ResolvedRedisOptions {
  const report = new ConfigReport();
  if (raw === undefined) report.problem(`redisStore needs a server, as in ${EXAMPLE}`);
  const group = new OptionGroup<Key>(report, 'redisStore', raw, KEYS);
  const target = raw === undefined ? undefined : readTarget(group);
  const prefix = readText(group, 'prefix') ?? 'nsk:';
  try {
    checkPrefix(prefix);
  } catch {
    group.problem('prefix', 'must be 1 to 64 visible ASCII characters without braces, as in nsk:');
  }
  const waitReplicas = group.integer('waitReplicas', { min: 0, max: 5 }) ?? 0;
  if (target === undefined || report.problems.length > 0) {
    throw new SessionConfigError(report.problems);
  }
  return Object.freeze({ target, prefix, waitReplicas });
}

function readTarget(group: OptionGroup<Key>): RedisTarget | undefined {
  const [way, ...more] = WAYS.filter((name) => group.has(name));
  if (way === undefined || more.length > 0) {
    const given = more.length > 0 ? `not ${[way, ...more].join(' and ')}` : 'none is given';
    const hint = more.length > 0 ? '' : `, or the variable is not set that it is read from`;
    group.report.problem(
      `redisStore takes exactly one of url, sentinels, cluster and client (${given}${hint})`,
    );
    return undefined;
  }
  for (const key of ONLY_SENTINELS) {
    if (way !== 'sentinels' && group.has(key)) group.problem(key, 'only goes with sentinels');
  }
  if (way === 'client') return readClient(group);
  const server = readServer(group);
  if (way === 'url') {
    const address = readAddress(group, 'url', group.get('url'));
    return address && { kind: 'single', server: { ...address, ...server } };
  }
  const addresses = readAddresses(group, way);
  if (way === 'cluster') {
    if (group.has('db'))
      group.problem('db', 'does not go with cluster, which has only one: remove it');
    const [first] = addresses ?? [];
    const { username, password, tls } = first ?? {};
    const shared = {
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls }),
    };
    return addresses && { kind: 'cluster', nodes: addresses, server: { ...shared, ...server } };
  }
  const name = readText(group, 'name');
  if (!group.has('name'))
    group.problem('name', 'is missing: what do the Sentinels call the group?');
  const [username, password] = [
    readText(group, 'sentinelUsername'),
    readText(group, 'sentinelPassword'),
  ];
  if (addresses === undefined || name === undefined) return undefined;
  const access = { ...(username && { username }), ...(password && { password }) };
  return { kind: 'sentinel', sentinels: addresses, name, access, server };
}

function readClient(group: OptionGroup<Key>): RedisTarget | undefined {
  for (const key of ONLY_OURS) {
    if (group.has(key))
      group.problem(key, 'does not go with client: set it where the client is made');
  }
  const client = group.get('client');
  const problems = clientProblems(client);
  for (const problem of problems) group.problem('client', problem);
  return problems.length > 0 ? undefined : { kind: 'client', client: client as RedisClient };
}

/** What holds for every server, whatever its address. */
function readServer(group: OptionGroup<Key>): ServerOptions {
  const username = readText(group, 'username');
  const password = readText(group, 'password');
  const db = group.integer('db', { min: 0, max: 9_999 });
  const tls = group.get('tls');
  const isTls = tls === undefined || typeof tls === 'boolean' || kindOf(tls) === 'an Object';
  if (!isTls) {
    group.problem('tls', `must be true or options of tls.connect() (got ${kindOf(tls)})`);
  }
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { db }),
    ...(isTls && tls !== undefined && { tls: tls === true ? {} : (tls as ConnectionOptions) }),
  };
}

function readText(group: OptionGroup<Key>, key: Key): string | undefined {
  const value = group.get(key);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '') return value;
  group.problem(key, `must be a text that is not empty (got ${kindOf(value)})`);
  return undefined;
}

function readAddresses(
  group: OptionGroup<Key>,
  key: 'sentinels' | 'cluster',
): readonly ParsedAddress[] | undefined {
  const list = listOf(group.get(key), MAX_NODES);
  if (list === undefined || typeof list === 'string' || list.length === 0) {
    group.problem(key, `must be a list of 1 to ${MAX_NODES} addresses, as in [{ host, port }]`);
    return undefined;
  }
  const found = list.map((one) => readAddress(group, key, one));
  return found.every((one) => one !== undefined) ? found.flat() : undefined;
}

function readAddress(
  group: OptionGroup<Key>,
  key: 'url' | 'sentinels' | 'cluster',
  value: unknown,
): ParsedAddress | undefined {
  if (value === '') {
    group.problem(key, 'is empty: set the environment variable it is read from');
    return undefined;
  }
  const parsed = key === 'url' && typeof value !== 'string' ? undefined : parseAddress(value, key);
  if (parsed !== undefined && typeof parsed !== 'string') return parsed;
  const what =
    key === 'url' ? 'a URL such as rediss://user:password@host:6379' : 'addresses: { host, port }';
  group.problem(key, parsed ?? `must be ${what} (got ${kindOf(value)})`);
  return undefined;
}
