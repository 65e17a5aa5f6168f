/**
 * A browser that goes on with its cookie while another server becomes the master.
 */
import { expect } from '@jest/globals';
import { describeScenarios } from '../support/scenarios.js';
import { type Answer, Client } from '../support/client.js';
import { ask } from '../support/servers/ask.js';
import type { RedisSentinel } from '../support/servers/sentinel.js';
import { sentinelStage } from '../support/stores.js';
import { until } from '../support/until.js';
import type { DriverName } from '../unit/stores/redis.scene.kit.js';

export function describeFailover(sentinel: () => RedisSentinel, driver?: DriverName): void {
  // A login is only answered when all replicas have it: whichever takes over knows it.
  const stage = sentinelStage(sentinel, {
    ...(driver && { driver, adapters: ['express'] }),
    store: { waitReplicas: 2 },
  });

  describeScenarios('a failover', stage, (scenario) => {
    scenario(
      'F-02: 503 at most, then 200 again with the same cookie; never 401',
      async ({ start }) => {
        const { url } = await start({ storeDeadline: '1s' });
        const [alice, ended] = [new Client(url), new Client(url)];
        await logIn(alice);
        await logIn(ended);
        const gone = ended.clone();
        expect((await ended.post('/logout')).status).toBe(204);
        const { cookies } = alice;

        const before = await sentinel().master();
        const browsing = new Browsing(alice);
        const after = await sentinel().killMaster();
        expect(after.port).not.toBe(before.port);
        await until(
          () => alice.get('/me'),
          ({ status }) => status !== 503,
        );
        const answers = await browsing.stop();
        await before.restart();
        await makeWhole(sentinel()); // for whoever is next

        // Who asks shortly before the end of it may wait for the answer instead.
        expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
        expect(answers.some(({ status }) => status === 200)).toBe(true);
        expect(answers.flatMap(({ setCookies }) => setCookies)).toEqual([]);
        for (const { headers, status } of answers) {
          expect(headers.get('retry-after')).toBe(status === 503 ? '1' : null);
        }
        expect(alice.cookies).toBe(cookies);
        expect((await alice.get('/me')).status).toBe(200);
        expect((await gone.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
        await logIn(alice);
        expect((await alice.get('/me')).status).toBe(200);
      },
    );
  });
}

/** Keeps asking, a few requests at once. */
class Browsing {
  readonly #answers: Answer[] = [];
  readonly #over = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(client: Client) {
    const browse = async (): Promise<void> => {
      while (!this.#over.signal.aborted) this.#answers.push(await client.get('/me'));
    };
    this.#running = Promise.all(Array.from({ length: 4 }, browse));
  }

  async stop(): Promise<readonly Answer[]> {
    this.#over.abort();
    await this.#running;
    return this.#answers;
  }
}

/** Has all others follow the master, which the Sentinels would get round to in half a minute. */
async function makeWhole(group: RedisSentinel): Promise<void> {
  const { servers } = group;
  await until(
    async () => {
      // On a busy machine it may have been replaced once more.
      const master = await group.master();
      const others = servers.filter((server) => server !== master);
      const { host, port } = master;
      await Promise.all(others.map((other) => ask(other, 'REPLICAOF', host, port)));
      const [role, , replicas] = (await ask(master, 'ROLE')) as [string, number, unknown[]];
      return role === 'master' && replicas.length === others.length;
    },
    (isWhole) => isWhole,
    20_000,
  );
}

/** After a failover it takes a moment until a replica follows the new master. */
async function logIn(client: Client): Promise<void> {
  const answer = await until(
    () => client.post('/login', { user: 'alice' }),
    ({ status }) => status !== 503,
    20_000,
  );
  expect(answer.status).toBe(204);
}
