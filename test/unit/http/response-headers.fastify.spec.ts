import http2 from 'node:http2';
import { Readable } from 'node:stream';
import cookie from '@fastify/cookie';
import { afterEach, describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ResponseHeaders } from '../../../src/http/response-headers.js';
import { asRaw, injected, overHttp1, overHttp2 } from './response-headers.servers.js';
import type { Answer, Question, TestServer } from './response-headers.servers.js';

const OURS = 'sid=1; Path=/; HttpOnly; SameSite=Lax';
const GONE = 'sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax';
const LAX = 'SameSite=Lax';

const transports: readonly (readonly [string, () => Promise<[FastifyInstance, Connect]>])[] = [
  ['HTTP/1.1', async () => [fastify(), (app) => overHttp1(app.server)]],
  [
    'HTTP/2',
    async () => {
      const app = fastify({ http2: true }) as unknown as FastifyInstance;
      return [app, (ready) => overHttp2(ready.server)];
    },
  ],
  ['inject', async () => [fastify(), async (app) => injected(app)]],
];
type Connect = (app: FastifyInstance) => Promise<TestServer>;
type Work = (reply: FastifyReply, headers: ResponseHeaders, request: FastifyRequest) => unknown;

describe.each(transports)('response headers in a fastify application over %s', (name, create) => {
  let app: FastifyInstance | undefined;
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.close();
    await app?.close();
    server = undefined;
  });

  async function answerTo(work: Work, question?: Question): Promise<Answer> {
    const [instance, connect] = await create();
    app = instance;
    await app.register(cookie);
    app.addHook('onRequest', async (_request, reply) => {
      reply.setCookie('early', '1');
    });
    app.all('/', (request, reply) => work(reply, new ResponseHeaders(asRaw(reply.raw)), request));
    await app.ready();
    server = await connect(app);
    return server.ask(question);
  }

  const EARLY = `early=1; ${LAX}`;

  it('C-08: keeps what @fastify/cookie sets before and after', async () => {
    const answer = await answerTo((reply, headers) => {
      headers.setCookie('sid', OURS);
      reply.setCookie('late', '2', { httpOnly: true });
      headers.setCookie('sid', GONE);
      return { ok: true };
    });
    expect(answer.all('set-cookie').toSorted()).toEqual(
      [EARLY, `late=2; HttpOnly; ${LAX}`, GONE].toSorted(),
    );
    expect(answer.body).toBe('{"ok":true}');
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.one('vary')).toBe('Cookie');
  });

  it('C-08: keeps what reply.header sets, which fastify hands to writeHead', async () => {
    const answer = await answerTo((reply, headers) => {
      reply.header('set-cookie', 'a=1');
      headers.setCookie('sid', OURS);
      reply.header('Set-Cookie', ['b=2', 'sid=theirs']);
      return 'ok';
    });
    expect(answer.all('set-cookie').toSorted()).toEqual(['a=1', 'b=2', EARLY, OURS].toSorted());
  });

  it('C-12: wins over reply.header', async () => {
    const answer = await answerTo((reply, headers) => {
      headers.setCookie('sid', OURS);
      return reply
        .headers({
          'cache-control': 'public, max-age=60',
          vary: 'Origin',
          'cdn-cache-control': 'public',
        })
        .send('ok');
    });
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.one('cdn-cache-control')).toBe('no-store');
    expect(answer.one('vary')).toBe('Origin, Cookie');
  });

  it.each<[string, string | undefined, string]>([
    ['nothing else', undefined, 'Cookie'],
    ['another name', 'Origin', 'Origin, Cookie'],
    ['everything', '*', '*'],
  ])('C-12: a session that was only read varies, with %s', async (_title, vary, expected) => {
    const answer = await answerTo((reply, headers) => {
      headers.dependOnCookie();
      if (vary !== undefined) reply.header('Vary', vary);
      return reply.send({ ok: true });
    });
    expect(answer.one('vary')).toBe(expected);
    expect(answer.all('set-cookie')).toEqual([EARLY]);
    expect(answer.one('content-length')).toBe('11');
  });

  it('C-08: an error after setCookie still delivers the cookie', async () => {
    const answer = await answerTo((_reply, headers) => {
      headers.setCookie('sid', OURS);
      throw new Error('broken');
    });
    expect(answer.status).toBe(500);
    expect(answer.body).toContain('broken');
    expect(answer.all('set-cookie')).toContain(OURS);
    expect(answer.one('cache-control')).toBe('no-store');
  });

  it('carries WWW-Authenticate and Retry-After beside the headers of the reply', async () => {
    const answer = await answerTo((reply, headers) => {
      headers.dependOnCookie();
      headers.setHeader('WWW-Authenticate', 'Session');
      headers.setHeader('Retry-After', '5');
      return reply.code(503).header('x-a', '1').send({ message: 'later' });
    });
    expect(answer.status).toBe(503);
    expect(answer.one('www-authenticate')).toBe('Session');
    expect(answer.one('retry-after')).toBe('5');
    expect(answer.one('x-a')).toBe('1');
    expect(answer.one('vary')).toBe('Cookie');
  });

  it.each<[string, () => Readable | ReadableStream]>([
    ['a stream', () => Readable.from(['a', 'b'])],
    ['a web stream', () => new Blob(['ab']).stream()],
  ])('C-12: merges when the reply is %s', async (_title, body) => {
    const answer = await answerTo((reply, headers) => {
      headers.setCookie('sid', OURS);
      return reply.header('vary', 'Origin').header('set-cookie', 'a=1').send(body());
    });
    expect(answer.body).toBe('ab');
    expect(answer.all('set-cookie')).toEqual(expect.arrayContaining(['a=1', OURS]));
    expect(answer.one('vary')).toBe('Origin, Cookie');
    expect(answer.one('cache-control')).toBe('no-store');
  });

  it.each([
    ['HEAD', 200, { method: 'HEAD' }],
    ['304', 304, {}],
    ['204', 204, {}],
    ['a redirect', 302, {}],
  ])('C-12: also on %s', async (_title, status, question) => {
    const answer = await answerTo((reply, headers) => {
      headers.setCookie('sid', OURS);
      return status === 302 ? reply.redirect('/elsewhere') : reply.code(status).send();
    }, question);
    expect(answer.status).toBe(status);
    expect(answer.all('set-cookie')).toContain(OURS);
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.one('vary')).toBe('Cookie');
  });

  it('C-08: also on a reply that was taken over with hijack', async () => {
    const answer = await answerTo((reply, headers) => {
      reply.hijack();
      headers.setCookie('sid', OURS);
      reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Set-Cookie': 'a=1' });
      expect(headers.setCookie('sid', GONE)).toBe(false);
      reply.raw.end('data: 1\n\n');
    });
    expect(answer.all('set-cookie')).toEqual(['a=1', OURS]);
    expect(answer.body).toBe('data: 1\n\n');
  });

  it('C-08: a hook on onSend is early enough', async () => {
    const [instance, connect] = await create();
    app = instance;
    app.addHook('onSend', async (_request, reply) => {
      new ResponseHeaders(asRaw(reply.raw)).setCookie('sid', OURS);
    });
    app.get('/', async () => 'ok');
    await app.ready();
    server = await connect(app);
    expect((await server.ask()).all('set-cookie')).toEqual([OURS]);
  });

  if (name === 'HTTP/2') {
    it('really speaks HTTP/2', async () => {
      const answer = await answerTo((reply, headers, request) => {
        expect(reply.raw).toBeInstanceOf(http2.Http2ServerResponse);
        headers.setCookie('sid', OURS);
        return request.raw.httpVersion;
      });
      expect(answer.body).toBe('2.0');
    });
  }
});
