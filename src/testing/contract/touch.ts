import type { Contract } from './contract.js';
import type { Login } from './actors.js';

const IDLE = 400;
const INTERVAL = 100;

/** Activity: what counts, how often it is recorded, what it moves. */
export function describeTouch({ describe, test, expect, repetitions }: Contract): void {
  describe('touch', () => {
    test('moves the idle deadline', {}, async (scene) => {
      const login = await scene.login();
      await scene.pass(10);
      const reply = await scene.resolve(login);
      const { idle } = scene.settings.limits.default;
      expect(reply).toMatchObject({
        status: 'active',
        record: { ...login.record, seenAt: reply.now, idleAt: reply.now + idle },
      });
      const [listed] = (await scene.list(login.user)).sessions;
      expect(listed).toMatchObject({ seenAt: reply.now, idleAt: reply.now + idle });
    });

    test('is left out when the request is no activity', {}, async (scene) => {
      const login = await scene.login();
      await scene.pass(10);
      const reply = await scene.resolve(login, { touch: false });
      expect(reply).toMatchObject({ status: 'active', record: login.record });
      expect((await scene.list(login.user)).sessions).toEqual([login.record]);
    });

    test('is made by nothing but resolve', {}, async (scene) => {
      const login = await scene.login();
      await scene.pass(10);
      await scene.write(login, { kind: 'set', name: 'a', value: '1' });
      await scene.read(login);
      const { token } = await scene.rotate(login, 'hard');
      const reply = await scene.resolve(login, { token, touch: false });
      const { seenAt, idleAt } = login.record;
      expect(reply).toMatchObject({ status: 'active', record: { seenAt, idleAt } });
    });

    test('never moves the absolute deadline, nor the idle one past it', {}, async (scene) => {
      const login = await scene.login({ ownLimits: { idle: 60_000, absolute: 60_010 } });
      const { absoluteAt } = login.record;
      await scene.pass(20);
      const reply = await scene.resolve(login);
      expect(reply).toMatchObject({ status: 'active', record: { absoluteAt, idleAt: absoluteAt } });
    });

    test('is recorded at most once per interval', { touchInterval: INTERVAL }, async (scene) => {
      const login = await scene.login();
      let { seenAt } = login.record;
      let records = 0;
      while (records < 3) {
        const replies = await Promise.all([1, 2, 3].map(() => scene.resolve(login)));
        const times = replies.flatMap((reply) =>
          reply.status === 'active' ? [reply.record.seenAt] : [],
        );
        expect(times.length).toBe(3);
        for (const time of times) {
          if (time === seenAt) continue;
          expect(time - seenAt).toBeGreaterThanOrEqual(INTERVAL);
          seenAt = time;
          records += 1;
        }
        await scene.pass(INTERVAL / 4);
      }
      await scene.passTo(seenAt + INTERVAL);
      const reply = await scene.resolve(login);
      expect(reply).toMatchObject({ status: 'active', record: { seenAt: reply.now } });
    });

    test(
      'ends a session at most one interval early, never late',
      {
        limits: { default: { idle: IDLE, absolute: 600_000 } },
        touchInterval: INTERVAL,
      },
      async (scene) => {
        const usedAt = new Map<Login, number>();
        for (let count = 0; count < 20; count++) {
          const login = await scene.login();
          usedAt.set(login, login.record.createdAt);
        }
        for (let round = repetitions(20); round > 0; round--) {
          await scene.pass(scene.random.below(200));
          for (const [login, last] of usedAt) {
            if (scene.random.below(3) === 0) continue;
            const reply = await scene.resolve(login);
            const unused = reply.now - last;
            if (reply.status === 'active') {
              expect(unused).toBeLessThanOrEqual(IDLE - 1);
              usedAt.set(login, reply.now);
            } else {
              expect(unused).toBeGreaterThanOrEqual(IDLE - INTERVAL + 1);
              usedAt.delete(login);
            }
          }
        }
      },
    );

    test('of something that ended changes nothing', {}, async (scene) => {
      const login = await scene.login();
      await scene.revoke(login);
      const before = await scene.list(login.user);
      await scene.pass(5);
      expect((await scene.resolve(login)).status).toBe('ended');
      const { sessions, tombstones } = await scene.list(login.user);
      expect({ sessions, tombstones }).toEqual({ sessions: [], tombstones: before.tombstones });
    });
  });
}
