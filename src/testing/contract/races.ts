import type { AtLimit } from '../../core/policy.js';
import type { SessionStore } from '../../core/store.js';
import { withFaults } from '../faults.js';
import type { Contract } from './contract.js';
import type { Login } from './actors.js';
import type { Scene } from './scene.js';

/** Many requests at once. */
export function describeRaces(contract: Contract): void {
  const { describe, test, expect, repetitions } = contract;

  describe('simultaneous logins', () => {
    for (const atLimit of ['evict-oldest', 'evict-least-recent', 'reject'] as const) {
      test(`leave exactly as many sessions as the limit: ${atLimit}`, {}, async (scene) => {
        for (let run = repetitions(20); run > 0; run--) await loginStorm(scene, atLimit, contract);
      });
    }

    test('with one id create one session', {}, async (scene) => {
      const user = scene.user();
      const id = scene.id(user.bucket, user);
      const requests = Array.from({ length: 20 }, () => scene.request({ id, user }));
      const replies = await Promise.all(
        requests.flatMap((request) => [scene.store.create(request), scene.store.create(request)]),
      );
      const created = replies.filter(({ status }) => status === 'created').length;
      // The winner's two commands are one and the same.
      expect({ created, taken: replies.length - created }).toEqual({ created: 2, taken: 38 });
      expect(await scene.liveIds(user)).toEqual([id]);
      expect(await scene.store.stats()).toMatchObject({ created: 1, active: 1 });
    });

    test('that replace one session end it once', {}, async (scene) => {
      const user = scene.user();
      const { id } = await scene.login({ user });
      const logins = await Promise.all(
        Array.from({ length: 20 }, () => scene.login({ user, replaces: { id, take: [] } })),
      );
      const ended = logins.flatMap((login) => login.ended);
      expect(ended.map((end) => ({ id: end.id, reason: end.reason }))).toEqual([
        { id, reason: 'replaced' },
      ]);
    });

    test('under an old epoch never outlive revokeUser', {}, async (scene) => {
      for (let run = repetitions(20); run > 0; run--) {
        const user = scene.user();
        const { epoch } = await scene.list(user);
        const logins = Array.from({ length: 10 }, () => scene.create({ user, epoch }));
        const [revoked] = await Promise.all([
          scene.store.revokeUser({ user, reason: 'revoked' }),
          ...logins,
        ]);
        const replies = await Promise.all(logins);
        const created = replies.filter(({ status }) => status === 'created').length;
        expect(revoked.ended.length).toBe(created);
        expect(await scene.liveIds(user)).toEqual([]);
      }
    });
  });

  describe('simultaneous writes', () => {
    test('to different fields all survive', {}, async (scene) => {
      const login = await scene.login();
      const names = Array.from({ length: 100 }, (_, index) => `field ${index}`);
      await Promise.all(
        names.map((name) => scene.write(login, { kind: 'set', name, value: `"${name}"` })),
      );
      const expected = Object.fromEntries(names.map((name) => [name, `"${name}"`]));
      expect(await scene.fields(login)).toEqual(expected);
    });

    test('increment and append without a loss', {}, async (scene) => {
      const login = await scene.login();
      const items = Array.from({ length: 100 }, (_, index) => index);
      await Promise.all(
        items.flatMap((item) => [
          scene.write(login, { kind: 'increment', name: 'n', by: 1 }),
          scene.write(login, { kind: 'append', name: 'list', item: String(item) }),
        ]),
      );
      const fields = (await scene.fields(login)) ?? {};
      expect(fields['n']).toBe('100');
      const list = JSON.parse(fields['list'] ?? '[]') as number[];
      expect(list.toSorted((a, b) => a - b)).toEqual(items);
    });

    test('compare and set: one wins', {}, async (scene) => {
      const login = await scene.login({ fields: { a: '0' } });
      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          scene.write(login, {
            kind: 'replace',
            name: 'a',
            expected: '0',
            value: `${index + 1}`,
          }),
        ),
      );
      expect(replies.filter(({ status }) => status === 'written').length).toBe(1);
    });

    test('never exceed the size together', { maxFields: 10 }, async (scene) => {
      const login = await scene.login();
      const replies = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          scene.write(login, { kind: 'set', name: `f${index}`, value: '1' }),
        ),
      );
      expect(replies.filter(({ status }) => status === 'written').length).toBe(10);
      expect(Object.keys((await scene.fields(login)) ?? {}).length).toBe(10);
    });
  });

  describe('requests in flight during a logout', () => {
    test('never bring the session back', {}, async (scene) => {
      const slow = withFaults(
        scene.store,
        { all: { delayBefore: 4, delayAfter: 4 } },
        { seed: scene.random.below(2 ** 31) },
      );
      const runs = Array.from({ length: repetitions(500) }, () => scene.user());
      // A few dozen at a time, so that they really overlap.
      for (let from = 0; from < runs.length; from += 50) {
        const batch = runs.slice(from, from + 50);
        await Promise.all(batch.map((user) => logoutInFlight(scene, slow, user, contract)));
      }
      expect(await scene.store.stats()).toMatchObject({
        active: 0,
        ended: { logout: runs.length },
      });
      expect(await scene.pages(100)).toEqual([]);
    });

    test('leave nothing but the tombstone', {}, async (scene) => {
      const users = Array.from({ length: repetitions(50) }, () => scene.user());
      const slow = withFaults(scene.store, { all: { delayBefore: 4, delayAfter: 4 } });
      await Promise.all(users.map((user) => logoutInFlight(scene, slow, user, contract)));
      if (contract.capabilities.inspection !== true) return;
      const contents = await scene.inspect();
      expect(contents).toEqual({ sessions: 0, tombstones: users.length, indexEntries: 0 });
    });

    test('are answered by nothing that a lost reply hides', {}, async (scene) => {
      const user = scene.user();
      const login = await scene.login({ user });
      const losing = withFaults(scene.store, { revoke: { fail: 'after', times: 1 } });
      const lost = await losing.revoke({ id: login.id, reason: 'logout' }).then(
        () => 'a reply',
        () => 'an error',
      );
      expect(lost).toBe('an error');
      expect((await losing.revoke({ id: login.id, reason: 'logout' })).status).toBe('gone');
      expect(await scene.verdict(login)).toBe('ended logout');
    });
  });
}

