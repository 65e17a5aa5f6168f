/**
 * The session cookie goes with the head of the response: answers in parts, and changes of the
 * session that come when the head is gone.
 */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Controller,
  Get,
  Inject,
  Post,
  Query,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type Observable, defer, map, of } from 'rxjs';
import {
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
  SessionService,
} from '../../src/index.js';
import { ADAPTERS } from '../support/app.js';
import { until } from '../support/until.js';
import { type AnyReply, NAME, namesIn, rawOf, useCookieApps } from './cookies.kit.js';
import { LogKeeper } from './programs/application.js';

@Controller()
@UseGuards(SessionGuard)
class PartsController {
  @Inject(SessionService) readonly service!: SessionService;

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
}

const STORE_FAILS = expect.objectContaining({
  message: expect.stringMatching(/^the session store is not reachable/),
});

const impatience = { loginIsUnderWay: Promise.resolve(), outcomes: [] as string[] };

describe.each(ADAPTERS)('cookies on %s', (adapter) => {
  const start = useCookieApps(adapter, { controllers: [PartsController] });

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
