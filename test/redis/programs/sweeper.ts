/**
 * One of several instances of an application on the same Redis, whose cleanup runs every second.
 * Every session is past its deadline under its timeouts. Ends when its standard input does.
 *
 * What it announces it says on file descriptor 3, one line each and at once: nothing of what was
 * said is lost when the process is killed.
 *
 *   sweeper <url> <prefix> [lease]
 */
import { writeSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { Redis } from 'ioredis';
import { SessionModule, SessionService } from '../../../src/index.js';
import { redisStore } from '../../../src/stores/redis/index.js';
import { SECRET } from '../../support/app.js';
import { RedisSessionStore, TestRunner } from '../../unit/stores/redis.kit.js';

const [, , url = '', prefix = '', lease] = process.argv;
// The lease is no option of `redisStore()`: a test cannot wait for the real one.
const client = lease === undefined ? undefined : new Redis(url, { enableAutoPipelining: true });
const store =
  client === undefined
    ? redisStore({ url, prefix })
    : new RedisSessionStore(new TestRunner(client), { prefix, lease: Number(lease) });

@Module({
  imports: [
    ScheduleModule.forRoot(),
    SessionModule.forRoot({
      secret: SECRET,
      store,
      storeDeadline: '10s',
      timeouts: { idle: '1s', touchInterval: '100ms' },
      cleanup: { cron: '* * * * * *', jitter: '100ms' },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'fatal'] });
const service = app.get(SessionService);
service.on('session.ended', ({ sessionId, eventId }) => {
  writeSync(3, `ended ${sessionId} ${eventId}\n`);
});
service.on('session.swept', ({ ended }) => void writeSync(3, `swept ${ended}\n`));
process.stdin.resume().on('end', () => {
  void app.close().then(() => client?.disconnect());
});
