/**
 * At the limit with the policy reject, over HTTP: the user chooses what makes room, with a ticket.
 */
import { describe, expect } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { Client } from '../support/client.js';
import type { Scenario } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';
import { complete } from './privileges.kit.js';

const MINUTE = 60_000;

export function describeLimit(scenario: Scenario, clock: Stage['clock']): void {
  describe('at the limit with the policy reject', () => {
    interface Refusal {
      readonly ticket: string;
      readonly sessions: readonly { readonly id: string }[];
    }
    const limit = { concurrency: { max: 2, atLimit: 'reject' } } as const;
    const refused = async (client: Client, user: string): Promise<Refusal> => {
      const answer = await client.post('/p/password', { user });
      expect(answer.status).toBe(409);
      expect(answer.body).toMatchObject({ code: 'ERR_SESSION_LIMIT' });
      return answer.body as Refusal;
    };

    scenario(
      'K-02: the user picks the session that makes room, and the ticket is good once',
      async ({ start, passTime }) => {
        const { url } = await start(limit);
        const [one, two, three] = [new Client(url), new Client(url), new Client(url)];
        await complete(one, 'alice');
        await passTime(1);
        await complete(two, 'alice');
        const { ticket, sessions } = await refused(three, 'alice');
        expect(sessions).toHaveLength(2);
        const id = sessions[1]?.id; // the older one
        expect((await three.post('/p/choose', { ticket, id })).status).toBe(204);
        expect((await three.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_PENDING' });
        expect((await one.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_EVICTED' });
        expect((await two.get('/me')).status).toBe(200);
        const replay = await new Client(url).post('/p/choose', { ticket, id: sessions[0]?.id });
        expect(replay.body).toMatchObject({ code: 'ERR_SESSION_SUPERSEDED' });
        expect(replay.setCookies).toEqual([]);
        expect((await two.get('/me')).status).toBe(200);
      },
    );

    scenario('L-10: impersonation takes nobody the room for a login', async ({ start }) => {
      const { url } = await start({ concurrency: { max: 1, atLimit: 'reject' } });
      const [admin, bob, other] = [new Client(url), new Client(url), new Client(url)];
      await complete(admin, 'root');
      await admin.post('/p/act-as/bob');
      await bob.login('bob');
      const own = ((await bob.get('/me')).body as { id: string }).id;
      // What would make no room is no choice.
      const { sessions } = await refused(other, 'bob');
      expect(sessions.map(({ id }) => id)).toEqual([own]);
      expect((await admin.get('/me')).body).toMatchObject({ userId: 'bob' });
      expect((await bob.get('/me')).status).toBe(200);
    });

    scenario(
      'refuses a ticket that is damaged, of another user, or from before a revoke-all',
      async ({ start }) => {
        const { app, url } = await start(limit);
        const [one, two, mallory] = [new Client(url), new Client(url), new Client(url)];
        await complete(one, 'alice');
        await complete(two, 'alice');
        await complete(mallory, 'mallory');
        const { ticket, sessions } = await refused(new Client(url), 'alice');
        const id = sessions[0]?.id;
        const choose = (body: object): Promise<number> =>
          new Client(url).post('/p/choose', body).then(({ status }) => status);
        const end = ticket.endsWith('A') ? 'B' : 'A';
        expect(await choose({ ticket: `${ticket.slice(0, -1)}${end}`, id })).toBe(401);
        expect(await choose({ ticket: 'nsk_', id })).toBe(401);
        expect(await choose({ ticket: 7, id })).toBe(401);
        const foreign = ((await mallory.get('/me')).body as { id: string }).id;
        expect(await choose({ ticket, id: foreign })).toBe(409); // makes no room for alice
        expect((await mallory.get('/me')).status).toBe(200);
        // Nobody's session token is a ticket, and presenting it ends nothing.
        const token = mallory.cookies.split('=')[1];
        expect(await choose({ ticket: token, id })).toBe(401);
        expect((await mallory.get('/me')).status).toBe(200);
        const before = await refused(new Client(url), 'alice');
        await app.get(SessionService).revokeUser('alice');
        expect(await choose({ ticket: before.ticket, id })).toBe(401);
      },
    );

    // They are five minutes; nobody can set another span.
    if (clock === 'moved') {
      scenario('refuses a ticket that is old', async ({ start, passTime }) => {
        const { url } = await start(limit);
        const [one, two, three] = [new Client(url), new Client(url), new Client(url)];
        await complete(one, 'alice');
        await complete(two, 'alice');
        const { ticket, sessions } = await refused(three, 'alice');
        await passTime(5 * MINUTE + 1);
        await three.get('/public');
        expect((await one.get('/me')).status).toBe(200);
        const late = await three.post('/p/choose', { ticket, id: sessions[0]?.id });
        expect(late.status).toBe(401);
      });
    }
  });
}
