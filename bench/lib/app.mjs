// An application with sessions in Redis, as an instance among others: no HTTP, since what is
// measured is the store.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { SessionModule, SessionService } from 'nestjs-session-kit';
import { redisStore } from 'nestjs-session-kit/redis';

const SECRET = 'bench-only-3b9f0c5e7a1d48629d8e1c47f30b6a2c';

/** @param {{ prefix: string, timeouts?: object }} options */
export async function startApp({ prefix, ...options }) {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error('REDIS_URL is missing: use npm run bench');
  const root = SessionModule.forRoot({
    secret: SECRET,
    store: redisStore({ url, prefix }),
    storeDeadline: '10s',
    cleanup: false,
    ...options,
  });
  const app = await NestFactory.createApplicationContext(root, { logger: ['error'] });
  return { sessions: app.get(SessionService), close: () => app.close() };
}

/** A session as a shop has them: a user id like a UUID, a device, two fields. */
export function logIn(sessions, number, options = {}) {
  return sessions.create(userOf(number), {
    device: { client: 'Chrome 131', platform: 'Windows', address: '203.0.113.195' },
    data: { theme: 'dark', locale: 'en-GB' },
    ...options,
  });
}

export function userOf(number) {
  return `7b6a5c4d-3e2f-4a1b-9c8d-${String(number).padStart(12, '0')}`;
}
