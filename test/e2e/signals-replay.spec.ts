/**
 * Replays of tokens whose sessions are over: they cost the store next to nothing, and nobody else
 * anything.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SessionModuleOptions, SessionService, memoryStore } from '../../src/index.js';
import { manualClock, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

describe.each(ADAPTERS)('replayed tokens on %s', (adapter) => {
  const running: TestApp[] = [];
  const start = async (session: SessionModuleOptions): Promise<TestApp> => {
    const app = await startApp(adapter, { session });
    running.push(app);
    return app;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('Q-03: 1,000 replays of a revoked token cost at most 5 store calls, with the same answer', async () => {
    const store = withFaults(memoryStore());
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
  });

  it('Q-03: one after the other, 1,000 replays cost at most 5 store calls', async () => {
    const store = withFaults(memoryStore());
    const app = await start({ store });
    const service = app.app.get(SessionService);
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
  });

  it('Q-03: a just-created session is never hit, and a revocation is not delayed', async () => {
    const store = memoryStore();
    const app = await start({ store });
    const client = new Client(app.url);
    for (let i = 0; i < 20; i += 1) {
      await client.login('alice');
      expect((await client.get('/me')).status).toBe(200);
      const old = client.clone();
      await client.post('/logout');
      expect((await old.get('/me')).status).toBe(401);
      expect((await old.get('/me')).status).toBe(401);
    }
  });

  it('R-10: a retired token is still taken for a copy after its grace', async () => {
    const clock = manualClock();
    const app = await start({ store: memoryStore({ clock: clock.now }) });
    const client = new Client(app.url);
    await client.login('alice');
    const copy = client.clone();
    await client.post('/rotate');
    expect((await copy.get('/me')).status).toBe(401);
    expect((await client.get('/me')).status).toBe(200);
    clock.advance(60_000);
    expect((await copy.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
    expect((await client.get('/me')).status).toBe(401);
  });
});
