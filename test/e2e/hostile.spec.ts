/**
 * What clients send that no browser would: floods, forgeries, wrong carriers, duplicates. On both
 * adapters, as bytes over keep-alive connections.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, HttpCode, Post } from '@nestjs/common';
import {
  CurrentSession,
  Public,
  RequestSession,
  type SessionEvents,
  type SessionModuleOptions,
  SessionService,
  memoryStore,
} from '../../src/index.js';
import { type FaultyStore, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { RawConnection, type RawRequest, sendRaw, valuesOf } from './programs/raw-http.js';

const NAME = '__Host-sid';

@Controller()
class ByeController {
  @Public()
  @Post('bye')
  @HttpCode(204)
  bye(@CurrentSession() session: RequestSession): Promise<void> {
    return session.logout();
  }
}
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe.each(ADAPTERS)('hostile clients on %s', (adapter) => {
  const running: TestApp[] = [];
  const connections: RawConnection[] = [];
  afterEach(async () => {
    connections.splice(0).forEach((connection) => connection.close());
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  interface Bench {
    readonly port: number;
    readonly url: string;
    readonly store: FaultyStore;
    readonly service: SessionService;
    readonly ambiguous: SessionEvents['session.ambiguous'][];
    /** Logs a user in and gives the bare token. */
    tokenOf(user: string): Promise<string>;
    send(request: RawRequest): ReturnType<typeof sendRaw>;
    /** Number of store calls that something caused. */
    callsDuring(something: () => Promise<unknown>): Promise<number>;
  }

  const start = async (session: SessionModuleOptions = {}): Promise<Bench> => {
    const store = withFaults(memoryStore());
    const module = { controllers: [ByeController] };
    const app = await startApp(adapter, { session: { store, ...session }, module });
    running.push(app);
    const service = app.app.get(SessionService);
    const ambiguous: SessionEvents['session.ambiguous'][] = [];
    service.on('session.ambiguous', (event) => void ambiguous.push(event));
    const port = Number(new URL(app.url).port);
    return {
      port,
      url: app.url,
      store,
      service,
      ambiguous,
      tokenOf: async (user) => {
        const client = new Client(app.url);
        await client.login(user);
        return client.cookies.slice(NAME.length + 1);
      },
      send: (request) => sendRaw(port, request),
      callsDuring: async (something) => {
        const before = sum(store.calls);
        await something();
        return sum(store.calls) - before;
      },
    };
  };

  it('T-06, Q-01: 10,000 requests without, with forged and with malformed cookies cost no store call', async () => {
    const bench = await start();
    const genuine = await bench.tokenOf('alice');
    const paths = ['/me', '/public', '/who'];
    const requests = Array.from({ length: 10_000 }, (_, i): RawRequest => {
      const cookie = [undefined, forge(genuine, i), malform(genuine, i)][i % 3];
      return {
        path: paths[Math.floor(i / 3) % paths.length] ?? '',
        headers: cookie === undefined ? [] : [`Cookie: a=1; ${NAME}=${cookie}; b=2`],
      };
    });
    const bodies = new Set<string>();
    const seen = new Map<string, number>();
    const calls = await bench.callsDuring(async () => {
      for (let c = 0; c < 8; c++) connections.push(await RawConnection.open(bench.port));
      await Promise.all(
        connections.map(async (connection, c) => {
          const own = requests.filter((_, i) => i % connections.length === c);
          for (let at = 0; at < own.length; at += 25) {
            const batch = own.slice(at, at + 25);
            const answers = await Promise.all(connection.pipeline(batch));
            for (const [i, answer] of answers.entries()) {
              const what = `${batch[i]?.path} ${answer.status} ${valuesOf(answer, 'set-cookie').length}`;
              seen.set(what, (seen.get(what) ?? 0) + 1);
              if (answer.status === 401) bodies.add(answer.body);
            }
          }
        }),
      );
    });
    expect([...seen.keys()].toSorted()).toEqual(['/me 401 0', '/public 200 0', '/who 200 0']);
    expect([...seen.values()].reduce((a, b) => a + b)).toBe(10_000);
    expect(calls).toBe(0);
    // L-05: nothing tells a forged from a malformed from a missing token.
    expect(bodies.size).toBe(1);
    expect((await bench.service.stats()).created).toBe(1);
    const good = await bench.send({ path: '/me', headers: [`Cookie: ${NAME}=${genuine}`] });
    expect(good.status).toBe(200);
  });

  it('T-06: a flood of forged bearer tokens costs no store call', async () => {
    const bench = await start({ bearer: true });
    const genuine = await bench.tokenOf('alice');
    const connection = await RawConnection.open(bench.port);
    connections.push(connection);
    const statuses = new Set<number>();
    const calls = await bench.callsDuring(async () => {
      for (let at = 0; at < 1_000; at += 50) {
        const requests = Array.from({ length: 50 }, (_, i) => ({
          path: '/me',
          headers: [`Authorization: Bearer ${i % 2 ? forge(genuine, i) : malform(genuine, i)}`],
        }));
        const answers = await Promise.all(connection.pipeline(requests));
        answers.forEach(({ status }) => statuses.add(status));
      }
    });
    expect([...statuses]).toEqual([401]);
    expect(calls).toBe(0);
  });

  it('T-05: of all spellings of a genuine token only the one is accepted', async () => {
    const bench = await start({ bearer: true });
    const token = await bench.tokenOf('alice');
    const spellings = aliases(token);
    const answers: string[] = [];
    const calls = await bench.callsDuring(async () => {
      for (const [what, spelling] of Object.entries(spellings)) {
        for (const header of [`Cookie: ${NAME}=${spelling}`, `Authorization: Bearer ${spelling}`]) {
          const { status } = await bench.send({ path: '/me', headers: [header] });
          if (status !== 401) answers.push(`${what} in ${header.slice(0, 6)}: ${status}`);
        }
      }
    });
    expect(answers).toEqual([]);
    expect(calls).toBe(0);
  });

  it('C-10: cookie names match byte for byte; only blanks around them are trimmed', async () => {
    const bench = await start();
    const token = await bench.tokenOf('alice');
    const names = [
      `\xA0${NAME}`,
      `${NAME}\xA0`,
      `\x85${NAME}`,
      `\xE2\x80\x80${NAME}`,
      NAME.toLowerCase(),
      NAME.toUpperCase(),
      '%5f_Host-sid',
      `=${NAME}`,
      `$Version=1,${NAME}`,
      `"${NAME}"`,
      '__Host-si',
      `${NAME}2`,
      'sid',
    ];
    const statuses = await Promise.all(
      names.map(async (name) => {
        const headers = [`Cookie: ${name}=${token}`];
        return (await bench.send({ path: '/me', headers })).status;
      }),
    );
    expect(statuses).toEqual(names.map(() => 401));
    for (const line of [`Cookie: ${NAME} = ${token}`, `Cookie:\t${NAME}=${token}\t; a=b`]) {
      expect((await bench.send({ path: '/me', headers: [line] })).status).toBe(200);
    }
  });

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

  it('Q-04: a header of 16 KB is read, a longer one is refused by Node', async () => {
    const bench = await start();
    const good = await bench.tokenOf('alice');
    const fill = (bytes: number): string =>
      Array.from({ length: Math.floor(bytes / 8) }, (_, i) => `c${String(i).padStart(4, '0')}=`)
        .join('; ')
        .slice(0, bytes);
    const ask = (padding: number) =>
      bench.send({
        path: '/me',
        headers: [`Cookie: ${fill(padding)}; ${NAME}=${good}`],
      });
    expect((await ask(15_900)).status).toBe(200);
    expect((await ask(17_000)).status).toBe(431);
    const oneValue = await bench.send({
      path: '/me',
      headers: [`Cookie: x=${'y'.repeat(15_900)}; ${NAME}=${good}`],
    });
    expect(oneValue.status).toBe(200);
  });
});

