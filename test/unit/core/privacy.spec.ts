import { describe, expect, it } from '@jest/globals';
import { KeyRing } from '../../../src/core/key-ring.js';
import { type PrivacyRules, DevicePrivacy, neutral } from '../../../src/core/privacy.js';
import type { SessionDevice } from '../../../src/core/record.js';
import { Random } from '../../../src/testing/random.js';

const OLD = 'unit-tests-only-1f0c9d8e7b6a5948372615049382716a';
const NEW = 'unit-tests-only-2b7e151628aed2a6abf7158809cf4f3c';
const random = new Random(Number(process.env['TEST_SEED'] ?? 1));
const privacy = (rules: Partial<PrivacyRules> = {}, secrets = [NEW]): DevicePrivacy =>
  new DevicePrivacy(new KeyRing(secrets), { address: 'full', userAgent: 'label', ...rules });
const kept = (address: PrivacyRules['address'], text: string): string | undefined =>
  privacy({ address }).kept({ address: text }).address;

describe('what is kept of an address', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8::/48'],
    ['2001:db8:0:7::1', '2001:db8::/48'],
    ['::1', '::/48'],
    ['::', '::/48'],
    ['1::', '1::/48'],
    ['fe80::1:2:3', 'fe80::/48'],
  ])('L-11: %s truncated is %s', (address, network) => {
    expect(kept('truncated', address)).toBe(network);
  });

  it.each(['unknown', '', '1.2.3', ':::', '1::2::3', '1:2:3:4:5:6:7:8:9', 'g::1', '1:2'])(
    'L-11: nothing is kept of %p, which is no address',
    (text) => {
      expect(kept('truncated', text)).toBeUndefined();
    },
  );

  it('L-11: a hash has 12 characters, is keyed, and is the same for one network', () => {
    const hash = kept('hash', '203.0.113.77');
    expect(hash).toMatch(/^#[\w-]{11}$/);
    expect(kept('hash', '203.0.113.77')).toBe(hash);
    expect(kept('hash', '203.0.113.78')).not.toBe(hash);
    const other = new DevicePrivacy(new KeyRing([OLD]), { address: 'hash', userAgent: 'label' });
    expect(other.kept({ address: '203.0.113.77' }).address).not.toBe(hash);
    expect(kept('hash', '2001:db8::1')).toBe(kept('hash', '2001:db8::2'));
    expect(kept('hash', '2001:db8::1')).not.toBe(kept('hash', '2001:db8:0:1::1'));
  });

  it('L-11: none keeps nothing, full the address', () => {
    expect(kept('none', '203.0.113.77')).toBeUndefined();
    expect(kept('full', '203.0.113.77')).toBe('203.0.113.77');
  });
});

describe('what is kept of a program', () => {
  const device = { client: 'Firefox 131', platform: 'Android' };

  it.each([
    ['label', device],
    ['none', {}],
  ] as const)('L-11: %s', (userAgent, expected) => {
    expect(privacy({ userAgent }).kept(device)).toEqual(expected);
  });

  it('L-11: a hash is the same for every version', () => {
    const keeper = privacy({ userAgent: 'hash' });
    const { client } = keeper.kept(device);
    expect(keeper.kept(device)).toEqual({ client: expect.stringMatching(/^#[\w-]{11}$/) });
    expect(keeper.kept({ ...device, client: 'Firefox 132' })).toEqual({ client });
    expect(keeper.kept({ ...device, client: 'Chrome 131' })).not.toEqual({ client });
    expect(keeper.kept({})).toEqual({});
  });
});

describe('comparing a request with what was kept', () => {
  it.each(['full', 'truncated', 'hash'] as const)('L-07: networks, with address %s', (address) => {
    const keeper = privacy({ address });
    const same = (before: string, after: string): boolean =>
      keeper.isSameNetwork(keeper.kept({ address: before }).address, after);
    expect(same('203.0.113.7', '203.0.113.7')).toBe(true);
    expect(same('203.0.113.7', '203.0.113.200')).toBe(address !== 'hash');
    expect(same('203.0.113.7', '203.0.114.7')).toBe(false);
    expect(same('203.0.113.7', '2001:db8::1')).toBe(false);
    expect(same('2001:db8:0:1::1', '2001:db8:0:1:ffff::2')).toBe(true);
    expect(same('2001:db8:0:1::1', '2001:db8:0:2::1')).toBe(address === 'truncated');
    expect(same('2001:db8:1::1', '2001:db8:2::1')).toBe(false);
  });

  it('L-07: nothing that was not kept can have changed', () => {
    const keeper = privacy({ address: 'none', userAgent: 'none' });
    expect(keeper.isSameNetwork(undefined, '203.0.113.7')).toBe(true);
    expect(keeper.isSameNetwork('203.0.113.7', undefined)).toBe(true);
    expect(keeper.isSameClient({}, { client: 'curl' })).toBe(true);
  });

  it.each(['label', 'hash'] as const)('L-07: programs, with userAgent %s', (userAgent) => {
    const keeper = privacy({ userAgent });
    const before = keeper.kept({ client: 'Firefox 131', platform: 'Linux' });
    const same = (after: SessionDevice): boolean => keeper.isSameClient(before, after);
    expect(same({ client: 'Firefox 131', platform: 'Linux' })).toBe(true);
    expect(same({ client: 'Firefox 140', platform: 'Linux' })).toBe(true);
    expect(same({ client: 'Firefox 131', platform: 'Windows' })).toBe(false);
    expect(same({ client: 'curl/8.5.0' })).toBe(false);
    expect(same({})).toBe(false);
  });

  it('T-11: what was kept under an older secret is still recognised', () => {
    const rules = { address: 'hash', userAgent: 'hash' } as const;
    const device = { client: 'Firefox 131', platform: 'Linux', address: '203.0.113.7' };
    const before = privacy(rules, [OLD]).kept(device);
    const rolled = privacy(rules, [NEW, OLD]);
    expect(rolled.isSameNetwork(before.address, device.address)).toBe(true);
    expect(rolled.isSameClient(before, device)).toBe(true);
    expect(rolled.isPlaceOf(privacy(rules, [OLD]).placeOf(device), device)).toBe(true);
    expect(rolled.isPlaceOf(rolled.placeOf({}), device)).toBe(false);
    expect(rolled.isPlaceOf(undefined, device)).toBe(false);
  });
});

describe('neutral texts', () => {
  it.each([
    ['a\r\nSet-Cookie: b', 'aSet-Cookie: b'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u009b31mred', 'red'],
    ['user\u202egnp.exe\u2066', 'usergnp.exe'],
    ['a\u200bb\ufeffc\u2028d\u0000e', 'abcde'],
    ['half \ud800 pair', 'half  pair'],
    ['=HYPERLINK("x")', 'HYPERLINK("x")'],
    ['\t@-+=1+1', '1+1'],
    ['c++ (build -1)', 'c++ (build -1)'],
    ['Müllers Gerät 📱', 'Müllers Gerät 📱'],
  ])('L-03: %j becomes %j', (text, expected) => {
    expect(neutral(text)).toBe(expected);
  });

  it('L-03: 64 bytes at most, never half a character', () => {
    expect(neutral('é'.repeat(100))).toBe('é'.repeat(32));
    for (let i = 0; i < 300; i += 1) {
      const text = Buffer.from(random.bytes(random.below(300))).toString('utf16le');
      const made = neutral(text);
      expect(Buffer.byteLength(made)).toBeLessThanOrEqual(64);
      expect(made).toBe(Buffer.from(made).toString());
      expect(made).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});
