/**
 * A master dies under load: the store recovers by itself, loses nothing that was acknowledged, and
 * brings nothing back that was ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClusterNode } from '../support/servers/cluster-form.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { type RedisSentinel, startSentinel } from '../support/servers/sentinel.js';
import { until } from '../support/until.js';
import { adminOf } from '../unit/stores/redis.faults.kit.js';
import { AS_ACKNOWLEDGED, Loads, type MakeStore } from '../unit/stores/redis.load.kit.js';
import {
  DRIVERS,
  type RedisEntry,
  Scene,
  importRedis,
  openScene,
} from '../unit/stores/redis.scene.kit.js';

const DEADLINE = 1_000;
const RECOVERY = 10_000;
const QUIET = 1_500;
const ALL_AS_ACKNOWLEDGED = Object.fromEntries(DRIVERS.map((driver) => [driver, AS_ACKNOWLEDGED]));

let loads: Loads | undefined;

/** Starts them, and lets them run until the servers that were just started are of one mind. */
async function startLoads(make: MakeStore): Promise<Loads> {
  loads = await Loads.start(make, DEADLINE);
  await loads.settle(500, RECOVERY);
  return loads;
}

afterEach(async () => {
  await loads?.close();
  loads = undefined;
});

/** Milliseconds until nothing failed any more. */
async function recoveryOf(running: Loads, since: number): Promise<number> {
  try {
    return await running.recovery(since, QUIET, RECOVERY);
  } finally {
    console.log(running.summary());
  }
}

describe('a cluster', () => {
  let cluster: RedisCluster;
  // Of the master that is lost one replica becomes the heir, and one must be left to confirm.
  beforeAll(async () => {
    cluster = await startCluster({ replicas: [2, 1, 1], nodeTimeout: 1_000 });
  }, 60_000);
  afterAll(() => cluster.stop());

  const onCluster =
    (waitReplicas: number): MakeStore =>
    ({ redisStore }, prefix) =>
      redisStore({ cluster: cluster.urls, prefix, waitReplicas });
  const firstMaster = (): Promise<ClusterNode> => cluster.ownerOf('{b}');

  it.each([0, 1])(
    'swaps two servers and costs nobody a login or a request (waitReplicas: %d)',
    async (replicas) => {
      const running = await startLoads(onCluster(replicas));
      await cluster.failover(await firstMaster());
      await sleep(QUIET);
      expect(running.failures).toEqual([]);
      expect(await running.findings()).toEqual(ALL_AS_ACKNOWLEDGED);
    },
    60_000,
  );

  it('loses a master', async () => {
    const running = await startLoads(onCluster(1));
    const master = await firstMaster();
    const killed = performance.now();
    await cluster.crash(master);
    expect(await recoveryOf(running, killed)).toBeLessThan(RECOVERY);
    expect(running.slowest).toBeLessThan(DEADLINE + 500);
    expect(await running.findings()).toEqual(ALL_AS_ACKNOWLEDGED);
    await master.restart();
    await cluster.whole();
  }, 60_000);

  it('has a master that hangs', async () => {
    const running = await startLoads(onCluster(1));
    const master = await firstMaster();
    const frozen = performance.now();
    await master.freeze();
    expect(await recoveryOf(running, frozen)).toBeLessThan(RECOVERY);
    expect(running.slowest).toBeLessThan(DEADLINE + 500);
    await master.thaw();
    await cluster.whole();
    expect(await running.findings()).toEqual(ALL_AS_ACKNOWLEDGED);
  }, 60_000);
});

describe('Sentinels', () => {
  let group: RedisSentinel;
  beforeAll(async () => {
    group = await startSentinel();
  }, 60_000);
  afterAll(() => group.stop());

  const behindSentinels =
    (waitReplicas: number): MakeStore =>
    ({ redisStore }, prefix) => {
      const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }));
      return redisStore({ sentinels, name: group.name, prefix, waitReplicas });
    };

  // The old master goes on for a moment, so the heir must not lack what another replica confirms.
  it('replace a healthy master', async () => {
    const running = await startLoads(behindSentinels(2));
    const asked = performance.now();
    await group.failover();
    expect(await recoveryOf(running, asked)).toBeLessThan(RECOVERY);
    expect(running.slowest).toBeLessThan(DEADLINE + 500);
    expect(await running.findings()).toEqual(ALL_AS_ACKNOWLEDGED);
  }, 60_000);

  // Who is dead does not go on, and the heir is who has most. One replica is left to confirm.
  it('replace a master that died', async () => {
    const running = await startLoads(behindSentinels(1));
    const killed = performance.now();
    await group.killMaster();
    expect(await recoveryOf(running, killed)).toBeLessThan(RECOVERY);
    expect(running.slowest).toBeLessThan(DEADLINE + 500);
    expect(await running.findings()).toEqual(ALL_AS_ACKNOWLEDGED);
  }, 60_000);
});

