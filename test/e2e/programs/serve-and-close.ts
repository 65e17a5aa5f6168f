/**
 * An application with everything that could keep a process alive: a scheduled cleanup, sessions, a
 * connection that is kept open. Serves a few requests, closes, and must end by itself.
 *
 *   serve-and-close <express|fastify> [hang]     `hang`: the store stops answering before the end
 */
import { Agent, request } from 'node:http';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ScheduleModule } from '@nestjs/schedule';
import { SessionModule, memoryStore } from '../../../src/index.js';
import { actingAs, withFaults } from '../../../src/testing/index.js';
import { AccountController } from '../../support/app.js';

const [, , adapter, mode] = process.argv;
const store = withFaults(memoryStore());

@Module({
  imports: [
    ScheduleModule.forRoot(),
    SessionModule.forRoot({
      secret: 'tests-only-5d1f9a7c3be84620a9d8e1c47f30b6a2',
      store,
      storeDeadline: '200ms',
      cleanup: { cron: '* * * * * *' },
    }),
  ],
  controllers: [AccountController],
})
class AppModule {}

const app =
  adapter === 'fastify'
    ? await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error', 'fatal'] })
    : await NestFactory.create(AppModule, { logger: ['error', 'fatal'] });
await app.listen(0, '127.0.0.1');
const { port } = new URL(await app.getUrl());
const alice = await actingAs(app, 'alice');

const agent = new Agent({ keepAlive: true });
const get = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const options = { agent, headers: alice.headers, host: '127.0.0.1', port, path };
    const sent = request(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end();
  });

const statuses = await Promise.all([get('/me'), get('/me'), get('/public')]);
statuses.push(await get('/me'));
process.stdout.write(`served ${statuses.join()}\n`);

// The connections are still open, and the timer of the deadline has been used.
let socket: NodeJS.Timeout | undefined;
if (mode === 'hang') {
  // A real store that hangs still has its socket; ours has this, and loses it with the end.
  socket = setInterval(() => undefined, 60_000);
  store.plan({ all: { hang: 'before' } });
  process.stdout.write(`hanging ${await get('/me')}\n`);
}
await app.close();
process.stdout.write('closed\n');
clearInterval(socket);
// What the client keeps open is its own business.
agent.destroy();
