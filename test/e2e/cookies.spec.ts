/**
 * The session cookie among other cookies, and what caches may keep of a response.
 */
import type { IncomingMessage } from 'node:http';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestMiddleware,
  type NestModule,
  Post,
  Query,
  Res,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type Observable, tap } from 'rxjs';
import { CurrentSession, Public, RequestSession, SessionGuard } from '../../src/index.js';
import { ADAPTERS, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { useClosing } from './applications.kit.js';
import { type AnyReply, NAME, namesIn, rawOf, useCookieApps } from './cookies.kit.js';
import { sendRaw, valuesOf } from './programs/raw-http.js';

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

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
}

@Module({ controllers: [CookieController] })
class CookieModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(RawCookies).forRoutes('many');
  }
}

describe.each(ADAPTERS)('cookies on %s', (adapter) => {
  const start = useCookieApps(adapter, { imports: [CookieModule] });
  const keep = useClosing();

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

  it('P31: two applications on one host and different ports keep their logins apart by name', async () => {
    const first = await start();
    const second = keep(await startApp(adapter, { session: { cookie: { name: '__Host-other' } } }));
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
