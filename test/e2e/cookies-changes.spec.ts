/**
 * The session cookie when several parts of one request change the session: at once, after a verdict,
 * in a hook or middleware.
 */
import type { IncomingMessage } from 'node:http';
import {
  Controller,
  HttpCode,
  type INestApplication,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import {
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
  SessionRequests,
} from '../../src/index.js';
import { ADAPTERS } from '../support/app.js';
import { until } from '../support/until.js';
import { type AnyReply, NAME, namesIn, useCookieApps } from './cookies.kit.js';
import { RawConnection } from './programs/raw-http.js';

@Controller()
@UseGuards(SessionGuard)
class ChangeController {
  /** Changes the session in several ways at once. */
  @Public()
  @Post('at-once')
  @HttpCode(200)
  async atOnce(
    @Query('what') what: string,
    @CurrentSession() session: RequestSession,
  ): Promise<string[]> {
    const acts: Record<string, () => Promise<unknown>> = {
      alice: () => session.login('alice'),
      bob: () => session.login('bob'),
      logout: () => session.logout(),
      rotate: () => session.rotate(),
      a: () => session.set('a', 1),
      b: () => session.set('b', 2),
      big: () => session.set('big', 'x'.repeat(100_000)),
      n: () => session.increment('n'),
      list: () => session.append('list', 'item'),
    };
    const outcomes = await Promise.allSettled(what.split(',').map(async (name) => acts[name]?.()));
    return outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'done',
    );
  }

  /** Asks for the session and logs in at the same time. */
  @Public()
  @Post('overtaken')
  @HttpCode(200)
  async overtaken(@CurrentSession() session: RequestSession): Promise<object> {
    const asked = session.isActive();
    await session.login('alice');
    return { asked: await asked, active: await session.isActive(), userId: session.userId };
  }
}

function isPrivate(url: string): boolean {
  return url.startsWith('/me');
}

/** A middleware that waits; `false`: it has answered. */
function useMiddleware(
  app: INestApplication,
  middleware: (request: Request, response: Response) => Promise<boolean>,
): void {
  app.use((request: Request, response: Response, next: (error?: unknown) => void) => {
    middleware(request, response).then((goOn) => {
      if (goOn) next();
    }, next);
  });
}

