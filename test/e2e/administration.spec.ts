/**
 * What operators and data protection ask for, through the service alone.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SessionModuleOptions, SessionService, memoryStore } from '../../src/index.js';
import { actingAs, manualClock } from '../../src/testing/index.js';
import { type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const MINUTE = 60_000;

describe('administration', () => {
  const running: TestApp[] = [];
  const clock = manualClock();
  const start = async (session: SessionModuleOptions = {}): Promise<TestApp> => {
    const store = memoryStore({ clock: () => clock.now() });
    const app = await startApp('express', { session: { store, ...session } });
    running.push(app);
    return app;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  describe('revokeWhere', () => {
    it('ends what meets all conditions and nothing else; a dry run only counts', async () => {
      const sessions = (await start()).app.get(SessionService);
      await sessions.create('old', { tenant: 'a', methods: ['pwd'] });
      clock.advance(MINUTE);
      const moment = clock.now();
      await sessions.create('sms', { tenant: 'a', methods: ['sms'] });
      await sessions.create('hwk', { tenant: 'a', methods: ['hwk'], level: 3 });
      await sessions.create('other', { tenant: 'b', methods: ['sms'] });
      await sessions.createAnonymous({ cart: 1 });
      const filter = { tenant: 'a', method: 'sms' };
      expect(await sessions.revokeWhere(filter, { dryRun: true })).toEqual({
        examined: 5,
        matched: 1,
        revoked: 0,
      });
      expect(await sessions.revokeWhere(filter)).toEqual({ examined: 5, matched: 1, revoked: 1 });
      expect((await sessions.revokeWhere({ createdBefore: moment })).revoked).toBe(1);
      expect((await sessions.revokeWhere({ levelBelow: 3 })).revoked).toBe(1);
      expect((await sessions.page()).sessions.map(({ userId }) => userId)).toEqual([
        'hwk',
        undefined,
      ]);
    });

    it('goes on where it stopped', async () => {
      const sessions = (await start()).app.get(SessionService);
      for (let i = 0; i < 250; i++) await sessions.create(`user-${i}`);
      let cursor: string | undefined;
      const examined: number[] = [];
      let revoked = 0;
      do {
        const report = await sessions.revokeWhere({}, { budget: 0, ...(cursor && { cursor }) });
        examined.push(report.examined);
        revoked += report.revoked;
        cursor = report.cursor;
      } while (cursor !== undefined);
      expect(examined).toEqual([100, 100, 50]);
      expect(revoked).toBe(250);
      expect((await sessions.stats()).active).toBe(0);
    });
  });

  describe('explain', () => {
    it('names the check that decides and the deadlines', async () => {
      const { app } = await start();
      const sessions = app.get(SessionService);
      const { session, token } = await sessions.create('alice');
      const text = token.token.reveal();
      expect(await sessions.explain(text)).toMatchObject({
        verdict: 'active',
        decidedBy: 'all checks pass; the idle timeout comes first',
        userId: 'alice',
        idleAt: clock.now() + 30 * MINUTE,
        absoluteAt: clock.now() + 24 * 60 * MINUTE,
      });
      expect(
        await sessions.explain(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`),
      ).toMatchObject({
        verdict: 'none',
        decidedBy: 'the tag: forged, damaged, or made under another secret or audience',
      });
      expect((await sessions.explain('hello')).decidedBy).toMatch(/^the spelling/);
      await sessions.revoke(session.id);
      expect(await sessions.explain(session.id)).toMatchObject({
        verdict: 'revoked',
        decidedBy: 'the store: the session has ended (revoked)',
      });
      const other = await sessions.create('alice');
      clock.advance(30 * MINUTE);
      expect(await sessions.explain(other.session.id)).toMatchObject({ verdict: 'idle' });
      clock.advance(48 * 60 * MINUTE);
      expect(await sessions.explain(text)).toMatchObject({
        verdict: 'absolute',
        decidedBy: 'the deadline inside the token',
      });
    });

    it('is part of the 401 in development, and of none in production', async () => {
      const refusal = async (explain: boolean | undefined, cookies: string): Promise<unknown> => {
        const client = new Client((await start({ explain })).url);
        client.cookies = cookies;
        return ((await client.get('/me')).body as { explanation?: string }).explanation;
      };
      expect(await refusal(undefined, '')).toBe('the request carries no cookie __Host-sid');
      expect(await refusal(undefined, '__Host-sid=x')).toMatch(/is no genuine token/);
      expect(await refusal(false, '__Host-sid=x')).toBeUndefined();
      const { app, url } = await start({ explain: true });
      const alice = await actingAs(app, 'alice');
      await app.get(SessionService).revoke(alice.session.id);
      const client = new Client(url);
      client.cookies = alice.headers.cookie;
      expect((await client.get('/me')).body).toMatchObject({
        code: 'ERR_SESSION_REVOKED',
        explanation: 'the store: the session has ended (revoked)',
      });
    });

    it('does not count as activity', async () => {
      const sessions = (await start()).app.get(SessionService);
      const { session } = await sessions.create('alice');
      clock.advance(29 * MINUTE);
      expect(await sessions.explain(session.id)).toMatchObject({ verdict: 'active' });
      clock.advance(MINUTE);
      expect(await sessions.explain(session.id)).toMatchObject({ verdict: 'idle' });
    });
  });

  it('L-11: exports everything about a user, and erases it', async () => {
    const { app, url } = await start();
    const sessions = app.get(SessionService);
    const alice = await actingAs(app, 'alice', { methods: ['pwd'], data: { note: 'hers' } });
    await actingAs(app, 'bob', { data: { note: 'his' } });
    const ended = await sessions.create('alice');
    await sessions.revoke(ended.session.id);
    const exported = await sessions.exportUser('alice');
    expect(exported).toMatchObject({
      userId: 'alice',
      sessions: [{ id: alice.session.id, methods: [{ method: 'pwd' }], data: { note: 'hers' } }],
      ended: [{ id: ended.session.id, reason: 'revoked' }],
    });
    const ticket = await sessions.beginLogin('alice');
    expect(await sessions.eraseUser('alice')).toBe(1);
    expect(await sessions.exportUser('alice')).toEqual({
      userId: 'alice',
      sessions: [],
      ended: [],
    });
    const client = new Client(url);
    client.cookies = alice.headers.cookie;
    expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REQUIRED' });
    await expect(sessions.create('alice', { ticket })).rejects.toMatchObject({
      code: 'ERR_SESSION_SUPERSEDED',
    });
    expect((await sessions.exportUser('bob')).sessions).toHaveLength(1);
  });
});
