/**
 * What must not be seen: secrets in anything that prints, and differences between answers that
 * would tell a stranger what exists.
 */
import { type InspectOptions, inspect } from 'node:util';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  type NestInterceptor,
  UseGuards,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Observable } from 'rxjs';
import {
  CurrentSession,
  InjectSessionConfig,
  RequestSession,
  type SessionConfig,
  SessionError,
  SessionGuard,
  SessionHealthIndicator,
  type SessionModuleOptions,
  SessionRequests,
  SessionService,
  SessionSweepTask,
  memoryStore,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { ADAPTERS, SECRET, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { type RawAnswer, sendRaw } from './programs/raw-http.js';

const NAME = '__Host-sid';
const DEEP: InspectOptions = { depth: Infinity, showHidden: true, maxStringLength: Infinity };

@Controller('probe')
@UseGuards(SessionGuard)
class ProbeController {
  seen: unknown[] = [];

  constructor(@InjectSessionConfig() readonly config: SessionConfig) {}

  @Get()
  async probe(@CurrentSession() session: RequestSession): Promise<object> {
    const verdict = await session.resolve();
    this.seen.push(session, verdict);
    return { session, verdict };
  }
}

/** Keeps what exception filters and interceptors get to see. */
class Witness implements NestInterceptor {
  static readonly seen: unknown[] = [];

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    Witness.seen.push(context.getArgs()[0]);
    return next.handle();
  }
}

describe.each(ADAPTERS)('what may be seen on %s', (adapter) => {
  const running: TestApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });
  const start = async (session: SessionModuleOptions = {}) => {
    const module = {
      controllers: [ProbeController],
      providers: [{ provide: APP_INTERCEPTOR, useClass: Witness }],
    };
    const app = await startApp(adapter, { session, module });
    running.push(app);
    return app;
  };

  it('L-01: nothing of ours shows a token, a secret or a verifier, however it is printed', async () => {
    const store = withFaults(memoryStore());
    const resolves: { token: { verifier: string } }[] = [];
    const resolve = store.resolve.bind(store);
    Object.assign(store, {
      resolve: (request: { token: { verifier: string } }) => {
        resolves.push(request);
        return resolve(request as never);
      },
    });
    const { app, url } = await start({ store });
    const service = app.get(SessionService);
    const events: unknown[] = [];
    const names = [
      'session.created',
      'session.ended',
      'session.rotated',
      'session.login-failed',
    ] as const;
    for (const name of names) service.on(name, (event) => void events.push(event));

    const created = await service.create('alice', { data: { note: 'x' } });
    const text = created.token.token.reveal();
    const client = new Client(url);
    client.cookies = `${NAME}=${text}`;
    const probed = await client.get('/probe');
    expect(probed.status).toBe(200);
    await client.post('/rotate');
    const rotated = client.cookies.slice(NAME.length + 1);
    await service.recordLoginFailure('bob');
    await client.post('/logout');
    store.plan({ all: { fail: 'before' } });
    const errors = await Promise.all([
      service.list('alice').catch((error: unknown) => error),
      service.create('').catch((error: unknown) => error),
      created.session.set('x', 1).catch((error: unknown) => error),
    ]);
    errors.forEach((error) => expect(error).toBeInstanceOf(SessionError));
    store.plan({});
    expect(events.length).toBeGreaterThanOrEqual(4);

    const probe = app.get(ProbeController);
    const subjects: Record<string, unknown> = {
      created,
      'the session': created.session,
      'the minted token': created.token,
      'the secret token': created.token.token,
      'request session and verdict': probe.seen,
      'the service': service,
      'the config': probe.config,
      'the guard': app.get(SessionGuard, { strict: false }),
      'the requests': app.get(SessionRequests),
      'the health indicator': app.get(SessionHealthIndicator),
      'the cleanup': app.get(SessionSweepTask),
      events,
      errors,
      'the answer of a handler': probed.body,
      'the config error': await Promise.resolve()
        .then(() => startApp(adapter, { session: { secret: [SECRET, 'short'] } }))
        .catch((error: unknown) => error),
    };
    const secrets: Record<string, string> = {
      'the token': text,
      'the secret part': text.slice(4 + 32, 4 + 74),
      'the tag': text.slice(-20),
      'the rotated token': rotated,
      'the option secret': SECRET,
      'the verifier': resolves[0]?.token.verifier ?? 'missing',
    };
    expect(secrets['the verifier']).toHaveLength(43);
    const printers: Record<string, (subject: unknown) => string> = {
      inspect: (subject) => inspect(subject, DEEP),
      'inspect in a list': (subject) => inspect([{ subject }], DEEP),
      'JSON.stringify': (subject) => JSON.stringify(subject) ?? '',
      String: (subject) => String(subject),
      'its own keys': (subject) => Object.keys(Object(subject)).join(),
      'a template': (subject) => `${Object(subject)}`,
    };
    const leaks: string[] = [];
    for (const [what, subject] of Object.entries(subjects)) {
      for (const [how, print] of Object.entries(printers)) {
        const printed = print(subject);
        for (const [name, secret] of Object.entries(secrets)) {
          if (printed.includes(secret)) leaks.push(`${how} of ${what} shows ${name}`);
        }
      }
    }
    expect(leaks).toEqual([]);
  });

  it('L-01: nothing of ours hangs on the request object, where loggers would print it', async () => {
    const { url, app } = await start();
    const { token } = await app.get(SessionService).create('alice');
    const client = new Client(url);
    client.cookies = `${NAME}=${token.token.reveal()}`;
    Witness.seen.length = 0;
    expect((await client.get('/probe')).status).toBe(200);
    const [request] = Witness.seen as [object];
    const names = new Set<string>();
    const constructors = new Set<string>();
    walk(request, (key, value) => {
      names.add(key);
      if (typeof value === 'object' && value !== null) constructors.add(value.constructor?.name);
    });
    expect([...constructors].filter((name) => /session|verified|secret/i.test(name ?? ''))).toEqual(
      [],
    );
    expect([...names].filter((name) => /session-kit/i.test(name))).toEqual([]);
  });

  it('V-03, L-05: a foreign, an unknown, an ended and a malformed id are answered byte for byte alike', async () => {
    const { url, app } = await start();
    const service = app.get(SessionService);
    const [alice, bob] = [new Client(url), new Client(url)];
    await alice.login('alice');
    await bob.login('bob');
    const foreign = (await service.create('bob')).session.id;
    const ended = (await service.create('alice')).session.id;
    await service.revoke(ended);
    const ids = [
      foreign,
      ended,
      'A'.repeat(24),
      `${foreign.slice(0, 23)}${foreign.endsWith('A') ? 'B' : 'A'}`,
      'short',
      `${foreign}A`,
      // Fastify itself refuses longer parameters.
      'x'.repeat(100),
      '%00',
      encodeURIComponent('{"$ne":null}'),
      '__proto__',
      'constructor',
    ];
    const answers = await Promise.all(
      ids.map((id) =>
        sendRaw(Number(new URL(url).port), {
          method: 'DELETE',
          path: `/devices/${id}`,
          headers: [`Cookie: ${alice.cookies}`],
        }),
      ),
    );
    expect(new Set(answers.map(comparable)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect((await bob.get('/me')).status).toBe(200);
    expect((await service.list('bob')).sessions).toHaveLength(2);
  });

  it('L-05: a missing, a malformed, a forged and a foreign token are answered byte for byte alike', async () => {
    const { url, app } = await start();
    const other = await start({ secret: 'another-secret-9b1f4d7a3ce850264be9d1a8f7c3' });
    const own = (await app.get(SessionService).create('alice')).token.token.reveal();
    const foreign = (await other.app.get(SessionService).create('alice')).token.token.reveal();
    const broken = own.slice(0, -1) + (own.endsWith('A') ? 'B' : 'A');
    const values = ['', 'x', foreign, broken, own.slice(0, 99), `${own}A`, own.toUpperCase()];
    const headers: string[][] = [[], ...values.map((value) => [`Cookie: ${NAME}=${value}`])];
    const answers = await Promise.all(
      headers.map((lines) => sendRaw(Number(new URL(url).port), { path: '/me', headers: lines })),
    );
    expect(new Set(answers.map(comparable)).size).toBe(1);
    expect(answers[0]?.status).toBe(401);
  });

  it('L-05: only the holder of a genuine token is told why a session ended', async () => {
    const { url, app } = await start();
    const service = app.get(SessionService);
    const client = new Client(url);
    await client.login('alice');
    const [session] = (await service.list('alice')).sessions;
    await service.revoke(session?.id ?? '');
    expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
    const token = client.cookies;
    client.cookies = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
    expect((await client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REQUIRED' });
  });
});

/** The whole answer but the moment. */
function comparable({ status, headers, body }: RawAnswer): string {
  return JSON.stringify([status, headers.filter(([name]) => name !== 'date'), body]);
}

/** Visits everything that can be reached over own string keys, as a logger would. */
function walk(root: object, visit: (key: string, value: unknown) => void): void {
  const seen = new Set<object>();
  const queue: object[] = [root];
  for (let next = queue.pop(); next !== undefined && seen.size < 20_000; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const key of Reflect.ownKeys(next)) {
      const { value } = Object.getOwnPropertyDescriptor(next, key) ?? {};
      visit(String(key), value);
      // Servers and sockets lead to the whole process.
      if (typeof value !== 'object' || value === null) continue;
      if (/server|socket|client|parser|app|log/i.test(String(key))) continue;
      queue.push(value as object);
    }
  }
}
