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

  it.each([
    ['a method', { methods: ['no spaces'] }],
    ['a level', { level: 10 }],
    ['a tenant', { tenant: 't'.repeat(129) }],
    ['a ticket', { ticket: { userId: 'bob', epoch: 0, at: 0 } }],
    ['a limit class', { limitClass: 'unheard-of' }],
  ])('R-05: that is refused because of %s ends no session', async (_, options) => {
    const visitor = await service.createAnonymous({ cart: [1] });
    const login = service.create('alice', { ...options, replaces: visitor.session.id });
    await expect(login).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SESSION_/) });
    const verdict = await service.resolve(visitor.token.token.reveal());
    expect(verdict.status).toBe('active');
  });
});
