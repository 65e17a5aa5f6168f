/**
 * P6: whoever follows a redirect at once is logged in, however slow the store is.
 */
import { Controller, Post, Redirect, UseGuards } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
  type SessionStore,
  memoryStore,
} from '../../src/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const LATENCY = 300;
const USERS = 200;

@Controller()
@UseGuards(SessionGuard)
class RedirectController {
  @Public()
  @Post('sign-in')
  @Redirect('/who', 302)
  async signIn(@CurrentSession() session: RequestSession): Promise<void> {
    await session.login('alice');
  }
}

/** Every change takes a while; half of it passes before it takes effect. */
function slowToWrite(store: SessionStore): SessionStore {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LATENCY / 2));
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (!['create', 'revoke', 'write', 'rotate'].includes(String(name)))
        return member.bind(target);
      return async (...args: unknown[]): Promise<unknown> => {
        await pause();
        const reply: unknown = await member.apply(target, args);
        await pause();
        return reply;
      };
    },
  });
}

describe.each(ADAPTERS)('a slow store behind %s', (adapter) => {
  const running: TestApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('P6: 200 logins with a redirect and an immediate follow: never anonymous', async () => {
    const app = await startApp(adapter, {
      session: {
        store: slowToWrite(memoryStore()),
        storeDeadline: '10s',
        concurrency: { max: USERS },
      },
      module: { controllers: [RedirectController] },
    });
    running.push(app);
    const followed = await Promise.all(
      Array.from({ length: USERS }, async () => {
        const client = new Client(app.url);
        const begun = performance.now();
        const { status, headers, setCookies } = await client.post('/sign-in');
        const took = performance.now() - begun;
        const { body } = await client.get(headers.get('location') ?? '');
        return { status, cookies: setCookies.length, isEarly: took < LATENCY - 5, body };
      }),
    );
    // Nothing of the answer leaves before the session is stored.
    expect(new Set(followed.map((outcome) => JSON.stringify(outcome)))).toEqual(
      new Set([
        JSON.stringify({
          status: 302,
          cookies: 1,
          isEarly: false,
          body: { active: true, userId: 'alice' },
        }),
      ]),
    );
  });
});
