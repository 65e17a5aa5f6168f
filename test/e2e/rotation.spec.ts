/**
 * Periodic rotation over HTTP, on two instances with one store: honest clients keep their session
 * whatever happens to a response, and a copied token gives itself away.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SessionModuleOptions, SessionService, memoryStore } from '../../src/index.js';
import { manualClock } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { type Answer, Client } from '../support/client.js';

const INTERVAL = 15 * 60_000;
const GRACE = 30_000;
const ROTATION = { interval: INTERVAL, grace: GRACE };

describe.each(ADAPTERS)('periodic rotation on %s', (adapter) => {
  const running: TestApp[] = [];
  const clock = manualClock();
  const store = memoryStore({ clock: () => clock.now() });
  const start = async (session: SessionModuleOptions = {}): Promise<TestApp> => {
    const app = await startApp(adapter, { session: { store, rotation: ROTATION, ...session } });
    running.push(app);
    return app;
  };
  const statuses = (answers: Answer[]): number[] => [
    ...new Set(answers.map(({ status }) => status)),
  ];
  const successors = (answers: Answer[]): Set<string> =>
    new Set(answers.flatMap(({ setCookies }) => setCookies));
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('R-07: changes the token after the interval; id and deadline stay', async () => {
    const client = new Client((await start()).url);
    await client.login('alice');
    const id = ((await client.get('/me')).body as { id: string }).id;
    const absoluteLeft = async (): Promise<number> => {
      const { body } = await client.get('/session/status');
      return (body as { timeLeft: { absolute: number } }).timeLeft.absolute;
    };
    const before = await absoluteLeft();
    clock.advance(INTERVAL - 1);
    expect((await client.get('/me')).setCookies).toEqual([]);
    clock.advance(1);
    const rotating = await client.get('/me');
    expect(rotating.setCookies).toHaveLength(1);
    expect(rotating.headers.get('cache-control')).toBe('no-store');
    expect(rotating.body).toMatchObject({ id });
    expect(await absoluteLeft()).toBe(before - INTERVAL / 1000);
    expect((await client.get('/me')).setCookies).toEqual([]);
  });

  it('R-08: 50 parallel requests over two instances: 50 × 200 and one successor', async () => {
    const [one, two] = [await start(), await start()];
    const client = new Client(one.url);
    await client.login('alice');
    const other = new Client(two.url);
    other.cookies = client.cookies;
    clock.advance(INTERVAL);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 2 ? client : other).clone().get('/me')),
    );
    expect(statuses(answers)).toEqual([200]);
    expect(successors(answers).size).toBe(1);
  });

  it('R-11: a dropped response costs nothing, also when 50 requests come back with the old token', async () => {
    const [one, two] = [await start(), await start()];
    const client = new Client(one.url);
    await client.login('alice');
    const dropped = client.clone();
    clock.advance(INTERVAL);
    expect((await dropped.get('/me')).setCookies).toHaveLength(1); // never reaches the browser
    clock.advance(5 * GRACE);
    const other = new Client(two.url);
    other.cookies = client.cookies;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 2 ? client : other).clone().get('/me')),
    );
    expect(statuses(answers)).toEqual([200]);
    expect(successors(answers).size).toBe(1);
    // The browser takes the second successor; later the dropped one counts as a copy.
    client.cookies = [...successors(answers)][0]?.split(';')[0] ?? '';
    expect((await client.get('/me')).status).toBe(200);
    clock.advance(GRACE + 1);
    expect((await client.get('/me')).status).toBe(200);
    expect((await dropped.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
    expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
  });

  it('R-10: a replay of each of the last 5 generations ends the session once, and no other', async () => {
    const app = await start();
    const ends: string[] = [];
    app.app.get(SessionService).on('session.ended', ({ reason }) => void ends.push(reason));
    for (let replayed = 1; replayed <= 5; replayed++) {
      const [victim, phone] = [new Client(app.url), new Client(app.url)];
      await phone.login('alice');
      await victim.login('alice');
      const generations: Client[] = [];
      for (let i = 0; i < 6; i++) {
        generations.unshift(victim.clone());
        clock.advance(INTERVAL);
        await phone.get('/me');
        expect((await victim.get('/me')).status).toBe(200);
      }
      expect((await victim.get('/me')).status).toBe(200);
      clock.advance(GRACE + 1);
      ends.length = 0;
      const thief = generations[replayed - 1]?.clone();
      expect((await thief?.get('/me'))?.body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
      expect((await thief?.get('/me'))?.status).toBe(401);
      expect((await victim.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
      expect(ends).toEqual(['reused']);
      expect((await phone.get('/me')).status).toBe(200);
      await phone.post('/devices/revoke-all');
    }
  });

  it('C-16: never rotates where the new token could get lost', async () => {
    const client = new Client((await start()).url);
    await client.login('alice');
    clock.advance(INTERVAL);
    for (const headers of [
      { 'sec-purpose': 'prefetch' },
      { purpose: 'prefetch' },
      { accept: 'text/event-stream' },
    ]) {
      const answer = await client.get('/me', headers);
      expect(answer.status).toBe(200);
      expect(answer.setCookies).toEqual([]);
    }
    expect((await client.send('HEAD', '/me')).setCookies).toEqual([]);
    expect((await client.get('/me')).setCookies).toHaveLength(1);
  });

  it('R-02: 200 parallel requests with the token from before the login: none is let in', async () => {
    const client = new Client((await start({ data: { keepOnLogin: ['cart'] } })).url);
    await client.post('/data/cart', { value: 'tea' });
    const attacker = client.clone();
    const requests = Array.from({ length: 100 }, () => attacker.clone().get('/me'));
    const login = client.login('alice');
    requests.push(...Array.from({ length: 100 }, () => attacker.clone().get('/me')));
    await login;
    const answers = await Promise.all(requests);
    expect(statuses(answers)).toEqual([401]);
    expect(successors(answers).size).toBe(0);
    expect((await client.get('/me')).status).toBe(200);
  });

  it('T-11: rolls secrets in the documented order without logging anybody out', async () => {
    const [old, next] = ['old', 'new'].map((name) => `${name}-8f2d7c1be94a4f0d9a6c53e1b07f2d84`);
    const before = await start({ secret: old });
    const client = new Client(before.url);
    await client.login('alice');
    const use = async (secret: SessionModuleOptions['secret']): Promise<Client> => {
      const rolled = new Client((await start({ secret })).url);
      rolled.cookies = client.cookies;
      return rolled;
    };
    expect((await (await use([old ?? '', next ?? ''])).get('/me')).status).toBe(200);
    const newest = await use([next ?? '', old ?? '']);
    expect((await newest.get('/me')).status).toBe(200);
    clock.advance(4 * GRACE);
    expect((await newest.get('/me')).setCookies).toHaveLength(1); // re-issued under the new one
    expect((await (await use(next)).get('/me')).status).toBe(401);
    client.cookies = newest.cookies;
    expect((await (await use(next)).get('/me')).status).toBe(200);
  });
});
