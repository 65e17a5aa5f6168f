import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisStore } from '../../src/stores/redis/index.js';
import { SCRIPTS, openScene } from '../unit/stores/redis.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describe('the scripts', () => {
  it('are what the Lua files say', () => {
    const { status, stderr } = spawnSync(process.execPath, ['tools/build-lua.mjs', '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.each(Object.entries(SCRIPTS))('%s loads under its own name', async (_name, { sha1, text }) => {
    expect(text.split('\n')[0]).toMatch(/^#!lua( flags=(allow-oom|no-writes))?$/);
    expect(createHash('sha1').update(text).digest('hex')).toBe(sha1);
    expect(await client.script('LOAD', text)).toBe(sha1);
  });

  it('that a request without memory needs are let through', () => {
    const names = ['resolve', 'peek', 'read', 'list', 'revoke', 'revoke-user', 'sweep'] as const;
    for (const name of names) expect(SCRIPTS[name].text).toMatch(/^#!lua flags=allow-oom\n/);
    for (const name of ['create', 'write', 'rotate'] as const) {
      expect(SCRIPTS[name].text).toMatch(/^#!lua\n/);
    }
  });

  it('use neither JSON nor a clock of their own nor keys made of arguments', () => {
    for (const { text } of Object.values(SCRIPTS)) {
      expect(text).not.toMatch(/cjson|os\.|KEYS\[[^\]]+\] \.\./);
    }
  });

  it('S-04: stay the same however varied the requests are', async () => {
    await client.script('FLUSH');
    const store = redisStore({ url: server.url, prefix: 'varied:' });
    const scene = await openScene(store, { deadline: 10_000 });
    const { random } = scene;
    const text = (): string => `"${'x'.repeat(random.below(200))}"`;
    const live = async (): Promise<void> => {
      const user = scene.user(`user ${random.below(1_000)}`);
      const login = await scene.login({ user, fields: { [`f${random.below(99)}`]: text() } });
      await scene.verdict(login);
      await scene.write(login, { kind: 'set', name: `g${random.below(99)}`, value: text() });
      await scene.read(login, [`g${random.below(99)}`]);
      await scene.rotate(login, random.below(2) === 0 ? 'soft' : 'hard');
      await scene.list(user);
      await scene.store.countLoginFailure();
      await (random.below(2) === 0
        ? scene.revoke(login)
        : scene.store.revokeUser({ user, reason: 'revoked' }));
    };
    // Eight requests each: 10,000 in all.
    for (let i = 0; i < 25; i++) await Promise.all(Array.from({ length: 50 }, live));
    await store.sweep({ limit: 10, notAfter: scene.notAfter });
    await store.page({ limit: 10 });
    await store.stats();
    const info = await client.info('memory');
    const cached = Number(/number_of_cached_scripts:(\d+)/.exec(info)?.[1]);
    expect(cached).toBeGreaterThan(8);
    expect(cached).toBeLessThanOrEqual(Object.keys(SCRIPTS).length);
    await store.close();
  }, 120_000);

  it('S-04: survive a server that forgets them all the time', async () => {
    const store = redisStore({ url: server.url, prefix: 'flush:' });
    const scene = await openScene(store, { deadline: 10_000 });
    const stop = new AbortController();
    const flushing = (async () => {
      while (!stop.signal.aborted) await client.script('FLUSH');
    })();
    try {
      const logins = await Promise.all(Array.from({ length: 20 }, () => scene.login()));
      for (let round = 0; round < 20; round++) {
        const verdicts = await scene.verdicts(logins);
        expect(new Set(verdicts)).toEqual(new Set(['active current']));
        const writes = logins.map((login) =>
          scene.write(login, { kind: 'increment', name: 'n', by: 1 }),
        );
        expect((await Promise.all(writes)).every(({ status }) => status === 'written')).toBe(true);
      }
      const fields = await Promise.all(logins.map((login) => scene.fields(login)));
      expect(fields.map((each) => each?.['n'])).toEqual(Array(20).fill('20'));
    } finally {
      stop.abort();
      await flushing;
      await store.close();
    }
  });
});
