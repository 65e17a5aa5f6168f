import { afterEach, describe, expect, it } from '@jest/globals';
import { ResponseHeaders } from '../../../src/http/response-headers.js';
import { asRaw, kinds } from './response-headers.servers.js';
import type { AnyResponse, TestServer } from './response-headers.servers.js';

const OURS = 'sid=1; Path=/';

/**
 * What `on-headers` 1.1 does for compression, express-session, morgan and many others: it calls the
 * listener when the head is written and moves the headers that were given to `writeHead` to the
 * response.
 */
function onHeaders(response: AnyResponse, listener: () => void): void {
  const { writeHead } = response;
  let fired = false;
  response.writeHead = function (...args) {
    if (!fired) {
      fired = true;
      listener();
    }
    const at = typeof args[1] === 'string' ? 2 : 1;
    const given = args[at];
    if (Array.isArray(given)) {
      for (let i = 0; i < given.length; i += 2) response.appendHeader(given[i], given[i + 1]);
    } else if (typeof given === 'object' && given !== null) {
      for (const [name, value] of Object.entries(given)) response.setHeader(name, value as string);
    }
    return writeHead.apply(this, args.slice(0, at) as [number]);
  };
}

/** Like a compressor: appends to Vary and removes the length. */
const compress = (response: AnyResponse) => (): void => {
  const vary = response.getHeader('Vary') as string | undefined;
  response.setHeader('Vary', vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding`);
  response.removeHeader('Content-Length');
};

/** Like middleware that knows of nobody else. */
const overwrite = (response: AnyResponse) => (): void => {
  response.setHeader('Set-Cookie', ['theirs=1', 'sid=stolen']);
  response.setHeader('Cache-Control', 'public, max-age=600');
  response.setHeader('Vary', 'Origin');
};

const remove = (response: AnyResponse) => (): void => {
  for (const name of ['Set-Cookie', 'Cache-Control', 'Vary']) response.removeHeader(name);
};

describe.each(kinds)('other wrappers of writeHead on %s', (kind, start) => {
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  type Listener = (response: AnyResponse) => () => void;
  type Write = (response: AnyResponse) => void;
  const orders = {
    before: (response: AnyResponse, ours: () => void, listener: Listener): void => {
      onHeaders(response, listener(response));
      ours();
    },
    after: (response: AnyResponse, ours: () => void, listener: Listener): void => {
      ours();
      onHeaders(response, listener(response));
    },
    'before and after': (response: AnyResponse, ours: () => void, listener: Listener): void => {
      onHeaders(response, listener(response));
      ours();
      onHeaders(response, listener(response));
    },
  };
  const writes: Record<string, Write> = {
    end: (response) => response.end('body'),
    'write and end': (response) => (response.write('bo'), response.end('dy')),
    'writeHead with an object': (response) => {
      response.writeHead(200, { 'Set-Cookie': 'a=1', 'X-A': '1' });
      response.end('body');
    },
    'writeHead with an array': (response) => {
      response.writeHead(200, ['Set-Cookie', 'a=1', 'X-A', '1']);
      response.end('body');
    },
  };
  const cases = Object.entries(orders).flatMap(([order, wrap]) =>
    Object.entries(writes).map(([how, write]) => ({ order, wrap, how, write })),
  );

  it.each(cases)('C-08: a compressor $order us, $how', async ({ wrap, write, how }) => {
    server = await start((_request, response) => {
      const headers = new ResponseHeaders(asRaw(response));
      wrap(response, () => headers.setCookie('sid', OURS), compress);
      write(response);
    });
    const answer = await server.ask();
    const others = how.startsWith('writeHead') ? ['a=1'] : [];
    expect(answer.all('set-cookie')).toEqual([...others, OURS]);
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.one('vary')?.split(', ')).toEqual(
      expect.arrayContaining(['Cookie', 'Accept-Encoding']),
    );
    expect(answer.body).toBe('body');
  });

  it.each(cases)('C-08, C-12: one that overwrites $order us, $how', async ({ wrap, write }) => {
    server = await start((_request, response) => {
      const headers = new ResponseHeaders(asRaw(response));
      wrap(response, () => headers.setCookie('sid', OURS), overwrite);
      write(response);
    });
    const answer = await server.ask();
    expect(answer.all('set-cookie').filter((line) => line.startsWith('sid='))).toEqual([OURS]);
    // Theirs, or what the application gave to writeHead, which then came after theirs.
    expect(answer.all('set-cookie')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(theirs|a)=1$/)]),
    );
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.one('vary')).toBe('Origin, Cookie');
    expect(answer.body).toBe('body');
  });

  it.each(cases)('C-08, C-12: one that removes $order us, $how', async ({ wrap, write }) => {
    server = await start((_request, response) => {
      const headers = new ResponseHeaders(asRaw(response));
      wrap(response, () => headers.setCookie('sid', OURS), remove);
      write(response);
    });
    const answer = await server.ask();
    expect(answer.all('set-cookie')).toContain(OURS);
    expect(answer.one('cache-control')).toBe('no-store');
    expect(answer.one('vary')).toBe('Cookie');
  });

  it.each(cases)('C-12: a session that was only read, $order, $how', async ({ wrap, write }) => {
    server = await start((_request, response) => {
      const headers = new ResponseHeaders(asRaw(response));
      wrap(response, () => headers.dependOnCookie(), overwrite);
      write(response);
    });
    const answer = await server.ask();
    expect(answer.one('vary')).toBe('Origin, Cookie');
    expect(answer.one('cache-control')).toBe('public, max-age=600');
  });

  it('two of ours on one response keep both cookies', async () => {
    server = await start((_request, response) => {
      new ResponseHeaders(asRaw(response)).setCookie('sid', OURS);
      new ResponseHeaders(asRaw(response)).setCookie('other', 'other=1');
      response.setHeader('Set-Cookie', 'a=1');
      response.end();
    });
    const answer = await server.ask();
    expect(answer.all('set-cookie').toSorted()).toEqual(['a=1', 'other=1', OURS]);
  });

  it('a wrapper that puts the old writeHead back first changes nothing', async () => {
    server = await start((_request, response) => {
      const { writeHead } = response;
      response.writeHead = (...args) => {
        response.writeHead = writeHead;
        response.setHeader('Vary', 'Origin');
        return response.writeHead(...args);
      };
      new ResponseHeaders(asRaw(response)).setCookie('sid', OURS);
      response.end();
    });
    const answer = await server.ask();
    expect(answer.all('set-cookie')).toEqual([OURS]);
    expect(answer.one('vary')).toBe('Origin, Cookie');
  });

  if (kind !== 'node:http2') {
    it('C-16: a 101 head passes without our cookie also below another wrapper', async () => {
      let head: unknown;
      server = await start((_request, response) => {
        onHeaders(response, () => undefined);
        new ResponseHeaders(asRaw(response)).setCookie('sid', OURS);
        response.writeHead(199, { 'X-A': '1' });
        head = response.getHeaders();
        response.writeHead = () => undefined;
        (response as unknown as { socket: { destroy(): void } }).socket.destroy();
      });
      await server.ask().catch(() => undefined);
      expect(head).toMatchObject({ 'x-a': '1' });
      expect(head).not.toHaveProperty('set-cookie');
    });

    it('does without the undocumented method if Node has it no longer', async () => {
      server = await start((_request, response) => {
        onHeaders(response, compress(response));
        Object.assign(response, { _storeHeader: undefined });
        new ResponseHeaders(asRaw(response)).setCookie('sid', OURS);
        Reflect.deleteProperty(response, '_storeHeader');
        response.end();
      });
      const answer = await server.ask();
      expect(answer.all('set-cookie')).toEqual([OURS]);
      expect(answer.one('vary')).toBe('Cookie, Accept-Encoding');
    });
  }
});
