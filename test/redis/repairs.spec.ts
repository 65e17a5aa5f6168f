/**
 * What the scheduled cleanup of an application says about what it found broken in Redis.
 */
import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  SessionModule,
  SessionService,
  SessionSweepTask,
  type SweepReport,
} from '../../src/index.js';
import { redisStore } from '../../src/stores/redis/index.js';
import { type Application, LogKeeper, listen } from '../e2e/programs/application.js';
import { SECRET } from '../support/app.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { scanKeys } from '../unit/stores/redis.kit.js';

const LONG = 'x'.repeat(100);

let server: RedisServer;
let client: Redis;
let application: Application;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});

afterEach(async () => {
  await application.close();
  await client.flushall();
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

async function start() {
  @Module({
    imports: [
      ScheduleModule.forRoot(),
      SessionModule.forRoot({
        secret: SECRET,
        store: redisStore({ url: server.url }),
        cleanup: { cron: '0 0 1 1 *' },
      }),
    ],
  })
  class AppModule {}
  const logger = new LogKeeper();
  application = await listen('express', { imports: [AppModule] }, { logger });
  const service = application.app.get(SessionService);
  const swept: SweepReport[] = [];
  service.on('session.swept', (event) => void swept.push(event));
  const warnings = (): string[] =>
    logger
      .of('warn')
      .filter(({ context }) => context === 'SessionCleanup')
      .map(({ message }) => message);
  return { service, task: application.app.get(SessionSweepTask), swept, warnings };
}

/** Keys of ours that never expire, without the two kinds that may. */
async function lasting(): Promise<readonly string[]> {
  const keys = await scanKeys(client);
  const expiries = await Promise.all(keys.map((key) => client.pttl(key)));
  return keys.filter(
    (key, index) => expiries[index] === -1 && !/^nsk:\{(layout\}|\w+\}:c$)/.test(key),
  );
}

async function persist(keys: readonly string[]): Promise<void> {
  for (const key of keys) expect(await client.persist(key)).toBe(1);
  expect(await lasting()).toEqual(keys.toSorted());
}

describe('the report of the cleanup', () => {
  it('E-08: names the 10 keys that somebody made lasting and that it repaired or removed', async () => {
    const { service, task, swept, warnings } = await start();
    for (let count = 0; count < 100; count++) {
      await service.create(`user-${count}`, { data: { theme: 'dark', long: LONG } });
    }
    const gone = await service.create('user-gone', { data: { theme: 'dark', long: LONG } });
    expect(await lasting()).toEqual([]);
    const keys = await scanKeys(client);
    const some = (kind: string, count: number): string[] =>
      keys
        .filter((key) => key.split(':')[2] === kind && !key.endsWith(gone.session.id))
        .slice(0, count);
    const kept = [...some('u', 3), ...some('s', 3), ...some('f', 1), ...some('d', 1)];
    const orphans = keys.filter((key) => key.endsWith(gone.session.id));
    const dumps = await Promise.all(orphans.map((key) => client.dumpBuffer(key)));
    await service.revoke(gone.session.id);
    // What a program left that copied the keys of a session and did not know of its end.
    for (const [index, key] of orphans.entries()) {
      await client.restore(key, 60_000, dumps[index] ?? Buffer.alloc(0));
    }
    const broken = [...kept, ...orphans];
    expect(broken.length).toBe(10);
    await persist(broken);

    const report = await task.run();
    expect(report).toMatchObject({ ended: 0, repairs: { withoutExpiry: 10, danglingEntries: 0 } });
    expect(report?.repairs.names.toSorted()).toEqual(broken.toSorted());
    expect(swept.map(({ repairs }) => repairs)).toEqual([report?.repairs]);
    expect(warnings()).toEqual([
      `repaired 10 keys without expiry and 0 dangling index entries: ${report?.repairs.names.join(', ')}`,
    ]);
    expect(await lasting()).toEqual([]);
    expect(await client.exists(...kept)).toBe(kept.length);
    expect(await client.exists(...orphans)).toBe(0);
    expect(await service.stats()).toMatchObject({ active: 100 });
    expect(await task.run()).toMatchObject({ repairs: { withoutExpiry: 0, names: [] } });
  });

  it('names index entries without a session, and only the first 20 of many', async () => {
    const { service, task, warnings } = await start();
    for (let count = 0; count < 25; count++) await service.create(`user-${count}`);
    const keys = await scanKeys(client);
    await client.unlink(...keys.filter((key) => key.includes(':u:')));
    // Their deadlines pass.
    for (const key of keys.filter((name) => name.endsWith(':d'))) {
      for (const id of await client.zrange(key, '0', '-1')) await client.zadd(key, 1, id);
    }
    const foreign = keys.find((key) => key.endsWith(':d')) ?? '';
    await client.zadd(foreign, 0, 'not an id\nof ours');
    const report = await task.run();
    expect(report).toMatchObject({ ended: 0, repairs: { withoutExpiry: 0, danglingEntries: 26 } });
    const names = report?.repairs.names ?? [];
    expect(names.length).toBe(20);
    const possible = [foreign, ...keys.filter((key) => key.includes(':s:'))];
    expect(names.filter((name) => !possible.includes(name))).toEqual([]);
    expect(warnings().join()).toMatch(/26 dangling index entries: \S+, .* and 6 more$/);
    expect(warnings().join()).not.toContain('\n');
    expect(await client.exists(...keys.filter((key) => key.includes(':s:')))).toBe(0);
  });
});
