/**
 * Requests that pages of other sites make, over real HTTP on both adapters.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SessionModuleOptions } from '../../src/index.js';
import { ADAPTERS } from '../support/app.js';
import { METHODS, ORIGINS, OWN_HOST, SITES, TRUSTED, mustPass } from '../support/origins.js';
import { useClosing } from './applications.kit.js';
import {
  NEEDS_SESSION,
  type Target,
  type TargetRequest,
  USES,
  bodyOf,
  startTarget,
} from './programs/cross-site.js';
import { valuesOf } from './programs/raw-http.js';

const EVIL = { origin: 'https://evil.example', site: 'cross-site' } as const;
const REFUSAL = {
  statusCode: 403,
  message: 'Cross-site request refused',
  error: 'Forbidden',
  code: 'ERR_SESSION_CROSS_SITE',
};
const crossSite = { trustedOrigins: [TRUSTED] };

describe.each(ADAPTERS)('the truth table on %s', (adapter) => {
  let target: Target;
  let cookie: string;
  beforeAll(async () => {
    target = await startTarget(adapter, { crossSite, production: true });
    cookie = await target.cookieOf('alice');
  });
  afterAll(() => target.close());

  it.each(METHODS)(
    'X-01, X-02: $method with every Sec-Fetch-Site and every Origin',
    async ({ method, isSafe }) => {
      const wrong: string[] = [];
      for (const site of SITES) {
        for (const origin of ORIGINS) {
          const [reached, calls] = [target.controller.reached, target.storeCalls()];
          const answer = await target.send({
            method,
            cookie,
            site: site.value,
            origin: origin.value,
          });
          const expected = mustPass(isSafe, site.kind, origin.kind)
            ? { status: 200, reached: 1, calls: 1 }
            : { status: 403, reached: 0, calls: 0 };
          const actual = {
            status: answer.status,
            reached: target.controller.reached - reached,
            calls: target.storeCalls() - calls,
          };
          if (JSON.stringify(actual) !== JSON.stringify(expected)) {
            wrong.push(`${site.name} / ${origin.name}: ${JSON.stringify(actual)}`);
          }
        }
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe.each(ADAPTERS)('cross-site requests on %s', (adapter) => {
  const keep = useClosing();
  const start = async (
    session: SessionModuleOptions = {},
    trustProxy?: string | number | string[],
  ): Promise<Target> => keep(await startTarget(adapter, session, trustProxy));

  /** Sends it and expects the refusal, before anything happened. */
  const expectRefusal = async (target: Target, request: TargetRequest): Promise<void> => {
    const calls = target.storeCalls();
    const answer = await target.send(request);
    expect(answer.status).toBe(403);
    expect(bodyOf(answer)).toMatchObject(REFUSAL);
    expect(valuesOf(answer, 'set-cookie')).toEqual([]);
    expect(valuesOf(answer, 'www-authenticate')).toEqual([]);
    expect(target.storeCalls()).toBe(calls);
  };

  describe('on public routes', () => {
    it.each(Object.keys(USES))(
      'X-03: %s is refused without a cookie, and nothing is stored or set',
      async (what) => {
        const target = await start();
        await expectRefusal(target, { path: `/use/${what}`, ...EVIL });
        await expectRefusal(target, { path: `/use/${what}`, site: 'same-site' });
        await expectRefusal(target, { path: `/use/${what}`, origin: 'null' });
      },
    );

    it.each(Object.keys({ ...USES, ...NEEDS_SESSION }))(
      'X-01: %s is refused with a cookie, and the session stays as it was',
      async (what) => {
        const target = await start();
        const cookie = await target.cookieOf('alice');
        await expectRefusal(target, { path: `/use/${what}`, cookie, ...EVIL });
        expect((await target.send({ method: 'GET', cookie })).status).toBe(200);
      },
    );

    it('X-03: the same from a page of ours', async () => {
      const target = await start();
      for (const from of [{ site: 'same-origin' }, { origin: `https://${OWN_HOST}` }, {}]) {
        const answer = await target.send({ path: '/use/login', ...from });
        expect(answer.status).toBe(200);
        expect(valuesOf(answer, 'set-cookie')).toHaveLength(1);
      }
    });

    it('V-01: logout from another site leaves the session alone', async () => {
      const target = await start();
      const cookie = await target.cookieOf('alice');
      await expectRefusal(target, { path: '/use/logout', cookie, ...EVIL });
      const logout = await target.send({ path: '/use/logout', cookie, site: 'same-origin' });
      expect(logout.status).toBe(200);
      expect((await target.send({ method: 'GET', cookie })).status).toBe(401);
    });

    it('routes that do not use the session are not concerned', async () => {
      const target = await start();
      const cookie = await target.cookieOf('alice');
      expect((await target.send({ path: '/hook', ...EVIL })).status).toBe(200);
      expect((await target.send({ path: '/hook', cookie, ...EVIL })).status).toBe(200);
    });

    it('to look for a session is no use of one that is not there', async () => {
      const target = await start();
      for (const what of ['isActive', 'get', 'all', 'delete', 'timeLeft', 'resolve']) {
        expect((await target.send({ path: `/use/${what}`, ...EVIL })).status).toBe(200);
      }
    });
  });

  describe('on guarded routes', () => {
    it('X-01: refuses before it looks whose cookie it is', async () => {
      const target = await start();
      await expectRefusal(target, { ...EVIL });
      await expectRefusal(target, { cookie: '__Host-sid=forged', ...EVIL });
      const [first, second] = [await target.cookieOf('alice'), await target.cookieOf('bob')];
      await expectRefusal(target, { cookie: `${first}; ${second}`, ...EVIL });
    });

    it('tells programs without a session to log in, as ever', async () => {
      const target = await start();
      expect((await target.send({})).status).toBe(401);
    });

    it('L-05: says 401 for reads, wherever they come from', async () => {
      const target = await start();
      expect((await target.send({ method: 'GET', ...EVIL })).status).toBe(401);
    });
  });

  describe('with the bearer carrier', () => {
    const bearer = true;

    it('X-01: requests that a token alone authenticates are not concerned', async () => {
      const target = await start({ bearer });
      const token = await target.bearerOf('alice');
      expect((await target.send({ bearer: token, ...EVIL })).status).toBe(200);
      // An unknown cookie beside it authenticates nobody.
      const cookie = '__Host-sid=forged';
      expect((await target.send({ bearer: token, cookie, ...EVIL })).status).toBe(200);
    });

    it('a cookie beside the token counts', async () => {
      const target = await start({ bearer });
      const token = await target.bearerOf('alice');
      const same = `__Host-sid=${token}`;
      await expectRefusal(target, { bearer: token, cookie: same, ...EVIL });
      const other = await target.cookieOf('bob');
      await expectRefusal(target, { bearer: token, cookie: other, ...EVIL });
    });

    it('a token that is worth nothing gets 401, so that the client fetches another', async () => {
      const target = await start({ bearer });
      const answer = await target.send({ bearer: 'forged', ...EVIL });
      expect(answer.status).toBe(401);
      expect(valuesOf(answer, 'www-authenticate')).toEqual(['Bearer']);
    });

    it('a login that sets no cookie is not concerned, unless it would end a session', async () => {
      const target = await start({ bearer });
      const answer = await target.send({ path: '/bearer', ...EVIL });
      expect(answer.status).toBe(200);
      expect(valuesOf(answer, 'set-cookie')).toEqual([]);
      await expectRefusal(target, {
        path: '/bearer',
        cookie: await target.cookieOf('alice'),
        ...EVIL,
      });
    });

    it('X-03: a login that sets a cookie is, whatever token the request has', async () => {
      const target = await start({ bearer });
      const token = await target.bearerOf('mallory');
      await expectRefusal(target, { path: '/use/login', bearer: token, ...EVIL });
    });

    it('a logout by token sets no cookie either', async () => {
      const target = await start({ bearer });
      const token = await target.bearerOf('alice');
      const answer = await target.send({ path: '/use/logout', bearer: token, ...EVIL });
      expect(answer.status).toBe(200);
      expect(valuesOf(answer, 'set-cookie')).toEqual([]);
    });
  });

  describe('what is said about it', () => {
    const hintOf = async (target: Target, request: TargetRequest): Promise<unknown> =>
      bodyOf(await target.send(request))['hint'];
    const remedy = `is neither this application's (${OWN_HOST}) nor listed in crossSite.trustedOrigins`;

    it('outside production the answer names the option and the origin', async () => {
      const target = await start();
      const cookie = await target.cookieOf('alice');
      const expected = `the origin ${EVIL.origin} (Sec-Fetch-Site: cross-site) ${remedy}`;
      expect(await hintOf(target, { cookie, ...EVIL })).toBe(expected);
      expect(await hintOf(target, { path: '/use/login', ...EVIL })).toBe(expected);
      expect(await hintOf(target, { cookie, origin: 'null' })).toBe(`the origin null ${remedy}`);
      expect(await hintOf(target, { cookie, site: 'same-site' })).toBe(
        `the page that sent it (Sec-Fetch-Site: same-site) ${remedy}`,
      );
    });

    it('in production it does not', async () => {
      const target = await start({ production: true });
      const cookie = await target.cookieOf('alice');
      for (const path of ['/act', '/use/login']) {
        expect(bodyOf(await target.send({ path, cookie, ...EVIL }))).toEqual(REFUSAL);
      }
    });

    it('L-03: nothing is repeated that could be anything', async () => {
      const target = await start();
      const cookie = await target.cookieOf('alice');
      for (const origin of ['https://a.example/?token=hunter2', '<b>hunter2</b>', 'hunter2']) {
        const answer = await target.send({ cookie, origin, site: 'hunter2' });
        expect(bodyOf(answer)['hint']).toBe(`its Origin header ${remedy}`);
      }
      expect(target.logger.lines.map(({ message }) => message).join()).not.toContain('hunter2');
    });

    it('L-02: an event for each, with the origin if it is one', async () => {
      const target = await start({ production: true });
      const seen: (string | undefined)[] = [];
      target.service.on('session.cross-site-refused', ({ eventId, at, origin }) => {
        expect(eventId).toMatch(/^cross-site:/);
        expect(at).toBeGreaterThan(0);
        seen.push(origin);
      });
      const cookie = await target.cookieOf('alice');
      await target.send({ cookie, ...EVIL });
      await target.send({ path: '/use/login', origin: 'null' });
      await target.send({ cookie, site: 'cross-site' });
      await target.send({ cookie, origin: 'junk' });
      await target.send({ cookie, site: 'same-origin' });
      expect(seen).toEqual([EVIL.origin, 'null', undefined, undefined]);
    });
  });

  describe('crossSite', () => {
    it('trusts pages of this machine in development alone', async () => {
      const from = { origin: 'http://localhost:5173', site: 'cross-site' };
      const development = await start();
      expect((await development.send({ path: '/use/login', ...from })).status).toBe(200);
      const production = await start({ production: true });
      await expectRefusal(production, { path: '/use/login', ...from });
    });

    it('insecureAllow lets everybody in, and the boot log says so', async () => {
      const target = await start({ crossSite: { insecureAllow: true } });
      const cookie = await target.cookieOf('alice');
      expect((await target.send({ cookie, ...EVIL })).status).toBe(200);
      expect((await target.send({ path: '/use/login', ...EVIL })).status).toBe(200);
      const log = target.logger.of('log').map(({ message }) => message);
      expect(log.filter((message) => message.includes('crossSite.insecureAllow'))).toHaveLength(1);
    });
  });

  describe('behind a proxy', () => {
    const behind = (host: string): Partial<TargetRequest> => ({
      host: 'backend:3000',
      headers: [`X-Forwarded-Host: ${host}`],
      origin: `https://${OWN_HOST}`,
    });

    it('X-01: believes X-Forwarded-Host of nobody by default', async () => {
      const target = await start();
      await expectRefusal(target, { path: '/use/login', ...behind(OWN_HOST) });
    });

    it('X-01: believes that of the proxy which the adapter trusts', async () => {
      const target = await start({}, 'loopback');
      expect((await target.send({ path: '/use/login', ...behind(OWN_HOST) })).status).toBe(200);
      await expectRefusal(target, { path: '/use/login', ...behind('evil.example') });
    });

    it('X-01: does not believe a peer that is not the proxy', async () => {
      const target = await start({}, ['192.0.2.1']);
      await expectRefusal(target, { path: '/use/login', ...behind(OWN_HOST) });
    });

    it('X-02: a page of http:// is not of an application that is behind TLS', async () => {
      const target = await start({}, 'loopback');
      const headers = ['X-Forwarded-Proto: https'];
      const path = '/use/login';
      const own = { path, headers, origin: `https://${OWN_HOST}` };
      expect((await target.send(own)).status).toBe(200);
      await expectRefusal(target, { path, headers, origin: `http://${OWN_HOST}` });
    });
  });
});
