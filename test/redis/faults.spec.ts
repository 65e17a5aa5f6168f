/**
 * What happens when the server is away, hangs, forgets the scripts or cuts connections.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { until } from '../support/until.js';
import {
  adminOf,
  callsOf,
  endingsOn,
  operationsOn,
  outcomesOf,
} from '../unit/stores/redis.faults.kit.js';
import {
  DRIVERS,
  type RedisEntry,
  Scene,
  importRedis,
  openScene,
} from '../unit/stores/redis.scene.kit.js';

/** Bytes that something still refers to; the resident size would also count garbage and code. */
function retainedMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Short, so that the tests are; the rules are those of any deadline. */
const DEADLINE = 400;
const TOLERANCE = 100;

describe.each(DRIVERS)('a connection made with %s', (driver) => {
  let server: RedisServer;
  let entry: RedisEntry;
  let scene: Scene;
  let admin: Redis;
  const others: Scene[] = [];

  beforeEach(async () => {
    entry = await importRedis(driver);
    server = await startRedis();
    admin = adminOf(server);
    scene = await openScene(entry.redisStore({ url: server.url }), { deadline: DEADLINE });
  });

  afterEach(async () => {
    for (const one of [scene, ...others.splice(0)]) await one.close();
    admin.disconnect();
    await server.stop();
  });

  /** An instance that is in no hurry. */
  const openPatient = async (): Promise<Scene> => {
    const store = entry.redisStore({ url: server.url });
    const patient = await openScene(store, { deadline: 30_000 });
    others.push(patient);
    return patient;
  };
  const isBack = (): Promise<boolean> =>
    scene.store.ping().then(
      () => true,
      () => false,
    );

  it('rejects every operation within the deadline while the server is down', async () => {
    const operations = { ...(await operationsOn(scene, DEADLINE)), ...(await endingsOn(scene)) };
    admin.disconnect();
    await server.kill();
    for (const round of ['the first calls', 'later ones']) {
      const outcomes = await outcomesOf(operations);
      for (const { operation, error, took } of outcomes) {
        expect({ round, operation, name: error?.name }).toMatchObject({
          name: 'SessionStoreError',
        });
        expect({ round, operation, late: took > DEADLINE + TOLERANCE }).toMatchObject({
          late: false,
        });
      }
    }
    // Nobody waits any more once it is known that the server is gone.
    const [again] = await outcomesOf({ ping: () => scene.store.ping() });
    expect(again?.error?.message).toMatch(/ECONNREFUSED/);
    expect(again?.took).toBeLessThan(DEADLINE / 2);
  });

  it('rejects every operation within the deadline while the server hangs, and none takes effect later but an end', async () => {
    const operations = await operationsOn(scene, DEADLINE);
    const endings = await endingsOn(scene);
    const user = scene.user();
    const login = await scene.login({ user, fields: { n: '1' } });
    const before = { stats: await scene.store.stats(), sent: await callsOf(admin, 'evalsha') };
    await server.freeze();
    const outcomes = await outcomesOf({ ...operations, ...endings });
    for (const { operation, error, took } of outcomes) {
      expect({ operation, name: error?.name }).toMatchObject({ name: 'SessionStoreError' });
      expect({ operation, late: took > DEADLINE + TOLERANCE }).toMatchObject({ late: false });
    }
    const codes = new Set(outcomes.map(({ error }) => error?.code));
    expect(codes).toContain('ERR_SESSION_STORE_TIMEOUT');
    await sleep(DEADLINE);
    await server.thaw();
    await until(isBack, Boolean, 2_000);

    // They did arrive, and the server ran them.
    const isSent = (calls: number): boolean =>
      calls >= before.sent + Object.keys(operations).length;
    await until(() => callsOf(admin, 'evalsha'), isSent);
    expect(await scene.verdict(login)).toBe('active current');
    expect(await scene.fields(login)).toEqual({ n: '1' });
    const { created, active, ended } = await scene.store.stats();
    expect(created).toBe(before.stats.created);
    expect(before.stats.active - active).toBe(ended.revoked - before.stats.ended.revoked);
    expect(active).toBeGreaterThanOrEqual(before.stats.active - 3);
    for (const session of await scene.pages(100)) expect(session.generation).toBe(0);
    for (const session of await scene.pages(100)) {
      const reply = await scene.read(session);
      expect(reply.status === 'read' && reply.fields.get('n')).not.toBe('2');
    }
  });

  it('goes on by itself when the server comes back', async () => {
    const login = await scene.login();
    for (let i = 0; i < 3; i++) {
      await admin.call('client', 'kill', 'type', 'normal', 'skipme', 'yes');
      expect(await scene.verdict(login)).toBe('active current');
    }
    await server.restart();
    await until(isBack, Boolean, 2_000);
    expect(await scene.verdict(login)).toBe('gone');
  });

  it('waits for a server that comes back within the deadline', async () => {
    const patient = await openPatient();
    const login = await patient.login();
    await server.kill();
    const verdict = patient.verdict(login);
    await server.restart();
    expect(await verdict).toBe('gone');
  });

  it('lets nobody notice that the server forgot the scripts', async () => {
    const logins = await Promise.all(Array.from({ length: 20 }, () => scene.login()));
    const over = new AbortController();
    let flushes = 0;
    const flushing = (async () => {
      for (; !over.signal.aborted; flushes++) await admin.script('FLUSH');
    })();
    let done = 0;
    await Promise.all(
      logins.map(async (login, i) => {
        for (let k = 0; k < 40; k++) {
          expect(await scene.verdict(login)).toBe('active current');
          if (k % 10 === i % 10) await scene.login({ user: login.user });
          done += 1;
        }
      }),
    );
    over.abort();
    await flushing;
    expect(done).toBe(800);
    expect(flushes).toBeGreaterThan(20);
  });

  it('does nothing twice when connections are cut', async () => {
    const login = await scene.login();
    const over = new AbortController();
    const cutting = (async () => {
      for (; !over.signal.aborted; await sleep(25)) {
        await admin.call('client', 'kill', 'type', 'normal', 'skipme', 'yes');
      }
    })();
    let [counted, unknown] = [0, 0];
    const end = Date.now() + 2_000;
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        while (Date.now() < end) {
          await scene.write(login, { kind: 'increment', name: 'n', by: 1 }).then(
            () => (counted += 1),
            () => (unknown += 1),
          );
        }
      }),
    );
    over.abort();
    await cutting;
    await until(isBack, Boolean);
    const value = Number((await scene.fields(login))?.['n'] ?? 0);
    expect(counted).toBeGreaterThan(100);
    expect(unknown).toBeGreaterThan(0);
    expect(value).toBeGreaterThanOrEqual(counted);
    expect(value).toBeLessThanOrEqual(counted + unknown);
  });

  it('piles up nothing while the server is paused under load, and recovers at once', async () => {
    const login = await scene.login();
    global.gc?.();
    const before = retainedMemory();
    const pause = 3_000;
    await admin.client('PAUSE', pause, 'ALL');
    const paused = performance.now();
    let slowest = 0;
    let failed = 0;
    const calls: Promise<unknown>[] = [];
    while (performance.now() - paused < pause - 200) {
      for (let i = 0; i < 20; i++) {
        const start = performance.now();
        const settle = (): void => void (slowest = Math.max(slowest, performance.now() - start));
        const call = scene.verdict(login).catch(() => (failed += 1));
        calls.push(call.then(settle));
      }
      await sleep(10);
    }
    await Promise.all(calls);
    expect(failed).toBeGreaterThan(1_000);
    expect(slowest).toBeLessThan(DEADLINE + 2 * TOLERANCE);
    expect(retainedMemory() - before).toBeLessThan(50 * 1024 * 1024);
    await sleep(Math.max(0, pause - (performance.now() - paused)));
    const resumed = performance.now();
    await until(isBack, Boolean, 2_000);
    expect(performance.now() - resumed).toBeLessThan(2_000);
    expect(await scene.verdict(login)).toBe('active current');
  });

  it('turns calls away at once when too many wait for an answer', async () => {
    const patient = await openPatient();
    const login = await patient.login();
    await server.freeze();
    const codes = new Map<string, number>();
    const calls = Array.from({ length: 10_500 }, () =>
      patient.verdict(login).catch((error: Error) => {
        const key = error.message.includes('too many') ? 'too many' : error.message;
        codes.set(key, (codes.get(key) ?? 0) + 1);
      }),
    );
    await until(
      () => Promise.resolve(codes.get('too many')),
      (count) => count === 500,
    );
    await server.thaw();
    await Promise.all(calls);
    expect([...codes]).toEqual([['too many', 500]]);
  }, 60_000);
});
