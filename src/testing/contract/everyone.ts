import type { PeekReply } from '../../core/store.js';
import { byId } from './by-id.js';
import type { Contract } from './contract.js';
import type { Scene } from './scene.js';

/** Ending all sessions there are, erasing a user, and looking without touching. */
export function describeEveryone(contract: Contract): void {
  const { describe, test, testWith, expect, capabilities } = contract;

  describe('revokeEveryone', () => {
    test('ends all sessions for every operation at once', {}, async (scene) => {
      const [read, written, rotated, resolved, other] = await Promise.all([
        scene.login(),
        scene.login(),
        scene.login(),
        scene.login(),
        scene.login(),
      ]);
      const anonymous = await scene.login({ anonymous: true });
      const { now, until } = await scene.store.revokeEveryone({ reason: 'revoked' });
      expect(until).toBe(now);
      expect((await scene.read(read)).status).toBe('gone');
      const change = { kind: 'set', name: 'a', value: '1' } as const;
      expect((await scene.write(written, change)).status).toBe('gone');
      expect((await scene.rotate(rotated, 'hard')).reply.status).toBe('gone');
      expect(await scene.verdicts([resolved, anonymous])).toEqual([
        'ended revoked',
        'ended revoked',
      ]);
      expect(await scene.liveIds(other.user)).toEqual([]);
      expect(await scene.pages(10)).toEqual([]);
      expect((await scene.revoke(other)).status).toBe('gone');
    });

    testWith(
      capabilities.severalInstances,
      'ends them for every instance before it returns',
      {},
      async (scene) => {
        const { id, token } = await scene.login();
        const other = await scene.connect();
        await other.resolve({ id, token, touch: true });
        await scene.store.revokeEveryone({ reason: 'revoked' });
        const reply = await other.resolve({ id, token, touch: true });
        expect(reply).toMatchObject({ status: 'ended', reason: 'revoked' });
      },
    );

    test('hands each end to somebody, once, and counts it', {}, async (scene) => {
      const logins = await Promise.all([1, 2, 3, 4, 5].map(() => scene.login()));
      const { now: endedAt } = await scene.store.revokeEveryone({ reason: 'logout' });
      const [first] = logins;
      const reply = first && (await scene.resolve(first));
      const named = reply?.status === 'ended' && reply.ended ? [reply.ended] : [];
      const swept = await scene.sweepAll(2);
      const expected = logins.map(({ id, user: { userId }, record: { createdAt } }) => {
        return { id, userId, createdAt, endedAt, reason: 'logout' };
      });
      expect([...named, ...swept].toSorted(byId)).toEqual(expected.toSorted(byId));
      expect(await scene.store.stats()).toMatchObject({ active: 0, ended: { logout: 5 } });
      expect(await scene.verdicts(logins)).toEqual(Array(5).fill('ended logout'));
    });

    test('spares sessions that are younger than the given moment', {}, async (scene) => {
      const old = await scene.login();
      await scene.pass(5);
      const until = await scene.now();
      await scene.pass(5);
      const young = await scene.login();
      const reply = await scene.store.revokeEveryone({ until, reason: 'revoked' });
      expect(reply.until).toBe(until);
      expect(await scene.verdicts([old, young])).toEqual(['ended revoked', 'active current']);
      await scene.sweepAll();
      expect(await scene.store.stats()).toMatchObject({ active: 1 });
    });

    test('reaches no further than now, and never goes back', {}, async (scene) => {
      const future = (await scene.now()) + 100_000;
      const reply = await scene.store.revokeEveryone({ until: future, reason: 'revoked' });
      expect(reply.until).toBe(reply.now);
      await scene.pass(2);
      const login = await scene.login();
      const past = reply.now - 100_000;
      const again = await scene.store.revokeEveryone({ until: past, reason: 'revoked' });
      expect(again.until).toBe(reply.until);
      expect(await scene.verdict(login)).toBe('active current');
    });

    test('brings back nothing that ended before', {}, async (scene) => {
      const login = await scene.login();
      await scene.revoke(login, { reason: 'logout' });
      await scene.store.revokeEveryone({ reason: 'revoked' });
      expect(await scene.verdict(login)).toBe('ended logout');
    });

    test('refuses logins that verified their credentials before', {}, async (scene) => {
      const before = await scene.now();
      await scene.pass(2);
      const { until } = await scene.store.revokeEveryone({ reason: 'revoked' });
      await scene.pass(2);
      const user = scene.user();
      for (const verifiedAt of [before, until]) {
        expect((await scene.create({ user, verifiedAt })).status).toBe('superseded');
      }
      expect(await scene.liveIds(user)).toEqual([]);
      const login = await scene.login({ user, verifiedAt: until + 1 });
      expect(await scene.liveIds(user)).toEqual([login.id]);
    });

    test('ends nothing that begins afterwards', {}, async (scene) => {
      await scene.store.revokeEveryone({ reason: 'revoked' });
      await scene.pass(2);
      const logins = [await scene.login(), await scene.login({ anonymous: true })];
      expect(await scene.verdicts(logins)).toEqual(['active current', 'active current']);
      expect(await scene.sweepAll()).toEqual([]);
    });
  });

  describe('eraseUser', () => {
    test('ends all sessions of a user and leaves no trace of them', {}, async (scene) => {
      const user = scene.user();
      const ended = await scene.login({ user });
      await scene.revoke(ended, { reason: 'logout' });
      const live = [await scene.login({ user }), await scene.login({ user })];
      const other = await scene.login();
      const reply = await scene.store.eraseUser({ user });
      const { now: endedAt } = reply;
      const { userId } = user;
      const expected = live.map(({ id, record: { createdAt } }) => {
        return { id, userId, createdAt, endedAt, reason: 'revoked' };
      });
      expect(reply.ended.toSorted(byId)).toEqual(expected.toSorted(byId));
      expect(await scene.verdicts([ended, ...live])).toEqual(['gone', 'gone', 'gone']);
      const { sessions, tombstones } = await scene.list(user);
      expect({ sessions, tombstones }).toEqual({ sessions: [], tombstones: [] });
      expect(await scene.verdict(other)).toBe('active current');
      const stats = await scene.store.stats();
      expect(stats).toMatchObject({ active: 1, ended: { logout: 1, revoked: 2 } });
    });

    testWith(capabilities.inspection, 'leaves nothing in any index', {}, async (scene) => {
      const user = scene.user();
      await scene.login({ user, fields: { a: '1' } });
      await scene.store.eraseUser({ user });
      const nothing = { sessions: 0, tombstones: 0, indexEntries: 0 };
      expect(await scene.inspect()).toEqual(nothing);
    });

    test('refuses a login that was under way', {}, async (scene) => {
      const user = scene.user();
      const { epoch } = await scene.list(user);
      await scene.store.eraseUser({ user });
      expect((await scene.create({ user, epoch })).status).toBe('superseded');
      expect(await scene.liveIds(user)).toEqual([]);
    });

    test('lets the user begin anew', {}, async (scene) => {
      const user = scene.user();
      await scene.login({ user });
      await scene.store.eraseUser({ user });
      const { epoch } = await scene.list(user);
      const login = await scene.login({ user, epoch });
      expect(await scene.liveIds(user)).toEqual([login.id]);
    });

    test('of a user who was never there ends nothing', {}, async (scene) => {
      const reply = await scene.store.eraseUser({ user: scene.user() });
      expect(reply).toEqual({ status: 'erased', now: reply.now, ended: [] });
    });
  });

  describe('peek', () => {
    test('shows a live session and counts as nothing', {}, async (scene) => {
      const { id, user, record } = await scene.login({ claims: '{"method":"password"}' });
      await scene.pass(5);
      expect(await peek(scene, id)).toMatchObject({ status: 'active', record });
      expect((await scene.list(user)).sessions).toEqual([record]);
    });

    test('counts as activity if so asked', { touchInterval: 10 }, async (scene) => {
      const { id, user, record } = await scene.login();
      const early = await peek(scene, id, true);
      scene.mustPrecede(early.now, record.createdAt + 10);
      expect(early).toMatchObject({ status: 'active', record });
      await scene.passTo(record.createdAt + 10);
      const { now: seenAt } = await peek(scene, id, true);
      const idleAt = seenAt + scene.settings.limits.default.idle;
      expect((await scene.list(user)).sessions).toEqual([{ ...record, seenAt, idleAt }]);
    });

    test('knows why a session ended', {}, async (scene) => {
      const { id, user } = await scene.login();
      await scene.revoke({ id }, { reason: 'logout' });
      const reply = await peek(scene, id);
      const endedAt = (await scene.list(user)).tombstones[0]?.endedAt;
      expect(reply).toEqual({ status: 'ended', now: reply.now, reason: 'logout', endedAt });
      const unknown = await peek(scene, scene.id(user.bucket, user));
      expect(unknown).toEqual({ status: 'gone', now: unknown.now });
    });

    test(
      'leaves a session past its deadline for others to end',
      {
        limits: { default: { idle: 200, absolute: 60_000 } },
      },
      async (scene) => {
        const login = await scene.login();
        const { idleAt } = login.record;
        await scene.passTo(idleAt + 20);
        const peeked = await peek(scene, login.id);
        expect(peeked).toEqual({ status: 'ended', now: peeked.now, reason: 'idle' });
        const reply = await scene.resolve(login);
        expect(reply).toMatchObject({
          status: 'ended',
          ended: { reason: 'idle', endedAt: idleAt },
        });
      },
    );
  });
}

function peek(scene: Scene, id: string, touch = false): Promise<PeekReply> {
  return scene.store.peek({ id, touch });
}
