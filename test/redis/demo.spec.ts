/**
 * `REDIS_URL=redis://… npm start`, twice: two demos on one Redis act as one.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeviceSession, SessionStats } from '../../src/index.js';
import { Client } from '../support/client.js';
import { type Demo, PASSWORDS, type UserName, buildDemo, startDemo } from '../support/demo.js';
import { useRedis } from '../support/servers/hooks.js';
import { until } from '../support/until.js';

const BOUND = 300_000;

describe('two demos on one Redis, on express and on fastify', () => {
  const server = useRedis();
  let demos: readonly Demo[] = [];
  /** Their addresses. */
  let a = '';
  let b = '';

  beforeAll(async () => {
    await buildDemo();
    const env = { REDIS_URL: server().url, DEMO_MAX_SESSIONS: '2' };
    demos = await Promise.all([
      startDemo({ ...env, DEMO_ADAPTER: 'express' }),
      startDemo({ ...env, DEMO_ADAPTER: 'fastify' }),
    ]);
    [a = '', b = ''] = demos.map(({ url }) => url);
  }, BOUND);

  afterAll(() => Promise.all(demos.map((demo) => demo.stop())));

  async function logIn(url: string, username: UserName): Promise<Client> {
    const client = new Client(url);
    const answer = await client.post('/login', { username, password: PASSWORDS[username] });
    expect(answer).toMatchObject({ status: 200, body: { username } });
    return client;
  }

  /** The same browser at the other address. */
  function at(url: string, { cookies }: Client): Client {
    const client = new Client(url);
    client.cookies = cookies;
    return client;
  }

  const devicesOf = async (client: Client): Promise<DeviceSession[]> =>
    (await client.get('/devices')).body as DeviceSession[];

  const lost = (code: string): object => ({ status: 401, body: { code } });

  it('know the logins of each other, and list the same devices', async () => {
    const onA = await logIn(a, 'alice');
    const onB = await logIn(b, 'alice');
    const known = { status: 200, body: { username: 'alice' } };
    expect(await at(b, onA).get('/me')).toMatchObject(known);
    expect(await at(a, onB).get('/me')).toMatchObject(known);

    const list = await devicesOf(onA);
    expect(list.map(({ isCurrent }) => isCurrent)).toEqual(expect.arrayContaining([true, false]));
    expect(list).toHaveLength(2);
    expect(await devicesOf(at(b, onA))).toEqual(list);
  });

  it('end for both what is revoked on one', async () => {
    const onA = await logIn(a, 'alice');
    const onB = await logIn(b, 'alice');
    const other = (await devicesOf(onB)).find(({ isCurrent }) => !isCurrent);
    expect(await onA.get('/me')).toMatchObject({ status: 200 });
    expect(await onB.delete(`/devices/${other?.id}`)).toMatchObject({ status: 204 });
    expect(await onA.get('/me')).toMatchObject(lost('ERR_SESSION_REVOKED'));

    const ended = [onB, at(a, onB)].map(
      async (client) => (await client.get('/devices/ended')).body,
    );
    const [there, here] = await Promise.all(ended);
    expect(here).toContainEqual(expect.objectContaining({ id: other?.id, reason: 'revoked' }));
    expect(here).toEqual(there);
  });

  it('count the sessions of a user together', async () => {
    const first = await logIn(a, 'bob');
    const second = await logIn(b, 'bob');
    const third = await logIn(a, 'bob');
    expect(await at(b, first).get('/me')).toMatchObject(lost('ERR_SESSION_EVICTED'));
    expect(await at(a, second).get('/me')).toMatchObject({ status: 200 });
    expect(await at(b, third).get('/me')).toMatchObject({ status: 200 });
  });

  it('show an administrator the same numbers', async () => {
    const admin = await logIn(a, 'ada');
    const statsAt = async (url: string): Promise<SessionStats> => {
      const { body } = await at(url, admin).get('/admin/stats');
      // They were not read in the same millisecond.
      return { ...(body as SessionStats), at: 0 };
    };
    // Again if a minute ended between the two.
    const [here, there] = await until(
      () => Promise.all([statsAt(a), statsAt(b)]),
      (both) => new Set(both.map(({ minutes }) => minutes.at(-1)?.at)).size === 1,
    );
    expect(here).toEqual(there);
    // Four of alice, three of bob and one of ada; of the first two the limit left two at a time.
    expect(here).toMatchObject({ active: 4, created: 8, ended: { revoked: 1, evicted: 3 } });
  });

  it('do without each other: one dies, the other goes on with its sessions', async () => {
    const client = await logIn(a, 'alice');
    await demos[0]?.stop('SIGKILL');
    await expect(client.get('/me')).rejects.toThrow('fetch failed');
    const survivor = at(b, client);
    expect(await survivor.get('/me')).toMatchObject({ status: 200, body: { username: 'alice' } });
    expect(await survivor.post('/devices/revoke-others')).toMatchObject({ status: 200 });
    expect(await devicesOf(survivor)).toHaveLength(1);
    expect(await (await logIn(b, 'bob')).get('/me')).toMatchObject({ status: 200 });
    expect(await survivor.get('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('print no token and no complaint', () => {
    for (const demo of demos) expect(demo.output()).not.toMatch(/nsk_[\w-]{96}|ERROR|WARN/);
  });
});
