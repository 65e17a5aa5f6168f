/**
 * Records that somebody or something damaged: they cost their own session and nothing else. No
 * request fails, nothing has to be tried again and again, and the user can log in.
 */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { redisStore } from '../../src/stores/redis/index.js';
import { type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { useRedis } from '../support/servers/hooks.js';
import { scanKeys } from '../unit/stores/redis.kit.js';

/** The keys of the victim's session, and the name of its entry in the index of its user. */
interface Place {
  readonly index: string;
  readonly hash: string;
  readonly large: string;
  readonly own: string;
}

type Damage = (admin: Redis, place: Place) => Promise<unknown>;

const GARBAGE = ['', '{', 'null', '[]', 'version 999', '\0'.repeat(60), 'L', 'l'.repeat(17)];
/** Where the facts of a session hold its instants, as doubles. */
const INSTANTS = { created: 3, authenticated: 11, seen: 19, idleAt: 27, absoluteAt: 35 };

const set =
  (key: keyof Place, field: (place: Place) => string, value: string | Buffer): Damage =>
  (admin, place) =>
    admin.hset(place[key], field(place), value);
const withFacts =
  (change: (facts: Buffer) => Buffer): Damage =>
  async (admin, { index, own }) => {
    const facts = (await admin.hgetBuffer(index, own)) ?? Buffer.alloc(0);
    await admin.hset(index, own, change(Buffer.from(facts)));
  };
const instant = (at: number, value: number): Damage =>
  withFacts((facts) => {
    facts.writeDoubleBE(value, at);
    return facts;
  });
/** Facts that say that there is more, and what is found then. */
const withRest =
  (letter: string, text: string): Damage =>
  async (admin, place) => {
    await withFacts((facts) => Buffer.concat([Buffer.from('M'), facts.subarray(1)]))(admin, place);
    await admin.hset(place.index, place.own + letter, text);
  };
const asText =
  (key: keyof Place): Damage =>
  (admin, place) =>
    admin.set(place[key], 'not a hash');

/** Each ends the session it is done to. */
const FATAL: Readonly<Record<string, Damage>> = {
  ...Object.fromEntries(
    GARBAGE.map((text) => [`facts ${JSON.stringify(text)}`, set('index', ({ own }) => own, text)]),
  ),
  'facts cut by a byte': withFacts((facts) => facts.subarray(0, 42)),
  'facts of an unknown kind': withFacts((facts) =>
    Buffer.concat([Buffer.from('Z'), facts.subarray(1)]),
  ),
  'no facts': (admin, { index, own }) => admin.hdel(index, own),
  ...Object.fromEntries(
    Object.entries(INSTANTS)
      .filter(([name]) => name !== 'authenticated')
      .flatMap(([name, at]) =>
        [-1, NaN, -Infinity].map((value) => [`${name} ${value}`, instant(at, value)]),
      ),
  ),
  ...Object.fromEntries(
    GARBAGE.flatMap((text) =>
      ['v', 't'].map((field) => [
        `${field} ${JSON.stringify(text)}`,
        set('hash', () => field, text),
      ]),
    ),
  ),
  'no verifier': (admin, { hash }) => admin.hdel(hash, 'v'),
  'no token state': (admin, { hash }) => admin.hdel(hash, 't'),
  'retirement cut short': set('hash', () => 'x', '{'),
  'sibling cut short': set('hash', () => 'a', '{'),
  'no hash': (admin, { hash }) => admin.del(hash),
  'a text for a hash': asText('hash'),
  'limits of its own that are none': withRest('l', '{'),
};

/** Unreadable claims may have said that the login waits for a second factor: so it does. */
const PENDING = withRest('c', '{');

/** These leave it alive. */
const HARMLESS: Readonly<Record<string, Damage>> = {
  'authenticated -1': instant(INSTANTS.authenticated, -1),
  'a class that nobody defined': withFacts((facts) => Buffer.concat([facts, Buffer.from('|:7')])),
  device: set('index', ({ own }) => `${own}d`, '\n\n\n{\\'),
  'number of sessions': set('index', () => 'n', '{'),
  'number of tombstones': set('index', () => 't', '[]'),
  epoch: set('index', () => 'e', 'null'),
  'size of large fields': set('hash', () => 'l', '{'),
  'a field': set('hash', () => '.small', '{'),
  'a text for the large fields': asText('large'),
};

const server = useRedis();

describe('damaged records on a server', () => {
  const running: TestApp[] = [];
  let admin: Redis;
  beforeAll(() => {
    admin = new Redis(server().url);
  });
  afterAll(() => admin.disconnect());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
    await admin.flushall();
  });

  const start = async (): Promise<TestApp> => {
    const app = await startApp('fastify', {
      session: { store: redisStore({ url: server().url }), storeDeadline: '10s' },
    });
    running.push(app);
    return app;
  };
  const placeOf = async (client: Client): Promise<Place> => {
    const { id } = (await client.get('/me')).body as { id: string };
    const [hash = ''] = await scanKeys(admin, `*:s:${id}`);
    const bucket = hash.slice(0, hash.indexOf('s:'));
    const user = Buffer.from(id, 'base64url').subarray(2, 10).toString('base64url');
    return { index: `${bucket}u:${user}`, hash, large: `${bucket}f:${id}`, own: id.slice(13) };
  };

  /** The statuses of the victim, who is damaged; everything else has to go on. */
  const suffer = async (
    { app, url }: TestApp,
    user: string,
    damage: Damage,
    isListed: boolean,
  ): Promise<number[]> => {
    const [victim, other] = [new Client(url), new Client(url)];
    await victim.login(user);
    await victim.post('/data/small', { value: 'tea' });
    await victim.post('/data/large', { value: 'x'.repeat(100) });
    await other.login(user);
    const service = app.get(SessionService);
    await damage(admin, await placeOf(victim));
    // What looks at all sessions of a user, before anybody has noticed.
    expect((await other.get('/devices')).status).toBe(200);
    await service.page();
    const statuses = [(await victim.get('/me')).status, (await victim.get('/data')).status];
    if (statuses[0] === 200) {
      expect((await victim.post('/data/large', { value: 'y'.repeat(100) })).status).toBe(204);
      expect((await victim.post('/rotate')).status).toBe(204);
      expect((await victim.get('/devices')).status).toBe(200);
    }
    statuses.push((await victim.get('/me')).status);
    expect((await other.get('/me')).status).toBe(200);
    const next = new Client(url);
    await next.login(user);
    const listed = (await next.get('/devices')).body as object[];
    expect(listed).toHaveLength(isListed ? 3 : 2);
    expect((await other.post('/logout')).status).toBe(204);
    expect((await next.get('/me')).status).toBe(200);
    expect(await service.revokeUser(user)).toBe(isListed ? 2 : 1);
    expect((await next.get('/me')).status).toBe(401);
    return statuses;
  };

  it('D-04: whatever is damaged ends its own session and no other', async () => {
    const app = await start();
    const bystander = new Client(app.url);
    await bystander.login('bystander');
    const results: Record<string, number[]> = {};
    for (const [i, [name, damage]] of Object.entries(FATAL).entries()) {
      results[name] = await suffer(app, `victim-${i}`, damage, false);
    }
    expect(results).toEqual(
      Object.fromEntries(Object.keys(FATAL).map((name) => [name, [401, 200, 401]])),
    );
    expect((await bystander.get('/me')).status).toBe(200);
    const service = app.app.get(SessionService);
    const sweep = await service.sweep({ batch: 1_000, budget: 5_000 });
    expect(sweep.unfinished).toBe(false);
    // Two look as if they had ended before: they are counted until their deadline.
    expect(await service.stats()).toMatchObject({ active: 3 });
  });

  it('D-04: what a session can live without may be damaged', async () => {
    const app = await start();
    for (const [i, [name, damage]] of Object.entries(HARMLESS).entries()) {
      const statuses = await suffer(app, `victim-${i}`, damage, true);
      expect([name, statuses]).toEqual([name, [200, 200, 200]]);
    }
  });

  it('D-04: a login whose claims cannot be read lets nobody in', async () => {
    expect(await suffer(await start(), 'alice', PENDING, true)).toEqual([401, 200, 401]);
  });

  it('D-04: a user whose index is something else has no session, and can log in', async () => {
    const { app, url } = await start();
    const [alice, bob] = [new Client(url), new Client(url)];
    await alice.login('alice');
    await bob.login('bob');
    for (const revoke of [false, true]) {
      await admin.set((await placeOf(alice)).index, 'not a hash');
      expect((await alice.get('/me')).status).toBe(401);
      expect((await app.get(SessionService).list('alice')).sessions).toEqual([]);
      if (revoke) await app.get(SessionService).revokeUser('alice');
      await alice.login('alice');
      expect((await alice.get('/me')).status).toBe(200);
      expect((await bob.get('/me')).status).toBe(200);
    }
  });

  it('D-04: the cleanup removes damaged records that nobody asks for', async () => {
    const { app, url } = await start();
    const service = app.get(SessionService);
    const damaged = ['no facts', 'facts "{"', 'a text for a hash', 'seen -1'];
    for (const name of damaged) {
      const client = new Client(url);
      await client.login(name);
      const place = await placeOf(client);
      await FATAL[name]?.(admin, place);
      // When its time has come.
      const zset = place.index.replace(/u:.*/, 'd');
      const [id = ''] = await admin.zrange(zset, '0', '-1');
      await admin.zadd(zset, 1, id);
    }
    await service.sweep({ batch: 100, budget: 5_000 });
    await service.sweep({ batch: 100, budget: 5_000 });
    const left = (await scanKeys(admin)).filter((key) => /:[sf]:[\w-]{24}$/.test(key));
    const { sessions } = await service.page();
    // Nobody has presented its token: that its hash is damaged is not known yet.
    expect(sessions.map(({ userId }) => userId)).toEqual(['a text for a hash']);
    expect(left).toHaveLength(1);
    expect(await service.stats()).toMatchObject({ active: 1, users: { active: 1, max: 1 } });
  });
});
