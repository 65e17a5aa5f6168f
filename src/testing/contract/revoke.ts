import { END_REASONS } from '../../core/record.js';
import { byId } from './by-id.js';
import type { Contract } from './contract.js';

/** Ending one session, and all sessions of a user. */
export function describeRevoke({ describe, test, expect }: Contract): void {
  describe('revoke', () => {
    for (const reason of END_REASONS) {
      test(`ends a session for the reason ${reason}`, {}, async (scene) => {
        const { id, user, token, record } = await scene.login();
        await scene.pass(3);
        const reply = await scene.revoke({ id }, { reason });
        const { now } = reply;
        const tombstone = { id, reason, endedAt: now };
        const ended = { ...tombstone, userId: user.userId, createdAt: record.createdAt };
        expect(reply.status === 'revoked' && reply.ended).toEqual(ended);
        expect(await scene.resolve({ id, token })).toMatchObject({ status: 'ended', reason });
        const { sessions, tombstones } = await scene.list(user);
        expect({ sessions, tombstones }).toEqual({ sessions: [], tombstones: [tombstone] });
      });
    }

    test('answers gone the second time, and leaves the first reason', {}, async (scene) => {
      const login = await scene.login();
      await scene.revoke(login, { reason: 'logout' });
      const reply = await scene.revoke(login, { reason: 'revoked' });
      expect(reply).toEqual({ status: 'gone', now: reply.now });
      expect(await scene.verdict(login)).toBe('ended logout');
    });

    test('by somebody else is the same as of an unknown id', {}, async (scene) => {
      const [alice, bob] = [scene.user('alice'), scene.user('bob')];
      const login = await scene.login({ user: alice });
      const unknown = { id: scene.id(alice.bucket, alice) };
      const { userKey } = bob;
      const { now: _first, ...foreign } = await scene.revoke(login, { userKey });
      const { now: _second, ...absent } = await scene.revoke(unknown, { userKey });
      expect(foreign).toEqual(absent);
      expect(foreign).toEqual({ status: 'gone' });
      expect(await scene.verdict(login)).toBe('active current');
      const own = await scene.revoke(login, { userKey: alice.userKey });
      expect(own.status).toBe('revoked');
    });

    test('by a user never ends an anonymous session', {}, async (scene) => {
      const login = await scene.login({ anonymous: true });
      const { userKey } = login.user;
      expect((await scene.revoke(login, { userKey })).status).toBe('gone');
      expect(await scene.verdict(login)).toBe('active current');
    });

    test('hands over fields of an anonymous session only', {}, async (scene) => {
      const fields = { cart: '[1]', isAdmin: 'true' };
      const first = await scene.login({ anonymous: true, fields });
      const named = await scene.revoke(first, { take: ['cart', 'missing'] });
      const second = await scene.login({ anonymous: true, fields });
      const all = await scene.revoke(second, { take: 'all' });
      const third = await scene.login({ anonymous: true, fields });
      const none = await scene.revoke(third);
      const fourth = await scene.login({ fields });
      const users = await scene.revoke(fourth, { take: 'all' });
      const replies = [named, all, none, users];
      expect(
        replies.map((reply) => reply.status === 'revoked' && Object.fromEntries(reply.fields)),
      ).toEqual([{ cart: '[1]' }, fields, {}, {}]);
    });

    test('gives the end of an anonymous session no user', {}, async (scene) => {
      const { id, token, record } = await scene.login({ anonymous: true });
      const reply = await scene.revoke({ id });
      const { createdAt } = record;
      const ended = { id, reason: 'revoked', endedAt: reply.now, createdAt };
      expect(reply.status === 'revoked' && reply.ended).toEqual(ended);
      expect(await scene.verdict({ id, token })).toBe('ended revoked');
    });
  });

  describe('revokeUser', () => {
    test('ends all sessions of that user and no other', {}, async (scene) => {
      const user = scene.user();
      const other = await scene.login();
      const logins = [await scene.login({ user }), await scene.login({ user })];
      const { ended, now } = await scene.store.revokeUser({ user, reason: 'logout' });
      const { userId } = user;
      const ends = logins.map(({ id, record: { createdAt } }) => {
        return { id, userId, createdAt, reason: 'logout', endedAt: now };
      });
      expect(ended.toSorted(byId)).toEqual(ends.toSorted(byId));
      expect(await scene.verdicts(logins)).toEqual(['ended logout', 'ended logout']);
      expect(await scene.verdict(other)).toBe('active current');
      expect(await scene.liveIds(user)).toEqual([]);
    });

    test('spares one session, which lives on under the new epoch', {}, async (scene) => {
      const user = scene.user();
      const [spared, other] = [await scene.login({ user }), await scene.login({ user })];
      const request = { user, except: spared.id, reason: 'revoked' } as const;
      const { ended, epoch } = await scene.store.revokeUser(request);
      expect(ended.map(({ id }) => id)).toEqual([other.id]);
      expect(await scene.verdicts([spared, other])).toEqual(['active current', 'ended revoked']);
      const { token } = await scene.rotate(spared, 'hard');
      expect(await scene.verdict(spared, token)).toBe('active current');
      const list = await scene.list(user);
      expect(list).toMatchObject({ epoch, sessions: [{ id: spared.id }] });
    });

    test("spares nobody else's session and nothing that has ended", {}, async (scene) => {
      const [user, other] = [scene.user(), await scene.login()];
      const [own, ended] = [await scene.login({ user }), await scene.login({ user })];
      await scene.revoke(ended);
      for (const { id: except } of [other, ended, { id: scene.id(user.bucket, user) }]) {
        await scene.store.revokeUser({ user, except, reason: 'revoked' });
      }
      const verdicts = await scene.verdicts([own, ended, other]);
      expect(verdicts).toEqual(['ended revoked', 'ended revoked', 'active current']);
    });
  });

  describe('epoch', () => {
    test('rises with every revokeUser, though there is nothing to end', {}, async (scene) => {
      const user = scene.user();
      const { epoch: first } = await scene.list(user);
      const { epoch: second, ended } = await scene.store.revokeUser({ user, reason: 'revoked' });
      const { epoch: third } = await scene.store.revokeUser({ user, reason: 'revoked' });
      expect({ ended, rising: first < second && second < third }).toEqual({
        ended: [],
        rising: true,
      });
      expect((await scene.list(user)).epoch).toBe(third);
      expect((await scene.list(scene.user())).epoch).toBe(first);
    });

    test('refuses a login that verified its credentials before', {}, async (scene) => {
      const user = scene.user();
      const old = await scene.login({ user });
      const { epoch } = await scene.list(user);
      const current = await scene.store.revokeUser({ user, except: old.id, reason: 'revoked' });
      const replaces = { id: old.id, take: [] };
      const late = await scene.create({ user, epoch, replaces });
      expect(late).toEqual({ status: 'superseded', now: late.now });
      expect(await scene.liveIds(user)).toEqual([old.id]);
      const login = await scene.login({ user, epoch: current.epoch });
      expect(await scene.verdict(login)).toBe('active current');
      expect((await scene.login({ user })).ended).toEqual([]);
    });

    test('is not raised by the end of single sessions', {}, async (scene) => {
      const user = scene.user();
      const { epoch } = await scene.list(user);
      await scene.revoke(await scene.login({ user }));
      await scene.login({ user, concurrency: { max: 1, atLimit: 'evict-oldest' } });
      expect((await scene.list(user)).epoch).toBe(epoch);
    });
  });
}
