/**
 * What operators and data protection ask for, through the service alone.
 */
import { expect } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { actingAs } from '../../src/testing/index.js';
import { Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Spans {
  readonly idle: number;
  readonly absolute: number;
}

const SPANS: Record<Stage['clock'], Spans> = {
  moved: { idle: 30 * MINUTE, absolute: 24 * HOUR },
  real: { idle: 4_000, absolute: 24 * HOUR },
};

export function describeAdministration(stage: Stage): void {
  const spans = SPANS[stage.clock];
  const { idle, absolute } = spans;
  describeScenarios(
    'administration',
    stage,
    (scenario) => {
      describeRevokeWhere(scenario);
      describeExplain(scenario, stage.clock, spans);
      describeUserData(scenario);
    },
    { session: { timeouts: { idle: `${idle}ms`, absolute: `${absolute}ms` } }, mostlyWait: true },
  );
}

function describeRevokeWhere(scenario: Scenario): void {
  // Creating them may take longer than the sessions of the others live.
  const timeouts = { idle: '30m' } as const;

  scenario(
    'revokeWhere ends what meets all conditions and nothing else; a dry run only counts',
    async ({ start, passTime, now }) => {
      const sessions = (await start({ timeouts })).app.get(SessionService);
      await sessions.create('old', { tenant: 'a', methods: ['pwd'] });
      await passTime(10);
      const moment = await now();
      await passTime(10);
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
      const left = (await sessions.page()).sessions.map(({ userId }) => userId ?? 'nobody');
      expect(left.toSorted()).toEqual(['hwk', 'nobody']);
    },
  );

  scenario('revokeWhere goes on where it stopped', async ({ start }) => {
    const sessions = (await start({ timeouts })).app.get(SessionService);
    await Promise.all(Array.from({ length: 250 }, (_, i) => sessions.create(`user-${i}`)));
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
}

function describeExplain(scenario: Scenario, clock: Stage['clock'], spans: Spans): void {
  const { idle, absolute } = spans;

  scenario(
    'explain names the check that decides and the deadlines',
    async ({ start, passTime }) => {
      const { app } = await start();
      const sessions = app.get(SessionService);
      const { session, token } = await sessions.create('alice');
      const text = token.token.reveal();
      expect(await sessions.explain(text)).toMatchObject({
        verdict: 'active',
        decidedBy: 'all checks pass; the idle timeout comes first',
        userId: 'alice',
        idleAt: session.createdAt + idle,
        absoluteAt: session.createdAt + absolute,
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
      await passTime(idle);
      expect(await sessions.explain(other.session.id)).toMatchObject({ verdict: 'idle' });
    },
  );

  // It is ten minutes behind the absolute timeout at least; nobody can set another span.
  if (clock === 'moved') {
    scenario('explain names the deadline inside the token', async ({ start, passTime }) => {
      const sessions = (await start()).app.get(SessionService);
      const { token } = await sessions.create('alice');
      await passTime(2 * absolute);
      expect(await sessions.explain(token.token.reveal())).toMatchObject({
        verdict: 'absolute',
        decidedBy: 'the deadline inside the token',
      });
    });
  }

  scenario(
    'the explanation is part of the 401 in development, and of none in production',
    async ({ start }) => {
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
    },
  );

  scenario('explain does not count as activity', async ({ start, passTime }) => {
    const sessions = (await start()).app.get(SessionService);
    const { session } = await sessions.create('alice');
    await passTime(idle / 2);
    expect(await sessions.explain(session.id)).toMatchObject({ verdict: 'active' });
    await passTime(idle / 2);
    expect(await sessions.explain(session.id)).toMatchObject({ verdict: 'idle' });
  });
}

function describeUserData(scenario: Scenario): void {
  scenario('L-11: exports everything about a user, and erases it', async ({ start }) => {
    const { app, url } = await start({ timeouts: { idle: '30m' } });
    const sessions = app.get(SessionService);
    const login = { methods: ['pwd'], level: 1, tenant: 'north' };
    const alice = await actingAs(app, 'alice', { ...login, data: { note: 'hers' } });
    await actingAs(app, 'bob', { data: { note: 'his' } });
    const ended = await sessions.create('alice');
    await sessions.revoke(ended.session.id);
    const exported = await sessions.exportUser('alice');
    expect(exported).toMatchObject({
      userId: 'alice',
      sessions: [
        {
          id: alice.session.id,
          methods: [{ method: 'pwd' }],
          level: 1,
          isPending: false,
          tenant: 'north',
          data: { note: 'hers' },
        },
      ],
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
}
