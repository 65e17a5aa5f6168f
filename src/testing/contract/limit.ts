import type { AtLimit } from '../../core/policy.js';
import type { Contract } from './contract.js';
import type { Login } from './actors.js';
import type { Scene } from './scene.js';

/** The concurrency limit, one login at a time; `races.ts` has the simultaneous ones. */
export function describeLimit({ describe, test, testWith, expect, capabilities }: Contract): void {
  describe('concurrency limit', () => {
    test('evicts the oldest', {}, async (scene) => {
      const { user, logins, concurrency } = await threeLogins('evict-oldest', scene);
      const [first, second, third] = logins;
      await scene.pass(2);
      await scene.resolve(first);
      const fourth = await scene.login({ user, concurrency });
      expect(fourth.ended.map(({ id, reason }) => ({ id, reason }))).toEqual([
        { id: first.id, reason: 'evicted' },
      ]);
      expect(await scene.liveIds(user)).toEqual([fourth.id, third.id, second.id]);
      expect(await scene.verdict(first)).toBe('ended evicted');
    });

    test('evicts the one that was not used for the longest time', {}, async (scene) => {
      const { user, logins, concurrency } = await threeLogins('evict-least-recent', scene);
      const [first, second, third] = logins;
      await scene.pass(2);
      await scene.resolve(first);
      const fourth = await scene.login({ user, concurrency });
      expect(fourth.ended.map(({ id }) => id)).toEqual([second.id]);
      expect(await scene.liveIds(user)).toEqual([fourth.id, third.id, first.id]);
    });

    test('refuses the new login and changes nothing', {}, async (scene) => {
      const { user, logins, concurrency } = await threeLogins('reject', scene);
      const request = scene.request({ user, concurrency });
      expect((await scene.store.create(request)).status).toBe('limit');
      expect(await scene.verdict({ id: request.session.id, token: logins[0].token })).toBe('gone');
      expect(await scene.verdicts(logins)).toEqual(Array(3).fill('active current'));
      const { active, created } = await scene.store.stats();
      expect({ active, created }).toEqual({ active: 3, created: 3 });
    });

    test('leaves room again after a logout', {}, async (scene) => {
      const { user, logins, concurrency } = await threeLogins('reject', scene);
      await scene.revoke(logins[1], { reason: 'logout' });
      expect((await scene.login({ user, concurrency })).ended).toEqual([]);
    });

    test('evicts as many as it takes after it was lowered', {}, async (scene) => {
      const { user, logins } = await threeLogins('evict-oldest', scene);
      const concurrency = { max: 1, atLimit: 'evict-oldest' } as const;
      const last = await scene.login({ user, concurrency });
      expect(last.ended.map(({ id }) => id).toSorted()).toEqual(
        logins.map(({ id }) => id).toSorted(),
      );
      expect(await scene.liveIds(user)).toEqual([last.id]);
    });

    test('counts neither other users nor anonymous sessions', {}, async (scene) => {
      const { user, logins, concurrency } = await threeLogins('evict-oldest', scene);
      await scene.login({ concurrency });
      await scene.login({ user, anonymous: true, concurrency });
      expect(await scene.verdicts(logins)).toEqual(Array(3).fill('active current'));
    });

    test('neither counts nor evicts what is exempt from it', {}, async (scene) => {
      for (const atLimit of ['evict-oldest', 'evict-least-recent', 'reject'] as const) {
        const user = scene.user();
        const concurrency = { max: 2, atLimit };
        // With claims and, once these have changed, under a new token, too.
        const exempt = [
          await scene.login({ user, concurrency: 'exempt' }),
          await scene.login({ user, concurrency: 'exempt', claims: '{}' }),
        ] as const;
        const { token } = await scene.rotate(exempt[0], 'hard', { claims: '{"l":1}' });
        await scene.pass(2);
        const first = await scene.login({ user, concurrency });
        await scene.pass(2);
        const second = await scene.login({ user, concurrency });
        expect([...first.ended, ...second.ended]).toEqual([]);
        expect((await scene.login({ user, concurrency: 'exempt' })).ended).toEqual([]);
        const reply = await scene.create({ user, concurrency });
        const ended = reply.status === 'created' ? reply.ended.map(({ id }) => id) : reply.status;
        expect(ended).toEqual(atLimit === 'reject' ? 'limit' : [first.id]);
        expect(await scene.verdict(exempt[0], token)).toBe('active current');
        expect(await scene.verdict(exempt[1])).toBe('active current');
        expect((await scene.revoke(exempt[1])).status).toBe('revoked');
      }
    });

    test('is made room at by an exempt session only if the user chose it', {}, async (scene) => {
      const { user, logins, concurrency } = await threeLogins('evict-oldest', scene);
      const exempt = await scene.login({ user, concurrency: 'exempt' });
      const { ended } = await scene.login({ user, concurrency, evicts: exempt.id });
      expect(ended.map(({ id }) => id)).toEqual([exempt.id, logins[0].id]);
    });

    test(
      'does not count expired sessions',
      {
        limits: {
          default: { idle: 60_000, absolute: 60_000 },
          short: { idle: 300, absolute: 300 },
        },
      },
      async (scene) => {
        const user = scene.user();
        const concurrency = { max: 3, atLimit: 'reject' } as const;
        const short = await scene.login({ user, concurrency, limitClass: 'short' });
        await scene.login({ user, concurrency, limitClass: 'short' });
        const long = await scene.login({ user, concurrency });
        const refused = await scene.create({ user, concurrency });
        scene.mustPrecede(refused.now, short.record.idleAt);
        expect(refused.status).toBe('limit');
        await scene.passTo(long.record.createdAt + 300);
        const fourth = await scene.login({ user, concurrency });
        expect(fourth.ended).toEqual([]);
        expect(await scene.liveIds(user)).toEqual([fourth.id, long.id]);
      },
    );

    test('is made room at by the session that the user chose', {}, async (scene) => {
      for (const atLimit of ['evict-oldest', 'reject'] as const) {
        const { user, logins, concurrency } = await threeLogins(atLimit, scene);
        const [first, second, third] = logins;
        const fourth = await scene.login({ user, concurrency, evicts: second.id });
        expect(fourth.ended.map(({ id, reason }) => ({ id, reason }))).toEqual([
          { id: second.id, reason: 'evicted' },
        ]);
        expect(await scene.liveIds(user)).toEqual([fourth.id, third.id, first.id]);
      }
    });

    test('is not what the chosen session waits for', {}, async (scene) => {
      const user = scene.user();
      const chosen = await scene.login({ user });
      const login = await scene.login({ user, evicts: chosen.id });
      expect(login.ended.map(({ id, reason }) => ({ id, reason }))).toEqual([
        { id: chosen.id, reason: 'evicted' },
      ]);
      expect(await scene.liveIds(user)).toEqual([login.id]);
    });

    test('makes nobody choose the session of another', {}, async (scene) => {
      const { user, concurrency } = await threeLogins('reject', scene);
      const [other, anonymous] = [await scene.login(), await scene.login({ anonymous: true })];
      const ended = await scene.login({ user });
      await scene.revoke(ended);
      for (const { id: evicts } of [other, anonymous, ended]) {
        expect((await scene.create({ user, concurrency, evicts })).status).toBe('limit');
      }
      const alive = ['active current', 'active current'];
      expect(await scene.verdicts([other, anonymous])).toEqual(alive);
    });

    testWith(capabilities.movableClock, 'breaks a tie by the smaller id', {}, async (scene) => {
      for (const atLimit of ['evict-oldest', 'evict-least-recent'] as const) {
        const user = scene.user();
        const concurrency = { max: 3, atLimit };
        const logins = [1, 2, 3].map(() => scene.login({ user, concurrency }));
        const ids = (await Promise.all(logins)).map(({ id }) => id).toSorted();
        const { ended } = await scene.login({ user, concurrency });
        expect(ended.map(({ id }) => id)).toEqual(ids.slice(0, 1));
      }
    });
  });
}

async function threeLogins(
  atLimit: AtLimit,
  scene: Scene,
): Promise<{
  readonly user: Login['user'];
  readonly logins: readonly [Login, Login, Login];
  readonly concurrency: { readonly max: number; readonly atLimit: AtLimit };
}> {
  const user = scene.user();
  const concurrency = { max: 3, atLimit };
  const login = async (): Promise<Login> => {
    // Each at a moment of its own, so that there is an oldest one.
    await scene.pass(2);
    return scene.login({ user, concurrency });
  };
  return { user, concurrency, logins: [await login(), await login(), await login()] };
}
