import type { Contract } from './contract.js';

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'a.b.c',
  '$set',
  '$where',
  '{tag}',
  '}{',
  "'; DROP TABLE sessions; --",
  '"quoted"',
  'back\\slash',
  '%s %d %1$s',
  '*',
  ' ',
  'tab\tand\nline',
  '\u{1f36a} cookie',
  'ﬁ\u0301ü',
  '\u2028\u2029',
  '\ufeffbom',
  'id',
  'userId',
  'n'.repeat(64),
  'ü'.repeat(32),
];

const VALUES = [
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"it\'s {}[] $1 %s ?"',
  '{"__proto__":{"admin":true}}',
  '"\u{1f36a}\u2028"',
  '[[[[]]]]',
  '9007199254740993',
  '{"$bigint":"-5"}',
  'null',
];

const IDS = [
  '',
  '{',
  '}{',
  '*',
  '__proto__',
  "'; DROP TABLE sessions; --",
  '\u{1f36a}',
  '../../etc/passwd',
  'A'.repeat(23),
  'A'.repeat(24),
  'A'.repeat(10_000),
  '!!!!!!!!!!!!!!!!!!!!!!!!',
];

/** Names, values and ids that are syntax somewhere. */
export function describeHostileInput({ describe, test, expect }: Contract): void {
  describe('hostile input', () => {
    test('field names are kept as they are, in every operation', {}, async (scene) => {
      const login = await scene.login();
      for (const [index, name] of NAMES.entries()) {
        const reply = await scene.write(login, { kind: 'set', name, value: `${index}` });
        expect(reply.status === 'written' && [...reply.fields]).toEqual([[name, `${index}`]]);
      }
      const all = await scene.read(login);
      const expected = new Map(NAMES.map((name, index) => [name, `${index}`]));
      expect(all.status === 'read' && new Map(all.fields)).toEqual(expected);
      for (const [index, name] of NAMES.entries()) {
        await scene.write(login, { kind: 'increment', name, by: 1 });
        const one = await scene.read(login, [name]);
        expect(one.status === 'read' && [...one.fields]).toEqual([[name, `${index + 1}`]]);
      }
      for (const name of NAMES) await scene.write(login, { kind: 'delete', name });
      const none = await scene.read(login);
      expect(none.status === 'read' && [...none.fields]).toEqual([]);
    });

    test('field values are kept as they are', {}, async (scene) => {
      const fields = Object.fromEntries(VALUES.map((value, index) => [`field ${index}`, value]));
      const login = await scene.login({ fields });
      expect(await scene.fields(login)).toEqual(fields);
      for (const value of VALUES) {
        expect((await scene.write(login, { kind: 'set', name: 'a', value })).status).toBe(
          'written',
        );
        const change = { kind: 'replace', name: 'a', expected: value, value: '1' } as const;
        expect((await scene.write(login, change)).status).toBe('written');
      }
    });

    test('a long value is kept as it is', {}, async (scene) => {
      const text = JSON.stringify('€'.repeat(20_000));
      const login = await scene.login({ fields: { text } });
      expect(await scene.fields(login)).toEqual({ text });
    });

    test('S-01: user ids and devices are kept as they are', {}, async (scene) => {
      for (const name of [...NAMES.filter((text) => text.trim() !== ''), 'u'.repeat(256)]) {
        const label = name.slice(0, 32);
        const device = { client: label, platform: label, address: label };
        const { user, record } = await scene.login({ user: scene.user(name), device });
        expect((await scene.list(user)).sessions).toEqual([record]);
        expect(record).toMatchObject({ userId: name, device });
      }
    });

    test('ids that never were are gone', {}, async (scene) => {
      const login = await scene.login();
      for (const id of IDS) {
        const { token } = login;
        const replies = [
          await scene.resolve({ id, token }),
          await scene.read({ id }),
          await scene.write({ id }, { kind: 'set', name: 'a', value: '1' }),
          (await scene.rotate({ id, token }, 'hard')).reply,
          await scene.revoke({ id }),
          await scene.revoke({ id }, { userKey: login.user.userKey }),
        ];
        expect(replies.map(({ status }) => status)).toEqual(Array(6).fill('gone'));
      }
      expect(await scene.verdict(login)).toBe('active current');
      expect(await scene.store.stats()).toMatchObject({ active: 1, anonymous: 0 });
    });

    test(
      'verifiers that never were are no match',
      { rotation: { grace: 1_000, maxForks: 3, onReuse: 'reject' } },
      async (scene) => {
        const login = await scene.login();
        await scene.rotate(login, 'hard');
        await scene.pass(1_001);
        for (const verifier of ['', ...IDS, 'undefined', 'null', 'false', 'nil']) {
          expect(await scene.verdict(login, { verifier, generation: 0, traits: '' })).toBe(
            'ended reused',
          );
        }
      },
    );
  });
}