describe.each(ADAPTERS)('cookies on %s', (adapter) => {
  const start = useCookieApps(adapter, { controllers: [ChangeController] });

  describe('several changes at once in one request', () => {
    it.each([
      ['a,b,n,list', 'done,done,done,done', { a: 1, b: 2, n: 1, list: ['item'] }],
      ['n,n,n', 'done,done,done', { n: 3 }],
      ['big,b', 'ERR_SESSION_TOO_LARGE,done', { b: 2 }],
      ['logout,a', 'done,done', { a: 1 }],
    ])('K-03: a visitor’s first writes (%s) share one session', async (what, outcomes, data) => {
      const { client, service } = await start();
      const { body, setCookies } = await client.post(`/at-once?what=${what}`);
      expect(String(body)).toBe(outcomes);
      expect(namesIn(setCookies)).toEqual([NAME]);
      expect((await client.get('/data')).body).toEqual(data);
      expect(await service.stats()).toMatchObject({ active: 0, anonymous: 1 });
    });

    it.each([
      ['alice,bob', 'done,done', 'bob', 1],
      ['bob,alice,bob,alice', 'done,done,done,done', 'alice', 1],
      ['alice,logout', 'done,done', null, 0],
      ['alice,logout,bob,a', 'done,done,done,done', 'bob', 1],
      ['alice,rotate,rotate,a', 'done,done,done,done', 'alice', 1],
      ['a,alice', 'done,done', 'alice', 1],
    ])('R-04: changes of identity (%s) take their turn', async (what, outcomes, userId, active) => {
      const { client, service } = await start();
      const { body, setCookies } = await client.post(`/at-once?what=${what}`);
      expect(String(body)).toBe(outcomes);
      expect(namesIn(setCookies)).toEqual([NAME]);
      expect((await client.get('/who')).body).toEqual({ active: userId !== null, userId });
      expect(await service.stats()).toMatchObject({ active, anonymous: 0 });
    });
  });

  it('a login is not undone by a verdict that was asked for before it', async () => {
    const { client, store } = await start();
    await client.login('bob');
    store.plan({ resolve: { hang: 'before', times: 1 } });
    const pending = client.post('/overtaken');
    // The login is through as soon as its session is there.
    await until(
      async () => store.calls.create,
      (creates) => creates === 2,
    );
    store.release();
    const { body } = await pending;
    expect(body).toEqual({ asked: true, active: true, userId: 'alice' });
    expect((await client.get('/me')).body).toMatchObject({ userId: 'alice' });
  });

  describe('hooks and middleware', () => {
    interface UrlRequest {
      readonly url: string;
      readonly raw: IncomingMessage;
    }
    interface Hooked {
      addHook(
        name: string,
        hook: (request: UrlRequest, reply: FastifyReplyLike) => unknown,
      ): unknown;
    }
    interface FastifyReplyLike extends AnyReply {
      readonly sent: boolean;
      code(status: number): FastifyReplyLike;
      send(body: object): unknown;
    }

    it('a hook that answers by itself while the store is slow gives exactly one answer', async () => {
      let asked = 0;
      const { port, client, store, service } = await start((app) => {
        const requests = app.get(SessionRequests);
        if (adapter === 'express') {
          useMiddleware(app, async (request, response) => {
            if (!isPrivate(request.url)) return true;
            asked += 1;
            if (await requests.of(request, response).isActive()) return true;
            response.status(401).send({ by: 'hook' });
            return false;
          });
          return;
        }
        const fastify = app.getHttpAdapter().getInstance() as Hooked;
        fastify.addHook('onRequest', async (request, reply) => {
          if (!isPrivate(request.url)) return;
          asked += 1;
          if (await requests.of(request, reply).isActive()) return;
          void reply.code(401).send({ by: 'hook' });
          return reply;
        });
      });
      store.plan({ resolve: { delayBefore: 20, delayAfter: 20 } });
      await client.login('alice');
      const dead = client.clone();
      await client.login('alice');
      const connection = await RawConnection.open(port);
      try {
        const cookies = [client.cookies, dead.cookies, ''];
        const answers = await Promise.all(
          connection.pipeline(
            Array.from({ length: 30 }, (_, i) => ({
              path: '/me',
              headers: [`Cookie: ${cookies[i % 3]}`],
            })),
          ),
        );
        expect(answers.map(({ status }) => status)).toEqual(
          Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 200 : 401)),
        );
        for (const [i, { body }] of answers.entries()) {
          const expected = i % 3 === 0 ? { userId: 'alice' } : { by: 'hook' };
          expect(JSON.parse(body)).toMatchObject(expected);
        }
      } finally {
        connection.close();
      }
      // Hook, guard and decorator share one verdict: one store call for each live or ended session.
      expect(asked).toBe(30);
      expect(store.calls.resolve).toBe(20);
      expect((await service.stats()).active).toBe(1);
    });

    it('a hook or middleware can log in; its cookie leaves with the handler’s answer', async () => {
      const { client } = await start((app) => {
        const requests = app.get(SessionRequests);
        if (adapter === 'express') {
          useMiddleware(app, async (request, response) => {
            if (isPrivate(request.url)) await requests.of(request, response).login('auto');
            return true;
          });
          return;
        }
        const fastify = app.getHttpAdapter().getInstance() as Hooked;
        fastify.addHook('preHandler', async (request, reply) => {
          if (isPrivate(request.url)) await requests.of(request, reply).login('auto');
        });
      });
      const { body, setCookies } = await client.get('/me');
      expect(body).toMatchObject({ userId: 'auto' });
      expect(namesIn(setCookies)).toEqual([NAME]);
      expect((await client.get('/who')).body).toEqual({ active: true, userId: 'auto' });
    });
  });
});
