/**
 * Addresses of servers as people write them. What is wrong with one is said without showing it: it
 * may hold a password.
 */
import type { ConnectionOptions } from 'node:tls';

/** An address with what its URL said beside it. */
export interface ParsedAddress {
  readonly host?: string;
  readonly port?: number;
  /** Of a Unix socket. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: ConnectionOptions;
}

const PROTOCOLS = ['redis:', 'rediss:', 'unix:'];

/** The address, or a sentence that says what is wrong with it; `undefined` if it is none at all. */
export function parseAddress(
  value: unknown,
  use: 'url' | 'sentinels' | 'cluster',
): ParsedAddress | string | undefined {
  if (typeof value === 'object' && value !== null) return parseObject(value);
  if (typeof value !== 'string' || use === 'sentinels') return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !PROTOCOLS.includes(url.protocol)) {
    return 'must begin with redis://, rediss:// or unix:// and be a valid URL (a password with / ? # or @ in it has to be percent-encoded)';
  }
  if (url.search !== '' || url.hash !== '') {
    return 'must have nothing behind ? or #: use the options of redisStore instead';
  }
  const access = {
    ...(url.username !== '' && { username: decode(url.username) }),
    ...(url.password !== '' && { password: decode(url.password) }),
  };
  if (url.protocol === 'unix:') {
    if (use === 'cluster') return 'cannot be a Unix socket';
    return { path: decode(url.pathname), ...access };
  }
  const db = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (db === undefined) return 'must have the number of the database behind the slash, or nothing';
  if (db !== '' && db !== '0' && use === 'cluster') return 'cannot name a database';
  return {
    host: decode(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: url.port === '' ? 6379 : Number(url.port),
    ...access,
    ...(db !== '' && use === 'url' && { db: Number(db) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

function parseObject(value: object): ParsedAddress | string {
  const { host, port, ...rest } = value as Record<string, unknown>;
  const isPort = Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
  if (typeof host !== 'string' || host === '') return 'must have a host in every address';
  if (port !== undefined && !isPort) return 'must have ports from 1 to 65535';
  if (Object.keys(rest).length > 0) {
    return 'must have nothing but host and port in its addresses';
  }
  return { host, ...(port !== undefined && { port: Number(port) }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
