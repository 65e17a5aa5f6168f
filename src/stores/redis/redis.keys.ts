/**
 * Names and encodings of what lies in Redis. `docs/reference/redis-keys.md` describes it all.
 *
 * Everything of a user lies in one bucket, and everything of a bucket in one slot: its hash tag
 * stands in braces in every key. What a key is called follows from a session id alone.
 */
import { Buffer } from 'node:buffer';
import { SessionConfigError } from '../../core/errors.js';
import type { LimitTable } from '../../core/policy.js';
import type { OwnLimits, SessionDevice, SessionId } from '../../core/record.js';
import type { UserPlace } from '../../core/store.js';
import { parseSessionId } from '../../core/token.js';
import { splitSid } from '../../core/user-id.js';
import { tagOf } from './redis.tags.js';

/** Version of the storage format, kept in the layout. */
export const STORAGE_VERSION = 1;

/** The keys of one bucket. */
export interface BucketKeys {
  /** Live sessions of users by deadline. */
  readonly users: string;
  /** Live anonymous sessions by deadline. */
  readonly anonymous: string;
  readonly counters: string;
  /** Ends that nobody has announced yet. */
  readonly outbox: string;
}

/** Where a session is. */
export interface SessionKeys {
  readonly id: SessionId;
  readonly userKey: string;
  readonly isAnonymous: boolean;
  readonly bucket: BucketKeys;
  /** The index of its user. */
  readonly index: string;
  readonly hash: string;
  readonly large: string;
  /** The set of deadlines it is in. */
  readonly deadlines: string;
}

/** Characters that have a meaning in hash tags. */
const BRACES = /[{}]/;
const PREFIX = /^[\x21-\x7e]{1,64}$/;

export class RedisKeys {
  readonly layout: string;
  readonly prefix: string;
  /** Buckets with a tag of their own, in the order of their slots. */
  readonly buckets: readonly BucketKeys[];
  readonly #tags: readonly string[];
  readonly #byTag = new Map<string, BucketKeys>();
  readonly #count: number;

