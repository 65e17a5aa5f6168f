import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  RedisSessionStore,
  type Scene,
  TestRunner,
  openScene,
  plainStores,
  scanKeys,
} from '../unit/stores/redis.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

const LIMITS = { default: { idle: 150, absolute: 600 }, anonymous: { idle: 100, absolute: 300 } };

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url, { enableAutoPipelining: true });
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

/** Keys of a prefix that never expire. */
async function lasting(prefix: string): Promise<readonly string[]> {
  const keys = await scanKeys(client, `${prefix}*`);
  const expiries = await Promise.all(keys.map((key) => client.pttl(key)));
  return keys.filter((_key, index) => expiries[index] === -1);
}

/** The only keys that may: what every later login needs. */
function isDocumented(key: string): boolean {
  return /^[^:]+:(\{layout\}|\{\w+\}:c)$/.test(key);
}

/** Loses every third reply and every seventh command, and never removes what is left over. */
class FaultyRunner extends TestRunner {
  #calls = 0;

  override async run(...command: Parameters<TestRunner['run']>): ReturnType<TestRunner['run']> {
    const call = ++this.#calls;
    if (call % 7 === 0) throw new Error('the command is lost');
    const reply = await super.run(...command);
    if (call % 3 === 0) throw new Error('the reply is lost');
    return reply;
  }

  override async unlink(): Promise<void> {
    throw new Error('the process has died');
  }
}

/** One random operation; what it answers does not matter here. */
async function act(scene: Scene, faulty: RedisSessionStore, known: string[]): Promise<void> {
  const { random, notAfter } = scene;
  const user = scene.user(`user ${random.below(5)}`);
  const id = random.pick(known) ?? scene.id(user.bucket, user);
  const value = `"${'x'.repeat(random.below(200))}"`;
  const dice = random.below(10);
  if (dice < 4) {
    const anonymous = random.below(4) === 0;
    const concurrency = { max: 1 + random.below(3), atLimit: 'evict-oldest' } as const;
    const request = scene.request({ user, anonymous, concurrency, fields: { a: value } });
    known.push(request.session.id);
    await faulty.create(request);
  } else if (dice < 6) {
    const token = { ...scene.newToken(random.below(2)), traits: '' };
    await faulty.resolve({ id, token, touch: true });
  } else if (dice < 8) {
    const name = `field ${random.below(3)}`;
    await faulty.write({ id, changes: [{ kind: 'set', name, value }], notAfter });
  } else if (dice === 8) await faulty.revoke({ id, reason: 'logout' });
  else if (random.below(3) === 0) await faulty.revokeUser({ user, reason: 'revoked' });
  else await faulty.sweep({ limit: 3, notAfter });
}

