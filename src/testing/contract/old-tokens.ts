import type { Contract } from './contract.js';
import { OTHER_TRAITS, type Login } from './actors.js';
import type { Scene } from './scene.js';

/** Short enough to wait for its end; tests of what happens within it use the wide default. */
const GRACE = 200;

/** The predecessor, the successors and the copies: the rows of the state machine. */
export function describeOldTokens({ describe, test, expect }: Contract): void {
  const short = { rotation: { grace: GRACE, maxForks: 2, onReuse: 'revoke' } } as const;

  describe('the predecessor', () => {
    test('gets the one successor within the grace, every time', {}, async (scene) => {
      const login = await scene.login();
      const { token, next } = await scene.rotate(login, 'soft');
      const { salt, keyId, generation, verifier } = next;
      for (const touch of [true, false, true]) {
        expect(await scene.resolve(login, { touch })).toMatchObject({
          status: 'active',
          match: 'predecessor',
          suspicious: false,
          successor: { salt, keyId, generation, verifier },
        });
      }
      expect(await scene.verdict(login, token)).toBe('active current');
    });

    test('gets none once the successor was presented', {}, async (scene) => {
      const login = await scene.login();
      const { token } = await scene.rotate(login, 'soft');
      await scene.resolve(login, { token });
      const reply = await scene.resolve(login);
      expect(reply).toMatchObject({ status: 'active', match: 'predecessor', suspicious: false });
      expect('successor' in reply).toBe(false);
    });

    test('gets none for another client, and that is suspicious', {}, async (scene) => {
      const login = await scene.login();
      await scene.rotate(login, 'soft');
      const token = { ...login.token, traits: OTHER_TRAITS };
      const reply = await scene.resolve(login, { token });
      expect(reply).toMatchObject({ status: 'active', match: 'predecessor', suspicious: true });
      expect('successor' in reply).toBe(false);
    });

    test('past the grace is reused if the successor was presented', short, async (scene) => {
      const { login, token } = await rotatedAndPastGrace(scene, true);
      expect(await scene.verdict(login)).toBe('ended reused');
      expect(await scene.verdict(login, token)).toBe('ended reused');
    });

    test('past the grace is reused if another client presents it', short, async (scene) => {
      const { login } = await rotatedAndPastGrace(scene, false);
      const token = { ...login.token, traits: OTHER_TRAITS };
      expect(await scene.verdict(login, token)).toBe('ended reused');
    });

    test('is good for one grace after the successor was presented', short, async (scene) => {
      const login = await scene.login();
      const { reply, token } = await scene.rotate(login, 'soft');
      await scene.passTo(reply.now + GRACE + 1);
      const { now } = await scene.resolve(login, { token });
      const late = await scene.resolve(login);
      scene.mustPrecede(late.now, now + GRACE);
      expect(late).toMatchObject({ status: 'active', match: 'predecessor', suspicious: false });
      expect('successor' in late).toBe(false);
      await scene.passTo(now + GRACE + 1);
      expect(await scene.verdict(login)).toBe('ended reused');
    });

    test('waits a second grace for an answer under way before it forks', short, async (scene) => {
      const login = await scene.login();
      const { reply: rotated, token } = await scene.rotate(login, 'soft');
      await scene.passTo(rotated.now + GRACE + 1);
      const reply = await scene.resolve(login);
      const { reply: lost } = await scene.rotate(login, 'fork', { generation: 2 });
      scene.mustPrecede(lost.now, rotated.now + 2 * GRACE);
      expect(reply).toMatchObject({ status: 'active', match: 'predecessor', suspicious: false });
      expect('successor' in reply || 'successor' in lost).toBe(false);
      expect(lost.status).toBe('lost');
      expect(await scene.verdict(login, token)).toBe('active current');
    });

    test('past two graces forks if the successor never arrived', short, async (scene) => {
      const { login } = await rotatedAndPastGrace(scene, false);
      const reply = await scene.resolve(login);
      expect(reply).toMatchObject({ status: 'active', match: 'fork', suspicious: false });
      const attempts = await Promise.all(
        [1, 2, 3].map(() => scene.rotate(login, 'fork', { generation: 2 })),
      );
      const winner = attempts.find((attempt) => attempt.reply.status === 'rotated');
      const { salt } = winner?.next ?? {};
      for (const attempt of attempts.filter((other) => other !== winner)) {
        scene.mustPrecede(attempt.reply.now, reply.now + GRACE);
        expect(attempt.reply).toMatchObject({ status: 'lost', successor: { salt, generation: 2 } });
      }
      expect(await scene.verdict(login, winner?.token)).toBe('active current');
    });

    test('forks so often and no more', short, async (scene) => {
      const { login } = await rotatedAndPastGrace(scene, false);
      for (const generation of [2, 3]) {
        expect(await scene.verdict(login)).toBe('active fork');
        const { reply } = await scene.rotate(login, 'fork', { generation });
        expect(reply.status).toBe('rotated');
        await scene.passTo(reply.now + 2 * GRACE + 1);
      }
      expect(await scene.verdict(login)).toBe('ended reused');
    });

    test('cannot fork while it may still have the successor', {}, async (scene) => {
      const login = await scene.login();
      const { next } = await scene.rotate(login, 'soft');
      const { reply } = await scene.rotate(login, 'fork', { generation: 2 });
      const { salt } = next;
      expect(reply).toMatchObject({ status: 'lost', successor: { salt, generation: 1 } });
    });

    test('serves a client whose late Set-Cookie overtook a newer one', {}, async (scene) => {
      const login = await scene.login();
      const first = await scene.rotate(login, 'soft');
      const second = await scene.rotate(login, 'soft', { from: first.token });
      const { salt } = second.next;
      const reply = await scene.resolve(login, { token: first.token });
      expect(reply).toMatchObject({ match: 'predecessor', successor: { salt, generation: 2 } });
    });
  });

  describe('two successors', () => {
    test('both live until one was presented, and one grace longer', short, async (scene) => {
      for (const late of [false, true]) {
        const { login, lost, forked } = await forkedSession(scene);
        const [winner, loser] = late ? [lost, forked] : [forked, lost];
        const first = await scene.resolve(login, { token: winner });
        expect(first).toMatchObject({ status: 'active', match: 'current' });
        const second = await scene.resolve(login, { token: loser });
        scene.mustPrecede(second.now, first.now + GRACE);
        expect(second).toMatchObject({ status: 'active', match: 'current' });
        await scene.passTo(second.now + 2 * GRACE);
        // Both were presented in time: the last one is the current one.
        expect(await scene.verdict(login, loser)).toBe('active current');
        expect(await scene.verdict(login, winner)).toBe('ended reused');
      }
    });

    test('the one that nobody presented in time is reused', short, async (scene) => {
      for (const late of [false, true]) {
        const { login, lost, forked } = await forkedSession(scene);
        const [winner, loser] = late ? [lost, forked] : [forked, lost];
        const { now } = await scene.resolve(login, { token: winner });
        await scene.passTo(now + GRACE + 1);
        expect(await scene.verdict(login, winner)).toBe('active current');
        expect(await scene.verdict(login, loser)).toBe('ended reused');
      }
    });

    test('the older one is reused by another client', short, async (scene) => {
      const { login, lost } = await forkedSession(scene);
      const token = { ...lost, traits: OTHER_TRAITS };
      expect(await scene.verdict(login, token)).toBe('ended reused');
    });

    test('the one that won rotates as usual', short, async (scene) => {
      const { login, lost, forked } = await forkedSession(scene);
      await scene.resolve(login, { token: lost });
      const { reply, token } = await scene.rotate(login, 'soft', { from: lost, generation: 3 });
      expect(reply.status).toBe('rotated');
      expect(await scene.verdict(login, token)).toBe('active current');
      expect(await scene.verdict(login, forked)).toBe('ended reused');
    });
  });

  describe('the predecessor of a hard rotation', () => {
    test('is refused for a grace without a sanction', {}, async (scene) => {
      const login = await scene.login();
      const { token } = await scene.rotate(login, 'hard');
      const reply = await scene.resolve(login);
      expect(Object.keys(reply).toSorted()).toEqual(['now', 'status']);
      expect(reply.status).toBe('retired');
      expect(await scene.verdict(login, token)).toBe('active current');
    });

    test('is reused after that', short, async (scene) => {
      const login = await scene.login();
      const { reply, token } = await scene.rotate(login, 'hard');
      await scene.passTo(reply.now + GRACE + 1);
      expect(await scene.verdict(login, token)).toBe('active current');
      expect(await scene.verdict(login)).toBe('ended reused');
    });

    test('keeps that grace through further rotations', {}, async (scene) => {
      const login = await scene.login();
      const soft = await scene.rotate(login, 'soft');
      const hard = await scene.rotate(login, 'hard', { from: soft.token });
      const again = await scene.rotate(login, 'hard', { from: hard.token });
      const last = await scene.rotate(login, 'soft', { from: again.token });
      const tokens = [login.token, soft.token, hard.token, again.token, last.token];
      const verdicts = [];
      for (const token of tokens) verdicts.push(await scene.verdict(login, token));
      expect(verdicts).toEqual([
        'retired',
        'retired',
        'retired',
        'active predecessor',
        'active current',
      ]);
    });

    test('gets no successor by rotating', {}, async (scene) => {
      const login = await scene.login();
      await scene.rotate(login, 'hard');
      for (const kind of ['soft', 'hard', 'fork'] as const) {
        const { reply } = await scene.rotate(login, kind, { generation: 2 });
        expect(Object.keys(reply).toSorted()).toEqual(['now', 'status']);
        expect(reply.status).toBe('lost');
      }
    });
  });
}

/** A soft rotation whose graces are over; `confirmed`: its token was presented. */
export async function rotatedAndPastGrace(
  scene: Scene,
  confirmed: boolean,
): Promise<{ readonly login: Login; readonly token: Login['token'] }> {
  const login = await scene.login();
  const { reply, token } = await scene.rotate(login, 'soft');
  const { grace } = scene.settings.rotation;
  const since = confirmed ? (await scene.resolve(login, { token })).now : reply.now + grace;
  await scene.passTo(since + grace + 1);
  return { login, token };
}

/** A session with two successors, neither presented yet: `lost` is the older one. */
async function forkedSession(scene: Scene): Promise<{
  readonly login: Login;
  readonly lost: Login['token'];
  readonly forked: Login['token'];
}> {
  const { login, token: lost } = await rotatedAndPastGrace(scene, false);
  const { reply, token: forked } = await scene.rotate(login, 'fork', { generation: 2 });
  if (reply.status !== 'rotated') throw new Error(`the fork was answered ${reply.status}`);
  return { login, lost, forked };
}
