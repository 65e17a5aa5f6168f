import type { FieldChange } from '../../core/store.js';
import type { Contract } from './contract.js';

/** Fields: each on its own, several all or none. */
export function describeFields({ describe, test, expect }: Contract): void {
  describe('fields', () => {
    test('are set and deleted one by one', {}, async (scene) => {
      const login = await scene.login({ fields: { a: '1', b: '2' } });
      const reply = await scene.write(login, set('b', '3'), set('c', '4'), remove('a'));
      expect(reply.status === 'written' && Object.fromEntries(reply.fields)).toEqual({
        b: '3',
        c: '4',
        a: undefined,
      });
      expect(await scene.fields(login)).toEqual({ b: '3', c: '4' });
      const resolved = await scene.resolve(login);
      if (resolved.status !== 'active') throw new Error('the session is not active');
      for (const [name, text] of resolved.fields)
        expect({ b: '3', c: '4' }).toMatchObject({ [name]: text });
      expect(resolved.complete ? resolved.fields.size : 2).toBe(2);
    });

    test('are read by name; a missing one is left out', {}, async (scene) => {
      const login = await scene.login({ fields: { a: '1', b: '2', c: '3' } });
      const some = await scene.read(login, ['c', 'missing', 'a']);
      expect(some.status === 'read' && Object.fromEntries(some.fields)).toEqual({ a: '1', c: '3' });
      const none = await scene.read(login, []);
      expect(none.status === 'read' && none.fields.size).toBe(0);
    });

    test('change in the given order', {}, async (scene) => {
      const login = await scene.login({ fields: { n: '5' } });
      const reply = await scene.write(
        login,
        remove('n'),
        increment('n', 2),
        increment('n', 3),
        replace('n', '5', '"five"'),
        set('list', '[]'),
        append('list', '1'),
        append('list', '2'),
        set('gone', '1'),
        remove('gone'),
      );
      expect(reply.status === 'written' && Object.fromEntries(reply.fields)).toEqual({
        n: '"five"',
        list: '[1,2]',
        gone: undefined,
      });
      expect(await scene.fields(login)).toEqual({ n: '"five"', list: '[1,2]' });
    });

    test('change all or none', {}, async (scene) => {
      const fields = { a: '1', n: '"text"' };
      const login = await scene.login({ fields });
      const reply = await scene.write(
        login,
        set('a', '2'),
        remove('n'),
        set('n', 'null'),
        increment('n', 1),
      );
      expect(reply).toMatchObject({ status: 'conflict', name: 'n', why: 'not-an-integer' });
      expect(await scene.fields(login)).toEqual(fields);
    });

    test('change in no way by an empty write', {}, async (scene) => {
      const login = await scene.login({ fields: { a: '1' } });
      const reply = await scene.write(login);
      expect(reply.status === 'written' && reply.fields.size).toBe(0);
      expect(await scene.fields(login)).toEqual({ a: '1' });
    });

    test('of a session that is not there are neither read nor written', {}, async (scene) => {
      const user = scene.user();
      const unknown = { id: scene.id(user.bucket, user), token: scene.request().session.token };
      expect((await scene.write(unknown, set('a', '1'))).status).toBe('gone');
      expect((await scene.read(unknown)).status).toBe('gone');
      expect(await scene.verdict({ ...unknown, token: { ...unknown.token, traits: '' } })).toBe(
        'gone',
      );
      const login = await scene.login({ fields: { a: '1' } });
      await scene.revoke(login);
      expect((await scene.write(login, set('a', '2'))).status).toBe('gone');
      expect((await scene.read(login)).status).toBe('gone');
      expect(await scene.verdict(login)).toBe('ended revoked');
    });
  });

  describe('compare-and-set', () => {
    test('replaces only what is as expected', {}, async (scene) => {
      const login = await scene.login({ fields: { a: '1' } });
      expect((await scene.write(login, replace('a', '1', '2'))).status).toBe('written');
      const late = await scene.write(login, replace('a', '1', '3'));
      expect(late).toMatchObject({ status: 'conflict', name: 'a', why: 'changed', current: '2' });
      const absent = await scene.write(login, replace('b', '1', '3'));
      expect(absent).toMatchObject({ status: 'conflict', why: 'changed', current: undefined });
      expect(await scene.fields(login)).toEqual({ a: '2' });
    });

    test('creates only what is still absent', {}, async (scene) => {
      const login = await scene.login();
      expect((await scene.write(login, replace('a', undefined, '1'))).status).toBe('written');
      const second = await scene.write(login, replace('a', undefined, '2'));
      expect(second).toMatchObject({ status: 'conflict', why: 'changed', current: '1' });
      expect(await scene.fields(login)).toEqual({ a: '1' });
    });
  });

  describe('increment', () => {
    const MAX = Number.MAX_SAFE_INTEGER;
    for (const [before, by, after] of [
      [undefined, 5, '5'],
      [undefined, -5, '-5'],
      ['0', 0, '0'],
      ['41', 1, '42'],
      ['-1', 1, '0'],
      ['1', -3, '-2'],
      [`${MAX - 1}`, 1, `${MAX}`],
      [`${1 - MAX}`, -1, `${-MAX}`],
      [`${-MAX}`, MAX, '0'],
    ] as const) {
      test(`of ${before ?? 'nothing'} by ${by} gives ${after}`, {}, async (scene) => {
        const login = await scene.login({ fields: before === undefined ? {} : { n: before } });
        const reply = await scene.write(login, increment('n', by));
        expect(reply.status === 'written' && reply.fields.get('n')).toBe(after);
        expect(await scene.fields(login)).toEqual({ n: after });
      });
    }

    test('refuses what is not a safe integer in its one spelling', {}, async (scene) => {
      for (const text of [
        '"5"',
        '1.5',
        '1e3',
        '-0',
        '01',
        '5.0',
        '9007199254740992',
        '-9007199254740993',
        'null',
        'true',
        '[1]',
        '{"$bigint":"5"}',
        '""',
      ]) {
        const login = await scene.login({ fields: { n: text } });
        const reply = await scene.write(login, increment('n', 1));
        const why = 'not-an-integer';
        expect(reply).toMatchObject({ status: 'conflict', name: 'n', why, current: text });
        expect(await scene.fields(login)).toEqual({ n: text });
      }
    });

    test('never leaves the range of safe integers', {}, async (scene) => {
      for (const [text, by] of [
        [`${MAX}`, 1],
        [`${-MAX}`, -1],
        [`${MAX}`, MAX],
        ['2', MAX],
      ] as const) {
        const login = await scene.login({ fields: { n: text } });
        const reply = await scene.write(login, increment('n', by));
        const why = 'out-of-range';
        expect(reply).toMatchObject({ status: 'conflict', name: 'n', why, current: text });
        expect(await scene.fields(login)).toEqual({ n: text });
      }
    });
  });

  describe('append', () => {
    for (const [before, item, after] of [
      [undefined, '1', '[1]'],
      ['[]', '"a"', '["a"]'],
      ['[1]', '[]', '[1,[]]'],
      ['["a,]"]', '"]["', '["a,]","]["]'],
      ['[{"a":[1]}]', 'null', '[{"a":[1]},null]'],
    ] as const) {
      test(`of ${item} to ${before ?? 'nothing'} gives ${after}`, {}, async (scene) => {
        const login = await scene.login({ fields: before === undefined ? {} : { list: before } });
        const reply = await scene.write(login, append('list', item));
        expect(reply.status === 'written' && reply.fields.get('list')).toBe(after);
        expect(await scene.fields(login)).toEqual({ list: after });
      });
    }

    test('refuses what is not an array', {}, async (scene) => {
      for (const text of ['"[]"', '{}', '1', 'null', '{"$set":[1]}']) {
        const login = await scene.login({ fields: { list: text } });
        const reply = await scene.write(login, append('list', '1'));
        const why = 'not-an-array';
        expect(reply).toMatchObject({ status: 'conflict', name: 'list', why, current: text });
        expect(await scene.fields(login)).toEqual({ list: text });
      }
    });
  });

  describe('size', () => {
    test('counts the UTF-8 bytes of names and values', { maxSessionBytes: 20 }, async (scene) => {
      const login = await scene.login({ fields: { n: '"123456"' } });
      // 9 bytes are taken; a name of 2 and a value of 9 bytes make it 20.
      expect((await scene.write(login, set('ü', '"öö12€"'))).status).toBe('too-large');
      expect((await scene.write(login, set('ü', '"öö123"'))).status).toBe('written');
      expect((await scene.write(login, append('x', '1'))).status).toBe('too-large');
      expect((await scene.write(login, increment('x', 1))).status).toBe('too-large');
      expect((await scene.write(login, replace('n', '"123456"', '"1234567"'))).status).toBe(
        'too-large',
      );
      expect((await scene.write(login, remove('n'), set('m', '"123456"'))).status).toBe('written');
      expect(await scene.fields(login)).toEqual({ m: '"123456"', ü: '"öö123"' });
    });

    test('counts the fields', { maxFields: 2 }, async (scene) => {
      const login = await scene.login({ fields: { a: '1' } });
      expect((await scene.write(login, set('b', '1'), set('c', '1'))).status).toBe('too-large');
      expect((await scene.write(login, set('b', '1'))).status).toBe('written');
      expect((await scene.write(login, increment('c', 1))).status).toBe('too-large');
      expect((await scene.write(login, set('c', '1'), remove('a'))).status).toBe('written');
      expect(await scene.fields(login)).toEqual({ b: '1', c: '1' });
    });

    test('may still shrink after a limit was lowered', {}, async (scene) => {
      const login = await scene.login({ fields: { a: '"12345678"', b: '1', c: '1' } });
      await scene.store.open({ ...scene.settings, maxSessionBytes: 8, maxFields: 1 });
      expect((await scene.write(login, set('d', '1'))).status).toBe('too-large');
      expect((await scene.write(login, set('a', '"123456789"'))).status).toBe('too-large');
      expect((await scene.write(login, set('a', '"12345"'))).status).toBe('written');
      expect((await scene.write(login, remove('b'))).status).toBe('written');
      expect(await scene.fields(login)).toEqual({ a: '"12345"', c: '1' });
    });
  });
}

function set(name: string, value: string): FieldChange {
  return { kind: 'set', name, value };
}

function remove(name: string): FieldChange {
  return { kind: 'delete', name };
}

function increment(name: string, by: number): FieldChange {
  return { kind: 'increment', name, by };
}

function append(name: string, item: string): FieldChange {
  return { kind: 'append', name, item };
}

function replace(name: string, expected: string | undefined, value: string): FieldChange {
  return { kind: 'replace', name, expected, value };
}
