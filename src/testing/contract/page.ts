import type { Contract } from './contract.js';
import type { Login } from './actors.js';
import type { Scene } from './scene.js';

/** All sessions, for administration. */
export function describePage({ describe, test, expect }: Contract): void {
  describe('page', () => {
    test('shows every live session once, whatever the size of a page', {}, async (scene) => {
      const logins = await manyLogins(scene, 23);
      const ids = logins.map(({ id }) => id).toSorted();
      for (const limit of [1, 5, 22, 23, 24, 100]) {
        const seen = (await scene.pages(limit)).map(({ id }) => id);
        expect(seen.toSorted()).toEqual(ids);
      }
    });

    test('holds no more than the limit', {}, async (scene) => {
      await manyLogins(scene, 10);
      const { sessions, cursor } = await scene.store.page({ limit: 3 });
      expect(sessions.length).toBeLessThanOrEqual(3);
      expect(typeof cursor).toBe('string');
    });

    test('is the last one in an empty store', {}, async (scene) => {
      const reply = await scene.store.page({ limit: 10 });
      expect(reply).toEqual({ status: 'page', now: reply.now, sessions: [] });
    });

    test('shows what lives through the paging once, whatever comes and goes', {}, async (scene) => {
      const staying = await manyLogins(scene, 40);
      const leaving = await manyLogins(scene, 40);
      const records = await scene.pages(7, async () => {
        for (const login of leaving.splice(scene.random.below(5), 5)) await scene.revoke(login);
        await manyLogins(scene, 2);
      });
      const ids = records.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const stayed = new Set(staying.map(({ id }) => id));
      expect(ids.filter((id) => stayed.has(id)).toSorted()).toEqual([...stayed].toSorted());
    });

    test('goes on after a session that ended meanwhile', {}, async (scene) => {
      const logins = await manyLogins(scene, 6);
      const first = await scene.store.page({ limit: 3 });
      for (const { id } of first.sessions) await scene.revoke({ id });
      const { cursor } = first;
      if (cursor === undefined) throw new Error('there must be a second page');
      const rest = [];
      for (let next: string | undefined = cursor; next !== undefined;) {
        const page = await scene.store.page({ cursor: next, limit: 3 });
        rest.push(...page.sessions);
        next = page.cursor;
      }
      const ids = [...first.sessions, ...rest].map(({ id }) => id);
      expect(ids.toSorted()).toEqual(logins.map(({ id }) => id).toSorted());
    });

    test('shows nothing after a cursor that is not its own', {}, async (scene) => {
      await manyLogins(scene, 3);
      for (const cursor of ['', 'x', '-1', '1e3', '{}', '0x1', "'", '\u{1f36a}', '9'.repeat(40)]) {
        const reply = await scene.store.page({ cursor, limit: 10 });
        expect(reply).toEqual({ status: 'page', now: reply.now, sessions: [] });
      }
    });
  });
}

/** Sessions of users, and every fourth an anonymous one. */
async function manyLogins(scene: Scene, count: number): Promise<Login[]> {
  const numbers = Array.from({ length: count }, (_, index) => index);
  return Promise.all(numbers.map((index) => scene.login({ anonymous: index % 4 === 3 })));
}
