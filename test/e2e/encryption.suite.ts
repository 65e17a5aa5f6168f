/**
 * Encrypted session data over HTTP: nothing of it reaches the store, it behaves like any other
 * data, and what somebody changes in the store ends the session instead of being believed.
 */
import { Body, Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { expect } from '@jest/globals';
import {
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
  SessionService,
  type SessionStore,
} from '../../src/index.js';
import { Client } from '../support/client.js';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';

const MARKER = 'payload-7c1e94-marker';
const OLD = 'tests-only-0d6a2f91c84b7e35a0f1928374655647';
const NEW = 'tests-only-1e7b3a02d95c8f46b1a2039485766758';

@Controller('v')
@UseGuards(SessionGuard)
class VaultController {
  @Public()
  @Get('get/:name')
  async read(
    @Param('name') name: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    return { value: (await session.get(name)) ?? null };
  }

  @Post('append/:name')
  @HttpCode(204)
  append(
    @Param('name') name: string,
    @Body() { item }: { item: string },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    return session.append(name, item);
  }

  @Post('update/:name')
  async update(
    @Param('name') name: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    const value = await session.update(name, (count) => (Number(count ?? 0) + 1) as never);
    return { value };
  }
}

/** Notes everything that a store is given and everything that it answers. */
function recorded(store: SessionStore): { store: SessionStore; seen: string[] } {
  const seen: string[] = [];
  const note = (value: unknown): void => {
    seen.push(
      JSON.stringify(value, (_, part: unknown) =>
        part instanceof Map ? Object.fromEntries(part) : part,
      ),
    );
  };
  const proxy = new Proxy(store, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]): Promise<unknown> => {
        args.forEach(note);
        const reply: unknown = await member.apply(target, args);
        note(reply ?? null);
        return reply;
      };
    },
  });
  return { store: proxy, seen };
}

export function describeEncryption(stage: Stage): void {
  describeScenarios(
    'encrypted session data',
    stage,
    (scenario) => {
      describeSecrecy(scenario);
      describeData(scenario);
      describeTampering(scenario);
    },
    { session: { data: { encrypt: true } }, module: { controllers: [VaultController] } },
  );
}

const idOf = async (client: Client): Promise<string> =>
  ((await client.get('/me')).body as { id: string }).id;
const value = async (client: Client, name: string): Promise<unknown> =>
  (await client.get(`/v/get/${name}`)).body;
const swap = async (store: SessionStore, from: [string, string], to: [string, string]) => {
  const read = await store.read({ id: from[0], names: [from[1]] });
  if (read.status !== 'read') throw new Error('no session to copy from');
  await overwrite(store, to[0], to[1], read.fields.get(from[1]) ?? '');
};
const overwrite = async (store: SessionStore, id: string, name: string, text: string) => {
  const { now } = await store.ping();
  const changes = [{ kind: 'set', name, value: text }] as const;
  const reply = await store.write({ id, changes, notAfter: now + 10_000 });
  expect(reply.status).toBe('written');
};

function describeSecrecy(scenario: Scenario): void {
  scenario(
    'S-10, S-12: no store call and no reply contains what was stored',
    async ({ connect, start }) => {
      const { store, seen } = recorded(connect());
      const app = await start({ store, data: { encrypt: true, keepOnLogin: ['cart'] } });
      const client = new Client(app.url);
      await client.post('/data/cart', { value: `${MARKER}-1` });
      await client.login('alice');
      await client.post('/data/note', { value: `${MARKER}-2` });
      await client.post('/v/append/list', { item: `${MARKER}-3` });
      expect((await client.get('/data')).body).toEqual({
        cart: `${MARKER}-1`,
        note: `${MARKER}-2`,
        list: [`${MARKER}-3`],
      });
      const exported = await app.app.get(SessionService).exportUser('alice');
      expect(exported.sessions[0]?.data).toMatchObject({ note: `${MARKER}-2` });
      expect(seen.length).toBeGreaterThan(10);
      expect(seen.filter((text) => text.includes('marker'))).toEqual([]);
      expect(seen.some((text) => text.includes('"note"'))).toBe(true); // names are no secret
    },
  );

  scenario(
    'without the option the same search finds it, so that it is a search',
    async ({ connect, start }) => {
      const { store, seen } = recorded(connect());
      const client = new Client((await start({ store, data: {} })).url);
      await client.login('alice');
      await client.post('/data/note', { value: MARKER });
      expect(seen.some((text) => text.includes(MARKER))).toBe(true);
    },
  );

  scenario('encrypts only the fields that are named', async ({ connect, start }) => {
    const { store, seen } = recorded(connect());
    const client = new Client((await start({ store, data: { encrypt: ['card'] } })).url);
    await client.login('alice');
    await client.post('/data/card', { value: `${MARKER}-card` });
    await client.post('/data/theme', { value: `${MARKER}-theme` });
    expect((await client.get('/data')).body).toEqual({
      card: `${MARKER}-card`,
      theme: `${MARKER}-theme`,
    });
    expect(seen.some((text) => text.includes(`${MARKER}-card`))).toBe(false);
    expect(seen.some((text) => text.includes(`${MARKER}-theme`))).toBe(true);
  });
}

