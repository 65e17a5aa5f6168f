import { EventEmitter } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import cookieParser from 'cookie-parser';
import express from 'express';
import type { NextFunction, Request, Response } from 'express';
import { ResponseHeaders } from '../../../src/http/response-headers.js';
import { overHttp1 } from './response-headers.servers.js';
import type { Answer, Question, TestServer } from './response-headers.servers.js';

const OURS = 'sid=1; Path=/; HttpOnly; SameSite=Lax';
const GONE = 'sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax';

describe('response headers in an express application', () => {
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  type Work = (response: Response, headers: ResponseHeaders, request: Request) => unknown;

  /** One request to an application with this handler, behind cookie-parser and ahead of errors. */
  async function answerTo(work: Work, question?: Question): Promise<Answer> {
    const app = express();
    app.use(cookieParser('a secret of the application'));
    app.use((_request, response, next) => {
      response.cookie('early', '1');
      next();
    });
    app.use((request, response) => work(response, new ResponseHeaders(response), request));
    app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
      response.status(500).json({ message: error.message });
    });
    server = await overHttp1(http.createServer(app));
    return server.ask(question);
  }

  const EARLY = 'early=1; Path=/';

  it('C-08: keeps what res.cookie sets before and after', async () => {
    const answer = await answerTo((response, headers) => {
      headers.setCookie('sid', OURS);
      response.cookie('a', 'b', { httpOnly: true });
      response.cookie('signed', 'x', { signed: true });
      headers.setCookie('sid', GONE);
      response.clearCookie('old');
      response.json({ ok: true });
    });
    const lines = answer.all('set-cookie');
    expect(lines).toHaveLength(5);
    expect(lines).toEqual(
      expect.arrayContaining([
        EARLY,
        'a=b; Path=/; HttpOnly',
        GONE,
        expect.stringMatching(/^old=;/),
      ]),
    );
    expect(answer.one('content-type')).toContain('application/json');
  });

  it('C-08: replaces a cookie of our name that res.cookie sets', async () => {
    const answer = await answerTo((response, headers) => {
      headers.setCookie('sid', OURS);
      response.cookie('sid', 'theirs');
      response.send('ok');
    });
    expect(answer.all('set-cookie')).toEqual([EARLY, OURS]);
  });

  it('C-12: wins over res.set, and merges with res.vary', async () => {
    const answer = await answerTo((response, headers) => {
      response.vary('Origin');
      headers.setCookie('sid', OURS);
      response.set({ 'Cache-Control': 'public, max-age=3600', Vary: 'Accept' });
      response.vary('Accept-Language').send('ok');
    });
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.one('vary')).toBe('Accept, Accept-Language, Cookie');
  });

  it('C-12: a fresh page is answered 304 with Vary and without a loss of the cookie', async () => {
    const first = await answerTo((response, headers) => {
      headers.dependOnCookie();
      response.send('page');
    });
    const etag = first.one('etag') ?? '';
    await server?.close();
    const second = await answerTo(
      (response, headers) => {
        headers.setCookie('sid', OURS);
        response.send('page');
      },
      { headers: { 'if-none-match': etag } },
    );
    expect([second.status, second.body]).toEqual([304, '']);
    expect(second.one('vary')).toBe('Cookie');
    expect(second.one('cache-control')).toBe('no-store');
    expect(second.all('set-cookie')).toEqual([EARLY, OURS]);
  });

  it('C-12: a static file that sets a cookie is not stored', async () => {
    const answer = await answerTo((response, headers) => {
      headers.setCookie('sid', OURS);
      response.sendFile('package.json', { root: process.cwd(), maxAge: '1y', immutable: true });
    });
    expect(answer.status).toBe(200);
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.all('set-cookie')).toEqual([EARLY, OURS]);
  });

  it('answers HEAD and redirects alike', async () => {
    const head = await answerTo(
      (response, headers) => {
        headers.setCookie('sid', OURS);
        response.send('page');
      },
      { method: 'HEAD' },
    );
    expect([head.body, head.one('content-length')]).toEqual(['', '4']);
    expect(head.all('set-cookie')).toEqual([EARLY, OURS]);
    await server?.close();
    const redirect = await answerTo((response, headers) => {
      headers.setCookie('sid', OURS);
      response.redirect('/elsewhere');
    });
    expect([redirect.status, redirect.one('location')]).toEqual([302, '/elsewhere']);
    expect(redirect.all('set-cookie')).toEqual([EARLY, OURS]);
  });

  it('C-08: an error after setCookie still delivers the cookie', async () => {
    const answer = await answerTo((_response, headers) => {
      headers.setCookie('sid', OURS);
      throw new Error('broken');
    });
    expect([answer.status, answer.body]).toEqual([500, '{"message":"broken"}']);
    expect(answer.all('set-cookie')).toEqual([EARLY, OURS]);
    expect(answer.one('cache-control')).toBe('no-store');
  });

  it('C-08: so does the last handler of express, which knows no application', async () => {
    const app = express().set('env', 'test');
    app.use((_request, response) => {
      new ResponseHeaders(response).setCookie('sid', OURS);
      throw new Error('broken');
    });
    server = await overHttp1(http.createServer(app));
    const answer = await server.ask();
    expect(answer.status).toBe(500);
    expect(answer.all('set-cookie')).toEqual([OURS]);
    expect(answer.one('vary')).toBe('Cookie');
  });

  it('C-12: merges when a stream is piped', async () => {
    const answer = await answerTo(async (response, headers) => {
      headers.setCookie('sid', OURS);
      response.set('Vary', 'Origin').cookie('late', '1');
      await pipeline(Readable.from(['a', 'b']), response);
    });
    expect(answer.body).toBe('ab');
    expect(answer.all('set-cookie')).toEqual([EARLY, 'late=1; Path=/', OURS]);
    expect(answer.one('vary')).toBe('Origin, Cookie');
  });

  it('C-12: an event stream keeps its no-transform', async () => {
    const answer = await answerTo((response, headers) => {
      headers.setCookie('sid', OURS);
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-cache, no-transform',
        Connection: 'keep-alive',
      });
      response.flushHeaders();
      expect(headers.setCookie('sid', GONE)).toBe(false);
      response.write('data: 1\n\n');
      response.end();
    });
    expect(answer.one('content-type')).toBe('text/event-stream');
    expect(answer.one('cache-control')).toBe('no-store, no-transform');
    expect(answer.all('set-cookie')).toEqual([EARLY, OURS]);
    expect(answer.body).toBe('data: 1\n\n');
  });

  it('keeps listeners and the type of the response', async () => {
    const answer = await answerTo((response, headers) => {
      headers.dependOnCookie();
      expect(response).toBeInstanceOf(EventEmitter);
      expect(response.writeHead(200, { 'X-A': '1' })).toBe(response);
      response.end('chained');
    });
    expect(answer.body).toBe('chained');
  });
});
