/**
 * What a user of the library sees over HTTP, on both adapters, with real timers and real clients.
 */
import { describe, expect } from '@jest/globals';
import { type Scenario, describeScenarios } from '../support/scenarios.js';
import { Client } from '../support/client.js';
import type { Stage } from '../support/stores.js';
import { until } from '../support/until.js';

const SESSION_EXPIRED = (code: string): object => ({
  statusCode: 401,
  message: 'Session expired',
  error: 'Unauthorized',
  code,
});

export function describeMainPath(stage: Stage): void {
  describeScenarios('sessions over HTTP', stage, (scenario) => {
    describe('login and logout', () => {
      describeLogin(scenario);
    });
    describe('devices', () => {
      describeDevices(scenario);
    });
    describe('data', () => {
      describeData(scenario);
    });
  });
  describeScenarios('timeouts over HTTP', stage, describeTimeouts, { mostlyWait: true });
}

function describeLogin(scenario: Scenario): void {
  scenario('refuses a guarded route without a session and lets a login in', async ({ start }) => {
    const client = new Client((await start()).url);
    const refused = await client.get('/me');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Session');
    expect(refused.body).toEqual({
      statusCode: 401,
      message: 'Authentication required',
      error: 'Unauthorized',
      code: 'ERR_SESSION_REQUIRED',
    });
    await client.login('alice');
    const me = await client.get('/me');
    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({ userId: 'alice' });
  });

  scenario('C-03: sends one cookie, safe by default, that nothing may cache', async ({ start }) => {
    const client = new Client((await start()).url);
    const { setCookies, headers } = await client.login('alice');
    expect(setCookies).toHaveLength(1);
    expect(setCookies[0]).toMatch(
      /^__Host-sid=nsk_[\w-]{96}; Path=\/; Secure; HttpOnly; SameSite=Lax$/i,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('vary')).toMatch(/\bCookie\b/);
  });

  scenario('R-01: changes the token at login; the old one is dead at once', async ({ start }) => {
    const client = new Client((await start()).url);
    await client.login('alice');
    const before = client.clone();
    await client.login('alice');
    expect(client.cookies).not.toBe(before.cookies);
    expect((await before.get('/me')).status).toBe(401);
    expect((await client.get('/me')).status).toBe(200);
    expect((await client.get('/devices')).body).toHaveLength(1);
  });

  scenario(
    'R-04: another user who logs in over a session inherits nothing of it',
    async ({ start }) => {
      const client = new Client((await start()).url);
      await client.login('alice');
      await client.post('/data/secret', { value: 'of alice' });
      const alice = client.clone();
      await client.login('bob');
      expect((await client.get('/data')).body).toEqual({});
      expect((await alice.get('/me')).status).toBe(401);
    },
  );

  scenario(
    'V-01: logout is final, for every copy of the token, and idempotent',
    async ({ start }) => {
      const client = new Client((await start()).url);
      await client.login('alice');
      const copy = client.clone();
      const logout = await client.post('/logout');
      expect(logout.status).toBe(204);
      expect(logout.setCookies).toEqual([
        expect.stringMatching(
          /^__Host-sid=; Max-Age=0; Expires=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
        ),
      ]);
      expect(client.cookies).toBe('');
      const again = await copy.get('/me');
      expect(again.status).toBe(401);
      expect(again.body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
      expect(again.setCookies).toEqual([]);
      expect((await copy.post('/logout')).status).toBe(401);
    },
  );

  scenario(
    'gives a remembered login a persistent cookie that ends with the session',
    async ({ start }) => {
      const client = new Client((await start()).url);
      const { setCookies } = await client.login('alice', { remember: true });
      const maxAge = Number(/Max-Age=(\d+)/.exec(setCookies[0] ?? '')?.[1]);
      const days = 24 * 60 * 60;
      expect(maxAge).toBeGreaterThan(29 * days);
      // The deadline in a token is rounded up to a whole minute.
      expect(maxAge).toBeLessThanOrEqual(30 * days + 60);
    },
  );

  scenario(
    'R-03: rotation gives a new token for the same session; the old one is dead',
    async ({ start }) => {
      const client = new Client((await start()).url);
      await client.login('alice');
      const before = client.clone();
      const id = ((await client.get('/me')).body as { id: string }).id;
      expect((await client.post('/rotate')).setCookies).toHaveLength(1);
      expect((await before.get('/me')).status).toBe(401);
      expect((await client.get('/me')).body).toEqual({ userId: 'alice', id });
    },
  );
}

function describeTimeouts(scenario: Scenario): void {
  const IDLE = { timeouts: { idle: '900ms', absolute: '1h', touchInterval: 0 } } as const;

  scenario('E-01: 200 within the idle limit, 401 ERR_SESSION_IDLE after it', async (scene) => {
    const client = new Client((await scene.start(IDLE)).url);
    await client.login('alice');
    const used = Date.now();
    for (let i = 0; i < 3; i++) {
      await scene.passTime(350);
      expect((await client.get('/me')).status).toBe(200);
    }
    expect(Date.now() - used).toBeGreaterThan(900); // alive only because it was used
    await scene.passTime(901);
    const idle = await client.get('/me');
    expect(idle.status).toBe(401);
    expect(idle.body).toEqual(SESSION_EXPIRED('ERR_SESSION_IDLE'));
    expect(idle.setCookies).toEqual([]);
    expect((await client.get('/me')).body).toEqual(SESSION_EXPIRED('ERR_SESSION_IDLE'));
  });

  scenario(
    'E-02: 401 ERR_SESSION_ABSOLUTE at the limit ± 100 ms under constant use',
    async ({ start }) => {
      const timeouts = { idle: '900ms', absolute: '1s', touchInterval: 0 } as const;
      const client = new Client((await start({ timeouts })).url);
      const before = Date.now();
      await client.login('alice');
      const after = Date.now();
      // Alive is told by when the request left: the answer may be late for reasons of its own.
      let lastAlive = after;
      let sentAt = Date.now();
      let answer = await client.get('/me');
      while (answer.status === 200) {
        lastAlive = sentAt;
        sentAt = Date.now();
        answer = await client.get('/me');
      }
      const diedAt = Date.now();
      expect(answer.body).toEqual(SESSION_EXPIRED('ERR_SESSION_ABSOLUTE'));
      expect(diedAt - before).toBeGreaterThanOrEqual(900);
      expect(lastAlive - after).toBeLessThanOrEqual(1100);
    },
  );

  scenario(
    'E-05, E-12: the status endpoint gives the seconds left without touching',
    async ({ start }) => {
      const timeouts = { idle: '1s', absolute: '1h', touchInterval: 0 } as const;
      const client = new Client((await start({ timeouts })).url);
      await client.login('alice');
      const first = await client.get('/session/status');
      expect(first.body).toEqual({ timeLeft: { idle: 0, absolute: 3599 } });
      // Polling all the time does not keep it alive.
      const gone = await until(
        () => client.get('/session/status'),
        ({ body }) => (body as { timeLeft: unknown }).timeLeft === null,
      );
      expect(gone.status).toBe(200);
      expect((await client.get('/me')).body).toEqual(SESSION_EXPIRED('ERR_SESSION_IDLE'));
    },
  );

  scenario(
    'E-07: a restart with a tighter policy on the same store applies to live sessions',
    async ({ start }) => {
      const lax = await start(IDLE);
      const client = new Client(lax.url);
      await client.login('alice');
      await lax.close();
      const tight = { timeouts: { idle: '100ms', absolute: '100ms', touchInterval: 0 } } as const;
      const restarted = new Client((await start(tight)).url);
      restarted.cookies = client.cookies;
      const answer = await until(
        () => restarted.get('/me'),
        ({ status }) => status === 401,
      );
      expect(answer.body).toMatchObject({ message: 'Session expired' });
    },
  );
}

function describeDevices(scenario: Scenario): void {
  scenario(
    'V-03: lists, marks its own, revokes one, others, all; never somebody else’s',
    async ({ start, passTime }) => {
      const { url } = await start();
      const [phone, laptop, mallory] = [new Client(url), new Client(url), new Client(url)];
      await phone.login('alice');
      await passTime(2); // the order is that of their milliseconds
      await laptop.login('alice');
      await mallory.login('mallory');
      const devices = (await laptop.get('/devices')).body as { id: string; isCurrent: boolean }[];
      expect(devices.map(({ isCurrent }) => isCurrent)).toEqual([true, false]);
      const other = devices[1]?.id ?? '';

      const foreign = await mallory.delete(`/devices/${other}`);
      const unknown = await mallory.delete(`/devices/${'A'.repeat(24)}`);
      expect(foreign.body).toEqual({ revoked: false });
      expect(unknown.body).toEqual(foreign.body);
      expect((await phone.get('/me')).status).toBe(200);

      expect((await laptop.delete(`/devices/${other}`)).body).toEqual({ revoked: true });
      expect((await phone.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });

      await phone.login('alice');
      expect((await laptop.post('/devices/revoke-others')).body).toEqual({ revoked: 1 });
      expect((await phone.get('/me')).status).toBe(401);
      expect((await laptop.post('/devices/revoke-all')).body).toEqual({ revoked: 1 });
      expect(laptop.cookies).toBe('');
      expect((await mallory.get('/me')).status).toBe(200);
    },
  );

  scenario(
    'K-01: limit 3 and 200 simultaneous logins leave exactly 3 alive; the others are told why',
    async ({ start }) => {
      const { url } = await start({ concurrency: { max: 3, atLimit: 'evict-oldest' } });
      const clients = Array.from({ length: 200 }, () => new Client(url));
      await Promise.all(clients.map((client) => client.login('alice')));
      const answers = await Promise.all(clients.map((client) => client.get('/me')));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
      const codes = answers
        .filter(({ status }) => status === 401)
        .map(({ body }) => (body as { code: string }).code);
      // Of ended sessions at most 100 per user are remembered.
      expect(codes.filter((code) => code === 'ERR_SESSION_EVICTED')).toHaveLength(100);
      expect(codes.filter((code) => code === 'ERR_SESSION_REQUIRED')).toHaveLength(97);
    },
  );

  scenario(
    'answers 409 ERR_SESSION_LIMIT when the policy is reject, and loses nothing',
    async ({ start }) => {
      const { url } = await start({
        concurrency: { max: 1, atLimit: 'reject' },
        data: { keepOnLogin: ['cart'] },
      });
      const [first, second] = [new Client(url), new Client(url)];
      await first.login('alice');
      await second.post('/data/cart', { value: 'tea' });
      await second.post('/data/other', { value: 'x' });
      const refused = await second.post('/login', { user: 'alice' });
      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({ code: 'ERR_SESSION_LIMIT', error: 'Conflict' });
      expect((await first.get('/me')).status).toBe(200);
      expect((await second.get('/data')).body).toEqual({ cart: 'tea', other: 'x' });
      await first.post('/logout');
      await second.login('alice');
      expect((await second.get('/data')).body).toEqual({ cart: 'tea' });
    },
  );
}

function describeData(scenario: Scenario): void {
  scenario(
    'K-03: 100 parallel requests that each set their own field: 100 fields',
    async ({ start }) => {
      const client = new Client((await start()).url);
      await client.login('alice');
      const names = Array.from({ length: 100 }, (_, i) => `field-${i}`);
      await Promise.all(names.map((name) => client.post(`/data/${name}`, { value: name })));
      const { body } = await client.get('/data');
      expect(body).toEqual(Object.fromEntries(names.map((name) => [name, name])));
    },
  );

  scenario('K-03: 100 parallel increments: 100', async ({ start }) => {
    const client = new Client((await start()).url);
    await client.login('alice');
    await Promise.all(Array.from({ length: 99 }, () => client.post('/count')));
    expect((await client.post('/count')).body).toEqual({ count: 100 });
  });

  scenario(
    'V-02: a slow request that writes cannot bring a logged-out session back',
    async ({ start }) => {
      const client = new Client((await start()).url);
      await client.login('alice');
      const slow = client.clone().get('/slow?ms=100');
      const copy = client.clone();
      await client.post('/logout');
      expect((await slow).status).toBe(401);
      expect((await copy.get('/me')).status).toBe(401);
    },
  );

  scenario('R-05: only allow-listed anonymous fields cross a login', async ({ start }) => {
    const client = new Client((await start({ data: { keepOnLogin: ['cart'] } })).url);
    await client.post('/data/cart', { value: 'tea' });
    await client.post('/data/isAdmin', { value: 'yes' });
    const anonymous = client.clone();
    expect((await anonymous.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REQUIRED' });
    await client.login('alice');
    expect((await client.get('/data')).body).toEqual({ cart: 'tea' });
    expect((await anonymous.get('/data')).body).toEqual({});
  });
}
