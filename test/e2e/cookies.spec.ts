/**
 * The session cookie among other cookies, other headers and other ways to answer.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestMiddleware,
  type NestModule,
  Post,
  Query,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import fastifyCookie from '@fastify/cookie';
import { afterEach, describe, expect, it } from '@jest/globals';
import cookieParser from 'cookie-parser';
import type { Request, Response } from 'express';
import { type Observable, defer, map, of, tap } from 'rxjs';
import {
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
  SessionRequests,
  SessionService,
  memoryStore,
} from '../../src/index.js';
import { type FaultyStore, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type Adapter, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { until } from '../support/until.js';
import { LogKeeper } from './programs/application.js';
import { RawConnection, sendRaw, valuesOf } from './programs/raw-http.js';

const NAME = '__Host-sid';
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** What the two adapters' replies have in common here. */
interface AnyReply {
  readonly raw?: ServerResponse;
  readonly setCookie?: (name: string, value: string, options?: object) => unknown;
  readonly cookie: (name: string, value: string, options?: object) => unknown;
  readonly header: (name: string, value: string) => unknown;
}

const rawOf = (reply: AnyReply): ServerResponse =>
  reply.raw ?? (reply as unknown as ServerResponse);

function setAppCookie(reply: AnyReply, name: string): void {
  if (reply.setCookie) reply.setCookie(name, '1', { path: '/' });
  else reply.cookie(name, '1');
}

/** Sets a cookie on the raw response, and another one when the head is written (as on-headers does). */
class RawCookies implements NestMiddleware {
  use(_request: IncomingMessage, reply: AnyReply, next: () => void): void {
    const response = rawOf(reply);
    response.appendHeader('Set-Cookie', 'raw-before=1');
    const { writeHead } = response;
    response.writeHead = ((...args: Parameters<typeof writeHead>) => {
      response.appendHeader('Set-Cookie', 'raw-at-head=1');
      return writeHead.apply(response, args);
    }) as typeof writeHead;
    next();
  }
}

class CookiesAfter implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<AnyReply>();
    return next.handle().pipe(
      tap(() => {
        setAppCookie(reply, 'app-after');
        rawOf(reply).appendHeader('Set-Cookie', 'raw-after=1');
      }),
    );
  }
}

@Controller()
@UseGuards(SessionGuard)
class CookieController {
  @Inject(SessionService) readonly service!: SessionService;

  @Public()
  @UseInterceptors(CookiesAfter)
  @Post('many')
  @HttpCode(200)
  async many(
    @CurrentSession() session: RequestSession,
    @Res({ passthrough: true }) reply: AnyReply,
  ): Promise<object> {
    setAppCookie(reply, 'app-before');
    await session.login('alice');
    setAppCookie(reply, 'app-between');
    return {};
  }

  @Public()
  @Post('all-in-one')
  @HttpCode(204)
  async allInOne(
    @Query('end') end: string,
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.login('alice');
    await session.rotate();
    await session.set('x', 'y');
    await session.rotate();
    if (end === 'logout') await session.logout();
    if (end === 'again') {
      await session.logout();
      await session.login('bob');
    }
  }

  @Public()
  @Get('cached')
  @Header('Cache-Control', 'public, max-age=3600')
  @Header('Vary', 'Accept-Encoding')
  async cached(
    @Query('login') login: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    if (login) await session.login(login);
    return { cached: true };
  }

  @Public()
  @Get('go')
  @Redirect('/me', 302)
  async go(@CurrentSession() session: RequestSession): Promise<void> {
    await session.login('alice');
  }

  @Public()
  @Get('stream')
  async stream(@CurrentSession() session: RequestSession): Promise<StreamableFile> {
    await session.login('alice');
    return new StreamableFile(Readable.from(['one ', 'two ', 'three']));
  }

  @Public()
  @Get('pipe')
  async pipe(@CurrentSession() session: RequestSession, @Res() reply: AnyReply): Promise<void> {
    await session.login('alice');
    const response = rawOf(reply);
    for (const part of ['one ', 'two ', 'three']) {
      response.write(part);
      await delay(5); // so that each part is a chunk of its own
    }
    response.end();
  }

