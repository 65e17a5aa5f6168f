/**
 * Replays of tokens whose sessions are over: they cost the store next to nothing, and nobody else
 * anything.
 */
import { expect } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';

/** On a real clock the copy has to come within the grace, and then to wait for its end. */
const GRACES: Record<Stage['clock'], number> = { moved: 30_000, real: 2_000 };

export function describeReplays(stage: Stage): void {
  describeScenarios('replayed tokens', stage, describeEnded);
  const grace = GRACES[stage.clock];
  describeScenarios('retired tokens', stage, (scenario) => describeRetired(scenario, grace), {
    session: { rotation: { grace: `${grace}ms` } },
    mostlyWait: true,
  });
}

function describeEnded(scenario: Scenario): void {
  scenario(
    'Q-03: 1,000 replays of a revoked token cost at most 5 store calls, with the same answer',
    async ({ connect, start }) => {
      const store = withFaults(connect());
      const app = await start({ store });
      const client = new Client(app.url);
      await client.login('alice');
      await app.app.get(SessionService).revokeUser('alice');
      const before = store.calls.resolve;
      // Those that are under way together before the first verdict is known are asked for each.
      const codes = new Set([(await client.get('/me')).status]);
      for (let round = 0; round < 20; round += 1) {
        const answers = await Promise.all(Array.from({ length: 50 }, () => client.get('/me')));
        expect(answers[round]?.body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
        for (const { status } of answers) codes.add(status);
      }
      expect([...codes]).toEqual([401]);
      expect(store.calls.resolve - before).toBeLessThanOrEqual(5);
    },
  );

  scenario(
    'Q-03: one after the other, 1,000 replays cost at most 5 store calls',
    async ({ connect, start }) => {
      const store = withFaults(connect());
      const service = (await start({ store })).app.get(SessionService);
      const { token } = await service.create('alice');
      await service.revokeUser('alice');
      const before = store.calls.resolve;
      for (let i = 0; i < 1_000; i += 1) {
        expect(await service.resolve(token.token.reveal())).toEqual({
          status: 'ended',
          reason: 'revoked',
        });
      }
      expect(store.calls.resolve - before).toBeLessThanOrEqual(5);
    },
  );

  scenario(
    'Q-03: a just-created session is never hit, and a revocation is not delayed',
    async ({ start }) => {
      const client = new Client((await start()).url);
      for (let i = 0; i < 20; i += 1) {
        await client.login('alice');
        expect((await client.get('/me')).status).toBe(200);
        const old = client.clone();
        await client.post('/logout');
        expect((await old.get('/me')).status).toBe(401);
        expect((await old.get('/me')).status).toBe(401);
      }
    },
  );
}

function describeRetired(scenario: Scenario, grace: number): void {
  scenario(
    'R-10: a retired token is still taken for a copy after its grace',
    async ({ start, passTime }) => {
      const client = new Client((await start()).url);
      await client.login('alice');
      const copy = client.clone();
      await client.post('/rotate');
      expect((await copy.get('/me')).status).toBe(401);
      expect((await client.get('/me')).status).toBe(200);
      await passTime(1.2 * grace);
      expect((await copy.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
      expect((await client.get('/me')).status).toBe(401);
    },
  );
}