describe.each(DRIVERS)('with %s', (driver) => {
  let scene: Scene | undefined;
  const servers: RedisServer[] = [];

  afterEach(async () => {
    await scene?.close();
    for (const server of servers.splice(0)) await server.stop();
    scene = undefined;
  });

  const open = async (make: (entry: RedisEntry) => Scene['store']): Promise<Scene> => {
    scene = await openScene(make(await importRedis(driver)), { deadline: DEADLINE });
    return scene;
  };

  describe('waitReplicas', () => {
    const startPair = async (): Promise<[RedisServer, RedisServer]> => {
      const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
      servers.push(master);
      const replica = await startRedis({ args: ['--replicaof', `${master.host} ${master.port}`] });
      servers.push(replica);
      const admin = adminOf(master);
      // It says that it is online before it answers for the first time.
      await until(
        async () => (await admin.set('first', '1')) && admin.wait(1, 1_000),
        (confirmed) => confirmed === 1,
      );
      admin.disconnect();
      return [master, replica];
    };

    it('holds an answer back until the replica has it', async () => {
      const [master, replica] = await startPair();
      const opened = await open(({ redisStore }) =>
        redisStore({ url: master.url, waitReplicas: 1 }),
      );
      const user = opened.user();
      const [login, other] = [await opened.login({ user }), await opened.login({ user })];
      await opened.revoke(other);
      // What is answered is on the replica at that moment, so that it survives its master.
      await master.kill();
      const admin = adminOf(replica);
      await admin.replicaof('NO', 'ONE');
      const entry = await importRedis(driver);
      const heir = await openScene(entry.redisStore({ url: replica.url }));
      expect(await heir.verdict(login)).toBe('active current');
      expect(await heir.verdict(other)).toBe('ended revoked');
      await heir.close();
      admin.disconnect();
    });

    it('rejects what no replica confirmed, although it happened, and holds up nothing else', async () => {
      const [master, replica] = await startPair();
      const opened = await open(({ redisStore }) =>
        redisStore({ url: master.url, waitReplicas: 1 }),
      );
      const login = await opened.login();
      const kept = await opened.login();
      await replica.freeze();
      const revoked = opened.revoke(login).then(
        () => 'answered',
        (error: Error) => error.message,
      );
      // Effective at once, and others are served meanwhile.
      await until(
        () => opened.verdict(login),
        (verdict) => verdict === 'ended revoked',
        DEADLINE / 2,
      );
      for (let i = 0; i < 20; i++) {
        const start = performance.now();
        expect(await opened.verdict(kept)).toBe('active current');
        expect(performance.now() - start).toBeLessThan(DEADLINE / 2);
      }
      expect(await revoked).toMatch(/made the change, but 0 of the 1 replicas/);
      // Asking once more tells when it is safe.
      await replica.thaw();
      await until(
        () =>
          opened.revoke(login).then(
            ({ status }) => status,
            () => 'not confirmed',
          ),
        (status) => status === 'gone',
      );
    });

    it('confirms a crowd of logins together', async () => {
      const [master] = await startPair();
      const opened = await open(({ redisStore }) =>
        redisStore({ url: master.url, waitReplicas: 1 }),
      );
      const admin = adminOf(master);
      await admin.config('RESETSTAT');
      const logins = await Promise.all(Array.from({ length: 200 }, () => opened.login()));
      expect(new Set(await opened.verdicts(logins))).toEqual(new Set(['active current']));
      const info = await admin.info('commandstats');
      const waits = Number(/cmdstat_wait:calls=(\d+)/.exec(info)?.[1]);
      expect(waits).toBeLessThan(100);
      admin.disconnect();
    });
  });
});
