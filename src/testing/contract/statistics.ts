import { DURATION_BOUNDS, type StatsReply } from '../../core/store.js';
import { END_REASONS } from '../../core/record.js';
import type { Contract } from './contract.js';

const MINUTE = 60_000;

/** The counters: exact, and of users only. */
export function describeStatistics({ describe, test, expect }: Contract): void {
  describe('statistics', () => {
    test('of an empty store are all zero', {}, async (scene) => {
      const { now, minutes, ...counted } = await scene.store.stats();
      expect(counted).toEqual({
        status: 'stats',
        active: 0,
        anonymous: 0,
        created: 0,
        ended: Object.fromEntries(END_REASONS.map((reason) => [reason, 0])),
        loginFailures: 0,
        duration: { count: 0, sum: 0, buckets: Array(DURATION_BOUNDS.length + 1).fill(0) },
        sessionsPerUser: new Map(),
      });
      const last = Math.floor(now / MINUTE) * MINUTE;
      expect(minutes).toEqual(
        Array.from({ length: 60 }, (_, index) => ({
          at: last - (59 - index) * MINUTE,
          created: 0,
          ended: 0,
          loginFailures: 0,
        })),
      );
    });

    test('count every end by its reason, with its duration', {}, async (scene) => {
      let sum = 0;
      for (const reason of END_REASONS) {
        const { id, record } = await scene.login();
        await scene.pass(2);
        sum += (await scene.revoke({ id }, { reason })).now - record.createdAt;
        await scene.revoke({ id }, { reason });
      }
      const { ended, duration, created, active } = await scene.store.stats();
      expect(ended).toEqual(Object.fromEntries(END_REASONS.map((reason) => [reason, 1])));
      const buckets = [END_REASONS.length, ...Array(DURATION_BOUNDS.length).fill(0)];
      expect(duration).toEqual({ count: END_REASONS.length, sum, buckets });
      expect({ created, active }).toEqual({ created: END_REASONS.length, active: 0 });
    });

    test('count what creates and ends sessions in one step', {}, async (scene) => {
      const user = scene.user();
      const concurrency = { max: 2, atLimit: 'evict-oldest' } as const;
      const first = await scene.login({ user, concurrency });
      const replaces = { id: first.id, take: [] };
      await scene.login({ user, concurrency, replaces });
      await scene.login({ user, concurrency });
      await scene.login({ user, concurrency });
      const stats = await scene.store.stats();
      expect(stats).toMatchObject({ created: 4, active: 2, ended: { replaced: 1, evicted: 1 } });
      expect(usersBySessions(stats)).toEqual({ 2: 1 });
      await scene.store.revokeUser({ user, reason: 'revoked' });
      const after = await scene.store.stats();
      expect(after).toMatchObject({ created: 4, active: 0, ended: { revoked: 2 } });
      expect(usersBySessions(after)).toEqual({});
    });

    test('know how many users have how many sessions', {}, async (scene) => {
      const users = [scene.user(), scene.user(), scene.user(), scene.user()];
      const logins = [];
      for (const [index, user] of users.entries()) {
        for (let count = 0; count <= index % 3; count++) logins.push(await scene.login({ user }));
      }
      await scene.login({ anonymous: true });
      expect(usersBySessions(await scene.store.stats())).toEqual({ 1: 2, 2: 1, 3: 1 });
      for (const login of logins.slice(-2)) await scene.revoke(login);
      expect(usersBySessions(await scene.store.stats())).toEqual({ 1: 1, 2: 2 });
    });

    test(
      'know what is active though nobody swept, and the ends after a sweep',
      {
        limits: { default: { idle: 200, absolute: 60_000 } },
      },
      async (scene) => {
        const logins = [await scene.login(), await scene.login({ anonymous: true })];
        const { idleAt, createdAt } = logins[0]?.record ?? { idleAt: 0, createdAt: 0 };
        await scene.login({ ownLimits: { absolute: 100 } });
        await scene.passTo(idleAt + 50);
        expect(await scene.store.stats()).toMatchObject({ active: 0, anonymous: 0 });
        await scene.sweepAll();
        const { ended, duration } = await scene.store.stats();
        expect(ended).toMatchObject({ idle: 1, absolute: 1 });
        // From the beginning to the deadline, not to the discovery.
        expect(duration).toMatchObject({ count: 2, sum: idleAt - createdAt + 100 });
      },
    );

    test('leave anonymous sessions out, but for their number', {}, async (scene) => {
      const login = await scene.login({ anonymous: true });
      await scene.login({ anonymous: true });
      await scene.revoke(login);
      const { minutes, ended, ...stats } = await scene.store.stats();
      expect(stats).toMatchObject({ active: 0, anonymous: 1, created: 0, duration: { count: 0 } });
      expect(ended).toMatchObject({ revoked: 0 });
      expect(totals(minutes)).toEqual({ created: 0, ended: 0, loginFailures: 0 });
    });

    test('count by the minute', {}, async (scene) => {
      const [first] = [await scene.login(), await scene.login()];
      await scene.revoke(first);
      for (let count = 0; count < 3; count++) await scene.store.countLoginFailure();
      const { minutes, loginFailures, now } = await scene.store.stats();
      expect(minutes.map(({ at }) => at % MINUTE).filter((rest) => rest !== 0)).toEqual([]);
      expect(minutes.length).toBe(60);
      expect(minutes.at(-1)?.at).toBe(Math.floor(now / MINUTE) * MINUTE);
      expect(totals(minutes)).toEqual({ created: 2, ended: 1, loginFailures: 3 });
      expect(loginFailures).toBe(3);
    });

    test('count failed logins that come at once', {}, async (scene) => {
      await Promise.all(Array.from({ length: 50 }, () => scene.store.countLoginFailure()));
      expect(await scene.store.stats()).toMatchObject({ loginFailures: 50 });
    });
  });

  describe('durations', () => {
    test(
      'fall into the class that they do not exceed',
      {
        limits: { default: { idle: 3 * MINUTE, absolute: 3 * MINUTE } },
      },
      async (scene) => {
        const { record } = await scene.login();
        await scene.pass(5);
        const limits = { default: { idle: 4, absolute: 4 } };
        await scene.store.open({ ...scene.settings, limits });
        expect((await scene.sweepAll()).map(({ endedAt }) => endedAt)).toEqual([
          record.createdAt + 4,
        ]);
        const { duration } = await scene.store.stats();
        expect(duration).toMatchObject({ count: 1, sum: 4 });
        expect(duration.buckets[0]).toBe(1);
      },
    );
  });
}

function usersBySessions({ sessionsPerUser }: StatsReply): Readonly<Record<number, number>> {
  return Object.fromEntries(
    [...sessionsPerUser].filter(([sessions, users]) => sessions * users > 0),
  );
}

function totals(minutes: StatsReply['minutes']): Omit<StatsReply['minutes'][number], 'at'> {
  const total = { created: 0, ended: 0, loginFailures: 0 };
  for (const minute of minutes) {
    total.created += minute.created;
    total.ended += minute.ended;
    total.loginFailures += minute.loginFailures;
  }
  return total;
}
