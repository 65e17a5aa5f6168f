import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { redisStore } from '../../src/stores/redis/index.js';
import { type Scene, openScene, plainStores, scanKeys } from '../unit/stores/redis.kit.js';
import { type RedisCluster, startCluster } from '../support/servers/cluster.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

const DOCUMENT = readFileSync('docs/reference/redis-keys.md', 'utf8');

let server: RedisServer;
let client: Redis;
let keys: readonly string[];

/** Rows of the table under a heading, without the first two. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const section = DOCUMENT.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What stands in backquotes, as a pattern. */
function patternsOf(cell: string): readonly RegExp[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
    const parts: Readonly<Record<string, string>> = {
      '{tag}': '\\{[A-Za-z0-9]{1,3}\\}',
      '{layout}': '\\{layout\\}',
      '<id>': '[\\w-]{24}',
      '<user key>': '[\\w-]{11}',
      '<own>': '[\\w-]{11}',
      '<reason>': '[ialrepu]',
      '<number>': '\\d+',
      '<name>': '.+',
      '+': '\\+',
      '.': '\\.',
    };
    const numbered = /(\d+)…(\d+)$/.exec(name);
    const [digits = '', from = 0, to = 0] = [numbered?.[0], numbered?.[1], numbered?.[2]];
    const numbers = Array.from(
      { length: Number(to) - Number(from) + 1 },
      (_, i) => i + Number(from),
    );
    const stem = digits === '' ? name : name.slice(0, -digits.length);
    const source = stem.replace(/\{\w+\}|<[\w ]+>|[+.]/g, (part) => parts[part] ?? part);
    return new RegExp(`^${source}${digits === '' ? '' : `(${numbers.join('|')})`}$`);
  });
}

/** One of everything that the store ever writes. */
async function doEverything(scene: Scene): Promise<void> {
  const long = `"${'x'.repeat(100)}"`;
  const user = scene.user('u'.repeat(200));
  const login = await scene.login({
    user,
    fields: { small: '1', long },
    device: { client: 'c'.repeat(64), platform: 'p'.repeat(64) },
    claims: 'x'.repeat(200),
    ownLimits: { idle: 60_000 },
  });
  await scene.login({ anonymous: true });
  const first = await scene.rotate(login, 'soft');
  const second = await scene.rotate(login, 'hard', { from: first.token });
  await scene.rotate(login, 'soft', { from: second.token });
  for (const reason of ['logout', 'revoked', 'evicted', 'replaced', 'reused'] as const) {
    await scene.revoke(await scene.login({ user }), { reason });
  }
  await scene.store.countLoginFailure();
  await scene.store.revokeUser({ user, except: login.id, reason: 'revoked' });
  const forked = await scene.login();
  const lost = await scene.rotate(forked, 'soft');
  await scene.passTo(lost.reply.now + 2 * scene.settings.rotation.grace + 1);
  await scene.rotate(forked, 'fork', { generation: 2 });
  const [idle] = [
    await scene.login({ limitClass: 'short' }),
    await scene.login({ ownLimits: { absolute: 20 } }),
  ];
  await scene.passTo(idle.record.idleAt);
  // Nothing is confirmed, so that the ends stay where they are.
  for (let more = true; more;) {
    const reply = await scene.store.sweep({ limit: 100, notAfter: scene.notAfter });
    more = reply.status === 'swept' && reply.more;
  }
}

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
  const scene = await openScene(plainStores(() => client)('nsk:'), {
    limits: {
      default: { idle: 600_000, absolute: 600_000 },
      short: { idle: 30, absolute: 60_000 },
    },
    rotation: { grace: 20, maxForks: 3, onReuse: 'revoke' },
  });
  await doEverything(scene);
  // There is no replica, so it is refused, but not before it was written.
  const waiting = redisStore({ url: server.url, waitReplicas: 1 });
  const hasty = await openScene(waiting, { deadline: 400 });
  await hasty.login().catch(() => undefined);
  await hasty.close();
  keys = await scanKeys(client);
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describe('the storage table', () => {
  it('has every key with its type and its expiry, and none that is not written', async () => {
    const rows = tableUnder('Keys').map(([key = '', type = '', expires = '']) => {
      return { key, pattern: patternsOf(key)[0] ?? /^$/, type, lasts: expires === 'never' };
    });
    const used = new Set<string>();
    for (const key of keys) {
      const matching = rows.filter(({ pattern }) => pattern.test(key));
      expect({ key, rows: matching.length }).toEqual({ key, rows: 1 });
      const [row] = matching;
      if (row === undefined) continue;
      used.add(row.key);
      const found = { key, type: await client.type(key), lasts: (await client.pttl(key)) === -1 };
      expect(found).toEqual({ key, type: row.type, lasts: row.lasts });
    }
    expect(rows.map(({ key }) => key).filter((key) => !used.has(key))).toEqual([]);
  });

  it.each([
    ['u', 'Fields of `nsk:{tag}:u:<user key>`'],
    ['s', 'Fields of `nsk:{tag}:s:<id>`'],
    ['c', 'Fields of `nsk:{tag}:c`'],
  ])('has every field of %s, and none that is not written', async (kind, heading) => {
    const patterns = tableUnder(heading).flatMap(([cell = '']) => patternsOf(cell));
    const fields = new Set<string>();
    for (const key of keys.filter((name) => name.split(':')[2] === kind)) {
      for (const field of await client.hkeys(key)) fields.add(field);
    }
    const all = [...fields];
    expect(all.filter((field) => !patterns.some((pattern) => pattern.test(field)))).toEqual([]);
    const unused = patterns.filter((pattern) => !all.some((field) => pattern.test(field)));
    expect(unused).toEqual([]);
  });
});

