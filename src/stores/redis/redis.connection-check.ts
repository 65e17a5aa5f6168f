/**
 * Checks a client of the application before it is used. ioredis is made to keep commands and to
 * send them again; a store of sessions must fail fast and never do anything twice.
 */
import { isLoopbackHost } from '../../core/loopback.js';
import type {
  DriverClient,
  DriverOptions,
  NodeAddress,
  RedisTarget,
} from './redis.connection-driver.js';

const REMEDY = 'or let redisStore({ url }) make the connection';

/** Code of the warning that {@link clientWarning} is emitted with. */
export const CLIENT_WARNING = 'NSK_REDIS_CLIENT';

/** What makes a client unusable: sentences without a subject, each with the remedy. */
export function clientProblems(value: unknown): readonly string[] {
  const stranger = strangerProblem(value);
  if (stranger !== undefined) return [stranger];
  const client = value as DriverClient;
  const { options } = client;
  const problems: string[] = [];
  const node: DriverOptions = (client.isCluster ? options.redisOptions : options) ?? {};
  if (!client.isCluster && (node.maxRetriesPerRequest ?? null) === null) {
    problems.push(
      'retries commands without end (maxRetriesPerRequest: null, which BullMQ wants), so that ' +
        `requests would hang with the server: pass client.duplicate({ ${SAFE} }), ${REMEDY}`,
    );
  }
  if (!client.isCluster && node.autoResendUnfulfilledCommands !== false) {
    problems.push(
      'sends commands again after a lost connection (autoResendUnfulfilledCommands), so that an ' +
        `increment could count twice: pass client.duplicate({ ${SAFE} }), ${REMEDY}`,
    );
  }
  if (client.isCluster && options.retryDelayOnFailover !== 0) {
    problems.push(
      'sends commands again after a lost connection (retryDelayOnFailover), so that an increment ' +
        `could count twice: pass client.duplicate([], { retryDelayOnFailover: 0 }), ${REMEDY}`,
    );
  }
  if (client.isCluster && options.scaleReads !== 'master') {
    problems.push(
      "reads from replicas (scaleReads), which may not know yet that a session ended: set scaleReads: 'master'",
    );
  }
  const keyPrefix = options.keyPrefix || node.keyPrefix;
  if (typeof keyPrefix === 'string' && keyPrefix !== '') {
    const why = /[{}]/.test(keyPrefix)
      ? 'whose brace would put all sessions into one slot of a cluster'
      : 'which would apply to some commands only';
    problems.push(
      `has a keyPrefix, ${why}: use a client without one, and the option prefix of redisStore`,
    );
  }
  return problems;
}

/** What works, but could work better. */
export function clientWarning(client: DriverClient): string | undefined {
  const { options } = client;
  if (client.isCluster || options.enableOfflineQueue === false) return undefined;
  if (options.commandTimeout !== undefined) return undefined;
  return (
    'the client given to redisStore keeps commands while it has no connection (enableOfflineQueue) ' +
    'and waits for answers without end (no commandTimeout): what was given up may still run later. ' +
    `Pass client.duplicate({ ${SAFE} }), ${REMEDY}`
  );
}

/** Code of the warning about a connection that others can read. */
export const PLAIN_WARNING = 'NSK_REDIS_PLAIN';

/** A connection over a network without TLS, unless `tls: false` says that it is meant (row S-07). */
export function plainWarning(target: RedisTarget): string | undefined {
  if (target.kind === 'client' || target.server.tls !== undefined) return undefined;
  if (!addressesOf(target).some(isForeign)) return undefined;
  return (
    'redisStore connects to another host without TLS: who listens on the way can read user ids, ' +
    'session data and the password of the server. Use rediss:// or the option tls, or tls: false ' +
    'if that network is yours alone'
  );
}

function addressesOf(target: Exclude<RedisTarget, { kind: 'client' }>): readonly NodeAddress[] {
  if (target.kind === 'single') return [target.server];
  return target.kind === 'cluster' ? target.nodes : target.sentinels;
}

function isForeign({ host = 'localhost', path }: NodeAddress): boolean {
  return path === undefined && !isLoopbackHost(host.includes(':') ? `[${host}]` : host);
}

const SAFE =
  'autoResendUnfulfilledCommands: false, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 1000';

const METHODS = ['evalsha', 'eval', 'call', 'duplicate', 'connect', 'disconnect', 'on', 'off'];

function strangerProblem(value: unknown): string | undefined {
  try {
    if (typeof value === 'function') {
      return 'must be a client, not the class or function that makes one: new Redis(…)';
    }
    if (typeof value !== 'object' || value === null) return 'must be a client of ioredis';
    const name = nameOf(value);
    const has = (key: string): boolean => typeof Reflect.get(value, key) === 'function';
    const options: unknown = Reflect.get(value, 'options');
    const isOurs =
      METHODS.every(has) &&
      typeof options === 'object' &&
      options !== null &&
      typeof Reflect.get(value, 'status') === 'string';
    if (!isOurs) {
      const hint = has('sendCommand') && has('connect') ? ' (node-redis is another driver)' : '';
      return `must be a client of ioredis 5.9 or newer${hint}; found ${name}: npm install ioredis, ${REMEDY}`;
    }
    // Gone since version 5.
    if ('dropBufferSupport' in options) {
      return `must be a client of ioredis 5.9 or newer; found ${name} of ioredis 4: npm install ioredis@latest`;
    }
    return undefined;
  } catch {
    return 'must be a client of ioredis; this object throws when it is read';
  }
}

function nameOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && /^[\w$]{1,40}$/.test(name) && name !== 'Object'
    ? `an object of class ${name}`
    : 'a plain object';
}
