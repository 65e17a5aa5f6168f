/**
 * What a server says of itself in `INFO`, which needs no other right.
 */

/** Name → value of one answer. */
export type ServerInfo = ReadonlyMap<string, string>;

export function parseInfo(text: string): ServerInfo {
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) found.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return found;
}

export function numberIn(info: ServerInfo, name: string): number {
  return Number(info.get(name) ?? 0) || 0;
}

/** `Redis 7.0.15`, `Valkey 8.0.1`. */
export function productOf(info: ServerInfo): { readonly name: string; readonly version: string } {
  const valkey = info.get('valkey_version');
  return valkey === undefined
    ? { name: 'Redis', version: info.get('redis_version') ?? '' }
    : { name: 'Valkey', version: valkey };
}

const OLDEST = { Redis: [7, 0], Valkey: [7, 2] } as const;

/** What makes a server unusable, as sentences with the remedy. */
export function serverProblems(info: ServerInfo, isCluster: boolean): readonly string[] {
  const problems: string[] = [];
  const { name, version } = productOf(info);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest, oldestMinor] = OLDEST[name as keyof typeof OLDEST];
  if (version !== '' && (major < oldest || (major === oldest && minor < oldestMinor))) {
    problems.push(
      `redisStore needs Redis 7.0 or Valkey 7.2 or newer (found ${name} ${version}): update the server`,
    );
  }
  const isNode = info.get('cluster_enabled') === '1';
  if (isNode && !isCluster) {
    problems.push(
      'redisStore was given a single server that is a node of a cluster: use redisStore({ cluster: [url] }), or a client that is a Cluster',
    );
  }
  if (!isNode && isCluster && info.has('cluster_enabled')) {
    problems.push(
      'redisStore was given a cluster, but the server is a single one: use redisStore({ url })',
    );
  }
  return problems;
}