function sum(calls: FaultyStore['calls']): number {
  return Object.values(calls).reduce((total, count) => total + count, 0);
}

/** Well-formed, with the key id of a genuine token, and a tag that is wrong. */
function forge(genuine: string, i: number): string {
  // Behind prefix, version and key id: bucket, sid, generation, deadline, secret or tag.
  const at = 6 + (i % 94);
  const old = BASE64URL.indexOf(genuine[at] ?? '');
  const other = BASE64URL[(old + 1 + (i % 63)) % 64] ?? '';
  return genuine.slice(0, at) + other + genuine.slice(at + 1);
}

function malform(genuine: string, i: number): string {
  const broken = [
    '',
    'x',
    genuine.slice(0, i % 100),
    `${genuine}A`,
    `${genuine}=`,
    genuine.slice(4),
    `%6e${genuine.slice(1)}`,
    `"${genuine}"`,
    genuine.toUpperCase(),
    genuine.replace('nsk_', 'nsk-'),
    `s:${genuine}.${'A'.repeat(43)}`,
    `${genuine.slice(0, 50)}\xE9${genuine.slice(51)}`,
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.',
    '__proto__',
    'nsk_'.repeat(25),
    `nsk_${'/'.repeat(96)}`,
    'A'.repeat(2_000),
  ];
  return broken[i % broken.length] ?? '';
}

/** Other texts that a lenient decoder would take for the same bytes. */
function aliases(token: string): Record<string, string> {
  const body = token.slice(4);
  return {
    'a quoted value': `"${token}"`,
    padding: `${token}=`,
    'more padding': `${token}====`,
    'an inserted !': `${token.slice(0, 40)}!${token.slice(40)}`,
    'an inserted .': `${token.slice(0, 40)}.${token.slice(40)}`,
    'a percent-encoded character': `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`,
    'a doubled prefix': `nsk_${token}`,
    'a missing prefix': body,
    'a prefix in capitals': `NSK_${body}`,
    'swapped case': `nsk_${body.split('').map(swapCase).join('')}`,
    'a space inside': `${token.slice(0, 40)} ${token.slice(40)}`,
    'a no-break space in front': `\xA0${token}`,
    'a no-break space behind': `${token}\xA0`,
    'a byte order mark in front': `\xEF\xBB\xBF${token}`,
    'something behind a comma': `${token},x`,
    'a second token behind a comma': `${token},${token}`,
  };
}

function swapCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}
