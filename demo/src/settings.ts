/**
 * What can be set from outside, by environment variables.
 */
import { createHash } from 'node:crypto';
import type { Duration } from 'nestjs-session-kit';

export type AdapterName = 'express' | 'fastify';

export interface Settings {
  readonly adapter: AdapterName;
  readonly host: string;
  readonly port: number;
  readonly secret: string | undefined;
  /** Sessions live there instead of in memory; several instances then act as one. */
  readonly redisUrl: string | undefined;
  readonly maxSessions: number;
  /** Not checked here: the session module refuses a wrong one at boot and says why. */
  readonly idle: Duration | undefined;
  readonly absolute: Duration | undefined;
  /** Simulated users per minute, so that the charts have something to show; 0 is none. */
  readonly traffic: number;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    adapter: readAdapter(env['DEMO_ADAPTER'] || 'express'),
    // This machine only: everybody can read the passwords on the login page.
    host: env['HOST'] || '127.0.0.1',
    port: readCount('PORT', env['PORT'] || '3000', 65_535),
    secret: env['SESSION_SECRET'] || sharedSecret(env['REDIS_URL']),
    redisUrl: env['REDIS_URL'] || undefined,
    maxSessions: readCount('DEMO_MAX_SESSIONS', env['DEMO_MAX_SESSIONS'] || '3', 1_000),
    idle: (env['DEMO_IDLE'] || undefined) as Duration | undefined,
    absolute: (env['DEMO_ABSOLUTE'] || undefined) as Duration | undefined,
    traffic: readCount('DEMO_TRAFFIC', env['DEMO_TRAFFIC'] || '0', 600),
  };
}

/** Instances on one Redis need one secret. Good enough for a demo, and for nothing else. */
function sharedSecret(redisUrl: string | undefined): string | undefined {
  if (!redisUrl) return undefined;
  return createHash('sha256').update(`nestjs-session-kit demo\n${redisUrl}`).digest('base64');
}

function readAdapter(name: string): AdapterName {
  if (name === 'express' || name === 'fastify') return name;
  throw new Error(`DEMO_ADAPTER must be express or fastify, not ${JSON.stringify(name)}`);
}

function readCount(name: string, text: string, max: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= max) return count;
  throw new Error(`${name} must be a whole number up to ${max}, not ${JSON.stringify(text)}`);
}
