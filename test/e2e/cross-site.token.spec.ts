/**
 * the synchroniser token over real HTTP on both adapters.
 */
import { describe, expect, it } from '@jest/globals';
import { type SessionModuleOptions, memoryStore } from '../../src/index.js';
import { manualClock } from '../../src/testing/index.js';
import { ADAPTERS, SECRET } from '../support/app.js';
import { Client } from '../support/client.js';
import { useClosing } from './applications.kit.js';
import { type Target, bodyOf, startTarget } from './programs/cross-site.js';
import { type RawAnswer, valuesOf } from './programs/raw-http.js';

const crossSite = { token: true };
const OTHER_SECRET = 'another-secret-3f8a1c7e95d24b60a1e9c8d7';

/** What a page keeps: its cookie, and the token that it was given. */
interface Page {
  cookie: string;
  token: string;
}

function cookieIn(answer: RawAnswer): string | undefined {
  return valuesOf(answer, 'set-cookie').at(-1)?.replace(/;[^]*/, '');
}

describe.each(ADAPTERS)('the synchroniser token on %s', (adapter) => {
  const keep = useClosing();
  const start = async (session: SessionModuleOptions = {}): Promise<Target> =>
    keep(await startTarget(adapter, { crossSite, ...session }));

  const tokenFor = async (target: Target, cookie: string): Promise<string> => {
    const { token } = bodyOf(await target.send({ method: 'GET', path: '/csrf', cookie }));
    return token as string;
  };
  const pageOf = async (target: Target, userId: string): Promise<Page> => {
    const cookie = await target.cookieOf(userId);
    return { cookie, token: await tokenFor(target, cookie) };
  };
  const post = (
    target: Target,
    { cookie, token }: Partial<Page>,
    path = '/act',
  ): Promise<RawAnswer> =>
    target.send({
      path,
      cookie,
      site: 'same-origin',
      ...(token !== undefined && { headers: [`X-CSRF-Token: ${token}`] }),
    });
  const statusOf = async (target: Target, page: Partial<Page>, path?: string): Promise<number> =>
    (await post(target, page, path)).status;

  it('is asked for by unsafe methods alone', async () => {
    const target = await start();
    const { cookie, token } = await pageOf(target, 'alice');
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      expect((await target.send({ method, cookie })).status).toBe(200);
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
      expect((await target.send({ method, cookie })).status).toBe(403);
      const headers = [`X-CSRF-Token: ${token}`];
      expect((await target.send({ method, cookie, headers })).status).toBe(200);
    }
  });

  it('says what is missing outside production', async () => {
    const answers = await Promise.all(
      [false, true].map(async (production) => {
        const target = await start({ production });
        return post(target, { cookie: await target.cookieOf('alice') });
      }),
    );
    const body = {
      statusCode: 403,
      message: 'Cross-site request refused',
      error: 'Forbidden',
      code: 'ERR_SESSION_CROSS_SITE',
    };
    const hint =
      'crossSite.token asks for the value of session.csrfToken() in the header X-CSRF-Token';
    expect(answers.map(bodyOf)).toEqual([{ ...body, hint }, body]);
  });

  it('of session 1 is refused in session 2, of the same user too', async () => {
    const target = await start();
    const [first, second, bob] = [
      await pageOf(target, 'alice'),
      await pageOf(target, 'alice'),
      await pageOf(target, 'bob'),
    ];
    expect(await statusOf(target, first)).toBe(200);
    expect(await statusOf(target, { ...second, token: first.token })).toBe(403);
    expect(await statusOf(target, { ...bob, token: first.token })).toBe(403);
  });

  it('of before a login is refused after it; the answer to the login has the new one', async () => {
    const target = await start();
    const before = await pageOf(target, 'alice');
    const login = await post(target, before, '/change/login');
    const after = { cookie: cookieIn(login) ?? '', token: bodyOf(login)['token'] as string };
    expect(await statusOf(target, { ...after, token: before.token })).toBe(403);
    expect(await statusOf(target, after)).toBe(200);
  });

  it.each(['rotate', 'elevate', 'impersonate'])(
    'of before %s is refused after it',
    async (what) => {
      const target = await start();
      const before = await pageOf(target, 'alice');
      const change = await post(target, before, `/change/${what}`);
      const after = { cookie: cookieIn(change) ?? '', token: bodyOf(change)['token'] as string };
      expect(after.cookie).not.toBe(before.cookie);
      expect(await statusOf(target, { ...after, token: before.token })).toBe(403);
      expect(await statusOf(target, after)).toBe(200);
    },
  );

  it('of an open form survives a rotation by the clock, but no proof of identity', async () => {
    const clock = manualClock();
    const target = await start({
      store: memoryStore({ clock: clock.now }),
      rotation: { interval: '15m' },
    });
    const page = await pageOf(target, 'alice');
    clock.advance(15 * 60_000);
    const rotated = await post(target, page);
    expect(rotated.status).toBe(200);
    const cookie = cookieIn(rotated) ?? '';
    expect(cookie).not.toBe('');
    expect(await statusOf(target, { cookie, token: page.token })).toBe(200);
    const elevated = cookieIn(await post(target, { cookie, token: page.token }, '/change/elevate'));
    expect(await statusOf(target, { cookie: elevated ?? '', token: page.token })).toBe(403);
  });

  it('a refusal does not swallow the token that was rotated for it', async () => {
    const clock = manualClock();
    const target = await start({
      store: memoryStore({ clock: clock.now }),
      rotation: { interval: '15m' },
    });
    const page = await pageOf(target, 'alice');
    clock.advance(15 * 60_000);
    const refused = await post(target, { cookie: page.cookie });
    expect(refused.status).toBe(403);
    const cookie = cookieIn(refused) ?? '';
    expect(cookie).not.toBe('');
    expect(await statusOf(target, { cookie, token: page.token })).toBe(200);
  });

  it('protects public routes that use the session: login, logout, data', async () => {
    const target = await start();
    const page = await pageOf(target, 'alice');
    for (const what of ['login', 'set', 'isActive', 'devices', 'logout']) {
      const answer = await post(target, { cookie: page.cookie }, `/use/${what}`);
      expect([what, answer.status]).toEqual([what, 403]);
      expect(cookieIn(answer)).toBeUndefined();
    }
    expect(await statusOf(target, page)).toBe(200);
    expect(await statusOf(target, page, '/use/logout')).toBe(200);
    expect(await statusOf(target, page)).toBe(401);
  });

  it('of an anonymous session counts until the login', async () => {
    const target = await start();
    const began = await post(target, {}, '/use/set');
    const cookie = cookieIn(began) ?? '';
    const token = await tokenFor(target, cookie);
    expect(await statusOf(target, { cookie }, '/use/set')).toBe(403);
    expect(await statusOf(target, { cookie, token }, '/use/set')).toBe(200);
    const login = await post(target, { cookie, token }, '/use/login');
    expect(await statusOf(target, { cookie: cookieIn(login) ?? '', token })).toBe(403);
  });

  it('is not asked for without a session: visitors, and cookies that are over', async () => {
    const target = await start();
    expect(bodyOf(await target.send({ method: 'GET', path: '/csrf' }))).toEqual({ token: null });
    expect(await statusOf(target, {}, '/use/login')).toBe(200);
    const { cookie } = await pageOf(target, 'alice');
    await target.service.revokeUser('alice');
    expect(await statusOf(target, { cookie })).toBe(401);
    expect(await statusOf(target, { cookie }, '/use/login')).toBe(200);
  });

  it('does not replace the other check', async () => {
    const target = await start();
    const { cookie, token } = await pageOf(target, 'alice');
    const headers = [`X-CSRF-Token: ${token}`];
    const answer = await target.send({ cookie, headers, origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
  });

  it('is all there is with insecureAllow', async () => {
    const target = await start({
      crossSite: { token: true, insecureAllow: true },
      cookie: { sameSite: 'none' },
    });
    const { cookie, token } = await pageOf(target, 'alice');
    const from = { cookie, origin: 'https://evil.example', site: 'cross-site' };
    expect((await target.send(from)).status).toBe(403);
    expect((await target.send({ ...from, headers: [`X-CSRF-Token: ${token}`] })).status).toBe(200);
  });

  it('is not asked of the bearer carrier', async () => {
    const target = await start({ bearer: true });
    const bearer = await target.bearerOf('alice');
    expect((await target.send({ bearer })).status).toBe(200);
  });

  it('is taken from its header alone, and once', async () => {
    const target = await start();
    const { cookie, token } = await pageOf(target, 'alice');
    const tries = [
      { path: `/act?X-CSRF-Token=${token}` },
      { headers: [`X-XSRF-Token: ${token}`] },
      { headers: [`Cookie: X-CSRF-Token=${token}`] },
      { headers: [`X-CSRF-Token: ${token}`, `X-CSRF-Token: ${token}`] },
      { headers: [`X-CSRF-Token: ${token}, ${token}`] },
      { headers: ['X-CSRF-Token:'] },
    ];
    for (const request of tries) {
      expect((await target.send({ cookie, ...request })).status).toBe(403);
    }
    expect((await target.send({ cookie, headers: [`x-csrf-token: ${token}`] })).status).toBe(200);
  });

  it('T-13: is worth nothing as a session token, nor a session token as one', async () => {
    const target = await start();
    const { cookie, token } = await pageOf(target, 'alice');
    const answer = await target.send({ method: 'GET', cookie: `__Host-sid=${token}` });
    expect(answer.status).toBe(401);
    expect(await statusOf(target, { cookie, token: cookie.replace('__Host-sid=', '') })).toBe(403);
  });

  it('T-11: survives a new secret while the old one is listed', async () => {
    const old = await start();
    const { store } = old;
    const page = await pageOf(old, 'alice');
    const rolled = await start({ store, secret: [OTHER_SECRET, SECRET] });
    expect(await statusOf(rolled, page)).toBe(200);
    const next = await tokenFor(rolled, page.cookie);
    expect(await statusOf(rolled, { ...page, token: next })).toBe(200);
    // An instance that does not know the new secret yet.
    const late = await start({ store, secret: [SECRET, OTHER_SECRET] });
    expect(await statusOf(late, { ...page, token: next })).toBe(200);
  });

  it('without the option csrfToken() says what is missing', async () => {
    const target = await start({ crossSite: {} });
    const answer = await target.send({ method: 'GET', path: '/csrf' });
    expect(answer.status).toBe(500);
    const errors = target.logger.of('error').map(({ message }) => message);
    expect(errors.join()).toContain('csrfToken() needs the option crossSite: { token: true }');
  });

  it('a store that fails is 503, never a wrong token', async () => {
    const target = await start();
    const page = await pageOf(target, 'alice');
    target.store.plan({ resolve: { fail: 'before' } });
    for (const path of ['/act', '/use/login', '/use/logout', '/use/set']) {
      expect([path, await statusOf(target, page, path)]).toEqual([path, 503]);
    }
  });

  it('works for a client as a page would do it', async () => {
    const target = await start();
    const client = new Client(target.url);
    expect((await client.post('/use/login')).status).toBe(200);
    const { token } = (await client.get('/csrf')).body as { token: string };
    expect((await client.post('/act', {}, { 'X-CSRF-Token': token })).status).toBe(200);
    expect((await client.post('/act')).status).toBe(403);
  });
});