  constructor(prefix: string, count: number) {
    checkPrefix(prefix);
    this.prefix = prefix;
    this.layout = `${prefix}{layout}`;
    this.#count = count;
    this.#tags = Array.from({ length: count }, (_, bucket) => tagOf(bucket, count));
    for (const tag of this.#tags) this.#byTag.set(tag, this.#keysOf(tag));
    this.buckets = [...this.#byTag.values()];
  }

  /** Keys of a session; `undefined` for what is no session id of this store. */
  session(id: SessionId): SessionKeys | undefined {
    const parts = parseSessionId(id);
    const tag = parts && this.#tags[parts.bucket];
    const bucket = tag === undefined ? undefined : this.#byTag.get(tag);
    if (parts === undefined || tag === undefined || bucket === undefined) return undefined;
    const { userKey, isAnonymous } = splitSid(parts.sid);
    const start = `${this.prefix}{${tag}}:`;
    return {
      id,
      userKey,
      isAnonymous,
      bucket,
      index: `${start}u:${userKey}`,
      hash: `${start}s:${id}`,
      large: `${start}f:${id}`,
      deadlines: isAnonymous ? bucket.anonymous : bucket.users,
    };
  }

  /** Keys of a user, and what the ids of their sessions begin with. */
  user({ bucket, userKey }: UserPlace): {
    readonly bucket: BucketKeys;
    readonly index: string;
    readonly idPrefix: string;
  } {
    const tag = this.#tags[bucket] ?? '';
    const keys = this.#byTag.get(tag);
    if (keys === undefined) throw new RangeError(`there are ${this.#count} buckets`);
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16BE(bucket);
    bytes.write(userKey, 2, 8, 'base64url');
    const idPrefix = bytes.toString('base64url').slice(0, OWN_PART);
    return { bucket: keys, index: `${this.prefix}{${tag}}:u:${userKey}`, idPrefix };
  }

  /** The bucket of a key and what kind of key it is; `undefined` for keys that are not ours. */
  parse(
    key: string,
  ): { readonly bucket: BucketKeys; readonly kind: string; readonly name: string } | undefined {
    if (!key.startsWith(`${this.prefix}{`)) return undefined;
    const match = /^\{(\w+)\}:([a-z])(?::([\w-]+))?$/.exec(key.slice(this.prefix.length));
    const [, tag = '', kind = '', name = ''] = match ?? [];
    const bucket = this.#byTag.get(tag);
    return bucket && { bucket, kind, name };
  }

  #keysOf(tag: string): BucketKeys {
    const start = `${this.prefix}{${tag}}:`;
    return {
      users: `${start}d`,
      anonymous: `${start}a`,
      counters: `${start}c`,
      outbox: `${start}o`,
    };
  }
}

/** Where in a session id the part begins that tells the sessions of one user apart. */
export const OWN_PART = 13;

/** A brace would put every key of the application into one slot. */
export function checkPrefix(prefix: string): void {
  if (PREFIX.test(prefix) && !BRACES.test(prefix)) return;
  throw new SessionConfigError([
    'redisStore: prefix must be 1 to 64 visible ASCII characters without braces, such as nsk:',
  ]);
}

const DEFAULT_CLASS = 'default';

/** The name of a limit class as it is kept; `|`, `:` and `%` separate what stands beside it. */
export function encodeClass(name: string): string {
  if (name === DEFAULT_CLASS) return '';
  return name.replace(/[%|:]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}

export function decodeClass(text: string): string {
  if (text === '') return DEFAULT_CLASS;
  return text.replace(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** All limits as one argument: `|:idle:absolute|name:idle:absolute|`, the default class first. */
export function encodeLimits(table: LimitTable): string {
  const others = Object.entries(table).filter(([name]) => name !== DEFAULT_CLASS);
  const all = [[DEFAULT_CLASS, table.default] as const, ...others];
  const texts = all.map(
    ([name, { idle, absolute }]) => `${encodeClass(name)}:${wholeMs(idle)}:${wholeMs(absolute)}`,
  );
  return `|${texts.join('|')}|`;
}

export function encodeOwnLimits(limits: OwnLimits | undefined): string {
  if (limits === undefined) return '';
  const [idle, absolute] = [limits.idle, limits.absolute].map((ms) =>
    ms === undefined ? '' : wholeMs(ms),
  );
  return `${idle}:${absolute}`;
}

export function decodeOwnLimits(text: string): OwnLimits | undefined {
  const [, idle = '', absolute = ''] = /^(\d*):(\d*)$/.exec(text) ?? [];
  if (text === '') return undefined;
  return {
    ...(idle !== '' && { idle: Number(idle) }),
    ...(absolute !== '' && { absolute: Number(absolute) }),
  };
}

/** Digits only: a script reads them with a pattern. */
function wholeMs(ms: number): string {
  return String(Math.trunc(Math.min(Math.max(ms, 0), Number.MAX_SAFE_INTEGER)));
}

const DEVICE_PARTS = ['client', 'platform', 'address'] as const;

/** What separates the parts of a device, and of the answer to a token, stands for nothing else. */
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\0': '\\0' };
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', '0': '\0' };

/** One line for each part: empty if it is absent, otherwise the text behind an equals sign. */
export function encodeDevice(device: SessionDevice): string {
  return DEVICE_PARTS.map((part) => {
    const text = device[part];
    return text === undefined ? '' : `=${text.replace(/[\\\n\0]/g, (char) => ESCAPES[char] ?? '')}`;
  })
    .join('\n')
    .replace(/\n+$/, '');
}

export function decodeDevice(text: string): SessionDevice {
  if (text === '') return {};
  const lines = text.split('\n');
  const device: { -readonly [Part in keyof SessionDevice]: SessionDevice[Part] } = {};
  for (const [index, part] of DEVICE_PARTS.entries()) {
    const line = lines[index];
    if (line === undefined || line === '') continue;
    device[part] = line.slice(1).replace(/\\(.)/g, (_, char: string) => ESCAPED[char] ?? char);
  }
  return device;
}
