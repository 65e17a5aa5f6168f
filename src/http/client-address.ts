/**
 * The address of a client in one spelling, or none: what stands in X-Forwarded-For can be anything
 * once a proxy has been told to be believed.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { remembered } from '../core/bounded-map.js';

/** 1.2.3.4 as `URL` writes it in IPv6: `::ffff:102:304`. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * IPv4 in dotted form, also if it came mapped into IPv6; IPv6 as RFC 5952 writes it, without its
 * zone. A port behind it is dropped (some proxies add one). `undefined` for anything else.
 */
export function canonicalAddress(text: string | undefined): string | undefined {
  return text === undefined || text.length > 64 ? undefined : canonical(text);
}

const canonical = remembered(1_000, (text) => {
  const [, inBrackets, v4] =
    /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(text) ?? [];
  const address = inBrackets ?? v4 ?? text;
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const [unzoned = ''] = address.split('%');
  const shortest = new URL(`http://[${unzoned}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(shortest) ?? [];
  if (high === undefined || low === undefined) return shortest;
  const number = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
});
