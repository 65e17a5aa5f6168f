import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { answerFrom, kinds } from './response-headers.servers.js';
import type { AnyResponse } from './response-headers.servers.js';

const OURS = 'sid=1; Path=/; HttpOnly; SameSite=Lax';
const LATER = 'sid=2; Path=/; HttpOnly; SameSite=Lax';
const GONE = 'sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax';

describe.each(kinds)('response headers on %s', (kind, start) => {
  describe('setCookie', () => {
    it('C-08: the last state wins: a login, two rotations and a logout leave one deletion', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        headers.setCookie('sid', 'sid=x; Path=/');
        headers.setCookie('sid', LATER);
        headers.setCookie('sid', GONE);
        response.end('done');
      });
      expect(answer.all('set-cookie')).toEqual([GONE]);
      expect(answer.body).toBe('done');
    });

    it('is visible on the raw response at once', async () => {
      await answerFrom(start, (response, headers) => {
        expect(headers.setCookie('sid', OURS)).toBe(true);
        expect(response.getHeader('set-cookie')).toEqual([OURS]);
        expect(response.getHeader('cache-control')).toBe('no-store');
        expect(response.getHeader('vary')).toBe('Cookie');
        response.end();
      });
    });

    it('keeps several names of its own', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        headers.setCookie('other', 'other=1');
        headers.setCookie('sid', LATER);
        response.end();
      });
      expect(answer.all('set-cookie')).toEqual([LATER, 'other=1']);
    });

    it.each<[string, (response: AnyResponse) => void, string[]]>([
      ['set before', () => undefined, ['early=1', OURS]],
      ['set after', (response) => response.setHeader('set-cookie', 'a=1'), ['a=1', OURS]],
      [
        'set as a list',
        (response) => response.setHeader('Set-Cookie', ['a=1', 'b=2; Path=/']),
        ['a=1', 'b=2; Path=/', OURS],
      ],
      [
        'appended',
        (response) => response.appendHeader('Set-Cookie', 'a=1'),
        ['early=1', 'a=1', OURS],
      ],
      ['removed', (response) => response.removeHeader('Set-Cookie'), [OURS]],
      [
        'given to writeHead',
        (response) => response.writeHead(200, { 'Set-Cookie': 'a=1' }),
        ['early=1', 'a=1', OURS],
      ],
      [
        'given to writeHead in several spellings',
        (response) =>
          response.writeHead(200, { 'Set-Cookie': 'a=1', 'SET-COOKIE': ['b=2', 'c=3'] }),
        ['early=1', 'a=1', 'b=2', 'c=3', OURS],
      ],
      [
        'given to writeHead as an array of pairs in a row',
        (response) =>
          response.writeHead(200, ['Set-Cookie', 'a=1', 'X-A', '1', 'Set-Cookie', 'b=2']),
        ['early=1', 'a=1', 'b=2', OURS],
      ],
      [
        'given to writeHead as an array of pairs',
        (response) =>
          response.writeHead(200, [
            ['Set-Cookie', ['a=1', 'b=2']],
            ['X-A', '1'],
          ]),
        ['early=1', 'a=1', 'b=2', OURS],
      ],
      [
        'copied from the raw headers, as plug-ins do',
        (response) => {
          const copied = response.getHeader('set-cookie') as string[];
          copied.push('a=1');
          response.writeHead(200, { 'set-cookie': copied });
        },
        ['early=1', 'a=1', OURS],
      ],
      ['nameless', (response) => response.setHeader('set-cookie', 'a; b=c'), ['a; b=c', OURS]],
      [
        'similar in name',
        (response) => response.setHeader('set-cookie', ['SID=1', 'sid2=1', 'xsid=1', 'a=sid=1']),
        ['SID=1', 'sid2=1', 'xsid=1', 'a=sid=1', OURS],
      ],
      [
        'of our name',
        (response) => response.setHeader('set-cookie', ['sid=x', ' sid\t=y; Path=/app', 'sid=']),
        [OURS],
      ],
      [
        'of our name in writeHead',
        (response) => response.writeHead(200, { 'Set-Cookie': ['sid=x; Domain=a.test', 'a=1'] }),
        ['early=1', 'a=1', OURS],
      ],
    ])('C-08: other cookies, %s', async (_title, change, expected) => {
      const answer = await answerFrom(start, (response, headers) => {
        response.setHeader('Set-Cookie', 'early=1');
        headers.setCookie('sid', OURS);
        change(response);
        response.end();
      });
      expect(answer.all('set-cookie')).toEqual(expected);
      expect(answer.one('cache-control')).toBe('no-store');
      expect(answer.one('vary')).toBe('Cookie');
    });

    it('C-08: the cookie is still there when an error handler removes every header', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        for (const name of Object.keys(response.getHeaders())) response.removeHeader(name);
        response.statusCode = 500;
        response.end('failed');
      });
      expect(answer.status).toBe(500);
      expect(answer.all('set-cookie')).toEqual([OURS]);
      expect(answer.one('cache-control')).toBe('no-store');
      expect(answer.one('vary')).toBe('Cookie');
    });

    it('answers false after the head was sent, and throws nothing', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.dependOnCookie();
        response.writeHead(200);
        expect(headers.setCookie('sid', OURS)).toBe(false);
        expect(headers.setHeader('Retry-After', 1)).toBe(false);
        expect(headers.dependOnCookie()).toBe(false);
        response.end();
      });
      expect(answer.all('set-cookie')).toEqual([]);
      expect(answer.one('vary')).toBe('Cookie');
      expect(answer.one('cache-control')).toBeUndefined();
    });

    it('answers false after the first byte of a stream', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        response.write('a');
        expect(headers.setCookie('sid', OURS)).toBe(false);
        response.end('b');
      });
      expect(answer.body).toBe('ab');
      expect(answer.all('set-cookie')).toEqual([]);
    });

    it('T-03: the cookie does not show when the object is printed', async () => {
      await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', 'sid=secret');
        expect(inspect(headers, { depth: 9, showHidden: true })).not.toContain('secret');
        expect(JSON.stringify(headers)).toBe('{}');
        response.end();
      });
    });
  });

  describe('when the head is written', () => {
    it.each<[string, (response: AnyResponse) => void, string]>([
      ['end', (response) => response.end('a'), 'a'],
      ['end without a body', (response) => response.end(), ''],
      ['writeHead and end', (response) => (response.writeHead(200), response.end('a')), 'a'],
      ['write and end', (response) => (response.write('a'), response.end('b')), 'ab'],
      ['flushHeaders', (response) => (response.flushHeaders(), response.end('event')), 'event'],
    ])('C-08: merges on %s', async (_title, finish, body) => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        response.setHeader('Set-Cookie', 'a=1');
        response.setHeader('Vary', 'Origin');
        finish(response);
      });
      expect(answer.all('set-cookie')).toEqual(['a=1', OURS]);
      expect(answer.one('vary')).toBe('Origin, Cookie');
      expect(answer.body).toBe(body);
    });

    it.each([
      [204, 'GET'],
      [304, 'GET'],
      [200, 'HEAD'],
      [500, 'POST'],
    ])('C-12: also on status %d and method %s', async (status, method) => {
      const answer = await answerFrom(
        start,
        (response, headers) => {
          headers.setCookie('sid', OURS);
          response.writeHead(status, { 'Cache-Control': 'public', 'Content-Type': 'text/plain' });
          response.end();
        },
        { method },
      );
      expect(answer.status).toBe(status);
      expect(answer.all('set-cookie')).toEqual([OURS]);
      expect(answer.one('cache-control')).toBe('no-store');
      expect(answer.one('vary')).toBe('Cookie');
      expect(answer.one('content-type')).toBe('text/plain');
    });

    it('leaves all other arguments alone', async () => {
      const given = Object.freeze({ 'X-A': '1', Vary: 'Origin', 'Set-Cookie': 'a=1' });
      const list = ['X-C', '1', 'X-C', '2'];
      const answer = await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        response.setHeader('X-B', '2');
        response.writeHead(201, given);
        response.end();
      });
      expect([answer.status, answer.one('x-a'), answer.one('x-b')]).toEqual([201, '1', '2']);
      const second = await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        response.setHeader('X-C', 'early');
        response.writeHead(200, list);
        response.end();
      });
      expect(second.all('x-c').join(', ')).toBe('1, 2');
      expect(list).toEqual(['X-C', '1', 'X-C', '2']);
    });

    it('T-03: does not add to a list that belongs to the application', async () => {
      const shared = ['1'];
      await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        response.writeHead(200, ['X-A', shared, 'X-A', '2']);
        response.end();
      });
      expect(shared).toEqual(['1']);
    });

    it.each<[string, (response: AnyResponse) => void, RegExp]>([
      [
        'a second head',
        (response) => (response.writeHead(200), response.writeHead(200)),
        /headers|initiated/,
      ],
      ['an odd list', (response) => response.writeHead(200, ['X-A']), /headers/],
    ])('lets Node refuse %s', async (_title, write, message) => {
      await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        expect(() => write(response)).toThrow(message);
        response.end();
      });
    });

    it('C-08: an invalid status is refused and the next head carries the cookie', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        response.setHeader('Set-Cookie', [
          'a=1',
          ...(response.getHeader('Set-Cookie') as string[]),
        ]);
        expect(() => response.writeHead(99)).toThrow('status code: 99');
        response.writeHead(200);
        response.end();
      });
      expect(answer.all('set-cookie')).toEqual(['a=1', OURS]);
    });
  });

  describe('setHeader', () => {
    it('sends the header, whatever is given to writeHead', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.dependOnCookie();
        expect(headers.setHeader('WWW-Authenticate', 'Session')).toBe(true);
        expect(headers.setHeader('Retry-After', 5)).toBe(true);
        response.writeHead(401, { 'content-type': 'text/plain' });
        response.end();
      });
      expect(answer.one('www-authenticate')).toBe('Session');
      expect(answer.one('retry-after')).toBe('5');
      expect(answer.one('vary')).toBe('Cookie');
    });

    it('gives way to what the application sends afterwards', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.setHeader('WWW-Authenticate', 'Session');
        response.writeHead(401, { 'www-authenticate': 'Basic' });
        response.end();
      });
      expect(answer.all('www-authenticate')).toEqual(['Basic']);
    });
  });

  // Over HTTP/2 Node does not look at the characters of a value.
  if (kind !== 'node:http2') {
    it('a value that Node refuses leaves no half state', async () => {
      const answer = await answerFrom(start, (response, headers) => {
        headers.setCookie('other', 'other=1');
        expect(() => headers.setCookie('sid', 'sid=1\r\nX-Evil: 1')).toThrow('Set-Cookie');
        response.end();
      });
      expect(answer.all('set-cookie')).toEqual(['other=1']);
    });

    it('lets Node refuse a value with a line break', async () => {
      await answerFrom(start, (response, headers) => {
        headers.setCookie('sid', OURS);
        expect(() => response.writeHead(200, { 'X-A': 'a\nb' })).toThrow('X-A');
        response.end();
      });
    });
  }
});
