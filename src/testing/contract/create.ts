import type { Contract } from './contract.js';

/** What `create` makes and what it refuses. */
export function describeCreate({ describe, test, expect }: Contract): void {
  describe('create', () => {
    test('makes a live session with the facts it was given', {}, async (scene) => {
      const device = { client: 'Firefox 131', platform: 'Android', address: '192.0.2.7' };
      const fields = { cart: '["a","b"]', theme: '"dark"' };
      const login = await scene.login({ device, fields, claims: '{}', limitClass: 'remembered' });
      const { idle, absolute } = scene.settings.limits['remembered'] ?? { idle: 0, absolute: 0 };
      const { createdAt } = login.record;
      expect(login.record).toEqual({
        id: login.id,
        userId: login.user.userId,
        createdAt,
        authenticatedAt: createdAt,
        seenAt: createdAt,
        idleAt: createdAt + idle,
        absoluteAt: createdAt + absolute,
        limitClass: 'remembered',
        device,
        claims: '{}',
        generation: 0,
      });
      const reply = await scene.resolve(login, { touch: false });
      expect(reply).toMatchObject({ status: 'active', match: 'current', rotatedAt: createdAt });
      expect(reply).toMatchObject({ record: login.record, suspicious: false });
      expect(await scene.fields(login)).toEqual(fields);
    });

    test('counts the smaller of the own limits and those of the class', {}, async (scene) => {
      const ownLimits = { idle: 60_000, absolute: 10 * 24 * 60 * 60_000 };
      const { record } = await scene.login({ ownLimits });
      expect(record.ownLimits).toEqual(ownLimits);
      expect(record.idleAt - record.createdAt).toBe(60_000);
      expect(record.absoluteAt - record.createdAt).toBe(scene.settings.limits.default.absolute);
    });

    test('never lets the idle deadline pass the absolute one', {}, async (scene) => {
      const { record } = await scene.login({ ownLimits: { absolute: 1_000 } });
      expect(record.absoluteAt - record.createdAt).toBe(1_000);
      expect(record.idleAt).toBe(record.absoluteAt);
    });

    test('gives a class that does not exist the default limits', {}, async (scene) => {
      const login = await scene.login({ limitClass: 'constructor' });
      const { createdAt, idleAt } = login.record;
      expect(idleAt - createdAt).toBe(scene.settings.limits.default.idle);
      expect(await scene.verdict(login)).toBe('active current');
    });

    test('keeps an anonymous session out of every index', {}, async (scene) => {
      const login = await scene.login({ anonymous: true, fields: { cart: '[1]' } });
      expect(Object.keys(login.record).filter((key) => /^(user|authenticated)/.test(key))).toEqual(
        [],
      );
      expect(await scene.verdict(login)).toBe('active current');
      expect((await scene.list(login.user)).sessions).toEqual([]);
      expect(await scene.store.stats()).toMatchObject({ active: 0, anonymous: 1, created: 0 });
    });

    test('has the effect of one when it is repeated', {}, async (scene) => {
      const concurrency = { max: 2, atLimit: 'evict-oldest' } as const;
      const user = scene.user();
      const first = await scene.login({ user, concurrency });
      const second = await scene.login({ user, concurrency });
      const again = await scene.store.create(second.request);
      expect(again).toMatchObject({ status: 'created', record: second.record, ended: [] });
      expect(await scene.liveIds(user)).toEqual([second.id, first.id]);
      expect(await scene.store.stats()).toMatchObject({ created: 2, active: 2 });
    });

    test('never takes the place of a live session with the same id', {}, async (scene) => {
      const login = await scene.login({ fields: { mine: '1' } });
      const reply = await scene.create({ id: login.id, user: login.user, fields: { mine: '2' } });
      expect(reply.status).toBe('taken');
      expect(await scene.fields(login)).toEqual({ mine: '1' });
      expect(await scene.verdict(login)).toBe('active current');
      expect(await scene.liveIds(login.user)).toEqual([login.id]);
    });

    test('never brings an ended session back', {}, async (scene) => {
      const login = await scene.login();
      await scene.revoke(login, { reason: 'logout' });
      expect((await scene.store.create(login.request)).status).toBe('taken');
      const { id, user } = login;
      expect((await scene.create({ id, user })).status).toBe('taken');
      expect(await scene.verdict(login)).toBe('ended logout');
      expect(await scene.liveIds(user)).toEqual([]);
    });

    test(
      'refuses too many or too long fields and creates nothing',
      {
        maxFields: 2,
        maxSessionBytes: 20,
      },
      async (scene) => {
        const user = scene.user();
        const fits = await scene.create({ user, fields: { a: '"12345"', ü: '"ö123456"' } });
        expect(fits.status).toBe('created');
        const long = await scene.create({ user, fields: { a: '"12345"', ü: '"ö1234567"' } });
        expect(long.status).toBe('too-large');
        const many = await scene.create({ user, fields: { a: '1', b: '1', c: '1' } });
        expect(many.status).toBe('too-large');
        expect((await scene.list(user)).sessions.length).toBe(1);
      },
    );

    test('gives replies that share nothing with the store', {}, async (scene) => {
      const fields = new Map([['a', '1']]);
      const device = { client: 'Firefox' };
      const { session, notAfter } = scene.request({ device });
      const created = await scene.store.create({ session: { ...session, fields }, notAfter });
      fields.set('a', '2');
      device.client = 'Chrome';
      const login = { id: session.id };
      const read = await scene.read(login);
      if (read.status === 'read') (read.fields as Map<string, string>).set('a', '3');
      const token = { ...session.token, traits: '' };
      const resolved = await scene.resolve({ ...login, token });
      if (resolved.status === 'active') (resolved.fields as Map<string, string>).set('a', '4');
      expect(await scene.fields(login)).toEqual({ a: '1' });
      expect(created).toMatchObject({
        status: 'created',
        record: { device: { client: 'Firefox' } },
      });
      const [record] = (await scene.list(session.user ?? scene.user())).sessions;
      expect(record?.device).toEqual({ client: 'Firefox' });
    });
  });

  describe('a session that another one replaces', () => {
    test('ends first, as replaced, and does not count for the limit', {}, async (scene) => {
      const user = scene.user();
      const concurrency = { max: 2, atLimit: 'reject' } as const;
      const old = await scene.login({ user, concurrency });
      const other = await scene.login({ user, concurrency });
      const replaces = { id: old.id, take: [] };
      const login = await scene.login({ user, concurrency, replaces });
      expect(login.ended.map(({ id, reason }) => ({ id, reason }))).toEqual([
        { id: old.id, reason: 'replaced' },
      ]);
      expect(await scene.verdict(old)).toBe('ended replaced');
      expect(await scene.liveIds(user)).toEqual([login.id, other.id]);
    });

    test('lives on when the new one is refused', {}, async (scene) => {
      const user = scene.user();
      const concurrency = { max: 1, atLimit: 'reject' } as const;
      await scene.login({ user });
      const { bucket } = user;
      const anonymous = await scene.login({ user: { ...scene.user(), bucket }, anonymous: true });
      const replaces = { id: anonymous.id, take: [] };
      expect((await scene.create({ user, concurrency, replaces })).status).toBe('limit');
      expect(await scene.verdict(anonymous)).toBe('active current');
    });

    test(
      'hands over the named fields if it is anonymous, and never the new ones',
      {},
      async (scene) => {
        const user = scene.user();
        const { id } = await scene.login({
          user,
          anonymous: true,
          fields: { cart: '[1]', theme: '"dark"', isAdmin: 'true' },
        });
        const replaces = { id, take: ['cart', 'theme', 'missing'] };
        const login = await scene.login({ user, replaces, fields: { theme: '"light"' } });
        expect(await scene.fields(login)).toEqual({ cart: '[1]', theme: '"light"' });
        expect(login.ended.map(({ reason }) => reason)).toEqual(['replaced']);
      },
    );

    test('hands over all fields if so asked', {}, async (scene) => {
      const user = scene.user();
      const fields = { cart: '[1]', theme: '"dark"' };
      const { id } = await scene.login({ user, anonymous: true, fields });
      const login = await scene.login({ user, replaces: { id, take: 'all' } });
      expect(await scene.fields(login)).toEqual(fields);
    });

    test("hands over nothing if it is a user's", {}, async (scene) => {
      const user = scene.user();
      const { id } = await scene.login({ user, fields: { cart: '[1]' } });
      const named = await scene.login({ user, replaces: { id, take: ['cart'] } });
      const all = await scene.login({ user, replaces: { id: named.id, take: 'all' } });
      expect([await scene.fields(named), await scene.fields(all)]).toEqual([undefined, {}]);
    });

    test('may hand over no more than fits, or nothing happens', { maxFields: 2 }, async (scene) => {
      const user = scene.user();
      const anonymous = await scene.login({ user, anonymous: true, fields: { a: '1', b: '1' } });
      const replaces = { id: anonymous.id, take: ['a', 'b'] };
      const reply = await scene.create({ user, replaces, fields: { c: '1' } });
      expect(reply.status).toBe('too-large');
      expect(await scene.verdict(anonymous)).toBe('active current');
      expect(await scene.liveIds(user)).toEqual([]);
    });

    test('need not exist any more', {}, async (scene) => {
      const user = scene.user();
      const old = await scene.login({ user });
      await scene.revoke(old, { reason: 'logout' });
      const ended = await scene.login({ user, replaces: { id: old.id, take: 'all' } });
      const unknown = { id: scene.id(user.bucket, user), take: [] };
      const other = await scene.login({ user, replaces: unknown });
      expect([ended.ended, other.ended]).toEqual([[], []]);
      expect(await scene.verdict(old)).toBe('ended logout');
    });
  });
}
