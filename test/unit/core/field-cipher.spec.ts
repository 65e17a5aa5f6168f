import { describe, expect, it } from '@jest/globals';
import { FieldCipher } from '../../../src/core/field-cipher.js';
import { KeyRing } from '../../../src/core/key-ring.js';
import { Turns } from '../../../src/core/turns.js';
import { Random } from '../../../src/testing/random.js';

const OLD = 'unit-tests-only-1f0c9d8e7b6a5948372615049382716a';
const NEW = 'unit-tests-only-2b7e151628aed2a6abf7158809cf4f3c';
const random = new Random(Number(process.env['TEST_SEED'] ?? 1));
const newId = (): string => Buffer.from(random.bytes(18)).toString('base64url');
const id = newId();
const cipher = new FieldCipher(new KeyRing([NEW]), 'all');
const TAMPERED = { status: 'tampered' };
const FOREIGN = { status: 'foreign' };

describe('the field cipher', () => {
  it('S-12: gives back every text, and shows nothing of it', () => {
    for (let i = 0; i < 500; i += 1) {
      const text = Buffer.from(random.bytes(random.below(200))).toString('latin1');
      const sealed = cipher.seal(id, 'field', text);
      expect(sealed).toMatch(/^~[A-Za-z0-9_-]+$/);
      expect(cipher.open(id, 'field', sealed)).toEqual({ status: 'text', text });
      expect(text.length > 3 && Buffer.from(sealed, 'base64url').includes(text)).toBe(false);
    }
  });

  it('never makes the same text twice', () => {
    const sealed = Array.from({ length: 1_000 }, () => cipher.seal(id, 'field', '1'));
    expect(new Set(sealed).size).toBe(1_000);
  });

  it('S-12: refuses a text of another field, of another session, and of neither', () => {
    const sealed = cipher.seal(id, 'role', '"user"');
    expect(cipher.open(id, 'rolf', sealed)).toEqual(TAMPERED);
    expect(cipher.open(newId(), 'role', sealed)).toEqual(TAMPERED);
    // No part of the place can slip into its neighbour.
    expect(cipher.open(id.slice(0, -1), `${id.slice(-1)}\0role`, sealed)).toEqual(TAMPERED);
  });

  it('S-12: refuses a text that was cut or changed anywhere', () => {
    const sealed = cipher.seal(id, 'role', '"user"');
    for (let length = 1; length < sealed.length; length += 1) {
      expect(cipher.open(id, 'role', sealed.slice(0, length)).status).not.toBe('text');
    }
    const bytes = Buffer.from(sealed.slice(1), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const opened = cipher.open(id, 'role', `~${changed.toString('base64url')}`);
      expect(opened).toEqual(bit < 40 ? FOREIGN : TAMPERED);
    }
  });

  it('T-11: writes under the newest secret, reads those of every secret that is listed', () => {
    const before = new FieldCipher(new KeyRing([OLD]), 'all');
    const rolling = new FieldCipher(new KeyRing([NEW, OLD]), 'all');
    const old = before.seal(id, 'a', '1');
    expect(rolling.open(id, 'a', old)).toEqual({ status: 'text', text: '1' });
    expect(cipher.open(id, 'a', rolling.seal(id, 'a', '2'))).toEqual({ status: 'text', text: '2' });
    expect(before.open(id, 'a', rolling.seal(id, 'a', '2'))).toEqual(FOREIGN);
    expect(cipher.open(id, 'a', old)).toEqual(FOREIGN);
  });

  it('S-12: takes no plain text for a field that is encrypted', () => {
    expect(cipher.open(id, 'role', '"admin"')).toEqual(FOREIGN);
  });

  it('encrypts the fields that are named and no others', () => {
    const some = new FieldCipher(new KeyRing([NEW]), new Set(['card']));
    expect(some.seal(id, 'theme', '"dark"')).toBe('"dark"');
    expect(some.open(id, 'theme', '"dark"')).toEqual({ status: 'text', text: '"dark"' });
    expect(some.seal(id, 'card', '1')).toMatch(/^~/);
    // A field that was encrypted stays readable when it leaves the list.
    const sealed = cipher.seal(id, 'theme', '"dark"');
    expect(some.open(id, 'theme', sealed)).toEqual({ status: 'text', text: '"dark"' });
    expect([cipher.isOn, some.isOn]).toEqual([true, true]);
    expect(new FieldCipher(new KeyRing([NEW]), new Set()).isOn).toBe(false);
  });

  it('leaves confirmations alone, which hold no data of the application', () => {
    expect(cipher.covers('\u0001grant:delete')).toBe(false);
  });
});

describe('turns', () => {
  it('lets one go after the other, whatever becomes of it, and forgets the queue', async () => {
    const turns = new Turns();
    const order: string[] = [];
    let running = 0;
    const work = (name: string, fails = false) =>
      turns.take('key', async () => {
        running += 1;
        expect(running).toBe(1);
        await Promise.resolve();
        order.push(name);
        running -= 1;
        if (fails) throw new Error(name);
        return name;
      });
    const results = await Promise.allSettled([work('a'), work('b', true), work('c')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(await turns.take('key', async () => 'd')).toBe('d');
  });
});
