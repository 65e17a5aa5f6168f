/**
 * Genuine tokens in the wrong carrier, in two carriers at once, and beside others of their name.
 */
import { describe, expect, it } from '@jest/globals';
import { Controller, HttpCode, Post } from '@nestjs/common';
import { CurrentSession, Public, RequestSession } from '../../src/index.js';
import { ADAPTERS } from '../support/app.js';
import { Client } from '../support/client.js';
import { NAME, forge, useBench } from './hostile.kit.js';
import { type RawRequest, valuesOf } from './programs/raw-http.js';

@Controller()
class ByeController {
  @Public()
  @Post('bye')
  @HttpCode(204)
  bye(@CurrentSession() session: RequestSession): Promise<void> {
    return session.logout();
  }
}

describe.each(ADAPTERS)('hostile clients on %s', (adapter) => {
  const start = useBench(adapter, { controllers: [ByeController] });

  it('T-09: a genuine token anywhere but in its carrier is 401 without a store call', async () => {
    const bench = await start();
    const token = await bench.tokenOf('alice');
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const json = 'Content-Type: application/json';
    const requests: RawRequest[] = [
      { path: `/me?${NAME}=${token}` },
      { path: `/me?sid=${token}&access_token=${token}&token=${token}` },
      { path: `/me?${NAME}[]=${token}` },
      { path: '/count', method: 'POST', headers: [form], body: `${NAME}=${token}&sid=${token}` },
      {
        path: '/count',
        method: 'POST',
        headers: [json],
        body: JSON.stringify({ [NAME]: token, sid: token, access_token: token }),
      },
      { path: `/devices/${token}`, method: 'DELETE' },
      ...[
        `X-Session-Id: ${token}`,
        `X-Auth-Token: ${token}`,
        `X-Access-Token: ${token}`,
        `Sec-WebSocket-Protocol: ${token}`,
        `Set-Cookie: ${NAME}=${token}`,
        `Cookie2: ${NAME}=${token}`,
        `Proxy-Authorization: Bearer ${token}`,
        `Authorization: Bearer ${token}`,
        `Authorization: Session ${token}`,
        `Authorization: Basic ${Buffer.from(`x:${token}`).toString('base64')}`,
        `Authorization: ${token}`,
      ].map((header) => ({ path: '/me', headers: [header] })),
    ];
    const wrong: string[] = [];
    const calls = await bench.callsDuring(async () => {
      for (const [i, request] of requests.entries()) {
        const answer = await bench.send(request);
        const cookies = valuesOf(answer, 'set-cookie');
        if (answer.status !== 401 || cookies.length > 0) wrong.push(`#${i}: ${answer.status}`);
      }
    });
    expect(wrong).toEqual([]);
    expect(calls).toBe(0);
    // As a path parameter it changes the path: there is no such route, or its handler is guarded.
    const { status } = await bench.send({ path: `/me;${NAME}=${token}` });
    expect([401, 404]).toContain(status);
  });

  describe('bearer', () => {
    it('is read only with the option, and by the scheme alone', async () => {
      const off = await start();
      const on = await start({ bearer: true });
      const tokens = [await off.tokenOf('alice'), await on.tokenOf('alice')];
      const sendWith = (header: string): RawRequest => ({ path: '/me', headers: [header] });
      const refused = await off.send(sendWith(`Authorization: Bearer ${tokens[0]}`));
      expect(refused.status).toBe(401);
      expect(valuesOf(refused, 'www-authenticate')).toEqual(['Session']);
      for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
        const answer = await on.send(sendWith(`Authorization: ${scheme} ${tokens[1]}`));
        expect(answer.status).toBe(200);
      }
      // 1*SP (RFC 9110 11.4).
      expect((await on.send(sendWith(`Authorization: Bearer   ${tokens[1]}`))).status).toBe(200);
      const wrong = ['Session', 'Basic', 'Token', 'Bearer:', 'BearerX', 'Bearer,', ''];
      for (const scheme of wrong) {
        const answer = await on.send(sendWith(`Authorization: ${scheme} ${tokens[1]}`));
        expect(answer.status).toBe(401);
        expect(valuesOf(answer, 'www-authenticate')).toEqual(['Bearer']);
      }
    });

    it('T-10: the same token in both carriers is one; two different genuine ones are refused', async () => {
      const bench = await start({ bearer: true });
      const [alice, bob] = [await bench.tokenOf('alice'), await bench.tokenOf('bob')];
      const both = (cookie: string, bearer: string): RawRequest => ({
        path: '/me',
        headers: [`Cookie: ${NAME}=${cookie}`, `Authorization: Bearer ${bearer}`],
      });
      expect((await bench.send(both(alice, alice))).status).toBe(200);
      expect(bench.ambiguous).toHaveLength(0);
      const answer = await bench.send(both(alice, bob));
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'ERR_SESSION_AMBIGUOUS' });
      expect(valuesOf(answer, 'set-cookie')).toEqual([]);
      expect(bench.ambiguous).toHaveLength(1);
      // Garbage beside a genuine token changes nothing.
      expect((await bench.send(both(forge(alice, 1), alice))).status).toBe(200);
      expect((await bench.send(both(alice, forge(bob, 1)))).status).toBe(200);
    });
  });

  describe('several cookies of one name', () => {
    const cookies = (...values: string[]): RawRequest => ({
      path: '/me',
      headers: [`Cookie: ${values.map((value) => `${NAME}=${value}`).join('; ')}`],
    });

    it('C-09: the one that verifies counts, wherever it stands', async () => {
      const bench = await start();
      const good = await bench.tokenOf('alice');
      const evil = forge(good, 7);
      for (const request of [
        cookies(evil, good),
        cookies(good, evil),
        cookies('', good),
        cookies('x', evil, good, 'y'),
        cookies(good, good),
      ]) {
        const answer = await bench.send(request);
        expect(answer.status).toBe(200);
        expect(JSON.parse(answer.body)).toMatchObject({ userId: 'alice' });
      }
      expect(bench.ambiguous).toHaveLength(0);
    });

    it('C-09: two different genuine ones are 401 with an event, and neither is cleared', async () => {
      const bench = await start();
      const [alice, bob] = [await bench.tokenOf('alice'), await bench.tokenOf('bob')];
      for (const request of [cookies(alice, bob), cookies(bob, 'x', alice, bob)]) {
        const answer = await bench.send(request);
        expect(answer.status).toBe(401);
        expect(JSON.parse(answer.body)).toEqual({
          statusCode: 401,
          message: 'Authentication required',
          error: 'Unauthorized',
          code: 'ERR_SESSION_AMBIGUOUS',
        });
        expect(valuesOf(answer, 'set-cookie')).toEqual([]);
      }
      expect(bench.ambiguous).toHaveLength(2);
      expect(new Set(bench.ambiguous.map(({ eventId }) => eventId)).size).toBe(2);
      expect((await bench.send(cookies(alice))).status).toBe(200);
      expect((await bench.send(cookies(bob))).status).toBe(200);
    });

    it('C-09: 50 duplicates are bounded work and never an error', async () => {
      const bench = await start();
      const good = await bench.tokenOf('alice');
      const evil = Array.from({ length: 50 }, (_, i) => forge(good, i));
      const early = await bench.send(cookies(...evil.slice(0, 7), good, ...evil.slice(7)));
      expect(early.status).toBe(200);
      const late = await bench.send(cookies(...evil, good));
      expect(late.status).toBe(401);
      expect(valuesOf(late, 'set-cookie')).toEqual([]);
      expect((await bench.send(cookies(...evil.map(() => good)))).status).toBe(200);
    });

    it('C-11: cookies spread over several headers are one list', async () => {
      const bench = await start();
      const good = await bench.tokenOf('alice');
      const headers = ['Cookie: a=1', `Cookie: ${NAME}=${good}`, 'Cookie: b=2; c=3'];
      expect((await bench.send({ path: '/me', headers })).status).toBe(200);
    });

    it('V-01: a logout with two genuine tokens ends both sessions, not just the cookie', async () => {
      const bench = await start();
      const [alice, bob] = [await bench.tokenOf('alice'), await bench.tokenOf('bob')];
      const request = { ...cookies(alice, 'x', bob), path: '/bye', method: 'POST' };
      const answer = await bench.send(request);
      expect(answer.status).toBe(204);
      expect(valuesOf(answer, 'set-cookie')).toEqual([expect.stringContaining('Max-Age=0')]);
      for (const token of [alice, bob]) {
        const { body } = await bench.send(cookies(token));
        expect(JSON.parse(body)).toMatchObject({ code: 'ERR_SESSION_ENDED' });
      }
      expect((await bench.service.stats()).ended).toMatchObject({ logout: 2 });
    });

    it('C-09: a write with two genuine tokens begins no session over the head of either', async () => {
      const bench = await start();
      const [alice, bob] = [await bench.tokenOf('alice'), await bench.tokenOf('bob')];
      const answer = await bench.send({
        path: '/data/theme',
        method: 'POST',
        headers: [...(cookies(alice, bob).headers ?? []), 'Content-Type: application/json'],
        body: JSON.stringify({ value: 'dark' }),
      });
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'ERR_SESSION_AMBIGUOUS' });
      expect(valuesOf(answer, 'set-cookie')).toEqual([]);
      expect((await bench.service.stats()).anonymous).toBe(0);
    });

    it('R-04: a login with two genuine tokens ends both sessions and takes nothing from them', async () => {
      const bench = await start({ data: { keepOnLogin: ['cart'] } });
      const visitor = new Client(bench.url);
      await visitor.post('/data/cart', { value: 'planted' });
      const planted = visitor.cookies.slice(NAME.length + 1);
      const bob = await bench.tokenOf('bob');
      const answer = await bench.send({
        path: '/login',
        method: 'POST',
        headers: [...(cookies(bob, planted).headers ?? []), 'Content-Type: application/json'],
        body: JSON.stringify({ user: 'alice' }),
      });
      expect(answer.status).toBe(204);
      const [line = ''] = valuesOf(answer, 'set-cookie');
      const headers = [`Cookie: ${line.slice(0, line.indexOf(';'))}`];
      const data = await bench.send({ path: '/data', headers });
      expect(JSON.parse(data.body)).toEqual({});
      expect((await bench.send(cookies(bob))).status).toBe(401);
      expect((await bench.service.stats()).anonymous).toBe(0);
    });
  });
});
