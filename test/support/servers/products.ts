// The servers that the tests can have, and the versions that they have to have.

export type ServerName = 'redis' | 'valkey' | 'redis8';

interface Wanted {
  /** The names it goes by on a PATH, the best first. */
  readonly programs: readonly string[];
  /** The environment variable that names one to use. */
  readonly variable: string;
  readonly docker: { readonly image: string; readonly program: string };
  /** The oldest version of each product that will do. */
  readonly oldest: Readonly<Record<string, number>>;
}

export const SERVERS: Readonly<Record<ServerName, Wanted>> = {
  redis: {
    programs: ['redis-server', 'valkey-server'],
    variable: 'NSK_REDIS_BINARY',
    docker: { image: 'redis:7.2', program: 'redis-server' },
    oldest: { Redis: 7.0, Valkey: 7.2 },
  },
  valkey: {
    programs: ['valkey-server'],
    variable: 'NSK_VALKEY_BINARY',
    docker: { image: 'valkey/valkey:8.0', program: 'valkey-server' },
    oldest: { Valkey: 7.2 },
  },
  redis8: {
    programs: ['redis-server'],
    variable: 'NSK_REDIS8_BINARY',
    docker: { image: 'redis:8.0', program: 'redis-server' },
    oldest: { Redis: 8.0 },
  },
};

/** Reads what `--version` printed. A name says little: `redis-server` may well be a Valkey. */
export function readVersion(
  name: ServerName,
  output: string,
  source: string,
): { product: string; version: string } {
  const [, product, version] = /^(\w+) server v=([\d.]+)/m.exec(output) ?? [];
  if (!product || !version) throw new Error(`${source} does not tell its version`);
  const oldest = SERVERS[name].oldest[product];
  if (oldest === undefined) throw new Error(`${source} is ${product}, which is not ${name}`);
  if (Number.parseFloat(version) < oldest) {
    throw new Error(`${source} is ${product} ${version}, which is older than ${oldest.toFixed(1)}`);
  }
  return { product, version };
}
