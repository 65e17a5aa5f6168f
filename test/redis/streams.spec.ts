/**
 * V-12 on two instances of an application that share a server: what is revoked on one is closed on
 * the other, over the bus and without it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { type RedisStore, redisStore } from '../../src/stores/redis/index.js';
import { type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { ask } from '../support/servers/ask.js';
import { useRedis } from '../support/servers/hooks.js';
import { type OpenStream, StreamController, leaveAll, openStream } from '../support/streams.js';
import { until } from '../support/until.js';

/** What a busy machine may add. */
const SLACK = 3_000;
const BOUND = 5_000 + SLACK;

describe('streams on two instances', () => {
  const redis = useRedis();
  let a: TestApp;
  let b: TestApp;
  /** The store of B, whose looks are counted. */
  let store: RedisStore;
  let looks = 0;

  beforeAll(async () => {
    store = redisStore({ url: redis().url });
    const peek = store.peek.bind(store);
    store.peek = (request) => {
      looks += 1;
      return peek(request);
    };
    const module = { controllers: [StreamController] };
    a = await startApp('express', { session: { store: redisStore({ url: redis().url }) }, module });
    b = await startApp('fastify', { session: { store }, module });
  }, 60_000);
  afterAll(async () => {
    leaveAll();
    await Promise.all([a.close(), b.close()]);
  });

  const open = async (user: string): Promise<OpenStream> => {
    const client = new Client(a.url);
    await client.login(user);
    return openStream(b.url, '/events', client);
  };
  const connected = (isConnected: boolean): Promise<unknown> =>
    until(
      async () => store.bus.isConnected,
      (is) => is === isConnected,
    );
  const subscribers = async (): Promise<number> => {
    const reply = (await ask(redis(), 'PUBSUB', 'NUMSUB', 'nsk:bus')) as [string, number];
    return reply[1];
  };
  const service = (): SessionService => a.app.get(SessionService);
  const revoke = async (stream: OpenStream): Promise<number> => {
    const begun = performance.now();
    await service().revoke(stream.id);
    await stream.closes();
    return performance.now() - begun;
  };

  it('V-12: a revocation on A closes the streams on B over the bus, and asks nobody', async () => {
    const [ended, other, third] = [await open('alice'), await open('bob'), await open('carol')];
    await connected(true);
    expect(await subscribers()).toBe(1);
    looks = 0;
    const took = await revoke(ended);
    await service().revokeUser('bob');
    await other.closes();
    expect(took).toBeLessThan(BOUND);
    // At most the first look at each, which may fall into these moments.
    expect(looks).toBeLessThanOrEqual(3);
    expect(third.isClosed).toBe(false);
    await service().revokeEveryone();
    await third.closes();
    await StreamController.hasLive(0);
    // The last stream takes its subscriber along.
    await until(subscribers, (count) => count === 0);
    console.log(`from the revocation on A to the end on B: ${took.toFixed(1)} ms`);
  });

  it('V-12: without the bus it takes no more than 5 s', async () => {
    const [ended, lasting] = [await open('alice'), await open('bob')];
    await connected(true);
    // Whoever subscribes from now on is sent away: the bus stays cut.
    await ask(redis(), 'ACL', 'SETUSER', 'default', '-subscribe');
    try {
      await ask(redis(), 'CLIENT', 'KILL', 'TYPE', 'pubsub');
      await connected(false);
      // Both are looked at because of the cut, so that only the next look can find the end.
      looks = 0;
      await until(
        async () => looks,
        (count) => count === 2,
      );
      const took = await revoke(ended);
      expect(took).toBeLessThan(BOUND);
      expect([store.bus.isConnected, lasting.isClosed]).toEqual([false, false]);
      expect(looks).toBeLessThanOrEqual(2 + 4);
      console.log(`the same without the bus: ${took.toFixed(0)} ms`);
    } finally {
      await ask(redis(), 'ACL', 'SETUSER', 'default', '+subscribe');
    }
    await connected(true);
    await revoke(lasting);
  });
});
