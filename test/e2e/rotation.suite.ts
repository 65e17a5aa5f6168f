/**
 * Periodic rotation over HTTP, on two instances with one store: honest clients keep their session
 * whatever happens to a response, and a copied token gives itself away.
 */
import { expect } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { type Answer, Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';
import { describeSecretRolling } from './secret-rolling.suite.js';

/** `shortly` is well within an interval; `calm` has a grace that outlasts a pause of the machine. */
const SPANS = {
  moved: {
    rotation: { interval: 15 * 60_000, grace: 30_000 },
    calm: { interval: 15 * 60_000, grace: 30_000 },
    shortly: 15 * 60_000 - 1,
  },
  real: {
    rotation: { interval: 4_000, grace: 1_000 },
    calm: { interval: 10_000, grace: 2_500 },
    shortly: 2_000,
  },
};

const statuses = (answers: Answer[]): number[] => [...new Set(answers.map(({ status }) => status))];
const successors = (answers: Answer[]): Set<string> =>
  new Set(answers.flatMap(({ setCookies }) => setCookies));

export function describeRotation(stage: Stage): void {
  const { rotation, calm, shortly } = SPANS[stage.clock];
  const suite = (scenario: Scenario): void => {
    scenario('R-07: changes the token after the interval; id and deadline stay', async (scene) => {
      const client = new Client((await scene.start()).url);
      await client.login('alice');
      const id = ((await client.get('/me')).body as { id: string }).id;
      const deadline = async (): Promise<number> => {
        const { body } = await client.get('/session/status');
        const { timeLeft } = body as { timeLeft: { absolute: number } };
        return (await scene.now()) + timeLeft.absolute * 1000;
      };
      const before = await deadline();
      await scene.passTime(shortly);
      expect((await client.get('/me')).setCookies).toEqual([]);
      await scene.passTime(rotation.interval - shortly);
      const rotating = await client.get('/me');
      expect(rotating.setCookies).toHaveLength(1);
      expect(rotating.headers.get('cache-control')).toBe('no-store');
      expect(rotating.body).toMatchObject({ id });
      expect(Math.abs((await deadline()) - before)).toBeLessThan(rotation.interval / 2);
      expect((await client.get('/me')).setCookies).toEqual([]);
    });

    scenario(
      'R-08: 50 parallel requests over two instances: 50 × 200 and one successor',
      async ({ start, passTime }) => {
        const options = { rotation: calm };
        const [one, two] = [await start(options), await start(options)];
        const client = new Client(one.url);
        await client.login('alice');
        await passTime(calm.interval);
        const answers = await askBoth(client, two.url, 50);
        expect(statuses(answers)).toEqual([200]);
        expect(successors(answers).size).toBe(1);
      },
    );

    scenario(
      'R-11: a dropped response costs nothing, also when 50 requests come back with the old token',
      async ({ start, passTime }) => {
        const options = { rotation: calm };
        const [one, two] = [await start(options), await start(options)];
        const client = new Client(one.url);
        await client.login('alice');
        const dropped = client.clone();
        await passTime(calm.interval);
        expect((await dropped.get('/me')).setCookies).toHaveLength(1); // never reaches the browser
        await passTime(5 * calm.grace);
        const answers = await askBoth(client, two.url, 50);
        expect(statuses(answers)).toEqual([200]);
        expect(successors(answers).size).toBe(1);
        // The browser takes the second successor; later the dropped one counts as a copy.
        client.cookies = [...successors(answers)][0]?.split(';')[0] ?? '';
        expect((await client.get('/me')).status).toBe(200);
        await passTime(calm.grace + 1);
        expect((await client.get('/me')).status).toBe(200);
        expect((await dropped.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
        expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
      },
    );

    scenario(
      'R-10: a replay of each of the last 5 generations ends the session once, and no other',
      async ({ start, passTime }) => {
        const app = await start();
        const ends: string[] = [];
        app.app
          .get(SessionService)
          .on('session.ended', ({ reason, userId }) => void ends.push(`${userId}: ${reason}`));
        const victims = [0, 1, 2, 3, 4].map((age) => new Victim(app.url, `user-${age}`));
        await Promise.all(victims.map((victim) => victim.logIn()));
        for (let generation = 1; generation <= 5; generation++) {
          await passTime(rotation.interval);
          const rotations = await Promise.all(victims.map((victim) => victim.rotate()));
          expect(rotations).toEqual([1, 1, 1, 1, 1]);
        }
        await passTime(rotation.grace + 1);
        for (const [age, { laptop, phone, copies, user }] of victims.entries()) {
          const thief = copies[age];
          expect((await thief?.get('/me'))?.body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
          expect((await thief?.get('/me'))?.status).toBe(401);
          expect((await laptop.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
          expect(ends.splice(0)).toEqual([`${user}: reused`]);
          expect((await phone.get('/me')).status).toBe(200);
        }
      },
    );

    scenario(
      'C-16: never rotates where the new token could get lost',
      async ({ start, passTime }) => {
        const client = new Client((await start()).url);
        await client.login('alice');
        await passTime(rotation.interval);
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
      },
    );

    scenario(
      'R-02: 200 parallel requests with the token from before the login: none is let in',
      async ({ start }) => {
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
      },
    );

    describeSecretRolling(scenario, rotation.grace);
  };
  describeScenarios('periodic rotation', stage, suite, {
    session: { rotation },
    mostlyWait: true,
  });
}

/** Requests with one cookie, half of them to the other instance. */
function askBoth(client: Client, otherUrl: string, count: number): Promise<Answer[]> {
  const other = new Client(otherUrl);
  other.cookies = client.cookies;
  return Promise.all(
    Array.from({ length: count }, (_, i) => (i % 2 ? client : other).clone().get('/me')),
  );
}

/** Somebody whose tokens are copied one after the other. */
class Victim {
  readonly user: string;
  readonly laptop: Client;
  readonly phone: Client;
  /** One for each token that was replaced, the last one first. */
  readonly copies: Client[] = [];

  constructor(url: string, user: string) {
    this.user = user;
    this.laptop = new Client(url);
    this.phone = new Client(url);
  }

  async logIn(): Promise<void> {
    await this.laptop.login(this.user);
    await this.phone.login(this.user);
  }

  /** Uses both devices; how often the laptop was given a new token. */
  async rotate(): Promise<number> {
    this.copies.unshift(this.laptop.clone());
    const answers = [await this.laptop.get('/me'), await this.laptop.get('/me')];
    await this.phone.get('/me');
    return answers.flatMap(({ setCookies }) => setCookies).length;
  }
}
