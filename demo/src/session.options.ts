/**
 * How the demo uses the session kit: its options, and the fields that it keeps in its sessions.
 */
import type { SessionModuleOptions } from 'nestjs-session-kit';
import { redisStore } from 'nestjs-session-kit/redis';
import type { Settings } from './settings.js';

declare module 'nestjs-session-kit' {
  interface SessionData {
    note: string;
    visits: number;
    basket: string[];
  }
}

export function sessionOptions(settings: Settings): SessionModuleOptions {
  const { idle, absolute, maxSessions, secret, redisUrl } = settings;
  return {
    // Every route needs a login unless it says @Public().
    guard: 'global',
    // Optional here. In production the module refuses to start without one.
    secret,
    // Without REDIS_URL: in the memory of this process.
    ...(redisUrl && { store: redisStore({ url: redisUrl }) }),
    timeouts: {
      ...(idle && { idle }),
      ...(absolute && { absolute }),
      // Each click moves the idle deadline, so that one can watch it. The default writes less.
      touchInterval: 0,
    },
    concurrency: { max: maxSessions, atLimit: 'evict-least-recent' },
    // The only thing that a visitor brings into the session of their login.
    data: { keepOnLogin: ['basket'] },
    // Often, so that the charts soon know of sessions that expired. The default is 5 minutes.
    cleanup: { cron: '*/5 * * * * *', jitter: 0 },
  };
}