  @Public()
  @Sse('events')
  async events(@CurrentSession() session: RequestSession): Promise<Observable<object>> {
    await session.login('alice');
    return of(1, 2).pipe(map((data) => ({ data: { data } })));
  }

  @Public()
  @Sse('late-events')
  lateEvents(@CurrentSession() session: RequestSession): Observable<object> {
    return defer(async () => {
      await session.login('alice');
      return { data: 'logged in' };
    });
  }

  /** Changes the session when the head is long gone, then fails in the way that is asked for. */
  @Get('too-late')
  async tooLate(
    @Query('what') what: string,
    @CurrentSession() session: RequestSession,
    @Res() reply: AnyReply,
  ): Promise<void> {
    const response = rawOf(reply);
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.write('begun;');
    const acts: Record<string, () => Promise<unknown>> = {
      login: () => session.login('bob'),
      rotate: () => session.rotate(),
      logout: () => session.logout(),
      set: () => session.set('x', 'y'),
      'ended-set': async () => {
        await this.service.revoke(session.id ?? '');
        await session.set('x', 'y');
      },
    };
    try {
      await acts[what]?.();
      response.end('done');
    } catch (error) {
      response.write((error as { code?: string }).code ?? 'no code');
      throw error;
    }
  }

  /** Answers by itself while the login is under way. */
  @Public()
  @Post('impatient')
  async impatient(
    @CurrentSession() session: RequestSession,
    @Res() reply: AnyReply,
  ): Promise<void> {
    const login = session.login('alice');
    await impatience.loginIsUnderWay;
    rawOf(reply).end('answered');
    const outcome = await login.catch((error: unknown) => error);
    impatience.outcomes.push((outcome as { code?: string }).code ?? 'logged in');
  }

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

const STORE_FAILS = expect.objectContaining({
  message: expect.stringMatching(/^the session store is not reachable/),
});

const impatience = { loginIsUnderWay: Promise.resolve(), outcomes: [] as string[] };

@Module({ controllers: [CookieController] })
class CookieModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(RawCookies).forRoutes('many');
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

async function withCookiePlugin(app: INestApplication, adapter: Adapter): Promise<void> {
  if (adapter === 'fastify') {
    const { register } = app as unknown as { register(plugin: unknown): Promise<unknown> };
    await register.call(app, fastifyCookie);
  } else {
    app.use(cookieParser());
  }
}

describe.each(ADAPTERS)('cookies on %s', (adapter) => {
  const running: TestApp[] = [];
  const stores: FaultyStore[] = [];
  afterEach(async () => {
    stores.splice(0).forEach((store) => {
      store.plan({});
      store.release();
    });
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (
    prepare?: (app: INestApplication) => void | Promise<void>,
    logger?: LogKeeper,
  ) => {
    const store = withFaults(memoryStore());
    stores.push(store);
    const app = await startApp(adapter, {
      session: { store },
      module: { imports: [CookieModule] },
      ...(logger && { logger }),
      prepare: async (nest) => {
        await withCookiePlugin(nest, adapter);
        await prepare?.(nest);
      },
    });
    running.push(app);
    const port = Number(new URL(app.url).port);
    const client = new Client(app.url);
    return { ...app, port, store, client, service: app.app.get(SessionService) };
  };

  const namesIn = (lines: readonly string[]): string[] =>
    lines.map((line) => line.slice(0, line.indexOf('='))).toSorted();

  describe('beside others', () => {
    it('P10: every cookie of the application arrives, whoever sets it, and whenever', async () => {
      const { client } = await start();
      const { status, setCookies } = await client.post('/many');
      expect(status).toBe(200);
      const names = ['app-after', 'app-before', 'app-between'];
      const raw = ['raw-after', 'raw-at-head', 'raw-before'];
      expect(namesIn(setCookies)).toEqual([NAME, ...names, ...raw].toSorted());
      expect((await client.get('/me')).status).toBe(200);
    });

    it.each([
      ['', 'alice', ATTRIBUTES],
      ['again', 'bob', ATTRIBUTES],
      ['logout', null, `Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; ${ATTRIBUTES}`],
    ])(
      'C-08: one Set-Cookie after many changes, and it is the last state (%s)',
      async (end, userId, sign) => {
        const { client, service } = await start();
        const { status, setCookies } = await client.post(`/all-in-one?end=${end}`);
        expect(status).toBe(204);
        expect(namesIn(setCookies)).toEqual([NAME]);
        expect(setCookies[0]?.endsWith(sign)).toBe(true);
        const { body } = await client.get('/who');
        expect(body).toEqual({ active: userId !== null, userId });
        expect((await service.stats()).active).toBe(userId === null ? 0 : 1);
      },
    );
  });

  describe('caches', () => {
    it('P10, C-12: a response with the cookie is stored by nobody, whatever the route says', async () => {
      const { client } = await start();
      const plain = await client.get('/cached');
      expect(plain.headers.get('cache-control')).toBe('public, max-age=3600');
      expect(plain.headers.get('vary')).toBe('Accept-Encoding');
      const { headers, setCookies } = await client.get('/cached?login=alice');
      expect(setCookies).toHaveLength(1);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('vary')).toBe('Accept-Encoding, Cookie');
    });

    it('C-12: whatever depends on the session varies on the cookie, also when it was only read', async () => {
      const { client, port, store } = await start();
      const refused = await client.get('/me');
      expect([refused.status, refused.headers.get('vary')]).toEqual([401, 'Cookie']);
      await client.login('alice');
      const me = await client.get('/me');
      expect([me.status, me.headers.get('vary'), me.setCookies]).toEqual([200, 'Cookie', []]);
      const who = await client.get('/who');
      expect(who.headers.get('vary')).toBe('Cookie');
      // Express sends an entity tag; fastify does not, and answers in full.
      const headers = [`Cookie: ${client.cookies}`, `If-None-Match: ${me.headers.get('etag')}`];
      const again = await sendRaw(port, { path: '/me', headers });
      expect([again.status, valuesOf(again, 'vary')]).toEqual([
        adapter === 'express' ? 304 : 200,
        ['Cookie'],
      ]);
      store.plan({ all: { fail: 'before' } });
      const unavailable = await client.get('/me');
      expect([unavailable.status, unavailable.headers.get('vary')]).toEqual([503, 'Cookie']);
      store.plan({});
      const out = await client.post('/logout');
      expect(out.headers.get('cache-control')).toBe('no-store');
      expect(out.headers.get('vary')).toBe('Cookie');
    });

    it('C-14: no 401 clears the cookie, whatever became of the session', async () => {
      const { client, service } = await start();
      const ends: [string, () => Promise<unknown>][] = [
        ['ERR_SESSION_REVOKED', () => service.revokeUser('alice')],
        ['ERR_SESSION_ENDED', () => client.clone().post('/logout')],
        ['ERR_SESSION_ENDED', () => client.clone().post('/login', { user: 'alice' })],
        ['ERR_SESSION_REQUIRED', () => client.clone().post('/rotate')],
      ];
      for (const [code, end] of ends) {
        await client.login('alice');
        await end();
        const answer = await client.get('/me');
        expect(answer.body).toMatchObject({ statusCode: 401, code });
        expect(answer.setCookies).toEqual([]);
        expect(client.cookies).not.toBe('');
      }
    });
  });

  describe('answers in parts', () => {
    it.each(['/go', '/stream', '/pipe', '/events'])(
      'RULE 6: the session is stored before the first byte of %s leaves',
      async (path) => {
        const { client, store } = await start();
        store.plan({ create: { delayBefore: 60, delayAfter: 60 } });
        const { setCookies, headers } = await client.get(path);
        expect(namesIn(setCookies)).toEqual([NAME]);
        expect(headers.get('cache-control')).toContain('no-store');
        expect((await client.get('/me')).body).toMatchObject({ userId: 'alice' });
      },
    );

    it('keeps what event streams need to stay unbuffered', async () => {
      const { client } = await start();
      const { headers } = await client.get('/events');
      expect(headers.get('content-type')).toContain('text/event-stream');
      expect(headers.get('cache-control')).toMatch(/\bno-store\b.*\bno-transform\b/);
    });

    it('a login inside of an event stream gives its cookie or an error, never a lost session', async () => {
      const { client, service } = await start();
      const { setCookies, body } = await client.get('/late-events');
      const sent = setCookies.length === 1;
      expect(String(body).includes('logged in')).toBe(sent);
      expect((await service.stats()).active).toBe(sent ? 1 : 0);
    });

    it.each(['login', 'rotate'])(
      'ERR_SESSION_HEADERS_SENT: %s after the head changes nothing and breaks nothing',
      async (what) => {
        const { client, service, port, store } = await start();
        await client.login('alice');
        const before = { create: store.calls.create, rotate: store.calls.rotate };
        const answer = await begun(port, `/too-late?what=${what}`, client.cookies);
        expect(answer).toContain('begun;');
        expect(answer).toContain('ERR_SESSION_HEADERS_SENT');
        expect({ create: store.calls.create, rotate: store.calls.rotate }).toEqual(before);
        expect((await service.stats()).active).toBe(1);
        expect((await client.get('/me')).body).toMatchObject({ userId: 'alice' });
      },
    );

    it('V-01: a logout after the head still ends the session', async () => {
      const { client, port } = await start();
      await client.login('alice');
      expect(await begun(port, '/too-late?what=logout', client.cookies)).toContain('done');
      expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
    });

    it.each([
      ['a session that ended', 'ended-set', 'ERR_SESSION_ENDED', []],
      ['a store that fails', 'set', 'ERR_SESSION_STORE', [STORE_FAILS]],
    ])('an error after the head because of %s harms nobody else', async (_why, what, code, log) => {
      const logger = new LogKeeper();
      const { client, port, store } = await start(undefined, logger);
      await client.login('alice');
      if (what === 'set') store.plan({ write: { fail: 'before' } });
      const answer = await begun(port, `/too-late?what=${what}`, client.cookies);
      expect(answer).toContain(code);
      expect(answer.endsWith('\r\n0\r\n\r\n')).toBe(true);
      // The true cause is not hidden behind "cannot set headers".
      expect(logger.of('error', 'fatal')).toEqual(log);
      store.plan({});
      expect((await client.get('/public')).status).toBe(200);
    });

    it('a login whose response began meanwhile leaves no session that nobody can hold', async () => {
      const { client, service, store } = await start();
      impatience.outcomes.length = 0;
      store.plan({ create: { hang: 'after' } });
      impatience.loginIsUnderWay = until(
        async () => store.calls.create,
        (creates) => creates === 1,
      ).then(() => undefined);
      const { setCookies } = await client.post('/impatient');
      expect(setCookies).toEqual([]);
      store.release();
      await until(
        async () => impatience.outcomes,
        ({ length }) => length > 0,
      );
      expect(impatience.outcomes).toEqual(['ERR_SESSION_HEADERS_SENT']);
      expect((await service.stats()).active).toBe(0);
    });
  });

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

  it('P31: two applications on one host and different ports keep their logins apart by name', async () => {
    const first = await start();
    const second = await startApp(adapter, { session: { cookie: { name: '__Host-other' } } });
    running.push(second);
    const browser = new Client(first.url);
    await browser.login('alice');
    const other = new Client(second.url);
    other.cookies = browser.cookies;
    const { setCookies } = await other.login('bob');
    expect(namesIn(setCookies)).toEqual(['__Host-other']);
    browser.cookies = other.cookies;
    expect((await browser.get('/me')).body).toMatchObject({ userId: 'alice' });
    expect((await other.get('/me')).body).toMatchObject({ userId: 'bob' });
  });

  it('C-16: an informational response carries no cookie', async () => {
    const { port } = await start();
    const answer = await sendRaw(port, {
      method: 'POST',
      path: '/login',
      headers: ['Expect: 100-continue', 'Content-Type: application/json'],
      body: JSON.stringify({ user: 'alice' }),
    });
    expect(answer.status).toBe(204);
    expect(valuesOf(answer, 'set-cookie')).toHaveLength(1);
  });
});

/** Everything that arrives of an answer that may break off. */
async function begun(port: number, path: string, cookies: string): Promise<string> {
  const { connect } = await import('node:net');
  const socket = connect(port, '127.0.0.1');
  const lines = [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', `Cookie: ${cookies}`];
  socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (part: string) => (text += part));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}
