/**
 * What is announced while people use an application: everything once, and never at their expense.
 */
import { channel } from 'node:diagnostics_channel';
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Public,
  type SessionEventName,
  type SessionModuleOptions,
  SessionService,
  SessionSweepTask,
  memoryStore,
} from '../../src/index.js';
import { manualClock } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { LogKeeper } from './programs/application.js';

const MINUTE = 60_000;

@Controller()
class FailureController {
  constructor(readonly service: SessionService) {}

  @Public()
  @Post('failed-login')
  @HttpCode(204)
  async failed(@Body() { user }: { user?: string }): Promise<void> {
    await this.service.recordLoginFailure(user);
  }
}

const NAMES = [
  'session.created',
  'session.ended',
  'session.rotated',
  'session.login-failed',
  'session.ambiguous',
] as const satisfies readonly SessionEventName[];

interface Delivered {
  readonly name: string;
  readonly event: {
    readonly eventId: string;
    readonly at: number;
    readonly sessionId?: string;
    readonly userId?: string;
    readonly reason?: string;
    readonly duration?: number;
    readonly generation?: number;
  };
}

describe.each(ADAPTERS)('events on %s', (adapter) => {
  const running: TestApp[] = [];
  const subscriptions: (() => void)[] = [];
  afterEach(async () => {
    subscriptions.splice(0).forEach((end) => end());
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (session: SessionModuleOptions = {}, logger?: LogKeeper) => {
    const module = { controllers: [FailureController] };
    const app = await startApp(adapter, { session, module, ...(logger && { logger }) });
    running.push(app);
    const service = app.app.get(SessionService);
    const delivered: Delivered[] = [];
    for (const name of NAMES) {
      subscriptions.push(service.on(name, (event) => void delivered.push({ name, event })));
    }
    return { ...app, service, delivered, client: () => new Client(app.url) };
  };

  /** The same from the channels of Node, which know nothing of instances. */
  const listenOnChannels = (): Delivered[] => {
    const published: Delivered[] = [];
    for (const name of NAMES) {
      const own = channel(name.replace('.', ':'));
      const listener = (event: unknown): void => {
        published.push({ name, event: event as Delivered['event'] });
      };
      own.subscribe(listener);
      subscriptions.push(() => own.unsubscribe(listener));
    }
    return published;
  };

  const show = ({ name, event }: Delivered): string =>
    [name.slice('session.'.length), event.userId, event.reason].filter(Boolean).join(' ');

  it('L-02: a scripted day gives exactly the expected list, once each, across two instances', async () => {
    const clock = manualClock();
    const options = {
      store: memoryStore({ clock: clock.now }),
      concurrency: { max: 2, atLimit: 'evict-oldest' },
      timeouts: { idle: '30m', absolute: '8h' },
    } as const;
    const [a, b] = [await start(options), await start(options)];
    const published = listenOnChannels();
    const [phone, laptop, tablet] = [a.client(), b.client(), a.client()];

    await phone.login('alice');
    clock.advance(MINUTE);
    await laptop.login('alice');
    clock.advance(MINUTE);
    await tablet.login('alice'); // the phone has to go
    await phone.get('/me');
    await laptop.post('/rotate');
    await laptop.login('alice'); // in the same browser
    clock.advance(MINUTE);
    await tablet.post('/logout');
    await tablet.post('/logout');
    await a.client().post('/failed-login', { user: 'alice' });
    await b.client().post('/failed-login');
    const [bob, bobToo] = [a.client(), b.client()];
    await bob.login('bob');
    await bobToo.login('bob');
    const devices = (await bob.get('/devices')).body as { id: string; isCurrent: boolean }[];
    const other = devices.find(({ isCurrent }) => !isCurrent)?.id ?? '';
    await bob.delete(`/devices/${other}`);
    await bob.delete(`/devices/${other}`);
    await bobToo.get('/me');
    // Somebody who does not log in is nobody's business.
    const visitor = b.client();
    await visitor.post('/data/cart', { value: 'tea' });
    await visitor.post('/data/cart', { value: 'coffee' });
    clock.advance(30 * MINUTE);
    expect((await laptop.get('/me')).status).toBe(401); // found by a request
    await Promise.all([a.service.sweep(BOUNDS), b.service.sweep(BOUNDS)]); // bob, by the cleanup
    await laptop.get('/me');

    const expected = [
      'created alice',
      'created alice',
      'ended alice evicted',
      'created alice',
      'rotated',
      'ended alice replaced',
      'created alice',
      'ended alice logout',
      'login-failed alice',
      'login-failed',
      'created bob',
      'created bob',
      'ended bob revoked',
      'ended alice idle',
      'ended bob idle',
    ];
    const all = [...a.delivered, ...b.delivered];
    expect(all.map(show).toSorted()).toEqual(expected.toSorted());
    expect(published.map(show)).toEqual(expected);
    const ids = published.map(({ event }) => event.eventId);
    expect(new Set(ids).size).toBe(expected.length);
    expect(all.map(({ event }) => event.eventId).toSorted()).toEqual(ids.toSorted());
    // By the clock of the store.
    expect(published.every(({ event }) => event.at <= clock.now())).toBe(true);
    const evicted = published.find(({ event }) => event.reason === 'evicted');
    expect(evicted?.event.duration).toBe(2 * MINUTE);
    // What belongs together has one id, also across a rotation.
    const ofAlice = published.filter(({ event }) => event.sessionId && event.userId !== 'bob');
    expect(new Set(ofAlice.map(({ event }) => event.sessionId)).size).toBe(4);
  });

  it('tells of two different genuine tokens in one request', async () => {
    const { delivered, client } = await start();
    const [alice, bob] = [client(), client()];
    await alice.login('alice');
    await bob.login('bob');
    delivered.length = 0;
    const both = client();
    const answer = await both.get('/me', { cookie: `${alice.cookies}; ${bob.cookies}` });
    expect(answer.status).toBe(401);
    expect(delivered.map(show)).toEqual(['ambiguous']);
  });

  it('a listener that throws, rejects or never ends fails no request and delays none', async () => {
    const logger = new LogKeeper();
    const { service, delivered, client } = await start({}, logger);
    const bad = [
      service.on('session.created', () => {
        throw new Error('thrown by a listener');
      }),
      service.on('session.created', async () => {
        await Promise.resolve();
        throw new Error('rejected by a listener');
      }),
      service.on('session.created', () => new Promise<void>(() => undefined)),
      service.on('session.created', (event) => {
        Object.assign(event, { userId: 'mallory' });
      }),
      service.on('session.ended', () => {
        // Not even an error.
        throw undefined;
      }),
    ];
    const last: string[] = [];
    service.on('session.created', ({ userId }) => void last.push(userId));
    const visitor = client();
    await visitor.login('alice');
    expect((await visitor.get('/me')).status).toBe(200);
    expect((await visitor.post('/logout')).status).toBe(204);
    expect(delivered.map(show)).toEqual(['created alice', 'ended alice logout']);
    expect(last).toEqual(['alice']);
    const errors = logger.of('error').map(({ message }) => message);
    expect(errors).toHaveLength(4);
    expect(errors.join('\n')).toContain('a listener of session.created failed');
    expect(errors.join('\n')).toContain('a listener of session.ended failed');

    bad.forEach((end) => end());
    await visitor.login('alice');
    expect(logger.of('error')).toHaveLength(4);
  });

  it('a subscription ends when it is told to, and only that one', async () => {
    const { service, client } = await start();
    const heard: string[] = [];
    const end = service.on('session.created', () => void heard.push('first'));
    service.on('session.created', () => void heard.push('second'));
    const visitor = client();
    await visitor.login('alice');
    end();
    end();
    await visitor.login('alice');
    expect(heard).toEqual(['first', 'second', 'second']);
  });

  it('L-01: no event holds a token, a verifier or data', async () => {
    const published = listenOnChannels();
    const { client, app } = await start();
    const visitor = client();
    await visitor.login('alice');
    await visitor.post('/data/note', { value: 'a-private-note' });
    await visitor.post('/rotate');
    const token = visitor.cookies.split('=')[1] ?? '';
    await visitor.post('/logout');
    await app.get(SessionSweepTask).run();
    const text = JSON.stringify(published);
    expect(published).toHaveLength(3);
    expect(text.includes(token) || text.includes(token.slice(-40))).toBe(false);
    expect(text).not.toContain('a-private-note');
    expect(text).not.toContain('nsk_');
  });
});

const BOUNDS = { batch: 100, budget: 10_000 };
