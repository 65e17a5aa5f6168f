/**
 * HTTP/2, which only fastify speaks: many requests on one connection, and cookies in crumbs.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, type IncomingHttpHeaders, connect } from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SessionModule, SessionService, memoryStore } from '../../src/index.js';
import { AccountController, SECRET } from '../support/app.js';
import { type Application, LogKeeper, listen } from './programs/application.js';

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('sessions over HTTP/2 on fastify', () => {
  const running: Application[] = [];
  const clients: ClientHttp2Session[] = [];
  afterEach(async () => {
    clients.splice(0).forEach((client) => client.destroy());
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async () => {
    const logger = new LogKeeper();
    const session = SessionModule.forRoot({ secret: SECRET, store: memoryStore(), cleanup: false });
    const metadata = { imports: [session], controllers: [AccountController] };
    const app = await listen('fastify', metadata, { logger, fastify: { http2: true } as never });
    running.push(app);
    const client = connect(`http://localhost:${app.port}`);
    clients.push(client);
    await once(client, 'connect');
    const send = async (
      path: string,
      { body, ...headers }: Record<string, string | string[]> = {},
    ): Promise<Answer> => {
      const request = client.request({
        ':path': path,
        ':method': body === undefined ? 'GET' : 'POST',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      });
      if (body !== undefined) request.write(body);
      request.end();
      const [answer] = (await once(request, 'response')) as [IncomingHttpHeaders];
      let text = '';
      for await (const part of request.setEncoding('utf8')) text += String(part);
      return { headers: answer, body: text };
    };
    const login = async (user: string): Promise<string> => {
      const { headers } = await send('/login', { body: JSON.stringify({ user }) });
      expect(headers[':status']).toBe(204);
      expect(headers['set-cookie']).toHaveLength(1);
      return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    };
    return { ...app, logger, send, login };
  };

  it('C-11: logs in, answers with the usual headers, and takes cookies in crumbs', async () => {
    const { send, login, app } = await start();
    const cookie = await login('alice');
    const me = await send('/me', { cookie: ['a=1', cookie, 'b=2'] });
    expect(me.headers[':status']).toBe(200);
    expect(me.headers.vary).toBe('Cookie');
    expect(JSON.parse(me.body)).toMatchObject({ userId: 'alice' });
    const refused = await send('/me');
    expect(refused.headers[':status']).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Session');
    const out = await send('/logout', { cookie, body: '{}' });
    expect(out.headers['set-cookie']).toEqual([expect.stringContaining('Max-Age=0')]);
    expect((await app.get(SessionService).stats()).active).toBe(0);
  });

  it('D-06: 100 requests of 10 users on one connection keep to themselves', async () => {
    const { send, login } = await start();
    const cookies = await Promise.all(Array.from({ length: 10 }, (_, i) => login(`user-${i}`)));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => send('/me', { cookie: cookies[i % 10] ?? '' })),
    );
    const users = answers.map(({ body }) => (JSON.parse(body) as { userId: string }).userId);
    expect(users).toEqual(Array.from({ length: 100 }, (_, i) => `user-${i % 10}`));
  });

  it('P14: knows the host, which has another name there', async () => {
    const { login, logger, send } = await start();
    await login('alice');
    expect(logger.of('warn')).toEqual([]);
    const body = JSON.stringify({ user: 'alice' });
    await send('/login', { body, ':authority': 'app.example.com' });
    expect(logger.of('warn')).toHaveLength(1);
  });
});