function describeData(scenario: Scenario): void {
  scenario('100 parallel increments over two instances come to exactly 100', async ({ start }) => {
    const [one, two] = [await start(), await start()];
    const client = new Client(one.url);
    await client.login('alice');
    const other = new Client(two.url);
    other.cookies = client.cookies;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => (i % 2 ? client : other).post('/count')),
    );
    const counts = answers.map(({ body }) => (body as { count: number }).count);
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(await value(client, 'count')).toEqual({ value: 100 });
  });

  scenario(
    '100 parallel appends all survive, and updates compare what is stored',
    async ({ start }) => {
      const client = new Client((await start()).url);
      await client.login('alice');
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => client.post('/v/append/list', { item: `i${i}` })),
      );
      const { value: list } = (await value(client, 'list')) as { value: string[] };
      expect(list.toSorted()).toEqual(Array.from({ length: 100 }, (_, i) => `i${i}`).toSorted());
      const updates = await Promise.all(
        Array.from({ length: 5 }, () => client.post('/v/update/n')),
      );
      expect(updates.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
      expect(await value(client, 'n')).toEqual({ value: 5 });
    },
  );

  scenario('refuses to count what is no number, like any other field', async ({ start }) => {
    const client = new Client((await start()).url);
    await client.login('alice');
    await client.post('/data/count', { value: 'many' });
    expect((await client.post('/count')).status).toBe(500); // a mistake of the application
    expect(await value(client, 'count')).toEqual({ value: 'many' });
  });

  scenario(
    'what crosses a login is encrypted for the new session, wherever it lies',
    async ({ start }) => {
      const app = await start({ data: { encrypt: true, keepOnLogin: ['cart'] } });
      for (let i = 0; i < 20; i += 1) {
        const client = new Client(app.url);
        // Short ones come along with their session, long ones do not.
        const cart = `cart ${i} `.padEnd(500 * i, 'x');
        await client.post('/data/cart', { value: cart });
        await client.post('/data/other', { value: 'dropped' });
        await client.login(`user${i}`);
        expect((await client.get('/data')).body).toEqual({ cart });
      }
    },
  );
}

function describeTampering(scenario: Scenario): void {
  scenario(
    'S-12: swapped texts of two fields: 401 and an event, never the other value',
    async ({ connect, start }) => {
      const store = connect();
      const app = await start({ store });
      const events: unknown[] = [];
      app.app
        .get(SessionService)
        .on('session.field-unreadable', (event) => void events.push(event));
      const client = new Client(app.url);
      await client.login('alice');
      await client.post('/data/role', { value: 'user' });
      await client.post('/data/nickname', { value: 'admin' });
      const id = await idOf(client);
      await swap(store, [id, 'nickname'], [id, 'role']);
      const refused = await client.get('/v/get/role');
      expect(refused.status).toBe(401);
      expect(refused.body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
      expect(JSON.stringify(refused.body)).not.toContain('admin');
      expect(events).toMatchObject([{ eventId: `${id}:unreadable:role`, sessionId: id }]);
      expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
    },
  );

  scenario(
    'S-12: a text of another session, or one that was cut, ends only that session',
    async ({ connect, start }) => {
      const store = connect();
      const app = await start({ store });
      const [rich, poor, cut] = [new Client(app.url), new Client(app.url), new Client(app.url)];
      for (const [index, client] of [rich, poor, cut].entries()) {
        await client.login(`user${index}`);
        await client.post('/data/credit', { value: `${index}` });
      }
      await swap(store, [await idOf(rich), 'credit'], [await idOf(poor), 'credit']);
      const id = await idOf(cut);
      const read = await store.read({ id });
      const text = read.status === 'read' ? (read.fields.get('credit') ?? '') : '';
      await overwrite(store, id, 'credit', text.slice(0, -4));
      expect((await poor.get('/data')).status).toBe(401);
      expect((await cut.get('/data')).status).toBe(401);
      expect(await value(rich, 'credit')).toEqual({ value: '0' });
    },
  );

  scenario(
    'S-12: plain text and a secret that is gone read as absent, with an event',
    async ({ connect, start }) => {
      const store = connect();
      const before = await start({ store, secret: [OLD, NEW] });
      const client = new Client(before.url);
      await client.login('alice');
      await client.post('/data/old', { value: 'x' });
      const id = await idOf(client);
      const after = await start({ store, secret: [NEW, OLD] });
      const rolled = new Client(after.url);
      rolled.cookies = client.cookies;
      expect(await value(rolled, 'old')).toEqual({ value: 'x' }); // older secrets still decrypt
      await rolled.post('/data/new', { value: 'y' });
      await rolled.post('/rotate'); // a token under the newest secret
      const last = await start({ store, secret: NEW });
      const events: unknown[] = [];
      last.app
        .get(SessionService)
        .on('session.field-unreadable', (event) => void events.push(event));
      const newest = new Client(last.url);
      newest.cookies = rolled.cookies;
      expect(await value(newest, 'new')).toEqual({ value: 'y' });
      expect(await value(newest, 'old')).toEqual({ value: null });
      await overwrite(store, id, 'planted', '"admin"');
      expect(await value(newest, 'planted')).toEqual({ value: null });
      expect(events).toHaveLength(2);
      expect((await newest.get('/me')).status).toBe(200);
    },
  );
}
