import type { Contract } from './contract.js';

/** Commands that arrive after their caller gave up. */
export function describeLate({ describe, test, expect }: Contract): void {
  describe('a late command', () => {
    test('creates, evicts and replaces nothing', {}, async (scene) => {
      const user = scene.user();
      const old = await scene.login({ user });
      const notAfter = (await scene.now()) - 1;
      const concurrency = { max: 1, atLimit: 'evict-oldest' } as const;
      const replaces = { id: old.id, take: [] };
      const request = scene.request({ user, concurrency, replaces, notAfter });
      const reply = await scene.store.create(request);
      expect(reply).toEqual({ status: 'late', now: reply.now });
      const { id, token } = request.session;
      expect(await scene.verdict({ id, token: { ...token, traits: '' } })).toBe('gone');
      expect(await scene.verdict(old)).toBe('active current');
      expect(await scene.store.stats()).toMatchObject({ created: 1, active: 1 });
    });

    test('writes nothing', {}, async (scene) => {
      const login = await scene.login({ fields: { n: '1' } });
      const changes = [{ kind: 'increment', name: 'n', by: 1 }] as const;
      const notAfter = (await scene.now()) - 1;
      const reply = await scene.store.write({ id: login.id, changes, notAfter });
      expect(reply).toEqual({ status: 'late', now: reply.now });
      expect(await scene.fields(login)).toEqual({ n: '1' });
    });

    test('rotates nothing', {}, async (scene) => {
      for (const kind of ['soft', 'hard'] as const) {
        const { id, token } = await scene.login();
        const next = { ...scene.newToken(1), salt: 'salt' };
        const notAfter = (await scene.now()) - 1;
        const reply = await scene.store.rotate({ id, token, kind, next, notAfter });
        expect(reply).toEqual({ status: 'late', now: reply.now });
        const resolved = await scene.resolve({ id, token });
        expect(resolved).toMatchObject({ match: 'current', record: { generation: 0 } });
      }
    });

    test(
      'sweeps nothing',
      { limits: { default: { idle: 100, absolute: 60_000 } } },
      async (scene) => {
        const { id, record } = await scene.login();
        await scene.passTo(record.idleAt);
        const notAfter = (await scene.now()) - 1;
        const reply = await scene.store.sweep({ limit: 10, notAfter });
        expect(reply).toEqual({ status: 'late', now: reply.now });
        expect((await scene.sweepAll()).map((ended) => ended.id)).toEqual([id]);
      },
    );

    test('is one that the store gets after the moment, not at it', {}, async (scene) => {
      // A second is more than a call takes, and no clock of a store is that far ahead of itself.
      const notAfter = (await scene.now()) + 1_000;
      expect((await scene.create({ notAfter })).status).toBe('created');
    });
  });
}