describe.each(['a server', 'a cluster'])('keys on %s', (kind) => {
  let cluster: RedisCluster | undefined;
  let on: Redis | Cluster;
  beforeAll(async () => {
    if (kind === 'a cluster') cluster = await startCluster({ replicas: 0 });
    on = cluster ? new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port }))) : client;
  }, 60_000);
  afterAll(async () => {
    if (cluster) on.disconnect();
    await cluster?.stop();
  });

  it('S-01: hold no byte of a user, however hostile their id is', async () => {
    const scene = await openScene(plainStores(() => on)('hostile:'));
    const words = ['{', '}', '{a}', ':', '*', '?', '[a]', '\n', '\0', ' ', '__proto__', 'ü', '\\'];
    const hostile = [...words, words.join('zzz'), '{zzz}'.repeat(40), '../zzz', 'zzz:{layout}'];
    for (const userId of hostile) {
      const user = scene.user(userId);
      const { id } = await scene.login({ user, fields: { a: '1' }, device: { client: userId } });
      expect(await scene.liveIds(user)).toEqual([id]);
      const { sessions } = await scene.list(user);
      expect(sessions[0]?.userId).toBe(userId);
      const one = await scene.login({ user });
      const { ended } = await scene.store.revokeUser({ user, reason: 'revoked' });
      expect(ended.map((each) => each.id).toSorted()).toEqual([id, one.id].toSorted());
      await scene.login({ user });
    }
    const all = await scanKeys(on);
    expect(all.length).toBeGreaterThan(hostile.length * 2);
    const wrong = all.filter((key) => !/^[A-Za-z0-9_:{}-]+$/.test(key) || /zzz|uuu/.test(key));
    expect(wrong).toEqual([]);
    const masters = on instanceof Cluster ? on.nodes('master') : [on];
    const held = await Promise.all(masters.map((node) => node.dbsize()));
    expect(held.length).toBe(cluster ? 3 : 1);
    expect(held.every((count) => count > 0)).toBe(true);
  });
});
