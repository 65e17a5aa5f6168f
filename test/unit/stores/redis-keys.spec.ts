import { describe, expect, it } from '@jest/globals';
import { SessionConfigError } from '../../../src/core/errors.js';
import { sessionIdOf } from '../../../src/core/token.js';
import { createSid } from '../../../src/core/user-id.js';
import {
  OWN_PART,
  RedisKeys,
  checkPrefix,
  decodeClass,
  decodeDevice,
  decodeOwnLimits,
  encodeClass,
  encodeDevice,
  encodeLimits,
  encodeOwnLimits,
} from '../../../src/stores/redis/redis.keys.js';

const USER_KEY = Buffer.from('0123456789abcdef', 'hex').toString('base64url');

describe('keys', () => {
  const keys = new RedisKeys('nsk:', 256);

  it('of a session follow from its id', () => {
    const id = sessionIdOf(0, createSid(USER_KEY));
    expect(keys.session(id)).toEqual({
      id,
      userKey: USER_KEY,
      isAnonymous: false,
      bucket: keys.buckets[0],
      index: `nsk:{dlH}:u:${USER_KEY}`,
      hash: `nsk:{dlH}:s:${id}`,
      large: `nsk:{dlH}:f:${id}`,
      deadlines: 'nsk:{dlH}:d',
    });
    expect(keys.session(sessionIdOf(0, createSid()))?.deadlines).toBe('nsk:{dlH}:a');
  });

  it('of a user fit those of their sessions', () => {
    for (let count = 0; count < 100; count++) {
      const id = sessionIdOf(77, createSid(USER_KEY));
      const { index, bucket, idPrefix } = keys.user({ bucket: 77, userKey: USER_KEY });
      expect(keys.session(id)).toMatchObject({ index, bucket });
      expect(id.slice(0, OWN_PART)).toBe(idPrefix);
    }
  });

  it('of what is no id of the store do not exist', () => {
    const other = sessionIdOf(300, createSid(USER_KEY));
    for (const id of ['', '{', 'A'.repeat(23), 'A'.repeat(25), `${'A'.repeat(23)}=`, other]) {
      expect(keys.session(id)).toBeUndefined();
    }
  });

  it('are recognised', () => {
    const id = sessionIdOf(0, createSid(USER_KEY));
    const bucket = keys.buckets[0];
    expect(keys.parse(`nsk:{dlH}:s:${id}`)).toEqual({ bucket, kind: 's', name: id });
    expect(keys.parse('nsk:{dlH}:d')).toEqual({ bucket, kind: 'd', name: '' });
    for (const key of ['nsk:{layout}', 'nsk:dlH:d', 'x:{dlH}:d', 'nsk:{---}:d', 'nsk:{dlH}:d:*']) {
      expect(keys.parse(key)).toBeUndefined();
    }
  });

  it('have a prefix without braces', () => {
    for (const prefix of ['', 'a{b', 'a}', '{', 'with space', 'ü', 'x'.repeat(65)]) {
      expect(() => checkPrefix(prefix)).toThrow(SessionConfigError);
    }
    for (const prefix of ['nsk:', 'my-app:v2:', '[*?]\\']) checkPrefix(prefix);
  });
});

describe('encodings', () => {
  it('of devices keep every text and every absence', () => {
    const texts = [
      undefined,
      '',
      ' ',
      'Chrome 131',
      'a\nb',
      '\\n',
      '\\',
      '\n',
      '=',
      'ü\u{1f36a}',
      '\0',
    ];
    for (const client of texts) {
      for (const platform of texts) {
        for (const address of texts) {
          const device = {
            ...(client !== undefined && { client }),
            ...(platform !== undefined && { platform }),
            ...(address !== undefined && { address }),
          };
          const encoded = encodeDevice(device);
          expect(decodeDevice(encoded)).toEqual(device);
          expect(encoded).not.toContain('\0');
        }
      }
    }
    expect(encodeDevice({})).toBe('');
  });

  it('of limit classes keep the separators apart', () => {
    for (const name of ['default', 'remembered', 'a|b:c%d', '%7c', '', 'ü']) {
      if (name === '') continue;
      expect(decodeClass(encodeClass(name))).toBe(name);
      expect(encodeClass(name)).not.toMatch(/[|:]/);
    }
    const limits = { default: { idle: 1.5, absolute: Infinity }, 'a|b': { idle: 2, absolute: 3 } };
    expect(encodeLimits(limits)).toBe('|:1:9007199254740991|a%7cb:2:3|');
  });

  it('of own limits keep what is not set', () => {
    for (const limits of [undefined, {}, { idle: 1 }, { absolute: 2 }, { idle: 0, absolute: 3 }]) {
      expect(decodeOwnLimits(encodeOwnLimits(limits))).toEqual(limits);
    }
  });
});
