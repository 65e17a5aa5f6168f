/**
 * V-12: what is being answered ends with its session. When a stream learns of it, and what that
 * costs, is in test/unit/core/session-watch.spec.ts; several instances are in test/redis/streams.spec.ts.
 */
import { once } from 'node:events';
import { type ClientHttp2Stream, type IncomingHttpHeaders, connect } from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SessionModule, SessionService, memoryStore } from '../../src/index.js';
import { manualClock, withFaults } from '../../src/testing/index.js';
import {
  ADAPTERS,
  AccountController,
  SECRET,
  type TestApp,
  type TestAppOptions,
  startApp,
} from '../support/app.js';
import { Client } from '../support/client.js';
import { StreamController, leaveAll, openStream } from '../support/streams.js';
import { until } from '../support/until.js';
import { Wire } from '../support/wire.js';
import { listen } from './programs/application.js';

/** What a busy machine may add. */
const SLACK = 2_000;

describe.each(ADAPTERS)('a response on %s', (adapter) => {
  const running: TestApp[] = [];
  afterEach(async () => {
    leaveAll();
    await Promise.all(running.splice(0).map((app) => app.close()));
    await StreamController.hasLive(0);
  });

  const start = async (session: TestAppOptions['session'] = {}) => {
    const wire = new Wire();
    const memory = withFaults(memoryStore());
    const app = await startApp(adapter, {
      session: { store: { ...memory, bus: wire }, ...session },
      module: { controllers: [StreamController] },
    });
    running.push(app);
    const service = app.app.get(SessionService);
    const logIn = async (user: string): Promise<Client> => {
      const client = new Client(app.url);
      await client.login(user);
      return client;
    };
    const unheard = (): Promise<unknown> =>
      until(
        async () => wire.listeners,
        (listeners) => listeners === 0,
      );
    return { app, wire, memory, service, logIn, unheard };
  };

  it('V-12: an event stream ends with its session, and its handler is torn down', async () => {
    const { app, memory, logIn, unheard } = await start();
    const [alice, bob] = [await logIn('alice'), await logIn('bob')];
    const streams = await Promise.all([1, 2, 3].map(() => openStream(app.url, '/events', alice)));
    const other = await openStream(app.url, '/events', bob);
    expect(StreamController.live.size).toBe(4);
    await alice.post('/logout');
    await Promise.all(streams.map((stream) => stream.closes()));
    await StreamController.hasLive(1);
    expect([other.isClosed, memory.calls.peek]).toEqual([false, 0]);
    other.leave();
    await StreamController.hasLive(0);
    await unheard();
  });

  it('V-12: it ends when another instance says so, and for everybody', async () => {
    const { app, wire, memory, logIn, unheard } = await start();
    const clients = [await logIn('alice'), await logIn('bob')];
    const [one, other] = await Promise.all(
      clients.map((client) => openStream(app.url, '/events', client)),
    );
    wire.publish([{ kind: 'ended', sessionId: one?.id ?? '', reason: 'revoked' }]);
    await one?.closes();
    expect(other?.isClosed).toBe(false);
    await memory.revokeEveryone({ reason: 'revoked' });
    wire.publish([{ kind: 'everyone', until: 0, reason: 'revoked' }]);
    await other?.closes();
    await unheard();
  });

  it('V-12: it ends at the idle and at the absolute deadline, and is no activity', async () => {
    const { app, logIn } = await start({
      timeouts: {
        touchInterval: 0,
        classes: {
          idle: { idle: '600ms', absolute: '20m' },
          absolute: { idle: '600ms', absolute: '600ms' },
        },
        classOf: ({ userId }) => (userId === 'lasting' ? undefined : userId),
      },
    });
    const users = ['idle', 'absolute', 'lasting'];
    const clients = await Promise.all(users.map(logIn));
    const [idle, absolute, lasting] = await Promise.all(
      clients.map((client) => openStream(app.url, '/events', client)),
    );
    StreamController.say('not by the user');
    await Promise.all([idle?.closes(), absolute?.closes()]);
    expect(lasting?.isClosed).toBe(false);
    const codes = clients.map(
      async (one) => ((await one.get('/me')).body as { code?: string }).code,
    );
    expect(await Promise.all(codes)).toEqual([
      'ERR_SESSION_IDLE',
      'ERR_SESSION_ABSOLUTE',
      undefined,
    ]);
    lasting?.leave();
  });

  it('V-12: it outlives new tokens of its session, but not a login in its place', async () => {
    const { app, logIn } = await start();
    const alice = await logIn('alice');
    const stream = await openStream(app.url, '/events', alice);
    await alice.post('/rotate');
    await alice.post('/prove');
    expect((await alice.get('/me')).body).toMatchObject({ id: stream.id });
    StreamController.say('still there');
    await stream.hears('still there');
    await alice.login('alice');
    await stream.closes();
  });

  it('V-12: one of an impersonation ends with the session of the actor', async () => {
    const { app, service, logIn, unheard } = await start();
    const admin = await logIn('admin');
    const own = await openStream(app.url, '/events', admin);
    await admin.post('/act-as/bob');
    const stream = await openStream(app.url, '/events', admin);
    expect(stream.id).not.toBe(own.id);
    await service.revoke(own.id);
    await Promise.all([own.closes(), stream.closes()]);
    await unheard();
  });

  it('V-12: it goes on when an impersonation in its session begins and ends', async () => {
    const { app, logIn } = await start();
    const admin = await logIn('admin');
    const own = await openStream(app.url, '/events', admin);
    await admin.post('/act-as/bob');
    const stream = await openStream(app.url, '/events', admin);
    await admin.post('/act-as-nobody');
    expect((await admin.get('/me')).body).toMatchObject({ userId: 'admin', id: own.id });
    await stream.closes();
    StreamController.say('still there');
    await own.hears('still there');
    own.leave();
  });

  it('V-12: a download is cut off if its route says so, and never looks whole', async () => {
    const { app, logIn, unheard } = await start();
    const alice = await logIn('alice');
    const download = await openStream(app.url, '/download', alice);
    const undeclared = await openStream(app.url, '/undeclared', alice);
    await alice.post('/logout');
    expect(await download.closes()).toBe('cut off');
    expect(undeclared.isClosed).toBe(false);
    undeclared.leave();
    await unheard();
  });

  it('V-12: ordinary and public requests are not watched', async () => {
    const { app, wire, logIn } = await start({ guard: 'global' });
    const alice = await logIn('alice');
    await alice.get('/me');
    const open = await openStream(app.url, '/public-events', alice);
    expect(wire.listeners).toBe(0);
    open.leave();
  });
});

