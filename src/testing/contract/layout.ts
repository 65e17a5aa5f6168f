import { SessionConfigError } from '../../core/errors.js';
import type { Contract } from './contract.js';

/** Opening, closing and the layout record. */
export function describeLayout({ describe, test, testWith, expect, capabilities }: Contract): void {
  describe('layout', () => {
    test('has the wanted buckets and a random placement key', { buckets: 32 }, async (scene) => {
      expect(scene.layout.buckets).toBe(32);
      expect(Buffer.from(scene.layout.placementKey, 'base64url').length).toBe(32);
    });

    test('stays the same when the store is opened again', {}, async (scene) => {
      expect(await scene.store.open(scene.settings)).toEqual(scene.layout);
    });

    test('is the same for two that open the store at once', {}, async (scene) => {
      const layouts = await Promise.all([1, 2].map(() => scene.store.open(scene.settings)));
      expect(layouts).toEqual([scene.layout, scene.layout]);
    });

    testWith(
      capabilities.severalInstances,
      'is the same for every instance, which sees the same sessions',
      {},
      async (scene) => {
        const other = await scene.connect();
        expect(await other.open(scene.settings)).toEqual(scene.layout);
        const { user, id } = await scene.login();
        expect((await other.list({ user })).sessions.map((record) => record.id)).toEqual([id]);
      },
    );

    test('refuses another number of buckets, and goes on as before', {}, async (scene) => {
      const login = await scene.login();
      const buckets = scene.settings.buckets * 2;
      const refused = await scene.store.open({ ...scene.settings, buckets }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused instanceof SessionConfigError).toBe(true);
      await scene.store.open(scene.settings);
      expect(await scene.verdict(login)).toBe('active current');
    });

    test('is well and says what time it is', {}, async (scene) => {
      const { status, now, issues } = await scene.store.ping();
      expect({ status, issues }).toEqual({ status: 'pong', issues: [] });
      expect(now).toBeGreaterThanOrEqual(Date.UTC(2020, 0, 1));
    });

    test('closes more than once', {}, async (scene) => {
      await scene.store.close();
      await scene.store.close();
    });
  });
}
