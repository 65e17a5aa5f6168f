/**
 * Security requirements that concern the token: what a store can learn of it, what a forger can do
 * with what is public, and the bounds of the grace. `docs/security/requirements.md` lists them all.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ResolveReply,
  type SessionModuleOptions,
  SessionService,
  type SessionStore,
  memoryStore,
} from '../../src/index.js';
import { manualClock, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const MINUTE = 60_000;

/** The token in a client's only cookie. */
const tokenOf = (client: Client): string => client.cookies.slice('__Host-sid='.length);
const withToken = (url: string, token: string): Client => {
  const client = new Client(url);
  client.cookies = `__Host-sid=${token}`;
  return client;
};

describe.each(ADAPTERS)('requirements on tokens, on %s', (adapter) => {
  const running: TestApp[] = [];
  const start = async (session: SessionModuleOptions): Promise<TestApp> => {
    const app = await startApp(adapter, { session });
    running.push(app);
    return app;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('T-03: nothing of a token that could be used reaches the store', async () => {
    const spy = spyOn(memoryStore());
    const client = new Client((await start({ store: spy.store })).url);
    const tokens: string[] = [];
    await client.post('/data/cart', { value: 'tea' });
    tokens.push(tokenOf(client));
    await client.login('alice');
    tokens.push(tokenOf(client));
    await client.post('/rotate');
    tokens.push(tokenOf(client));
    await client.get('/devices');
    await client.post('/logout');
    const seen = spy.texts().join('\n');
    expect(new Set(tokens).size).toBe(3);
    for (const token of tokens) {
      const bytes = Buffer.from(token.slice(4), 'base64url');
      const secret = bytes.subarray(24, 56);
      for (const encoding of ['base64url', 'base64', 'hex'] as const) {
        expect(seen).not.toContain(bytes.toString(encoding));
        expect(seen).not.toContain(secret.toString(encoding));
      }
    }
  });

  it('E-09: a token past its hard deadline is refused, whatever the store has come back with', async () => {
    const clock = manualClock();
    const timeouts = { idle: '1h', absolute: '1h' } as const;
    const memory = memoryStore({ clock: clock.now });
    let kept: ResolveReply | undefined;
    const original: SessionStore = {
      ...withFaults(memory),
      resolve: async (request) => (kept = await memory.resolve(request)),
    };
    const client = new Client((await start({ store: original, timeouts })).url);
    await client.login('alice');
    expect((await client.get('/me')).status).toBe(200);
    const restored = async (): Promise<{ url: string; calls: () => number }> => {
      // Sees nothing wrong with the session, whatever the time.
      const back = withFaults({
        ...withFaults(memory),
        resolve: async (request) => ({
          ...(kept ?? (await memory.resolve(request))),
          now: clock.now(),
        }),
      });
      const { url } = await start({ store: back, timeouts });
      return { url, calls: () => Object.values(back.calls).reduce((sum, count) => sum + count, 0) };
    };
    const codeAt = async (url: string): Promise<unknown> => {
      const answer = await withToken(url, tokenOf(client)).get('/me');
      return (answer.body as { code?: string }).code ?? answer.status;
    };
    clock.advance(59 * MINUTE);
    const early = await restored();
    expect(await codeAt(early.url)).toBe(200);
    // The deadline in the token is rounded up to the minute.
    clock.advance(2 * MINUTE);
    const late = await restored();
    const atFirst = late.calls();
    expect(await codeAt(late.url)).toBe('ERR_SESSION_ABSOLUTE');
    expect(late.calls() - atFirst).toBe(1);
    // From the first reply on it knows the time, and asks nobody any more.
    for (let more = 0; more < 3; more++) {
      expect(await codeAt(late.url)).toBe('ERR_SESSION_ABSOLUTE');
    }
    expect(late.calls() - atFirst).toBe(1);
  });

  it('T-04: no text that a store holds is a credential', async () => {
    const spy = spyOn(memoryStore());
    const { url } = await start({ store: spy.store, bearer: true });
    await new Client(url).login('alice');
    const texts = [...new Set(spy.texts())];
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) {
      for (const spelling of [text, `nsk_${text}`, Buffer.from(text).toString('base64url')]) {
        if (/[^\x21-\x7e]|[";,\\]/.test(spelling) || spelling === '') continue;
        expect((await withToken(url, spelling).get('/me')).status).toBe(401);
        const headers = { authorization: `Bearer ${spelling}` };
        expect((await new Client(url).get('/me', headers)).status).toBe(401);
      }
    }
  });

  it('T-04: who can write to the store, but has no key, plants no session', async () => {
    const spy = spyOn(memoryStore());
    const { url } = await start({ store: spy.store });
    const client = new Client(url);
    await client.login('alice');
    // A copy of her record under an id and a secret of the attacker's choice.
    const bytes = Buffer.from(tokenOf(client).slice(4), 'base64url');
    randomBytes(16).copy(bytes, 3);
    randomBytes(32).copy(bytes, 24);
    const hash = createHash('sha256').update(bytes.subarray(0, 56)).digest();
    hash.copy(bytes, 56, 0, 16);
    const [created] = spy.requests('create');
    const session = created?.['session'] as { token: object };
    const planted = await spy.store.create({
      session: {
        ...session,
        id: bytes.subarray(1, 19).toString('base64url'),
        token: { ...session.token, verifier: hash.toString('base64url') },
      },
      notAfter: Date.now() + MINUTE,
    } as never);
    expect(planted.status).toBe('created');
    const answer = await withToken(url, `nsk_${bytes.toString('base64url')}`).get('/me');
    expect(answer.status).toBe(401);
  });

  it('T-08: a login never takes over anything of the token it came with', async () => {
    // Genuine, by the same secret, but nothing that this store knows.
    const elsewhere = new Client((await start({})).url);
    await elsewhere.login('mallory');
    const client = withToken((await start({})).url, tokenOf(elsewhere));
    await client.login('alice');
    const [before, after] = [elsewhere, client].map((one) =>
      Buffer.from(tokenOf(one).slice(4), 'base64url'),
    );
    expect(after?.subarray(3, 19)).not.toEqual(before?.subarray(3, 19));
    expect(after?.subarray(24, 56)).not.toEqual(before?.subarray(24, 56));
  });

  it('R-15: who knows the public id, but never held the token, can do nothing to the session', async () => {
    const store = withFaults(memoryStore());
    const { app, url } = await start({ store });
    const victim = new Client(url);
    await victim.login('alice');
    const { id } = (await victim.get('/me')).body as { id: string };
    const events: string[] = [];
    const service = app.get(SessionService);
    service.on('session.ended', () => void events.push('ended'));
    service.on('session.suspicious', () => void events.push('suspicious'));
    const calls = store.calls.resolve;
    const head = Buffer.from(tokenOf(victim).slice(4), 'base64url').subarray(0, 1);
    const forged = Array.from({ length: 200 }, () =>
      Buffer.concat([head, Buffer.from(id, 'base64url'), randomBytes(53)]).toString('base64url'),
    );
    for (const text of forged) {
      expect((await withToken(url, `nsk_${text}`).get('/me')).status).toBe(401);
    }
    expect(store.calls.resolve).toBe(calls);
    expect(events).toEqual([]);
    expect((await victim.get('/me')).status).toBe(200);
  });

  describe('with periodic rotation', () => {
    const clock = manualClock();
    const rotation = { interval: '4s', grace: '1s' } as const;
    const timeouts = { idle: '1h', absolute: '2h' } as const;
    const options = (store: SessionStore = fresh()): SessionModuleOptions => ({
      store,
      rotation,
      timeouts,
    });
    const fresh = (): SessionStore => memoryStore({ clock: clock.now });

    it('R-09: the old token is good to the end of the grace and no longer', async () => {
      const client = new Client((await start(options())).url);
      await client.login('alice');
      const old = client.clone();
      clock.advance(4_000);
      expect((await client.get('/me')).setCookies).toHaveLength(1);
      expect((await client.get('/me')).setCookies).toEqual([]);
      clock.advance(1_000);
      const within = await old.get('/me');
      expect(within.status).toBe(200);
      expect(within.setCookies).toEqual([]);
      clock.advance(1);
      expect((await old.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REUSED' });
      expect((await client.get('/me')).status).toBe(401);
    });

    it('R-12: a token newer than its record is refused, and ends nothing', async () => {
      const spy = spyOn(fresh());
      const client = new Client((await start(options(spy.store))).url);
      await client.login('alice');
      const first = client.clone();
      clock.advance(4_000);
      await client.get('/me');
      // The store as it was before the rotation: restored from a backup.
      const backup = fresh();
      const { app, url } = await start(options(backup));
      const [created] = spy.requests('create');
      await backup.create({ ...created, notAfter: clock.now() + MINUTE } as never);
      const rollbacks: string[] = [];
      app
        .get(SessionService)
        .on('session.store-rollback', ({ sessionId }) => void rollbacks.push(sessionId));
      const answer = await withToken(url, tokenOf(client)).get('/me');
      expect(answer.status).toBe(401);
      expect(answer.setCookies).toEqual([]);
      const me = await withToken(url, tokenOf(first)).get('/me');
      expect(me.status).toBe(200);
      expect(rollbacks).toEqual([(me.body as { id: string }).id]);
    });

    it('R-13: ten rotations move neither the deadline nor the id', async () => {
      const client = new Client((await start(options())).url);
      await client.login('alice');
      const { id } = (await client.get('/me')).body as { id: string };
      const tokens = new Set<string>();
      for (let i = 0; i < 10; i++) {
        clock.advance(10 * MINUTE);
        const { body } = await client.get('/me');
        expect(body).toEqual({ userId: 'alice', id });
        tokens.add(tokenOf(client));
      }
      expect(tokens.size).toBe(10);
      clock.advance(20 * MINUTE - 1);
      expect((await client.get('/me')).status).toBe(200);
      clock.advance(1);
      expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ABSOLUTE' });
    });

    it.each(['before', 'after'] as const)(
      'R-14: a rotation that fails %s its effect costs nobody the session',
      async (fail) => {
        const store = withFaults(fresh());
        const client = new Client((await start(options(store))).url);
        await client.login('alice');
        clock.advance(4_000);
        store.plan({ rotate: { fail } });
        const failed = await client.get('/me');
        expect(failed.status).toBe(200);
        expect(failed.setCookies).toEqual([]);
        store.plan({});
        const next = await client.get('/me');
        expect(next.status).toBe(200);
        expect(next.setCookies).toHaveLength(1);
        expect((await client.get('/me')).status).toBe(200);
      },
    );
  });
});

/** A store that notes everything it is given and everything it answers. */
function spyOn(inner: SessionStore): {
  readonly store: SessionStore;
  readonly texts: () => string[];
  readonly requests: (operation: string) => Record<string, unknown>[];
} {
  const noted: unknown[] = [];
  const calls: { readonly operation: string; readonly request: unknown }[] = [];
  const store = new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        calls.push({ operation: String(name), request: args[0] });
        const reply: unknown = await (value as (...given: unknown[]) => Promise<unknown>).apply(
          target,
          args,
        );
        noted.push(...args, reply);
        return reply;
      };
    },
  });
  return {
    store,
    texts: () => noted.flatMap(textsIn),
    requests: (operation) =>
      calls
        .filter((call) => call.operation === operation)
        .map(({ request }) => request as Record<string, unknown>),
  };
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Map) return [...value].flat().flatMap(textsIn);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn);
  return [];
}
