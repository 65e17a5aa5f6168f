/**
 * D-06: nothing of one request reaches another, however they overlap, fail or break off.
 */
import { type ClientRequest, Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Controller,
  ForbiddenException,
  Get,
  HttpCode,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CurrentSession,
  CurrentUserId,
  RequestSession,
  SessionGuard,
  memoryStore,
} from '../../src/index.js';
import { actingAs, withFaults } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';

const USERS = 100;
const REQUESTS = 1_000;

@Controller('mix')
@UseGuards(SessionGuard)
class MixController {
  /** Waits, asks again, and fails in every way that a handler can. */
  @Get()
  async mix(
    @Query('ms') ms: string,
    @Query('end') end: string,
    @CurrentSession() session: RequestSession,
    @CurrentUserId() userId: string,
  ): Promise<object> {
    const first = session.userId;
    await delay(Number(ms));
    const owner = await session.get('owner');
    const visits = await session.increment('visits');
    await delay(Number(ms) / 2);
    const names = [userId, first, session.userId, owner];
    if (end === 'refuse') throw new ForbiddenException({ names });
    if (end === 'fail') throw new Error(`of ${userId}`);
    return { names, visits };
  }

  @Post('mutate')
  @HttpCode(200)
  async mutate(@CurrentSession() session: RequestSession): Promise<object> {
    const cart = (await session.get('cart')) as { items: string[] };
    cart.items.push('never saved');
    Object.assign(cart, { owner: 'somebody else' });
    return (await session.get('cart')) as object;
  }
}

interface Outcome {
  readonly status: number;
  readonly body: string;
}

describe.each(ADAPTERS)('requests that overlap on %s', (adapter) => {
  const running: TestApp[] = [];
  const agents: Agent[] = [];
  afterEach(async () => {
    agents.splice(0).forEach((agent) => agent.destroy());
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async () => {
    const store = withFaults(memoryStore(), { all: { delayBefore: 3, delayAfter: 3 } });
    const module = { controllers: [MixController] };
    const app = await startApp(adapter, { session: { store }, module });
    running.push(app);
    return app;
  };

  it('D-06: 1,000 parallel requests of 100 users: every answer names its own user', async () => {
    const { app, url } = await start();
    const users = await Promise.all(
      Array.from({ length: USERS }, async (_, i) => {
        const name = `user-${i}`;
        const { headers } = await actingAs(app, name, { data: { owner: name } });
        return { name, cookie: headers.cookie };
      }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 400 });
    agents.push(agent);
    const ENDS = ['answer', 'answer', 'refuse', 'fail', 'abort'] as const;
    const outcomes = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, i) => {
        const user = users[(i * 37) % USERS] ?? { name: '', cookie: '' };
        const end = ENDS[i % ENDS.length] ?? 'answer';
        const ms = (i * 7) % 20;
        const options = { agent, headers: { cookie: user.cookie } };
        const sent = httpRequest(`${url}/mix?ms=${ms}&end=${end}`, options);
        const answer = await (end === 'abort' ? abort(sent, ms) : read(sent));
        return { user: user.name, end, ...answer };
      }),
    );
    const expected = { answer: 200, refuse: 403, fail: 500, abort: 0 };
    const wrong = outcomes.filter(({ user, end, status, body }) => {
      if (status !== expected[end]) return true;
      // Only the application's own answers name somebody; all of them name the right one.
      const { names = [user] } = JSON.parse(body || '{}') as { names?: string[] };
      return names.some((name) => name !== user);
    });
    expect(wrong.map(({ user, end, status }) => `${user} ${end}: ${status}`)).toEqual([]);
    expect(outcomes.filter(({ end }) => end === 'answer')).toHaveLength(400);
    // Nobody was harmed by the requests that broke off.
    const checks = users
      .slice(0, 10)
      .map(({ cookie }) => read(httpRequest(`${url}/me`, { agent, headers: { cookie } })));
    expect((await Promise.all(checks)).map(({ status }) => status)).toEqual(Array(10).fill(200));
  });

  it('D-06: a value that a handler changes without saving it is changed for nobody', async () => {
    const { app, url } = await start();
    const { headers } = await actingAs(app, 'alice', { data: { cart: { items: ['tea'] } } });
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${url}/mix/mutate`, { method: 'POST', headers });
      expect(await response.json()).toEqual({ items: ['tea'] });
    }
  });
});

function read(request: ClientRequest): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.end();
  });
}

/** Breaks the connection off while the handler is at work, or before. */
async function abort(request: ClientRequest, ms: number): Promise<Outcome> {
  const closed = new Promise<void>((resolve) => {
    request.on('close', resolve);
  });
  request.on('error', () => undefined);
  request.end();
  await delay(ms);
  request.destroy();
  await closed;
  return { status: 0, body: '' };
}
