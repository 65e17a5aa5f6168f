/**
 * L-06 and C-15: what a proxy says of its client counts only if the adapter was told which proxy
 * to believe.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADAPTERS, type Adapter } from '../support/app.js';
import { type Target, startTarget } from './programs/cross-site.js';

/** The address that the socket has in these tests. */
const SOCKET = '127.0.0.1';

interface Row {
  readonly name: string;
  readonly headers: readonly string[];
  /** Where the proxy in front of the application is believed: the socket. */
  readonly trusted: string;
}

const forwarded = (name: string, value: string, trusted: string): Row => ({
  name,
  headers: [`X-Forwarded-For: ${value}`],
  trusted,
});
const hops = (count: number): string =>
  Array.from({ length: count }, (_, at) => `198.51.100.${at + 1}`).join(', ');

// The rule: the entry that the believed proxy added is the last one. It is canonical, or it is the
// socket's.
const ROWS: readonly Row[] = [
  { name: 'nothing', headers: [], trusted: SOCKET },
  forwarded('an address', '203.0.113.7', '203.0.113.7'),
  forwarded('a spoofed one before the real one', '6.6.6.6, 203.0.113.7', '203.0.113.7'),
  {
    name: 'two headers',
    headers: ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 203.0.113.7'],
    trusted: '203.0.113.7',
  },
  forwarded('100 hops', hops(100), '198.51.100.100'),
  forwarded('spoofed loopback', '127.0.0.1, 203.0.113.7', '203.0.113.7'),
  forwarded('IPv6', '2001:DB8:0:0::1', '2001:db8::1'),
  forwarded('IPv6 with a zone', 'fe80::1%eth0', 'fe80::1'),
  forwarded('IPv4 mapped into IPv6', '::ffff:203.0.113.7', '203.0.113.7'),
  forwarded('the same in hexadecimal', '::FFFF:cb00:7107', '203.0.113.7'),
  forwarded('with a port', '203.0.113.7:54321', '203.0.113.7'),
  forwarded('IPv6 with a port', '[2001:db8::1]:54321', '2001:db8::1'),
  forwarded('IPv6 in brackets', '[2001:db8::1]', '2001:db8::1'),
  forwarded('octal digits', '001.002.003.004', SOCKET),
  forwarded('a number', '3405803783', SOCKET),
  forwarded('too many parts', '1.2.3.4.5', SOCKET),
  forwarded('too large parts', '256.1.1.1', SOCKET),
  forwarded('a name', 'localhost', SOCKET),
  forwarded('unknown', 'unknown', SOCKET),
  forwarded('an identifier', '_hidden', SOCKET),
  forwarded('markup', '<script>alert(1)</script>', SOCKET),
  forwarded('a formula', '=1+1', SOCKET),
  forwarded('an escape sequence', '\u00b1[31m203.0.113.7', SOCKET),
  forwarded('10,000 characters', 'a'.repeat(10_000), SOCKET),
  forwarded('nothing but commas', ',,,', SOCKET),
  forwarded('empty', '', SOCKET),
  // Headers that no adapter reads, whoever sends them.
  { name: 'X-Real-IP', headers: ['X-Real-IP: 6.6.6.6'], trusted: SOCKET },
  { name: 'Forwarded', headers: ['Forwarded: for=6.6.6.6;host=evil.example'], trusted: SOCKET },
  { name: 'X-Client-IP', headers: ['X-Client-IP: 6.6.6.6'], trusted: SOCKET },
  { name: 'True-Client-IP', headers: ['True-Client-IP: 6.6.6.6'], trusted: SOCKET },
  { name: 'CF-Connecting-IP', headers: ['CF-Connecting-IP: 6.6.6.6'], trusted: SOCKET },
];

type Setting = string | number | string[] | undefined;

// Express counts hops from the socket. Fastify believes nobody if it is told only a number: that
// cannot tell a proxy from a client that connects directly.
const SETTINGS: readonly [name: string, setting: Setting, believes: readonly Adapter[]][] = [
  ['off', undefined, []],
  ['1', 1, ['express']],
  ['a list with the proxy', ['192.0.2.1', '127.0.0.1/8'], ADAPTERS],
  ['its name for this machine', 'loopback', ADAPTERS],
  ['a list without the proxy', ['192.0.2.1', '10.0.0.0/8'], []],
];

describe.each(ADAPTERS)('L-06: the recorded address on %s', (adapter) => {
  describe.each(SETTINGS)('with trust proxy %s', (_, setting, believes) => {
    let target: Target;
    beforeAll(async () => {
      target = await startTarget(adapter, {}, setting);
    });
    afterAll(() => target.close());

    it.each(ROWS)('$name', async ({ headers, trusted }) => {
      const answer = await target.send({ path: '/use/login', headers });
      expect(answer.status).toBe(200);
      const { sessions } = await target.service.list('alice');
      const expected = believes.includes(adapter) ? trusted : SOCKET;
      expect(sessions.map(({ device }) => device.address)).toEqual([expected]);
      await target.service.revokeUser('alice');
    });
  });

  it('a chain of proxies that are all believed leads to the client', async () => {
    const target = await startTarget(adapter, {}, ['loopback', '198.51.100.0/24']);
    await target.send({
      path: '/use/login',
      headers: [`X-Forwarded-For: 6.6.6.6, 203.0.113.7, ${hops(9)}`],
    });
    const { sessions } = await target.service.list('alice');
    expect(sessions[0]?.device.address).toBe('203.0.113.7');
    await target.close();
  });
});
