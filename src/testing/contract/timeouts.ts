import type { Contract } from './contract.js';
import type { Login } from './actors.js';
import type { Scene } from './scene.js';

const LONG = { idle: 600_000, absolute: 600_000 };
const IDLE = 300;
const ABSOLUTE = 500;

/** Idle and absolute timeouts, decided at the moment of each operation. */
export function describeTimeouts(contract: Contract): void {
  const { describe, test, expect } = contract;

  describe('timeouts', () => {
    test(
      'idle: ends a session that was not used for that long',
      {
        limits: { default: { idle: IDLE, absolute: 60_000 } },
      },
      async (scene) => {
        const login = await scene.login();
        await watchTheEnd(contract, scene, login, login.record.idleAt, 'ended idle');
      },
    );

    test(
      'absolute: ends a session however much it is used',
      {
        limits: { default: { idle: 60_000, absolute: ABSOLUTE } },
      },
      async (scene) => {
        const login = await scene.login();
        await watchTheEnd(contract, scene, login, login.record.absoluteAt, 'ended absolute', true);
      },
    );

    test('own limits end a session before those of its class', {}, async (scene) => {
      const login = await scene.login({ ownLimits: { idle: IDLE } });
      await watchTheEnd(contract, scene, login, login.record.createdAt + IDLE, 'ended idle');
    });

    test(
      'each class has its own',
      {
        limits: { default: LONG, short: { idle: IDLE, absolute: 60_000 } },
      },
      async (scene) => {
        const long = await scene.login();
        const short = await scene.login({ limitClass: 'short' });
        await watchTheEnd(contract, scene, short, short.record.idleAt, 'ended idle');
        expect(await scene.verdict(long)).toBe('active current');
      },
    );

    test(
      'the end is handed out once and dated back to the deadline',
      {
        limits: { default: { idle: IDLE, absolute: 60_000 } },
      },
      async (scene) => {
        const { id, user, token, record } = await scene.login();
        await scene.passTo(record.idleAt + 50);
        const replies = await Promise.all([1, 2, 3].map(() => scene.resolve({ id, token })));
        const ends = replies.flatMap((reply) => (reply.status === 'ended' ? [reply.ended] : []));
        expect(ends.length).toBe(3);
        const { createdAt, idleAt: endedAt } = record;
        expect(ends.filter((end) => end !== undefined)).toEqual([
          { id, userId: user.userId, reason: 'idle', createdAt, endedAt },
        ]);
        expect(await scene.sweepAll()).toEqual([]);
      },
    );

    test(
      'an expired session is gone for every operation',
      {
        limits: { default: { idle: IDLE, absolute: 60_000 } },
      },
      async (scene) => {
        const logins: Login[] = [];
        for (let count = 0; count < 4; count++) logins.push(await scene.login());
        const [read, written, rotated, revoked] = logins as [Login, Login, Login, Login];
        await scene.passTo(revoked.record.idleAt);
        expect((await scene.read(read)).status).toBe('gone');
        const change = { kind: 'set', name: 'a', value: '1' } as const;
        expect((await scene.write(written, change)).status).toBe('gone');
        expect((await scene.rotate(rotated, 'hard')).reply.status).toBe('gone');
        expect((await scene.revoke(revoked)).status).toBe('gone');
        expect(await scene.verdicts(logins)).toEqual(Array(4).fill('ended idle'));
      },
    );

    test(
      'no list, page or count shows an expired session, though nobody swept',
      {
        limits: { default: LONG, short: { idle: IDLE, absolute: 60_000 } },
      },
      async (scene) => {
        const user = scene.user();
        const alive = await scene.login({ user });
        await scene.login({ user, limitClass: 'short' });
        const { record } = await scene.login({ anonymous: true, limitClass: 'short' });
        await scene.passTo(record.idleAt + 20);
        expect(await scene.liveIds(user)).toEqual([alive.id]);
        expect((await scene.pages(10)).map(({ id }) => id)).toEqual([alive.id]);
        expect(await scene.store.stats()).toMatchObject({ active: 1, anonymous: 0 });
        const { ended } = await scene.store.revokeUser({ user, reason: 'revoked' });
        expect(ended.map(({ id, reason }) => ({ id, reason }))).toEqual([
          { id: alive.id, reason: 'revoked' },
        ]);
      },
    );
  });

  describe('a policy that changes', () => {
    const wide = { default: { idle: 60_000, absolute: 60_000 } };
    const tight = { default: { idle: IDLE, absolute: 60_000 } };

    test('reaches live sessions at once when it is tightened', { limits: wide }, async (scene) => {
      const login = await scene.login();
      await scene.store.open({ ...scene.settings, limits: tight });
      const { createdAt } = login.record;
      await watchTheEnd(contract, scene, login, createdAt + IDLE, 'ended idle');
    });

    test('tightens the absolute timeout too', { limits: wide }, async (scene) => {
      const login = await scene.login();
      const limits = { default: { idle: IDLE, absolute: IDLE } };
      await scene.store.open({ ...scene.settings, limits });
      const { createdAt } = login.record;
      await watchTheEnd(contract, scene, login, createdAt + IDLE, 'ended absolute', true);
    });

    test('brings nothing back when it is loosened', { limits: tight }, async (scene) => {
      const seen = await scene.login();
      const unseen = await scene.login();
      await scene.passTo(unseen.record.idleAt);
      expect(await scene.verdict(seen)).toBe('ended idle');
      await scene.store.open({ ...scene.settings, limits: wide });
      expect(await scene.verdicts([seen, unseen])).toEqual(['ended idle', 'ended idle']);
      expect(await scene.liveIds(unseen.user)).toEqual([]);
    });

    test('brings nothing back that a tightened one had ended', { limits: wide }, async (scene) => {
      const login = await scene.login();
      await scene.store.open({ ...scene.settings, limits: tight });
      await scene.passTo(login.record.createdAt + IDLE);
      expect(await scene.verdict(login)).toBe('ended idle');
      await scene.store.open({ ...scene.settings, limits: wide });
      expect(await scene.verdict(login)).toBe('ended idle');
    });

    test('extends the idle deadline only with the next touch', { limits: tight }, async (scene) => {
      const [touched, left] = [await scene.login(), await scene.login()];
      await scene.store.open({ ...scene.settings, limits: wide });
      await scene.pass(10);
      const reply = await scene.resolve(touched);
      scene.mustPrecede(reply.now, touched.record.idleAt);
      expect(reply.status).toBe('active');
      await watchTheEnd(contract, scene, left, left.record.idleAt, 'ended idle');
      expect(await scene.verdict(touched)).toBe('active current');
    });

    test(
      'never extends the absolute deadline',
      {
        limits: { default: { idle: ABSOLUTE, absolute: ABSOLUTE } },
      },
      async (scene) => {
        const login = await scene.login();
        await scene.store.open({ ...scene.settings, limits: wide });
        const { absoluteAt } = login.record;
        await watchTheEnd(contract, scene, login, absoluteAt, 'ended absolute', true);
      },
    );
  });
}

/**
 * Looks at a session until it ends. By the store's own clock it must be alive in every reply
 * before its deadline and ended in every one from then on.
 */
async function watchTheEnd(
  { expect }: Contract,
  scene: Scene,
  login: Login,
  deadline: number,
  verdict: string,
  touch = false,
): Promise<void> {
  for (;;) {
    const reply = await scene.resolve(login, { touch });
    const ended = reply.status === 'ended' && reply.ended ? `ended ${reply.reason}` : reply.status;
    expect({ at: reply.now - deadline, ended }).toEqual({
      at: reply.now - deadline,
      ended: reply.now < deadline ? 'active' : verdict,
    });
    if (reply.now >= deadline) return;
    // Half of what is left each time: the last looks lie close to the deadline.
    await scene.pass(Math.ceil((deadline - reply.now) / 2));
  }
}
