import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { SessionModule, SessionService } from '../../src/index.js';
import { redisStore } from '../../src/stores/redis/index.js';
import { countCommands, openScene } from '../unit/stores/redis.kit.js';
import { watchedService } from '../unit/stores/redis.watched.kit.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

let server: RedisServer;
let client: Redis;
let module: TestingModule;
let sessions: SessionService;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
  module = await Test.createTestingModule({
    imports: [
      SessionModule.forRoot({
        secret: 'tests-only-8f0d1a2b3c4d5e6f708192a3b4c5d6e7',
        store: redisStore({ url: server.url }),
        cleanup: false,
      }),
    ],
  }).compile();
  await module.init();
  sessions = module.get(SessionService);
  // Afterwards the server knows every script and we know its clock.
  const { token, session } = await sessions.create('warm-up', { data: { a: 'x'.repeat(100) } });
  const verdict = await sessions.resolve(token.token.reveal());
  if (verdict.status === 'active') await verdict.session.all();
  await session.set('b', 2);
  await sessions.list('warm-up');
  await sessions.revoke(session.id);
});

afterAll(async () => {
  await module.close();
  client.disconnect();
  await server.stop();
});

/** Scripts and removals that reached the server. */
async function commandsOf(run: () => Promise<unknown>): Promise<number> {
  const counts = await countCommands(client, run);
  return Object.values(counts).reduce((sum, calls) => sum + calls, 0);
}

describe('commands sent to the server', () => {
  it('validating a token: 1', async () => {
    const { token } = await sessions.create('validate', { data: { theme: 'dark' } });
    expect(await commandsOf(() => sessions.resolve(token.token.reveal()))).toBe(1);
  });

  it('validating the token of any ordinary login: answered with one text', async () => {
    const { service, replies } = watchedService(client);
    const proofs = [{}, { methods: ['pwd'], level: 1 }, { pending: true }, { tenant: 't' }];
    for (const proof of proofs) {
      const { token, session } = await service.create('ordinary', { ...proof, data: { a: 1 } });
      const verdict = await service.resolve(token.token.reveal());
      expect(verdict).toMatchObject({ status: 'active', session: { claims: session.claims } });
      expect(verdict.status === 'active' && (await verdict.session.all())).toEqual({ a: 1 });
    }
    expect(replies).toEqual(proofs.map(() => expect.any(String)));
    // The rest takes the long way, and says the same.
    const methods = ['pwd', 'otp', 'hwk', 'fpt'];
    const { token, session } = await service.create('ordinary', { methods });
    const verdict = await service.resolve(token.token.reveal());
    expect(verdict).toMatchObject({ status: 'active', session: { claims: session.claims } });
    expect(replies.at(-1)).toBeInstanceOf(Array);
  });

  it('logging in: 1', async () => {
    expect(await commandsOf(() => sessions.create('login', { data: { theme: 'dark' } }))).toBe(1);
  });

  it('listing the sessions of a user: 1', async () => {
    for (let count = 0; count < 5; count++) await sessions.create('list');
    expect(await commandsOf(() => sessions.list('list'))).toBe(1);
  });

  it('writing several fields: 1', async () => {
    const { session } = await sessions.create('write');
    const long = 'x'.repeat(1_000);
    expect(await commandsOf(() => session.set({ theme: 'dark', cart: [1, 2], long }))).toBe(1);
  });

  it('logging out: 1, large fields included', async () => {
    const { session } = await sessions.create('logout', { data: { long: 'x'.repeat(1_000) } });
    expect(await commandsOf(() => sessions.revoke(session.id))).toBe(1);
  });

  it('a forged token: 0', async () => {
    const { token } = await sessions.create('forged');
    const text = token.token.reveal();
    const forged = text.slice(0, -4) + (text.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    expect(await commandsOf(() => sessions.resolve(forged))).toBe(0);
  });

  it('fields that are not preloaded: 1 more, once', async () => {
    const { token } = await sessions.create('large', { data: { long: 'x'.repeat(1_000) } });
    const verdict = await sessions.resolve(token.token.reveal());
    if (verdict.status !== 'active') throw new Error('the session is not active');
    expect(await commandsOf(() => verdict.session.all())).toBe(1);
    expect(await commandsOf(() => verdict.session.get('long'))).toBe(0);
  });

  it('a login that evicts another session: 2, the second for what that one left', async () => {
    const scene = await openScene(redisStore({ url: server.url }), { deadline: 10_000 });
    const user = scene.user();
    const concurrency = { max: 1, atLimit: 'evict-oldest' } as const;
    await scene.login({ user, concurrency });
    expect(await commandsOf(() => scene.login({ user, concurrency }))).toBe(2);
    await scene.close();
  });

  it('S-01: a request with a list in the place of a text: 0, since it would move what follows', async () => {
    const scene = await openScene(redisStore({ url: server.url }), { deadline: 10_000 });
    const evicts = ['', '', '1', '{"l":9}', '0', 'isAdmin'] as never;
    const refused = async (): Promise<void> => {
      const login = scene.store.create({ ...scene.request({}), evicts });
      await expect(login).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
    };
    expect(await commandsOf(refused)).toBe(0);
    await scene.close();
  });

  it('a login that replaces an anonymous session: 1 in its bucket, 2 in another', async () => {
    const scene = await openScene(redisStore({ url: server.url }), { deadline: 10_000 });
    const user = scene.user();
    const near = await scene.login({
      user: { ...scene.user(), bucket: user.bucket },
      anonymous: true,
    });
    const replaces = { id: near.id, take: 'all' } as const;
    expect(await commandsOf(() => scene.login({ user, replaces }))).toBe(1);
    const far = await scene.login({ anonymous: true });
    const twoSteps = async (): Promise<void> => {
      await scene.revoke(far, { reason: 'replaced', take: 'all' });
      await scene.login({ user });
    };
    expect(await commandsOf(twoSteps)).toBe(2);
    await scene.close();
  });
});
