/**
 * What a copy of the server, a tap on its commands and a trace of the driver are worth to whoever
 * has them: nothing. On one server and on a cluster, over HTTP.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  SESSION_TOKEN_PATTERN,
  type SessionModuleOptions,
  SessionService,
  type SessionStore,
} from '../../src/index.js';
import { redisStore } from '../../src/stores/redis/index.js';
import { PrivilegesController } from '../e2e/programs/privileges.js';
import { type TestApp, startApp } from '../support/app.js';
import { type Answer, Client } from '../support/client.js';
import { useCluster, useRedis } from '../support/servers/hooks.js';
import { until } from '../support/until.js';
import { Wiretap, dumpAll, listenToTraces, secretOf, tokensIn } from './requirements.kit.js';

const MARK = 'payload-0f6c2d';

/** Every token that ever was in an answer: cookies, and the ticket at the limit. */
class Collector extends Client {
  static readonly tokens = new Set<string>();

  override async send(...request: Parameters<Client['send']>): Promise<Answer> {
    const answer = await super.send(...request);
    const texts = [...answer.setCookies, JSON.stringify(answer.body)];
    const pattern = new RegExp(SESSION_TOKEN_PATTERN, 'g');
    for (const text of texts) {
      for (const [token] of text.matchAll(pattern)) Collector.tokens.add(token);
    }
    return answer;
  }
}

const one = useRedis();
const many = useCluster({ replicas: 0 });

