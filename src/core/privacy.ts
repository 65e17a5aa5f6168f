/**
 * How much of a client's address and program is kept in the record of a session (row L-11), and
 * whether a later request comes from the same place, as far as what was kept can tell.
 */
import { createHmac } from 'node:crypto';
import { remembered } from './bounded-map.js';
import type { KeyRing } from './key-ring.js';
import type { SessionDevice } from './record.js';

/** How much of an address is kept. @public */
export type AddressPrivacy = 'full' | 'truncated' | 'hash' | 'none';

/** How much of the user agent is kept. @public */
export type UserAgentPrivacy = 'label' | 'hash' | 'none';

export interface PrivacyRules {
  readonly address: AddressPrivacy;
  readonly userAgent: UserAgentPrivacy;
}

/** Groups of 16 bits: a site usually has a /48, one subscriber or network a /64. */
const SITE = 3;
const NETWORK = 4;
const MAX_PART_BYTES = 64;
const REMEMBERED = 1_000;
/** No label and no address begins with it. */
const HASH = '#';
const HASH_LENGTH = 12;

export class DevicePrivacy {
  readonly #rules: PrivacyRules;
  /** Newest first, so that what was kept under an older secret is still recognised. */
  readonly #hashes: readonly ((text: string) => string)[];

  constructor(ring: KeyRing, rules: PrivacyRules) {
    this.#rules = rules;
    this.#hashes = ring.keys.map((key) =>
      remembered(REMEMBERED, (text) => {
        const mac = createHmac('sha256', key.for('data')).update(`nsk/privacy\0${text}`);
        return HASH + mac.digest('base64url').slice(0, HASH_LENGTH - HASH.length);
      }),
    );
  }

  /** What may be kept of a client. */
  kept(device: SessionDevice): SessionDevice {
    const address = this.#keptAddress(device.address);
    const { client, platform } = this.#keptClient(device);
    return {
      ...(client !== undefined && { client }),
      ...(platform !== undefined && { platform }),
      ...(address !== undefined && { address }),
    };
  }

  /** Whether an address lies in the network of the one that was kept; `true` if nothing was. */
  isSameNetwork(kept: string | undefined, address: string | undefined): boolean {
    if (kept === undefined || address === undefined || kept === address) return true;
    const groups = kept.endsWith('/48') ? SITE : NETWORK;
    if (kept.startsWith(HASH)) return this.#matches(kept, addressText(address));
    return networkOf(kept, groups) === networkOf(address, groups);
  }

  /** Whether a program is the one that was kept, of whatever version; `true` if nothing was. */
  isSameClient(kept: SessionDevice, device: SessionDevice): boolean {
    if (kept.client === device.client && kept.platform === device.platform) return true;
    if (kept.client?.startsWith(HASH)) return this.#matches(kept.client, clientText(device));
    if (kept.client === undefined && kept.platform === undefined) return true;
    return clientText(kept) === clientText(device);
  }

  /** A short keyed digest of where somebody is, for what has to be compared and not read. */
  placeOf(device: SessionDevice): string {
    return this.#hash(placeText(device));
  }

  isPlaceOf(digest: string | undefined, device: SessionDevice): boolean {
    return digest !== undefined && this.#matches(digest, placeText(device));
  }

  #keptAddress(address: string | undefined): string | undefined {
    if (address === undefined) return undefined;
    switch (this.#rules.address) {
      case 'full':
        return neutral(address);
      case 'truncated':
        return networkOf(address, SITE);
      case 'hash':
        return this.#hash(addressText(address));
      case 'none':
        return undefined;
    }
  }

  #keptClient(device: SessionDevice): SessionDevice {
    const { client, platform } = device;
    if (client === undefined && platform === undefined) return {};
    switch (this.#rules.userAgent) {
      case 'label':
        return {
          ...(client !== undefined && { client: neutral(client) }),
          ...(platform !== undefined && { platform: neutral(platform) }),
        };
      case 'hash':
        return { client: this.#hash(clientText(device)) };
      case 'none':
        return {};
    }
  }

  #hash(text: string): string {
    return this.#hashes[0]?.(text) ?? '';
  }

  #matches(hash: string, text: string): boolean {
    return this.#hashes.some((hashOf) => hashOf(text) === hash);
  }
}

/** Without the version: browsers update themselves. */
const familyOf = remembered(REMEMBERED, (label) => label.replace(/[\d./ ]+$/, ''));

function clientText({ client = '', platform = '' }: SessionDevice): string {
  return `client\n${familyOf(neutral(client))}\n${neutral(platform)}`;
}

/** An IPv4 address; of IPv6 the network, since its hosts change the rest every day (RFC 8981). */
function addressText(address: string): string {
  const isV6 = address.includes(':');
  return `address\n${(isV6 ? networkOf(address, NETWORK) : undefined) ?? address}`;
}

function placeText(device: SessionDevice): string {
  const { address = '' } = device;
  return `place\n${networkOf(address, NETWORK) ?? address}\n${clientText(device)}`;
}

const IPV4 = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/i;

const networks = [SITE, NETWORK].map((groups) =>
  remembered(REMEMBERED, (address) => {
    const [bare = ''] = address.split('/');
    const [, v4] = IPV4.exec(bare) ?? [];
    if (v4 !== undefined) return `${v4}.0/24`;
    const kept = groupsOf(bare)?.slice(0, groups);
    while (kept?.at(-1) === '0') kept.pop();
    // RFC 5952: the zeros at the end are always the longest run.
    return kept && `${kept.join(':')}::/${groups * 16}`;
  }),
);

/** The network of an address, the /24 of IPv4; `undefined` for what is no address. */
function networkOf(address: string, groups: typeof SITE | typeof NETWORK): string | undefined {
  return networks[groups - SITE]?.(address);
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): string[] | undefined {
  if (!/^[\da-f:]{2,39}$/i.test(address)) return undefined;
  const [head = '', tail, ...more] = address.split('::');
  if (more.length > 0) return undefined;
  const [first, last] = [listOf(head), listOf(tail ?? '')];
  const missing = 8 - first.length - last.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...first, ...Array<string>(missing).fill('0'), ...last];
  const isWell = all.every((group) => group.length >= 1 && group.length <= 4);
  return isWell ? all.map((group) => Number.parseInt(group, 16).toString(16)) : undefined;
}

function listOf(groups: string): string[] {
  return groups === '' ? [] : groups.split(':');
}

// ANSI sequences, then control and format characters: bidi overrides, zero widths, tags (CWE-117).
// eslint-disable-next-line no-control-regex -- these are what is looked for
const ANSI = /[\u001b\u009b]\[?[\d;?]*[A-Za-z]?/g;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** What a spreadsheet takes for the beginning of a formula (CWE-1236). */
const FORMULA = /^[\s=+@-]+/;

/** Can break neither a log line, nor the text around it, nor a CSV; cut to 64 bytes (row L-03). */
export const neutral = remembered(REMEMBERED, (text) => {
  const visible = text
    .slice(0, 1_024)
    .replace(ANSI, '')
    .replace(INVISIBLE, '')
    .replace(FORMULA, '');
  let bytes = 0;
  let kept = '';
  for (const character of visible) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_PART_BYTES) break;
    kept += character;
  }
  return kept;
});