/** 200 logins of one user at once: exactly three are alive afterwards. */
async function loginStorm(scene: Scene, atLimit: AtLimit, { expect }: Contract): Promise<void> {
  const user = scene.user();
  const concurrency = { max: 3, atLimit };
  const requests = Array.from({ length: 200 }, () => scene.request({ user, concurrency }));
  const replies = await Promise.all(requests.map((request) => scene.store.create(request)));
  const created = requests.filter((_, index) => replies[index]?.status === 'created');
  const refused = replies.filter(({ status }) => status === 'limit').length;
  expect({ created: created.length, refused }).toEqual(
    atLimit === 'reject' ? { created: 3, refused: 197 } : { created: 200, refused: 0 },
  );
  const evicted = replies.flatMap((reply) => (reply.status === 'created' ? reply.ended : []));
  expect(new Set(evicted.map(({ id }) => id)).size).toBe(created.length - 3);
  const alive = created
    .map(({ session }) => session)
    .filter(({ id }) => evicted.every((end) => end.id !== id));
  const ids = alive.map(({ id }) => id);
  expect((await scene.liveIds(user)).toSorted()).toEqual(ids.toSorted());
  for (const { id, token } of alive) {
    expect(await scene.verdict({ id, token: { ...token, traits: '' } })).toBe('active current');
  }
}

/** Reads, writes, rotations and touches overlap with a logout in an order of their own. */
async function logoutInFlight(
  scene: Scene,
  slow: SessionStore,
  user: Login['user'],
  { expect }: Contract,
): Promise<void> {
  const login = await scene.login({ user, fields: { n: '0' } });
  const { id, token } = login;
  const { notAfter } = scene;
  const next = { ...scene.newToken(1), salt: 'salt' };
  const kind = scene.random.pick(['soft', 'hard'] as const);
  const increment = { kind: 'increment', name: 'n', by: 1 } as const;
  const logout = slow.revoke({ id, reason: 'logout' });
  const inFlight = Promise.all([
    slow.resolve({ id, token, touch: true }),
    slow.write({ id, changes: [increment], notAfter }),
    slow.rotate({ id, token, kind, next, notAfter }),
    slow.resolve({ id, token, touch: true }),
    slow.create(login.request),
  ]);
  expect((await logout).status).toBe('revoked');
  const tokens = [token, { ...token, verifier: next.verifier, generation: 1 }];
  const verdicts = async (): Promise<readonly string[]> =>
    Promise.all(tokens.map((each) => scene.verdict({ id, token: each })));
  // From the moment at which the logout is acknowledged…
  expect(await verdicts()).toEqual(['ended logout', 'ended logout']);
  await inFlight;
  // …and when everything else has landed.
  expect(await verdicts()).toEqual(['ended logout', 'ended logout']);
  const { sessions, tombstones } = await scene.list(user);
  expect({ sessions: sessions.length, ended: tombstones.map(({ reason }) => reason) }).toEqual({
    sessions: 0,
    ended: ['logout'],
  });
}