describe('keys', () => {
  it('E-08: all expire, whatever is done and whatever is lost', async () => {
    const prefix = 'faults:';
    const scene = await openScene(plainStores(() => client)(prefix), { limits: LIMITS });
    const faulty = new RedisSessionStore(new FaultyRunner(client), { prefix });
    while (
      !(await faulty.open(scene.settings).then(
        () => true,
        () => false,
      ))
    );
    const known: string[] = [];
    for (let round = 0; round < 6; round++) {
      for (let step = 0; step < 500; step++) {
        await act(scene, faulty, known).catch(() => undefined);
      }
      expect((await lasting(prefix)).filter((key) => !isDocumented(key))).toEqual([]);
    }
    expect((await lasting(prefix)).filter(isDocumented).length).toBeGreaterThan(1);
  }, 120_000);

  it('E-08: are all gone a margin after the last deadline, though nobody sweeps', async () => {
    const prefix = 'unswept:';
    const scene = await openScene(plainStores(() => client)(prefix), {
      limits: { default: { idle: 100, absolute: 200 } },
      margin: 100,
    });
    for (let count = 0; count < 20; count++) {
      const login = await scene.login({ fields: { a: '1', b: `"${'x'.repeat(100)}"` } });
      if (count % 2 === 0) await scene.revoke(login);
    }
    await scene.pass(320);
    expect((await scanKeys(client, `${prefix}*`)).filter((key) => !isDocumented(key))).toEqual([]);
  });

  it('that somebody made lasting get their expiry back or are removed, and are counted', async () => {
    const prefix = 'mended:';
    const scene = await openScene(plainStores(() => client)(prefix));
    const long = `"${'x'.repeat(100)}"`;
    const live = await scene.login({ fields: { long } });
    const anonymous = await scene.login({ anonymous: true });
    const ended = await scene.login({ fields: { long } });
    const dump = await client.dumpBuffer(await keyOf(prefix, 's', ended.id));
    await scene.revoke(ended);
    // What a process left that died between a login and the removal of what it had evicted.
    const orphanTag = (await keyOf(prefix, 'u', ended.user.userKey)).split(':u:')[0] ?? '';
    await client.restore(`${orphanTag}:s:${ended.id}`, 0, dump);
    await client.restore(`${orphanTag}:f:${ended.id}`, 0, dump);
    const kept = [
      await keyOf(prefix, 's', live.id),
      await keyOf(prefix, 'f', live.id),
      await keyOf(prefix, 'u', live.user.userKey),
      await keyOf(prefix, 's', anonymous.id),
      await keyOf(prefix, 'u', ended.user.userKey),
      `${(await keyOf(prefix, 's', live.id)).split(':s:')[0]}:d`,
      `${(await keyOf(prefix, 's', anonymous.id)).split(':s:')[0]}:a`,
    ];
    const empty = `${orphanTag}:u:AAAAAAAAAAA`;
    await client.hset(empty, 'n', '0');
    for (const key of kept) expect(await client.persist(key)).toBe(1);

    let mended = 0;
    for (
      let run = 0;
      run < 20 && (await lasting(prefix)).some((key) => !isDocumented(key));
      run++
    ) {
      const reply = await scene.store.sweep({ limit: 10, notAfter: scene.notAfter });
      if (reply.status === 'swept') mended += reply.repairs.withoutExpiry;
    }
    expect((await lasting(prefix)).filter((key) => !isDocumented(key))).toEqual([]);
    expect(mended).toBe(kept.length + 3);
    expect(await client.exists(...kept)).toBe(kept.length);
    const removed = [`${orphanTag}:s:${ended.id}`, `${orphanTag}:f:${ended.id}`, empty];
    expect(await client.exists(...removed)).toBe(0);
    expect(await scene.verdicts([live, anonymous, ended])).toEqual([
      'active current',
      'active current',
      'ended revoked',
    ]);
  });

  it('of other programs are left alone', async () => {
    const prefix = 'others:';
    const scene = await openScene(plainStores(() => client)(prefix));
    await scene.login();
    const foreign = [`${prefix}{abc}:z`, `${prefix}something`, 'unrelated', `${prefix}{x}:s:short`];
    for (const key of foreign) await client.set(key, 'theirs');
    for (let run = 0; run < 10; run++) {
      await scene.store.sweep({ limit: 10, notAfter: scene.notAfter });
    }
    expect(await client.exists(...foreign)).toBe(foreign.length);
  });

  it('that hold something foreign do not keep the sweep from its work', async () => {
    const prefix = 'wrong:';
    const scene = await openScene(plainStores(() => client)(prefix), {
      limits: { default: { idle: 50, absolute: 10_000 } },
    });
    const login = await scene.login();
    const other = await scene.login();
    const index = await keyOf(prefix, 'u', login.user.userKey);
    const tag = index.split(':u:')[0] ?? '';
    await client.set(`${tag}:u:BBBBBBBBBBB`, 'not a hash');
    await client.zadd(`${tag}:d`, 1, 'not an id');
    await scene.passTo(other.record.idleAt);
    const ended = await scene.sweepAll();
    expect(ended.map(({ id }) => id).toSorted()).toEqual([login.id, other.id].toSorted());
    expect(await client.zscore(`${tag}:d`, 'not an id')).toBe(null);
  });
});

describe('entries of an index', () => {
  it('without a session are removed when they are due, and counted', async () => {
    const prefix = 'dangling:';
    const scene = await openScene(plainStores(() => client)(prefix), {
      limits: { default: { idle: 100, absolute: 10_000 } },
    });
    const login = await scene.login();
    await client.unlink(await keyOf(prefix, 'u', login.user.userKey));
    expect(await scene.verdict(login)).toBe('gone');
    expect(await scene.store.revokeUser({ user: login.user, reason: 'revoked' })).toMatchObject({
      ended: [],
    });
    await scene.passTo(login.record.idleAt);
    const reply = await scene.store.sweep({ limit: 10, notAfter: scene.notAfter });
    expect(reply).toMatchObject({ status: 'swept', ended: [], repairs: { danglingEntries: 1 } });
    expect(await scene.store.stats()).toMatchObject({ active: 0 });
  });

  it('whose session was evicted leave the index with the next request', async () => {
    const prefix = 'evicted:';
    const scene = await openScene(plainStores(() => client)(prefix));
    const login = await scene.login();
    await client.unlink(await keyOf(prefix, 's', login.id));
    expect(await scene.verdict(login)).toBe('gone');
    expect(await scene.liveIds(login.user)).toEqual([]);
    expect(await scene.store.stats()).toMatchObject({ active: 0, sessionsPerUser: new Map() });
  });
});

/** The key of a kind that ends like this; its bucket does not matter to the test. */
async function keyOf(prefix: string, kind: string, name: string): Promise<string> {
  const [key, ...more] = await scanKeys(client, `${prefix}{*}:${kind}:${name}`);
  if (key === undefined || more.length > 0) throw new Error(`there must be one ${kind} of ${name}`);
  return key;
}
