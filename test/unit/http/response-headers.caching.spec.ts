import { describe, expect, it } from '@jest/globals';
import { answerFrom, kinds } from './response-headers.servers.js';
import type { AnyResponse } from './response-headers.servers.js';

const OURS = 'sid=1; Path=/; HttpOnly; SameSite=Lax';
const LATER = 'sid=2; Path=/; HttpOnly; SameSite=Lax';

describe.each(kinds)('what caches are told on %s', (_kind, start) => {
  describe('Cache-Control', () => {
    it.each([
      ['public, max-age=600', 'no-store'],
      ['no-cache', 'no-store'],
      ['private', 'no-store'],
      ['', 'no-store'],
      ['no-store', 'no-store'],
      ['private, NO-STORE ,max-age=0', 'private, NO-STORE ,max-age=0'],
      ['no-cache, no-transform', 'no-store, no-transform'],
      ['x-no-store', 'no-store'],
      ['private="x, no-store, y"', 'no-store'],
    ])('C-12: %j leaves as %j', async (given, expected) => {
      for (const write of [
        (response: AnyResponse) => response.setHeader('Cache-Control', given),
        (response: AnyResponse) => response.writeHead(200, { 'cache-control': given }),
        (response: AnyResponse) => response.writeHead(200, ['cache-control', given]),
      ]) {
        const answer = await answerFrom(start, (response, headers) => {
          headers.setCookie('sid', OURS);
          write(response);
          response.end();
        });
        expect(answer.all('cache-control')).toEqual([expected]);
      }
    });

    it('C-12: a value from before is replaced as well', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        response.setHeader('Cache-Control', ['public', 'max-age=60']);
        headers.setCookie('sid', OURS);
        response.end();
      });
      expect(answer.all('cache-control')).toEqual(['no-store']);
    });

    it('C-12: caches that obey a header of their own are told the same (RFC 9213)', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        response.setHeader('CDN-Cache-Control', 'max-age=600');
        headers.setCookie('sid', OURS);
        response.writeHead(200, {
          'Surrogate-Control': 'max-age=600',
          'X-CDN-Cache-Control': 'public',
        });
        response.end();
      });
      expect(answer.one('cdn-cache-control')).toBe('no-store');
      expect(answer.one('x-cdn-cache-control')).toBe('no-store');
      expect(answer.one('surrogate-control')).toBe('no-store');
    });

    it('C-12: is left alone when the session is only read', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.dependOnCookie();
        response.setHeader('CDN-Cache-Control', 'max-age=600');
        response.writeHead(200, { 'Cache-Control': 'private, max-age=60' });
        response.end();
      });
      expect(answer.one('cache-control')).toBe('private, max-age=60');
      expect(answer.one('cdn-cache-control')).toBe('max-age=600');
    });
  });

  describe('dependOnCookie', () => {
    it.each<[string, string | string[] | undefined, unknown, string]>([
      ['nothing else', undefined, undefined, 'Cookie'],
      ['raw headers', 'Origin', undefined, 'Origin, Cookie'],
      ['several raw headers', ['Origin', 'Accept'], undefined, 'Origin, Accept, Cookie'],
      ['an empty value', '', undefined, 'Cookie'],
      ['Cookie already', 'Accept, cookie', undefined, 'Accept, cookie'],
      ['everything already', '*', undefined, '*'],
      ['everything among others', 'Origin, *', undefined, 'Origin, *'],
      ['similar names', 'X-Cookie, Cookie2', undefined, 'X-Cookie, Cookie2, Cookie'],
      ['an object', undefined, { vary: 'Origin' }, 'Origin, Cookie'],
      ['an object without it', undefined, { 'X-A': '1' }, 'Cookie'],
      ['an object with Cookie', undefined, { Vary: 'COOKIE' }, 'COOKIE'],
      [
        'an object in two spellings',
        undefined,
        { Vary: 'Origin', vary: 'Accept' },
        'Origin, Accept, Cookie',
      ],
      ['both, and the object overrides', 'Origin', { VARY: 'Accept' }, 'Accept, Cookie'],
      ['both, in two spellings', 'Origin', { Vary: 'A', vary: 'B' }, 'A, B, Cookie'],
      ['raw headers and another object', 'Origin', { 'X-A': '1' }, 'Origin, Cookie'],
      ['everything in an object', undefined, { Vary: '*' }, '*'],
      [
        'an array',
        undefined,
        ['Vary', 'Origin', 'X-A', '1', 'Vary', 'Accept'],
        'Origin, Accept, Cookie',
      ],
      ['an array of pairs', 'Origin', [['Vary', 'Accept']], 'Accept, Cookie'],
    ])('C-12: merges Vary with %s', async (_title, raw, given, expected) => {
      const answer = await answerFrom(start, (response, headers) => {
        expect(headers.dependOnCookie()).toBe(true);
        if (raw !== undefined) response.setHeader('Vary', raw);
        if (given !== undefined) response.writeHead(200, given);
        response.end('ok');
      });
      expect(answer.all('vary').join(', ')).toBe(expected);
      expect(answer.body).toBe('ok');
    });

    it('C-12: also when the application sets Vary before', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        response.setHeader('Vary', 'Origin');
        headers.dependOnCookie();
        headers.dependOnCookie();
        response.writeHead(304);
        response.end();
      });
      expect(answer.one('vary')).toBe('Origin, Cookie');
    });

    it('leaves the cookies and the duplicates of others as Node sends them', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.dependOnCookie();
        response.writeHead(200, ['Set-Cookie', 'a=1', 'X-A', '1', 'Set-Cookie', 'b=2', 'X-A', '2']);
        response.end();
      });
      expect(answer.all('set-cookie')).toEqual(['a=1', 'b=2']);
      expect(answer.all('x-a').join(', ')).toBe('1, 2');
      const overriding = await answerFrom(start, (response, headers) => {
        headers.dependOnCookie();
        response.setHeader('Set-Cookie', 'a=1');
        response.writeHead(200, { 'Set-Cookie': 'b=2' });
        response.end();
      });
      expect(overriding.all('set-cookie')).toEqual(['b=2']);
    });

    it('wraps writeHead once, however often it is called', async () => {
      await answerFrom(start, (response, headers) => {
        headers.dependOnCookie();
        const { writeHead } = response;
        headers.dependOnCookie();
        headers.setCookie('sid', OURS);
        headers.setCookie('sid', LATER);
        expect(response.writeHead).toBe(writeHead);
        response.end();
      });
    });
  });
});
