import type { EndedSession } from '../../core/record.js';
import { byId } from './by-id.js';
import type { Contract } from './contract.js';
import type { Login } from './actors.js';
import type { Scene } from './scene.js';

const SHORT = {
  default: { idle: 200, absolute: 60_000 },
  long: { idle: 60_000, absolute: 60_000 },
};

/** The cleanup: who is ended, by whom, and that somebody hears of it. */
export function describeSweep(contract: Contract): void {
  const { describe, test, testWith, expect, capabilities, repetitions } = contract;

  describe('sweep', () => {
    test('ends what is past its deadline and nothing else', { limits: SHORT }, async (scene) => {
      const alive = await scene.login({ limitClass: 'long' });
      const logins = await expired(scene, 5);
      const ended = await scene.sweepAll();
      expect(ended.toSorted(byId)).toEqual(logins.map(endOf).toSorted(byId));
      expect(await scene.verdict(alive)).toBe('active current');
      expect(await scene.verdicts(logins)).toEqual(Array(5).fill('ended idle'));
      expect(await scene.sweepAll()).toEqual([]);
    });

    test(
      'ends the oldest first, no more than the limit at a time',
      {
        limits: SHORT,
        // The order is that of one bucket.
        buckets: 1,
      },
      async (scene) => {
        const logins: Login[] = [];
        for (let count = 0; count < 5; count++) {
          await scene.pass(2);
          logins.push(await scene.login());
        }
        await scene.passTo(deadlineOf(logins));
        const batches = [];
        let announced: string[] = [];
        for (let count = 0; count < 4; count++) {
          const reply = await scene.store.sweep({ limit: 2, announced, notAfter: scene.notAfter });
          if (reply.status !== 'swept') throw new Error(`sweep answered ${reply.status}`);
          announced = reply.ended.map(({ id }) => id);
          batches.push({ ended: announced, more: reply.more });
        }
        const ids = logins.map(({ id }) => id);
        expect(batches).toEqual([
          { ended: ids.slice(0, 2), more: true },
          { ended: ids.slice(2, 4), more: true },
          { ended: ids.slice(4), more: false },
          { ended: [], more: false },
        ]);
      },
    );

    test(
      'with a limit of 0 ends nothing and says whether there is more',
      {
        limits: SHORT,
      },
      async (scene) => {
        const logins = await expired(scene, 2);
        const request = { limit: 0, announced: [], notAfter: scene.notAfter };
        expect(await scene.store.sweep(request)).toMatchObject({ ended: [], more: true });
        expect((await scene.sweepAll()).length).toBe(logins.length);
        expect(await scene.store.sweep(request)).toMatchObject({ ended: [], more: false });
      },
    );

    test('has nothing to repair where nothing is broken', { limits: SHORT }, async (scene) => {
      await scene.login({ limitClass: 'long', fields: { long: `"${'x'.repeat(1_000)}"` } });
      const [one] = await expired(scene, 2);
      await scene.store.revoke({ id: one?.id ?? '', reason: 'logout' });
      const reply = await scene.store.sweep({ limit: 10, notAfter: scene.notAfter });
      const repairs = { withoutExpiry: 0, danglingEntries: 0, names: [] };
      expect(reply).toMatchObject({ status: 'swept', repairs });
    });

    test('hands every end to one runner only', { limits: SHORT }, async (scene) => {
      const logins = await expired(scene, 60);
      const ended = (await Promise.all([1, 2, 3, 4].map(() => scene.sweepAll(7)))).flat();
      expect(ended.toSorted(byId)).toEqual(logins.map(endOf).toSorted(byId));
    });

    testWith(
      capabilities.severalInstances,
      'hands every end to one instance only',
      { limits: SHORT },
      async (scene) => {
        const other = await scene.connect();
        const logins = await expired(scene, 60);
        const runs = [scene.store, other].map((store) => scene.sweepAll(7, { store }));
        const ended = (await Promise.all(runs)).flat();
        expect(ended.toSorted(byId)).toEqual(logins.map(endOf).toSorted(byId));
      },
    );

    test(
      'hands out the timeouts that others found, each once',
      { limits: SHORT },
      async (scene) => {
        const user = scene.user();
        const logins = await expired(scene, 6, user);
        const [resolved, read, written] = logins as [Login, Login, Login];
        const reply = await scene.resolve(resolved);
        await scene.read(read);
        await scene.write(written, { kind: 'set', name: 'a', value: '1' });
        await scene.list(user);
        await scene.login({ user, limitClass: 'long' });
        await scene.pages(10);
        await scene.store.stats();
        await scene.store.revokeUser({ user, reason: 'revoked' });
        const swept = await scene.sweepAll();
        const named = reply.status === 'ended' && reply.ended ? [reply.ended] : [];
        expect([...named, ...swept].toSorted(byId)).toEqual(logins.map(endOf).toSorted(byId));
      },
    );

    test('spares a session that was used meanwhile', { limits: SHORT }, async (scene) => {
      const [used, unused] = [await scene.login(), await scene.login()];
      await scene.passTo(used.record.createdAt + 100);
      const reply = await scene.resolve(used);
      scene.mustPrecede(reply.now, used.record.idleAt);
      await scene.passTo(unused.record.idleAt);
      const ended = await scene.sweepAll();
      scene.mustPrecede(await scene.now(), reply.now + 200);
      expect(ended.map(({ id }) => id)).toEqual([unused.id]);
      expect(await scene.verdict(used)).toBe('active current');
    });

    testWith(
      capabilities.inspection,
      'leaves nothing behind, however many sessions came and went',
      { limits: { default: { idle: 50, absolute: 100 } } },
      async (scene) => {
        const batch = Array.from({ length: 250 }, () => scene.user());
        for (let left = repetitions(100_000); left > 0; left -= batch.length) {
          await Promise.all(batch.map((user) => scene.login({ user })));
          await scene.pass(1);
        }
        await scene.pass(101);
        await scene.sweepAll(500);
        const nothing = { sessions: 0, tombstones: 0, indexEntries: 0 };
        expect(await scene.inspect()).toEqual(nothing);
      },
    );

    test(
      'ends anonymous sessions too',
      { limits: { ...SHORT, anonymous: SHORT.default } },
      async (scene) => {
        const { id, record } = await scene.login({ anonymous: true });
        await scene.passTo(record.idleAt);
        const { createdAt, idleAt: endedAt } = record;
        expect(await scene.sweepAll()).toEqual([{ id, createdAt, endedAt, reason: 'idle' }]);
      },
    );
  });
}

async function expired(scene: Scene, count: number, user?: Login['user']): Promise<Login[]> {
  const logins = await Promise.all(
    Array.from({ length: count }, () => scene.login(user && { user })),
  );
  await scene.passTo(deadlineOf(logins));
  return logins;
}

function deadlineOf(logins: readonly Login[]): number {
  return Math.max(...logins.map(({ record }) => record.idleAt));
}

function endOf({ id, user, record }: Login): EndedSession {
  const { createdAt, idleAt: endedAt } = record;
  return { id, userId: user.userId, createdAt, endedAt, reason: 'idle' };
}