describe.each(['server', 'cluster'])('secrets on a %s', (kind) => {
  const running: TestApp[] = [];
  let admin: Redis | Cluster;
  const nodes = () => (kind === 'server' ? [one()] : many().nodes);
  const makeStore = (): SessionStore =>
    kind === 'server' ? redisStore({ url: one().url }) : redisStore({ cluster: many().urls });
  const start = async (session: SessionModuleOptions = {}): Promise<TestApp> => {
    const app = await startApp('fastify', {
      session: { store: makeStore(), storeDeadline: '10s', bearer: true, ...session },
      module: { controllers: [PrivilegesController] },
    });
    running.push(app);
    return app;
  };
  const tokenOf = ({ cookies }: Client): string => cookies.slice('__Host-sid='.length);
  /** Of a request that carries the same in both ways: one that counts would be enough. */
  const statusOf = async (url: string, token: string): Promise<number> => {
    const headers = { cookie: `__Host-sid=${token}`, authorization: `Bearer ${token}` };
    return (await new Client(url).get('/me', headers)).status;
  };

  beforeAll(() => {
    admin = kind === 'server' ? new Redis(one().url) : new Cluster([...many().urls]);
  });
  afterAll(() => admin.disconnect());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
    await Promise.all(nodes().map(({ url }) => flush(url)));
    Collector.tokens.clear();
  });

  /** A day on which everything happens that makes a token. */
  const day = async ({ app, url }: TestApp, rotates = true): Promise<void> => {
    const service = app.get(SessionService);
    const visitor = new Collector(url);
    await visitor.post('/data/cart', { value: MARK });
    await visitor.login('alice');
    await visitor.post('/data/note', { value: `${MARK} ${'x'.repeat(100)}` });
    await visitor.post('/rotate');
    const before = visitor.clone();
    const root = new Collector(url);
    await root.post('/p/password', { user: 'root' });
    await root.post('/p/otp', { action: 'pay' });
    await root.post('/p/act-as/alice');
    await root.post('/p/stop');
    // At her limit: the refusal carries a ticket.
    expect((await new Collector(url).post('/login', { user: 'alice' })).status).toBe(204);
    const refused = await new Collector(url).post('/login', { user: 'alice' });
    expect(refused.body).toMatchObject({ code: 'ERR_SESSION_LIMIT' });
    const created = await service.create('bob');
    Collector.tokens.add(created.token.token.reveal());
    // The periodic rotation, whose answer is lost once.
    if (rotates) {
      await until(
        () => visitor.clone().get('/me'),
        ({ setCookies }) => setCookies.length === 1,
      );
      expect((await visitor.get('/me')).setCookies).toHaveLength(1);
      expect((await before.get('/data')).status).toBe(200);
    }
    await root.post('/logout');
    await service.sweep({ batch: 10, budget: 1_000 });
  };
  const options = {
    rotation: { interval: '4s', grace: '1s' },
    concurrency: { max: 2, atLimit: 'reject' },
  } as const;

  it('T-03, T-04, S-10: no command, trace or key holds a token, and no text kept is a credential', async () => {
    const app = await start(options);
    const traces = listenToTraces();
    const tap = await Wiretap.on(nodes());
    try {
      await day(app);
      const kept = (await dumpAll(admin)).flatMap(({ key, parts }) => [Buffer.from(key), ...parts]);
      const places = {
        commands: tap.heard,
        traces: traces.heard(),
        keys: Buffer.concat(kept.flatMap((part) => [part, Buffer.from('\n')])),
      };
      expect(Collector.tokens.size).toBeGreaterThanOrEqual(11);
      for (const [place, heard] of Object.entries(places)) {
        expect([place, tokensIn(heard, Collector.tokens)]).toEqual([place, []]);
        // They were listening, and data that is not encrypted is not hidden from them.
        expect([place, heard.includes(MARK), heard.includes('alice')]).toEqual([place, true, true]);
      }
      expect(await acceptedOf(app.url, kept)).toEqual([]);
      // The search would have found one.
      const [token = ''] = Collector.tokens;
      await admin.set('control', secretOf(token).toString('hex'));
      await until(
        async () => tokensIn(tap.heard, [token]),
        ({ length }) => length === 1,
      );
    } finally {
      tap.end();
      traces.end();
    }
  });

  /** Which of the texts lets somebody in. */
  const acceptedOf = async (url: string, kept: readonly Buffer[]): Promise<string[]> => {
    const strings = new Set<string>();
    for (const part of kept) {
      const words = part.toString('latin1').split(/[^\x21-\x7e]+|[",;\\]/);
      const spelled = (['base64url', 'hex'] as const).map((way) => part.toString(way));
      for (const text of [...words, ...spelled]) {
        if (text !== '' && text.length < 2_000) strings.add(text).add(`nsk_${text}`);
      }
    }
    expect(strings.size).toBeGreaterThan(200);
    const control = new Client(url);
    await control.login('control');
    expect(await statusOf(url, tokenOf(control))).toBe(200);
    const accepted: string[] = [];
    const waiting = [...strings];
    const present = async (): Promise<void> => {
      for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
        const status = await statusOf(url, text);
        if (status !== 401) accepted.push(`${text}: ${status}`);
      }
    };
    await Promise.all(Array.from({ length: 10 }, present));
    return accepted;
  };

  it('S-10: what is encrypted appears in no command, no trace and no key', async () => {
    const app = await start({ ...options, data: { encrypt: true } });
    const traces = listenToTraces();
    const tap = await Wiretap.on(nodes());
    try {
      await day(app, false);
      expect(traces.heard().includes('alice')).toBe(true);
      expect(traces.heard().includes(MARK)).toBe(false);
      expect(tap.heard.includes(MARK)).toBe(false);
      const kept = await dumpAll(admin);
      expect(kept.flatMap(({ parts }) => parts).some((part) => part.includes(MARK))).toBe(false);
      expect(tokensIn(traces.heard(), Collector.tokens)).toEqual([]);
    } finally {
      tap.end();
      traces.end();
    }
  });

  it('T-04: who writes to the server, but has no key, plants no session and takes none over', async () => {
    const { url } = await start();
    const alice = new Client(url);
    await alice.login('alice');
    const { id } = (await alice.get('/me')).body as { id: string };
    const hash = (await dumpAll(admin)).find(({ key }) => key.endsWith(`:s:${id}`))?.key ?? '';
    const bucket = hash.slice(0, hash.indexOf('s:'));
    const index = `${bucket}u:${Buffer.from(id, 'base64url').subarray(2, 10).toString('base64url')}`;
    const genuine = Buffer.from(tokenOf(alice).slice(4), 'base64url');

    /** A token under another id, with a secret of the attacker's and what they can compute. */
    const forge = async (newId: string): Promise<string> => {
      const bytes = Buffer.from(genuine);
      Buffer.from(newId, 'base64url').copy(bytes, 1);
      randomBytes(32).copy(bytes, 24);
      const digest = createHash('sha256').update(bytes.subarray(0, 56)).digest();
      digest.copy(bytes, 56, 0, 16);
      const own = newId.slice(13);
      const fields = await admin.hgetallBuffer(index);
      for (const [name, value] of Object.entries(fields)) {
        if (name.startsWith(id.slice(13)))
          await admin.hset(index, name.replace(id.slice(13), own), value);
      }
      if (newId !== id) await admin.copy(hash, `${bucket}s:${newId}`);
      await admin.zadd(`${bucket}d`, Date.now() + 3_600_000, newId);
      const verifier = digest.subarray(0, 32).toString('base64url');
      await admin.hset(`${bucket}s:${newId}`, 'v', verifier);
      return `nsk_${bytes.toString('base64url')}`;
    };
    const otherId = Buffer.concat([
      Buffer.from(id, 'base64url').subarray(0, 10),
      randomBytes(8),
    ]).toString('base64url');
    const planted = await forge(otherId);
    expect(await statusOf(url, planted)).toBe(401);
    // The copy is well made: under the verifier of the key's holder it is a live session.
    const devices = (await alice.get('/devices')).body as { id: string }[];
    expect(devices.map((device) => device.id).toSorted()).toEqual([id, otherId].toSorted());
    // Neither does the genuine token open the copy.
    const moved = Buffer.from(genuine);
    Buffer.from(otherId, 'base64url').copy(moved, 1);
    expect(await statusOf(url, `nsk_${moved.toString('base64url')}`)).toBe(401);
    expect((await alice.get('/me')).status).toBe(200);
    const takenOver = await forge(id);
    expect(await statusOf(url, takenOver)).toBe(401);
  });
});

async function flush(url: string): Promise<void> {
  const client = new Redis(url);
  await client.flushall();
  client.disconnect();
}
