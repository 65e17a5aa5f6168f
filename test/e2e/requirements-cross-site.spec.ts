/**
 * Security requirements that concern requests of other sites, and where a login leads.
 * `docs/security/requirements.md` lists them all.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SessionModuleOptions, localPath } from '../../src/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const ORIGIN = 'https://app.example.com';

describe.each(ADAPTERS)('requirements on cross-site requests, on %s', (adapter) => {
  const running: TestApp[] = [];
  const start = async (crossSite: SessionModuleOptions['crossSite'] = {}): Promise<TestApp> => {
    const session = { production: true, crossSite };
    const app = await startApp(adapter, { session });
    running.push(app);
    return app;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it('X-01: an unsafe request with a cookie has to come from a page of ours', async () => {
    const { url } = await start();
    const client = new Client(url);
    await client.login('alice');
    const sites = [undefined, 'same-origin', 'none', 'same-site', 'cross-site', 'junk'];
    const origins = [undefined, url, 'https://evil.example', 'null', 'junk'];
    const passed: string[] = [];
    const refusals = new Set<string>();
    for (const site of sites) {
      for (const origin of origins) {
        const headers = {
          ...(site !== undefined && { 'sec-fetch-site': site }),
          ...(origin !== undefined && { origin }),
        };
        expect((await client.get('/me', headers)).status).toBe(200);
        const { status, body } = await client.post('/count', {}, headers);
        if (status === 201) passed.push(`${site} ${origin === url ? 'own' : origin}`);
        else refusals.add(`${status} ${(body as { code: string }).code}`);
      }
    }
    expect([...refusals]).toEqual(['403 ERR_SESSION_CROSS_SITE']);
    const others = ['undefined', 'own', 'https://evil.example', 'null', 'junk'];
    expect(passed).toEqual([
      'undefined undefined',
      'undefined own',
      ...others.map((origin) => `same-origin ${origin}`),
      ...others.map((origin) => `none ${origin}`),
    ]);
  });

  it('X-02: a trusted origin is that one, to the letter', async () => {
    const { url } = await start({ trustedOrigins: [ORIGIN] });
    const client = new Client(url);
    await client.login('alice');
    const status = async (origin: string): Promise<number> => {
      const headers = { origin, 'sec-fetch-site': 'cross-site' };
      return (await client.post('/count', {}, headers)).status;
    };
    expect(await status(ORIGIN)).toBe(201);
    for (const origin of [
      `${ORIGIN}.evil.com`,
      'https://evilapp.example.com',
      'http://app.example.com',
      `${ORIGIN}:8443`,
      `${ORIGIN}.`,
      'https://app.example.com@evil.com',
      'https://xn--pp-4ja.example.com',
      'https://example.com',
      'null',
    ]) {
      expect(await status(origin)).toBe(403);
    }
  });

  it('X-03: no other site logs a browser in, or out', async () => {
    const { url } = await start();
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    const victim = new Client(url);
    const login = await victim.post('/login', { user: 'mallory' }, foreign);
    expect(login.status).toBe(403);
    expect(login.setCookies).toEqual([]);
    await victim.login('alice');
    const logout = await victim.post('/logout', {}, foreign);
    expect(logout.status).toBe(403);
    expect(logout.setCookies).toEqual([]);
    expect((await victim.get('/me')).status).toBe(200);
  });
});

describe('requirements on return addresses', () => {
  it('X-07: leads to a page of this application or to the start page', () => {
    for (const target of [
      '//evil.example',
      '/\\evil.example',
      'https:evil.example',
      'https://evil.example',
      '/%2f%2fevil.example/..%2f',
      '%2f%2fevil.example',
      '/\t/evil.example',
      '/\n/evil.example',
      ' /x',
      'javascript:alert(1)',
      'x',
      7,
      undefined,
    ]) {
      expect(new URL(localPath(target), 'https://us.example').host).toBe('us.example');
    }
    expect(localPath('//evil.example')).toBe('/');
    expect(localPath('/\\evil.example', '/home')).toBe('/home');
    expect(localPath('/orders?page=2#top')).toBe('/orders?page=2#top');
  });
});
