/**
 * News between two instances: what ended or was rotated on one is heard on the other.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisStore, redisStore } from '../../src/stores/redis/index.js';
import { ask } from '../support/servers/ask.js';
import { startCluster } from '../support/servers/cluster.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { until } from '../support/until.js';
import { type Scene, openScene } from '../unit/stores/redis.scene.kit.js';

type SessionBusListener = Parameters<RedisStore['bus']['subscribe']>[0];
type Notice = Parameters<NonNullable<SessionBusListener['onNotice']>>[0];

/** Everything that a listener was told. */
class Ear implements SessionBusListener {
  readonly notices: (Notice & { readonly at: number })[] = [];
  readonly events: string[] = [];

  onNotice(notice: Notice): void {
    this.notices.push({ ...notice, at: performance.now() });
  }

  onConnected(): void {
    this.events.push('connected');
  }

  onCut(): void {
    this.events.push('cut');
  }

  hears(count: number): Promise<unknown> {
    return until(
      () => Promise.resolve(this.notices.length),
      (heard) => heard >= count,
    );
  }

  is(...events: readonly string[]): Promise<unknown> {
    return until(
      () => Promise.resolve(this.events.join()),
      (told) => told === events.join(),
    );
  }
}

const KINDS = {
  'one server': async () => {
    const server = await startRedis();
    return { servers: [server], target: { url: server.url }, stop: () => server.stop() };
  },
  'a cluster': async () => {
    const cluster = await startCluster({ replicas: 0 });
    return {
      servers: cluster.nodes,
      target: { cluster: cluster.urls },
      stop: () => cluster.stop(),
    };
  },
};

describe.each(Object.entries(KINDS))('the bus on %s', (_, start) => {
  let servers: readonly RedisServer[];
  let stop: () => Promise<void>;
  let makeStore: () => RedisStore;
  let here: Scene;
  let there: RedisStore;
  let scenes: Scene[];
  let ear: Ear;

  beforeAll(async () => {
    const started = await start();
    ({ servers, stop } = started);
    makeStore = () => redisStore(started.target);
  }, 60_000);
  afterAll(() => stop());

  const listen = async (): Promise<void> => {
    const [one, other] = [makeStore(), makeStore()];
    here = await openScene(one, { buckets: 16 });
    scenes = [here, await openScene(other, { buckets: 16 })];
    there = other;
    ear = new Ear();
    there.bus.subscribe(ear);
    await ear.is('connected');
  };
  afterEach(async () => {
    for (const scene of scenes) await scene.close();
  });

  it('tells of ends and rotations', async () => {
    await listen();
    const [login, other] = [await here.login(), await here.login()];
    await here.rotate(login, 'hard');
    await here.revoke(login, { reason: 'logout' });
    const replaced = await here.login({
      user: other.user,
      replaces: { id: other.id, take: [] },
    });
    expect(replaced.ended.map(({ id }) => id)).toEqual([other.id]);
    const { until: moment } = await here.store.revokeEveryone({ reason: 'revoked' });
    await ear.hears(4);
    // Messages that come over different nodes may overtake each other.
    const told = ear.notices.map(({ at: _at, ...notice }) => notice);
    const expected = [
      { kind: 'rotated', sessionId: login.id, generation: 1 },
      { kind: 'ended', sessionId: login.id, reason: 'logout' },
      { kind: 'ended', sessionId: other.id, reason: 'replaced' },
      { kind: 'everyone', until: moment, reason: 'revoked' },
    ];
    expect(told).toHaveLength(expected.length);
    expect(told).toEqual(expect.arrayContaining(expected));
  });

  it('says that it was cut, and is there again by itself', async () => {
    await listen();
    for (const server of servers) await ask(server, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await ear.is('connected', 'cut', 'connected');
    expect(there.bus.isConnected).toBe(true);
    const login = await here.login();
    await here.revoke(login);
    await ear.hears(1);
    expect(ear.notices).toMatchObject([{ kind: 'ended', sessionId: login.id }]);
  });

  it('loses none of a crowd, and takes milliseconds', async () => {
    await listen();
    const sent = new Map<string, number>();
    const logins = await Promise.all(Array.from({ length: 300 }, () => here.login()));
    for (const { id } of logins) {
      sent.set(id, performance.now());
      await here.revoke({ id });
    }
    await ear.hears(logins.length);
    const heard = new Map(
      ear.notices.flatMap((notice) =>
        notice.kind === 'ended' ? [[notice.sessionId, notice.at]] : [],
      ),
    );
    const times = logins.map(({ id }) => (heard.get(id) ?? NaN) - (sent.get(id) ?? NaN));
    expect(times.filter(Number.isNaN)).toEqual([]);
    times.sort((a, b) => a - b);
    const [median, p99] = [times[150], times[297]].map((ms = NaN) => ms.toFixed(1));
    console.log(`from the call to the other instance: median ${median} ms, p99 ${p99} ms`);
  });
});
