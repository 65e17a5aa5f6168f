/**
 * Sessions in Redis or Valkey: `nestjs-session-kit/redis`. Needs the package `ioredis`.
 */
import { PLAIN_WARNING, plainWarning } from './redis.connection-check.js';
import { RedisConnection } from './redis.connection.js';
import { RedisStore } from './redis.bus-store.js';
import { type RedisStoreOptions, resolveRedisOptions } from './redis.options.js';

/**
 * Keeps sessions in Redis 7.0 or newer, or Valkey 7.2 or newer: a single server, behind Sentinels,
 * or a cluster.
 *
 * @example
 * ```ts
 * SessionModule.forRoot({
 *   secret: process.env.SESSION_SECRET,
 *   store: redisStore({ url: process.env.REDIS_URL }),
 * });
 * ```
 *
 * @throws SessionConfigError naming every wrong option, or what is wrong with a client
 *
 * @public
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  const { prefix, ...resolved } = resolveRedisOptions(options);
  const warning = plainWarning(resolved.target);
  if (warning !== undefined) process.emitWarning(warning, { code: PLAIN_WARNING });
  const connection = new RedisConnection({ prefix, ...resolved });
  return new RedisStore(connection, connection.bus, { prefix });
}

export type { RedisAddress, RedisClient, RedisStoreOptions } from './redis.options.js';
export { type RedisAclOptions, redisAclRules } from './redis.acl.js';
export type { RedisStore } from './redis.bus-store.js';
export type { SessionBus, SessionBusListener, SessionNotice } from '../../core/bus.js';
