/**
 * Logins through the service that are refused, or asked for with nonsense.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/core/config.js';
import { SessionService } from '../../../src/core/service.js';
import type { CreateRequest } from '../../../src/core/store.js';
import { memoryStore } from '../../../src/index.js';

describe('a login', () => {
  let service: SessionService;
  let requests: CreateRequest[];

  beforeEach(() => {
    const store = memoryStore();
    const create = store.create.bind(store);
    requests = [];
    store.create = (request) => {
      requests.push(request);
      return create(request);
    };
    service = new SessionService(resolveOptions({ data: { keepOnLogin: ['cart'] } }), store);
  });

  it('V-06: takes nothing for the session that makes room but a session id', async () => {
    const { session } = await service.create('alice');
    for (const evicts of [['', '', '1'], [session.id], {}, 7, 'x', null]) {
      await service.create('alice', { evicts: evicts as never });
      expect(requests.at(-1)).not.toHaveProperty('evicts');
    }
    await service.create('alice', { evicts: session.id });
    expect(requests.at(-1)).toMatchObject({ evicts: session.id });
  });

  it('K-02: that meets the limit ends nothing, wherever the session lies that it would end', async () => {
    const options = { concurrency: { max: 1, atLimit: 'reject' } } as const;
    const strict = new SessionService(resolveOptions(options), memoryStore());
    await strict.create('alice');
    const visitor = await strict.createAnonymous({ cart: [1] });
    const bob = await strict.create('bob');
    for (const { session, token } of [visitor, bob]) {
      const login = strict.create('alice', { replaces: session.id });
      await expect(login).rejects.toMatchObject({ code: 'ERR_SESSION_LIMIT' });
      expect((await strict.resolve(token.token.reveal())).status).toBe('active');
    }
    expect(await strict.stats()).toMatchObject({ active: 2, anonymous: 1 });
  });

  describe('that meets the limit in the last moment', () => {
    /** A user at the limit of one, and a store that had not yet heard of that when it was asked. */
    const atLimit = async (): Promise<SessionService> => {
      const store = memoryStore();
      const list = store.list.bind(store);
      store.list = async (request) => ({ ...(await list(request)), sessions: [] });
      const options = { concurrency: { max: 1, atLimit: 'reject' } } as const;
      const strict = new SessionService(resolveOptions(options), store);
      await strict.create('alice');
      return strict;
    };
    /** In the bucket of alice, one time of 256, a session does not end at all. */
    const isThere = async (strict: SessionService, token: string): Promise<boolean> =>
      (await strict.resolve(token, { touch: false })).status === 'active';

    it('K-02: gives the visitor back what they had', async () => {
      const strict = await atLimit();
      let visitor, outcome;
      do {
        visitor = await strict.createAnonymous({ cart: [1] });
        outcome = await strict.login('alice', { replaces: visitor.session.id });
      } while (await isThere(strict, visitor.token.token.reveal()));
      expect(outcome).toMatchObject({ status: 'refused', error: { code: 'ERR_SESSION_LIMIT' } });
      const restored = 'restored' in outcome ? outcome.restored?.session : undefined;
      expect(await restored?.get('cart' as never)).toEqual([1]);
    });

    it('K-02: gives nobody back a ticket that was sent as a cookie', async () => {
      const strict = await atLimit();
      let ticket, outcome;
      do {
        ({ ticket = '' } = await strict.pauseLogin('alice', {}, 1));
        const replaces = strict.verify(ticket)?.sessionId ?? '';
        outcome = await strict.login('alice', { replaces });
      } while (await isThere(strict, ticket));
      expect(outcome).toMatchObject({ status: 'refused', error: { code: 'ERR_SESSION_LIMIT' } });
      expect(outcome).not.toHaveProperty('restored');
    });
  });

  it('V-06: that comes after all sessions were revoked ends nothing', async () => {
    const ticket = await service.beginLogin('alice');
    await service.revokeUser('alice');
    const visitor = await service.createAnonymous({ cart: [1] });
    const login = service.create('alice', { ticket, replaces: visitor.session.id });
    await expect(login).rejects.toMatchObject({ code: 'ERR_SESSION_SUPERSEDED' });
    expect((await service.resolve(visitor.token.token.reveal())).status).toBe('active');
  });

  it.each([
    ['a method', { methods: ['no spaces'] }],
    ['a level', { level: 10 }],
    ['a tenant', { tenant: 't'.repeat(129) }],
    ['a ticket', { ticket: { userId: 'bob', epoch: 0, at: 0 } }],
    ['a limit class', { limitClass: 'unheard-of' }],
    ['the limit class of visitors', { limitClass: 'anonymous' }],
  ])('R-05: that is refused because of %s ends no session', async (_, options) => {
    const visitor = await service.createAnonymous({ cart: [1] });
    const login = service.create('alice', { ...options, replaces: visitor.session.id });
    await expect(login).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SESSION_/) });
    const verdict = await service.resolve(visitor.token.token.reveal());
    expect(verdict.status).toBe('active');
  });
});