describe('a response without a bus', () => {
  it('V-12: ends within 5 s after an end elsewhere, and after both deadlines', async () => {
    const clock = manualClock();
    const options: TestAppOptions = {
      session: {
        store: memoryStore({ clock: clock.now }),
        timeouts: { idle: '10m', absolute: '15m', touchInterval: 0 },
      },
      module: { controllers: [StreamController] },
    };
    const [a, b] = [await startApp('express', options), await startApp('express', options)];
    const open = async (user: string) => {
      const client = new Client(b.url);
      await client.login(user);
      return { client, ...(await openStream(b.url, '/events', client)) };
    };
    const old = await open('old');
    clock.advance(5 * 60_000);
    const [unused, ended, lasting] = [
      await open('unused'),
      await open('ended'),
      await open('used'),
    ];
    clock.advance(4 * 60_000);
    await old.client.get('/me');
    clock.advance(5 * 60_000);
    for (const { client } of [old, ended, lasting]) await client.get('/me');
    await a.app.get(SessionService).revoke(ended.id);
    clock.advance(60_000);
    const begun = performance.now();
    await Promise.all([old.closes(), unused.closes(), ended.closes()]);
    expect(performance.now() - begun).toBeLessThan(5_000 + SLACK);
    await StreamController.hasLive(1);
    StreamController.say('still there');
    await lasting.hears('still there');
    lasting.leave();
    await Promise.all([a.close(), b.close()]);
  });
});

describe('a response over HTTP/2', () => {
  it('V-12: ends alone, and leaves the connection to the others', async () => {
    const wire = new Wire();
    const session = SessionModule.forRoot({
      secret: SECRET,
      store: { ...withFaults(memoryStore()), bus: wire },
      cleanup: false,
    });
    const metadata = { imports: [session], controllers: [AccountController, StreamController] };
    const fastify = { http2: true } as never;
    const { app, port, close } = await listen('fastify', metadata, { fastify });
    const connection = connect(`http://localhost:${port}`);
    const service = app.get(SessionService);
    const open = async (user: string): Promise<{ id: string; stream: ClientHttp2Stream }> => {
      const { session: own, token } = await service.create(user);
      const cookie = `__Host-sid=${token.token.reveal()}`;
      const stream = connection.request({ ':path': '/events', cookie });
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      expect(headers[':status']).toBe(200);
      return { id: own.id, stream: stream.resume() };
    };
    const [alice, bob] = [await open('alice'), await open('bob')];
    await StreamController.hasLive(2);
    const closed = once(alice.stream, 'close').catch(() => undefined);
    await service.revoke(alice.id);
    await closed;
    await StreamController.hasLive(1);
    expect([bob.stream.closed, wire.listeners]).toEqual([false, 1]);
    bob.stream.close();
    await StreamController.hasLive(0);
    await until(
      async () => wire.listeners,
      (listeners) => listeners === 0,
    );
    connection.destroy();
    await close();
  });
});
