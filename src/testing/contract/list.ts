import type { Contract } from './contract.js';
import type { Login } from './actors.js';

/** A user's own view: live sessions and tombstones. */
export function describeList({ describe, test, expect }: Contract): void {
  describe('list', () => {
    test('has the live sessions, newest first, with all facts', {}, async (scene) => {
      const user = scene.user();
      const logins: Login[] = [];
      for (const client of ['Firefox 131', 'Safari 18', 'curl 8']) {
        await scene.pass(2);
        logins.push(await scene.login({ user, device: { client, address: '2001:db8::1' } }));
      }
      await scene.login();
      const { sessions, tombstones } = await scene.list(user);
      expect(sessions).toEqual(logins.map(({ record }) => record).toReversed());
      expect(tombstones).toEqual([]);
    });

    test('is empty for a user who was never there', {}, async (scene) => {
      const { sessions, tombstones } = await scene.list(scene.user());
      expect({ sessions, tombstones }).toEqual({ sessions: [], tombstones: [] });
    });
  });

  describe('tombstones', () => {
    test('are the newest few', { maxTombstones: 3 }, async (scene) => {
      const user = scene.user();
      const reasons = ['logout', 'revoked', 'evicted', 'replaced', 'reused'] as const;
      const ends = [];
      for (const reason of reasons) {
        await scene.pass(2);
        const { id } = await scene.login({ user });
        const { now: endedAt } = await scene.revoke({ id }, { reason });
        ends.push({ id, reason, endedAt });
      }
      expect((await scene.list(user)).tombstones).toEqual(ends.slice(-3).toReversed());
    });

    test('are as few as a lowered setting says', {}, async (scene) => {
      const user = scene.user();
      for (let count = 0; count < 4; count++) await scene.revoke(await scene.login({ user }));
      await scene.store.open({ ...scene.settings, maxTombstones: 2 });
      await scene.revoke(await scene.login({ user }));
      expect((await scene.list(user)).tombstones.length).toBe(2);
    });

    test('need not be kept at all', { maxTombstones: 0 }, async (scene) => {
      const user = scene.user();
      const login = await scene.login({ user });
      await scene.revoke(login, { reason: 'logout' });
      expect((await scene.list(user)).tombstones).toEqual([]);
      expect(await scene.verdict(login)).toBe('gone');
    });

    test(
      'speak of timeouts with the moment of the deadline',
      {
        limits: { default: { idle: 200, absolute: 60_000 } },
      },
      async (scene) => {
        const { id, user, record } = await scene.login();
        await scene.passTo(record.idleAt + 20);
        await scene.list(user);
        const tombstone = { id, reason: 'idle', endedAt: record.idleAt };
        expect((await scene.list(user)).tombstones).toEqual([tombstone]);
      },
    );

    test(
      'are forgotten at the absolute deadline of their session',
      {
        limits: { default: { idle: 300, absolute: 300 } },
      },
      async (scene) => {
        const login = await scene.login();
        const revoked = await scene.revoke(login, { reason: 'logout' });
        scene.mustPrecede(revoked.now, login.record.absoluteAt);
        for (;;) {
          const { tombstones, now } = await scene.list(login.user);
          const left = login.record.absoluteAt - now;
          expect({ left, kept: tombstones.length }).toEqual({ left, kept: left > 0 ? 1 : 0 });
          if (left <= 0) break;
          await scene.pass(Math.ceil(left / 2));
        }
        expect(await scene.verdict(login)).toBe('gone');
      },
    );
  });
}
