/**
 * Timeouts and limits by role or tenant, over HTTP: what the options' functions say is what counts.
 */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CurrentSession,
  type LoginFacts,
  type LoginOptions,
  Public,
  RequestSession,
  type SessionModuleOptions,
  memoryStore,
} from '../../src/index.js';
import { manualClock } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const MINUTE = 60_000;

@Controller('as')
class RoleController {
  @Public()
  @Post()
  @HttpCode(204)
  async login(
    @Body() { user, ...options }: LoginOptions & { user: string },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.login(user, options);
  }
}

/** The roles of an application. */
async function roleOf({ userId, tenant }: LoginFacts): Promise<string | undefined> {
  if (tenant === 'shop-floor') return 'kiosk';
  return userId.startsWith('admin') ? 'admin' : undefined;
}

const CLASSES = {
  admin: { idle: '10m', absolute: '1h' },
  kiosk: { idle: '2m', absolute: '12h' },
} as const;

describe.each(ADAPTERS)('policy by function on %s', (adapter) => {
  const running: TestApp[] = [];
  const clock = manualClock();
  const store = memoryStore({ clock: clock.now });
  const start = async (session: SessionModuleOptions): Promise<string> => {
    const module = { controllers: [RoleController] };
    const app = await startApp(adapter, { session: { store, ...session }, module });
    running.push(app);
    return app.url;
  };
  /** Logs in on a new device; gives it and the answer. */
  const device = async (url: string, body: object): Promise<[Client, number, string[]]> => {
    const client = new Client(url);
    const { status, setCookies } = await client.post('/as', body);
    return [client, status, setCookies];
  };
  const statusOf = async (client: Client): Promise<number> => (await client.get('/me')).status;
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('E-01: gives each role its own timeouts', async () => {
    const url = await start({ timeouts: { classes: CLASSES, classOf: roleOf } });
    const [member] = await device(url, { user: 'member' });
    const [admin] = await device(url, { user: 'admin' });
    const [kiosk] = await device(url, { user: 'member', tenant: 'shop-floor' });
    clock.advance(2 * MINUTE);
    expect([await statusOf(kiosk), await statusOf(admin), await statusOf(member)]).toEqual([
      401, 200, 200,
    ]);
    clock.advance(10 * MINUTE);
    expect([await statusOf(admin), await statusOf(member)]).toEqual([401, 200]);
  });

  it('C-06: lets no role be remembered that has timeouts of its own', async () => {
    const url = await start({ timeouts: { classes: CLASSES, classOf: roleOf } });
    const [member, , [lasting]] = await device(url, { user: 'member', remember: true });
    const [admin, , [short]] = await device(url, { user: 'admin', remember: true });
    expect(lasting).toMatch(/Max-Age=/i);
    expect(short).not.toMatch(/Max-Age=/i);
    clock.advance(31 * MINUTE);
    expect([await statusOf(admin), await statusOf(member)]).toEqual([401, 200]);
  });

  it('lets a login name its class itself', async () => {
    const asked: LoginFacts[] = [];
    const classOf = (login: LoginFacts): undefined => void asked.push(login);
    const url = await start({ timeouts: { classes: CLASSES, classOf } });
    const [kiosk] = await device(url, { user: 'member', limitClass: 'kiosk' });
    clock.advance(2 * MINUTE);
    expect(await statusOf(kiosk)).toBe(401);
    expect(asked).toEqual([]);
    const proofs = { methods: ['pwd', 'otp'], level: 2, pending: true, tenant: 'acme' };
    await device(url, { user: 'member', remember: true, ...proofs });
    const { pending: isPending, ...rest } = proofs;
    expect(asked).toEqual([{ userId: 'member', remember: true, isPending, ...rest }]);
  });

  it('E-07: applies a tighter class to live sessions of a role', async () => {
    const before = await start({ timeouts: { classes: CLASSES, classOf: roleOf } });
    const [admin] = await device(before, { user: 'admin' });
    const classes = { ...CLASSES, admin: { idle: '1m', absolute: '1h' } } as const;
    const after = new Client(await start({ timeouts: { classes, classOf: roleOf } }));
    after.cookies = admin.cookies;
    expect(await statusOf(after)).toBe(200);
    clock.advance(MINUTE);
    expect(await statusOf(after)).toBe(401);
  });

  it('K-02: counts and decides at the limit by tenant', async () => {
    const url = await start({
      concurrency: {
        max: async ({ tenant }) => (tenant === 'large' ? 3 : 1),
        atLimit: ({ tenant }) => (tenant === 'strict' ? 'reject' : 'evict-oldest'),
      },
    });
    const devicesOf = async (user: string, tenant: string): Promise<number[]> => {
      const statuses: number[] = [];
      const clients: Client[] = [];
      for (let count = 0; count < 4; count++) {
        const [client, status] = await device(url, { user, tenant });
        statuses.push(status);
        clients.push(client);
        clock.advance(1);
      }
      const alive = await Promise.all(clients.map(statusOf));
      return [...statuses, ...alive];
    };
    expect(await devicesOf('a', 'small')).toEqual([204, 204, 204, 204, 401, 401, 401, 200]);
    expect(await devicesOf('b', 'large')).toEqual([204, 204, 204, 204, 401, 200, 200, 200]);
    expect(await devicesOf('c', 'strict')).toEqual([204, 409, 409, 409, 200, 401, 401, 401]);
  });

  it('fails a login about which a function is wrong, and ends nobody for it', async () => {
    let answer = 'default';
    const url = await start({ timeouts: { classOf: () => answer }, concurrency: { max: 1 } });
    const [first] = await device(url, { user: 'alice' });
    answer = 'nobody-knows';
    const [second, status, setCookies] = await device(url, { user: 'alice' });
    expect({ status, setCookies }).toEqual({ status: 500, setCookies: [] });
    expect([await statusOf(first), await statusOf(second)]).toEqual([200, 401]);
  });
});
