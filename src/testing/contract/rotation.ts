import type { Contract } from './contract.js';

/** What a rotation changes, and who wins when several try. */
export function describeRotation(contract: Contract): void {
  const { describe, test, expect } = contract;

  describe('rotation', () => {
    for (const kind of ['soft', 'hard'] as const) {
      test(
        `${kind}: makes the next token current and leaves the rest as it is`,
        {},
        async (scene) => {
          const login = await scene.login({ fields: { a: '1' } });
          await scene.pass(5);
          const { reply, token } = await scene.rotate(login, kind);
          const record = { ...login.record, generation: 1 };
          expect(reply).toMatchObject({ status: 'rotated', record });
          expect(await scene.resolve(login, { token, touch: false })).toMatchObject({
            status: 'active',
            match: 'current',
            rotatedAt: reply.now,
            record,
          });
          expect(await scene.fields(login)).toEqual({ a: '1' });
          expect(await scene.liveIds(login.user)).toEqual([login.id]);
          expect(await scene.store.stats()).toMatchObject({ active: 1, created: 1 });
        },
      );

      test(`${kind}: has the effect of one when it is repeated`, {}, async (scene) => {
        const { id, token } = await scene.login();
        const next = { ...scene.newToken(1), ...(kind === 'soft' && { salt: 'salt' }) };
        const request = { id, token, kind, next, notAfter: scene.notAfter };
        const first = await scene.store.rotate(request);
        const second = await scene.store.rotate(request);
        expect([first, second]).toMatchObject([
          { status: 'rotated', record: { generation: 1 } },
          { status: 'rotated', record: { generation: 1 } },
        ]);
      });

      test(`${kind}: is lost with a generation that is not the next`, {}, async (scene) => {
        const login = await scene.login();
        for (const generation of [0, 2, 65_535]) {
          const { reply } = await scene.rotate(login, kind, { generation });
          expect(reply).toMatchObject({ status: 'lost' });
        }
        expect(await scene.verdict(login)).toBe('active current');
      });
    }

    test('needs no slot of its own at the concurrency limit', {}, async (scene) => {
      const concurrency = { max: 1, atLimit: 'reject' } as const;
      const login = await scene.login({ concurrency });
      const { token } = await scene.rotate(login, 'hard');
      expect(await scene.verdict(login, token)).toBe('active current');
      expect((await scene.create({ user: login.user, concurrency })).status).toBe('limit');
    });

    test('records that the user proved who they are only if they did', {}, async (scene) => {
      const login = await scene.login();
      await scene.pass(10);
      const plain = await scene.rotate(login, 'hard');
      const { authenticatedAt } = login.record;
      expect(plain.reply).toMatchObject({ status: 'rotated', record: { authenticatedAt } });
      const options = { from: plain.token, authenticated: true };
      const { reply } = await scene.rotate(login, 'hard', options);
      expect(reply).toMatchObject({ status: 'rotated', record: { authenticatedAt: reply.now } });
    });

    test('replaces the claims if it is given new ones', {}, async (scene) => {
      const login = await scene.login({ claims: '{"a":1}' });
      const kept = await scene.rotate(login, 'hard');
      expect(kept.reply).toMatchObject({ record: { claims: '{"a":1}' } });
      const options = { from: kept.token, claims: '{"a":2}' };
      const { reply } = await scene.rotate(login, 'hard', options);
      expect(reply).toMatchObject({ status: 'rotated', record: { claims: '{"a":2}' } });
      const [listed] = (await scene.list(login.user)).sessions;
      expect(listed?.claims).toBe('{"a":2}');
    });

    test('needs no token for a reissue, but the right generation', {}, async (scene) => {
      const login = await scene.login();
      const from = { ...scene.newToken(), traits: '' };
      const wrong = await scene.rotate(login, 'reissue', { from, generation: 2 });
      expect(wrong.reply.status).toBe('lost');
      const { reply, token } = await scene.rotate(login, 'reissue', { from });
      expect(reply).toMatchObject({ status: 'rotated', record: { generation: 1 } });
      expect(await scene.verdict(login, token)).toBe('active current');
      expect(await scene.verdict(login)).toBe('retired');
    });

    test('of what is not there changes nothing', {}, async (scene) => {
      const login = await scene.login();
      await scene.revoke(login, { reason: 'logout' });
      const { reply, token } = await scene.rotate(login, 'hard');
      expect(reply.status).toBe('gone');
      expect(await scene.verdict(login, token)).toBe('ended logout');
      const unknown = { id: scene.id(login.user.bucket, login.user), token };
      expect((await scene.rotate(unknown, 'soft')).reply.status).toBe('gone');
      expect(await scene.verdict(unknown)).toBe('gone');
    });

    test('gives the loser of a race the same successor', {}, async (scene) => {
      const login = await scene.login();
      const attempts = await Promise.all([1, 2, 3, 4].map(() => scene.rotate(login, 'soft')));
      const winners = attempts.filter(({ reply }) => reply.status === 'rotated');
      expect(winners.length).toBe(1);
      for (const { reply } of attempts) {
        if (reply.status === 'rotated') continue;
        const { salt } = winners[0]?.next ?? {};
        expect(reply).toMatchObject({ status: 'lost', successor: { salt, generation: 1 } });
      }
    });

    test('gives the loser of a race for a hard one nothing', {}, async (scene) => {
      const login = await scene.login();
      const attempts = await Promise.all([1, 2, 3, 4].map(() => scene.rotate(login, 'hard')));
      const verdicts = await Promise.all(attempts.map(({ token }) => scene.verdict(login, token)));
      expect(attempts.filter(({ reply }) => reply.status === 'rotated').length).toBe(1);
      expect(attempts.filter(({ reply }) => 'successor' in reply)).toEqual([]);
      expect(verdicts.filter((verdict) => verdict === 'active current').length).toBe(1);
    });
  });
}
