import type { RotationRules } from '../../core/rotation.js';
import type { StoreSettings } from '../../core/store.js';
import type { Contract } from './contract.js';
import { rotatedAndPastGrace } from './old-tokens.js';
import type { Login } from './actors.js';
import type { Scene } from './scene.js';

/** What a copied token does to its session, and what it cannot do. */
export function describeReuse({ describe, test, expect }: Contract): void {
  describe('a token that is reused', () => {
    test('ends its session once, and no other', rules('revoke'), async (scene) => {
      const user = scene.user();
      const other = await scene.login({ user });
      const { login, stolen, current } = await twoGenerationsOld(scene, user);
      const { id, record } = login;
      const reply = await scene.resolve(login, { token: stolen });
      expect(reply).toEqual({
        status: 'ended',
        now: reply.now,
        reason: 'reused',
        ended: {
          id,
          userId: user.userId,
          reason: 'reused',
          createdAt: record.createdAt,
          endedAt: reply.now,
        },
      });
      const later = await scene.resolve(login, { token: current });
      expect(later).toEqual({ status: 'ended', now: later.now, reason: 'reused' });
      const { sessions, tombstones } = await scene.list(user);
      expect(sessions.map((session) => session.id)).toEqual([other.id]);
      expect(tombstones.map((tombstone) => tombstone.reason)).toEqual(['reused']);
      expect(await scene.store.stats()).toMatchObject({ active: 1, ended: { reused: 1 } });
      expect(await scene.sweepAll()).toEqual([]);
    });

    test('only is refused itself under the rule reject', rules('reject'), async (scene) => {
      const { login, stolen, current } = await twoGenerationsOld(scene);
      const reply = await scene.resolve(login, { token: stolen });
      const refused = { status: 'ended', now: reply.now, reason: 'reused', rejected: true };
      expect(reply).toEqual(refused);
      expect(await scene.verdict(login, current)).toBe('active current');
      expect((await scene.list(login.user)).tombstones).toEqual([]);
    });

    test('is let through and named under the rule report', rules('report'), async (scene) => {
      const { login, stolen, current } = await twoGenerationsOld(scene);
      const reply = await scene.resolve(login, { token: stolen });
      expect(reply).toMatchObject({ status: 'active', match: 'reused' });
      expect('successor' in reply).toBe(false);
      expect(await scene.verdict(login, current)).toBe('active current');
    });

    test('never rotates, whatever the rule', rules('report'), async (scene) => {
      const { login, stolen, current } = await twoGenerationsOld(scene);
      for (const kind of ['soft', 'hard', 'fork'] as const) {
        const { reply } = await scene.rotate(login, kind, { from: stolen, generation: 3 });
        expect(Object.keys(reply).toSorted()).toEqual(['now', 'status']);
        expect(reply.status).toBe('lost');
      }
      expect(await scene.verdict(login, current)).toBe('active current');
    });

    test('is no activity', rules('reject'), async (scene) => {
      const { login, stolen, current } = await twoGenerationsOld(scene);
      await scene.pass(5);
      await scene.resolve(login, { token: stolen });
      const reply = await scene.resolve(login, { token: current, touch: false });
      const { seenAt } = login.record;
      expect(reply).toMatchObject({ status: 'active', record: { seenAt } });
    });

    test(
      'may come from a restored backup of the client',
      {
        rotation: { grace: 100, maxForks: 3, onReuse: 'revoke' },
      },
      async (scene) => {
        const { login, token } = await rotatedAndPastGrace(scene, true);
        await scene.rotate(login, 'soft', { from: token });
        expect(await scene.verdict(login)).toBe('ended reused');
      },
    );
  });

  describe('a token that is newer than the record', () => {
    test('means that the store went back in time, and ends nothing', {}, async (scene) => {
      const login = await scene.login();
      const { verifier } = scene.newToken();
      const token = { ...login.token, verifier, generation: 1 };
      const reply = await scene.resolve(login, { token });
      expect(reply).toEqual({ status: 'ahead', now: reply.now });
      expect(await scene.verdict(login)).toBe('active current');
    });
  });
}

function rules(onReuse: RotationRules['onReuse']): Pick<StoreSettings, 'rotation'> {
  return { rotation: { grace: 60_000, maxForks: 3, onReuse } };
}

async function twoGenerationsOld(
  scene: Scene,
  user = scene.user(),
): Promise<{
  readonly login: Login;
  readonly stolen: Login['token'];
  readonly current: Login['token'];
}> {
  const login = await scene.login({ user });
  const first = await scene.rotate(login, 'soft');
  const second = await scene.rotate(login, 'soft', { from: first.token });
  return { login, stolen: login.token, current: second.token };
}
