/**
 * The rights that `redisAclRules()` gives suffice for an application, with `waitReplicas` too: on
 * one server with a replica and on a cluster. The contract suite runs with them as well.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { SessionHealthIndicator, SessionService } from '../../src/index.js';
import { type RedisStoreOptions, redisStore } from '../../src/stores/redis/index.js';
import { type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { ask } from '../support/servers/ask.js';
import { useCluster, useRedis } from '../support/servers/hooks.js';
import {
  USER_NAME,
  addMinimalUser,
  asMinimalUser,
  denials,
  usersOn,
} from '../support/servers/minimal-user.js';
import { waitForReplica } from '../support/servers/replication.js';
import { until } from '../support/until.js';

const master = useRedis();
const replica = useRedis();
const cluster = useCluster();

describe.each(['server', 'cluster'])('the minimal user on a %s', (kind) => {
  const running: TestApp[] = [];
  const nodes = () => (kind === 'server' ? [master(), replica()] : cluster().nodes);
  const target = (): RedisStoreOptions =>
    kind === 'server'
      ? { url: asMinimalUser(master().url) }
      : { cluster: cluster().urls.map(asMinimalUser) };
  const start = async (): Promise<TestApp> => {
    const app = await startApp('express', {
      session: {
        store: redisStore({ ...target(), waitReplicas: 1 }),
        storeDeadline: '10s',
        concurrency: { max: 2 },
      },
    });
    running.push(app);
    return app;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('S-06: an application lives on the rights that redisAclRules() gives', async () => {
    if (kind === 'server') {
      await ask(replica(), 'REPLICAOF', master().host, master().port);
      await waitForReplica(replica());
    }
    await addMinimalUser(nodes(), { cluster: kind === 'cluster', waitReplicas: true });
    const [a, b] = [await start(), await start()];
    const service = a.app.get(SessionService);
    for (const user of ['alice', 'bob', 'carol', 'dave']) {
      const [phone, laptop, tablet] = [new Client(a.url), new Client(b.url), new Client(a.url)];
      await phone.post('/data/cart', { value: 'tea' });
      for (const client of [phone, laptop, tablet]) await client.login(user);
      expect((await phone.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_EVICTED' });
      await tablet.post('/data/note', { value: 'x'.repeat(200) });
      expect((await tablet.post('/count')).body).toEqual({ count: 1 });
      expect((await tablet.get('/data')).status).toBe(200);
      expect((await tablet.post('/rotate')).status).toBe(204);
      const devices = (await tablet.get('/devices')).body as { id: string; isCurrent: boolean }[];
      const other = devices.find(({ isCurrent }) => !isCurrent)?.id;
      expect((await tablet.delete(`/devices/${other}`)).body).toEqual({ revoked: true });
      expect((await laptop.get('/me')).status).toBe(401);
      expect((await tablet.post('/logout')).status).toBe(204);
      await service.exportUser(user);
      await service.eraseUser(user);
    }
    await service.create('alice');
    await service.revokeUser('alice');
    await service.revokeWhere({ createdBefore: Date.now() });
    await service.revokeEveryone();
    await service.recordLoginFailure('alice');
    await service.page();
    await service.stats();
    await service.sweep({ batch: 10, budget: 5_000 });
    expect(await a.app.get(SessionHealthIndicator).isHealthy()).toMatchObject({
      session: { status: 'up' },
    });
    // It was that user: the others are this test's and the replication's.
    await until(
      () => usersOn(master()),
      (users) => kind === 'cluster' || users.includes(USER_NAME),
    );
    expect(await denials(nodes())).toEqual([]);
  });
});
