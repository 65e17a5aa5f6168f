// What a test may ask of a Redis server, and what that is on the server's command line.
import { createCertificate } from './certificate.js';
import type { ServerName } from './products.js';

export interface RedisOptions {
  /** Which server; Redis unless said otherwise. */
  version?: ServerName;
  /** More of the server's options, such as `['--maxmemory', '5mb']`. */
  args?: readonly string[];
  /** The password of the default user; part of the URL. */
  password?: string;
  /** Listen on a unix socket too; not in a container. */
  socket?: boolean;
  /** Speak TLS, with a certificate that `ca` vouches for. */
  tls?: boolean;
  /** Run as a Sentinel. */
  sentinel?: boolean;
}

export const SOCKET = 'redis.sock';
export const CERTIFICATE = 'server.crt';

const KEY = 'server.key';
const SENTINEL = 'sentinel.conf';

/** The files that have to be in the server's folder before it starts. */
export function filesFor({ tls, sentinel }: RedisOptions): Record<string, string> {
  const { certificate, key } = tls ? createCertificate() : {};
  return {
    ...(certificate && key ? { [CERTIFICATE]: certificate, [KEY]: key } : {}),
    // A Sentinel insists on a file that it can rewrite.
    ...(sentinel ? { [SENTINEL]: '' } : {}),
  };
}

export function argumentsFor(
  options: RedisOptions,
  { folder, port, bind }: { folder: string; port: number; bind: string },
): string[] {
  const { password, socket, tls, sentinel, args = [] } = options;
  const settings: Record<string, string> = {
    port: tls ? '0' : `${port}`,
    bind,
    'protected-mode': 'no',
    dir: folder,
    save: '',
    appendonly: 'no',
    // Ending waits for no replica.
    'shutdown-timeout': '0',
    ...(socket ? { unixsocket: SOCKET } : {}),
    ...(password ? { requirepass: password, masterauth: password } : {}),
  };
  const security: Record<string, string> = {
    'tls-port': `${port}`,
    'tls-cert-file': CERTIFICATE,
    'tls-key-file': KEY,
    'tls-ca-cert-file': CERTIFICATE,
    'tls-auth-clients': 'no',
  };
  const all = Object.entries({ ...settings, ...(tls ? security : {}) });
  return [
    ...(sentinel ? [`${folder}/${SENTINEL}`, '--sentinel'] : []),
    ...all.flatMap(([name, value]) => [`--${name}`, value]),
    ...args,
  ];
}
