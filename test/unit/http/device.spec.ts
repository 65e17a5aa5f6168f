import { describe, expect, it } from '@jest/globals';
import { canonicalAddress } from '../../../src/http/client-address.js';
import { describeDevice } from '../../../src/http/device.js';

describe('describeDevice', () => {
  it('gives the same labels again for the same user agent, and an address of its own', () => {
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0';
    const labels = { client: 'Firefox 131', platform: 'Linux' };
    for (const address of ['1.2.3.4', '::1', undefined]) {
      const expected = address === undefined ? labels : { ...labels, address };
      expect(describeDevice(agent, address)).toEqual(expected);
    }
    expect(describeDevice(undefined, undefined)).toEqual({});
  });

  it('L-03: stays bounded and printable whatever comes', () => {
    for (let i = 0; i < 3_000; i += 1) {
      const { client = '' } = describeDevice(`tool${i}/1.0\u001b[31m\r\n`, undefined);
      expect(client).toBe(`tool${i}/1.0`);
    }
    expect(describeDevice('x'.repeat(10_000), undefined).client).toHaveLength(40);
  });
});

describe('canonicalAddress', () => {
  it.each([
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['2001:0db8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['1.2.3.4:443', '1.2.3.4'],
    ['[::1]:443', '::1'],
    ['001.002.3.4', undefined],
    ['unknown', undefined],
    ['x'.repeat(65), undefined],
  ])('L-06: %s is %s, also the second time', (text, expected) => {
    expect(canonicalAddress(text)).toBe(expected);
    expect(canonicalAddress(text)).toBe(expected);
  });
});
