import { describe, expect, it } from '@jest/globals';
import { ResponseHeaders } from '../../../src/http/response-headers.js';
import { answerFrom, asRaw, kinds, rawText } from './response-headers.servers.js';
import type { Handler } from './response-headers.servers.js';

const OURS = 'sid=1; Path=/; HttpOnly; SameSite=Lax';
const LATER = 'sid=2; Path=/; HttpOnly; SameSite=Lax';

describe('informational responses', () => {
  const [, startHttp1] = kinds[0] as (typeof kinds)[number];
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

  async function textFrom(handler: Handler): Promise<string> {
    const server = await startHttp1(handler);
    try {
      return await rawText(server.port, request);
    } finally {
      await server.close();
    }
  }

  it('C-16: Continue and Early Hints stay as they are; only the answer carries the cookie', async () => {
    const text = await textFrom((_request, response) => {
      const raw = response as unknown as {
        writeContinue(): void;
        writeEarlyHints(hints: object): void;
      };
      new ResponseHeaders(asRaw(response)).setCookie('sid', OURS);
      raw.writeContinue();
      raw.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('done');
    });
    const heads = text.split('\r\n\r\n');
    expect(heads[0]).toBe('HTTP/1.1 100 Continue');
    expect(heads[1]).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload');
    expect(heads[2]).toContain(`Set-Cookie: ${OURS}`);
  });

  it.each([101, 103])('C-16: a head with status %d never carries our cookie', async (status) => {
    const text = await textFrom((_request, response) => {
      const headers = new ResponseHeaders(asRaw(response));
      response.setHeader('Set-Cookie', 'a=1');
      headers.setCookie('sid', OURS);
      response.writeHead(status, { Upgrade: 'x' });
      expect(headers.setCookie('sid', LATER)).toBe(false);
      response.end();
    });
    expect(text).toContain(`HTTP/1.1 ${status}`);
    expect(text).toContain('Upgrade: x');
    expect(text).toContain('Set-Cookie: a=1');
    expect(text).not.toContain('sid=');
  });

  it('C-16: nor does one whose only cookie was ours', async () => {
    const text = await textFrom((_request, response) => {
      const headers = new ResponseHeaders(asRaw(response));
      headers.setCookie('sid', OURS);
      response.writeHead(101);
      response.end();
    });
    expect(text).not.toMatch(/set-cookie/i);
  });

  it('C-16: without a cookie nothing is added at all', async () => {
    const text = await textFrom((_request, response) => {
      new ResponseHeaders(asRaw(response)).dependOnCookie();
      response.writeHead(101, { Upgrade: 'x' });
      response.end();
    });
    expect(text).not.toMatch(/vary|cookie/i);
  });

  it('keeps the reason of the status line', async () => {
    const text = await textFrom((_request, response) => {
      new ResponseHeaders(asRaw(response)).setCookie('sid', OURS);
      response.writeHead(200, 'Fine', { Vary: 'Origin', 'X-A': '1' });
      response.end();
    });
    expect(text).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
    expect(text).toContain('Vary: Origin, Cookie\r\n');
    expect(text).toContain('X-A: 1\r\n');
  });
});

describe('over HTTP/2', () => {
  const [, startHttp2] = kinds[1] as (typeof kinds)[number];

  it('C-16: Node refuses a 1xx head; the answer then carries the cookie', async () => {
    const answer = await answerFrom(startHttp2, (response, headers) => {
      headers.setCookie('sid', OURS);
      expect(() => response.writeHead(103)).toThrow('status code: 103');
      response.writeHead(200);
      response.end();
    });
    expect(answer.all('set-cookie')).toEqual([OURS]);
  });

  it('a client that went away is no error', async () => {
    let thrown: unknown;
    const server = await startHttp2((_request, response) => {
      try {
        (response as unknown as { stream: { destroy(): void } }).stream.destroy();
        const headers = new ResponseHeaders(asRaw(response));
        headers.dependOnCookie();
        headers.setCookie('sid', OURS);
        response.writeHead(200);
        response.end();
      } catch (error) {
        thrown = error;
      }
    });
    const answer = await server.ask();
    await server.close();
    expect(answer.all('set-cookie')).toEqual([]);
    expect(thrown).toBeUndefined();
  });
});
