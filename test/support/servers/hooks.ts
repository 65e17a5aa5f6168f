// Servers for a test file, from its first test to its last. To be called in a describe block; the
// function that is returned gives the server to the tests.
import { afterAll, beforeAll } from '@jest/globals';
import { Redis } from 'ioredis';
import type { ClusterOptions } from './cluster-form.js';
import { type RedisCluster, startCluster } from './cluster.js';
import { type RedisOptions, type RedisServer, startRedis } from './redis.js';
import { report } from './report.js';
import type { SentinelOptions } from './sentinel-form.js';
import { type RedisSentinel, startSentinel } from './sentinel.js';

/** A machine without a server first has to download one. */
const BOUND = 300_000;

/** A server that the tests may freeze, kill and reconfigure. */
export function useRedis(options?: RedisOptions): () => RedisServer {
  return use(() => startRedis(options));
}

export function useCluster(options?: ClusterOptions): () => RedisCluster {
  return use(() => startCluster(options));
}

export function useSentinel(options?: SentinelOptions): () => RedisSentinel {
  return use(() => startSentinel(options));
}

/**
 * The URL of a server for tests that only speak Redis: the one that `REDIS_URL` names, else one of
 * the file's own. That of `REDIS_URL` is not empty, and others may use it at the same time.
 */
export function useRedisUrl(): () => string {
  const url = process.env['REDIS_URL'];
  if (!url) {
    const server = useRedis();
    return () => server().url;
  }
  beforeAll(() => reportExternal(url), BOUND);
  return () => url;
}

async function reportExternal(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    const info = await client.info('server');
    const [, valkey] = /^valkey_version:(\S+)/m.exec(info) ?? [];
    const [, redis] = /^redis_version:(\S+)/m.exec(info) ?? [];
    report('redis-url', { line: `${valkey ? 'Valkey' : 'Redis'} ${valkey ?? redis} (REDIS_URL)` });
  } finally {
    client.disconnect();
  }
}

function use<Server extends { stop(): Promise<void> }>(start: () => Promise<Server>): () => Server {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await start();
  }, BOUND);
  afterAll(async () => {
    await server?.stop();
    server = undefined;
  }, BOUND);
  return () => {
    if (!server) throw new Error('the server runs only while the tests do');
    return server;
  };
}
