/**
 * Presets, the audit at boot, and what an application refuses to boot with.
 */
import { describe, expect, it } from '@jest/globals';
import { SessionModule, type SessionModuleOptions, memoryStore } from '../../src/index.js';
import { ADAPTERS, SECRET } from '../support/app.js';
import { OWN_HOST } from '../support/origins.js';
import { until } from '../support/until.js';
import { LogKeeper, create } from './programs/application.js';
import { useClosing } from './applications.kit.js';
import { type Target, type TargetRequest, bodyOf, startTarget } from './programs/cross-site.js';
import { valuesOf } from './programs/raw-http.js';

const preset = 'pci';

describe.each(ADAPTERS)('presets on %s', (adapter) => {
  const keep = useClosing();
  const start = async (
    session: SessionModuleOptions = {},
    trustProxy?: string | number | string[],
  ): Promise<Target> => keep(await startTarget(adapter, session, trustProxy));

  describe('C-15: what looks like plain HTTP', () => {
    const LOGIN = { path: '/use/login' } as const;
    const refusal = {
      statusCode: 403,
      message: 'HTTPS is required',
      error: 'Forbidden',
      code: 'ERR_SESSION_PLAIN_HTTP',
    };
    const expectRefusal = async (target: Target, request: TargetRequest): Promise<void> => {
      const calls = target.storeCalls();
      const answer = await target.send(request);
      expect(answer.status).toBe(403);
      expect(bodyOf(answer)).toEqual(refusal);
      expect(valuesOf(answer, 'set-cookie')).toEqual([]);
      expect(target.storeCalls()).toBe(calls);
    };

    it('gets no cookie, and the one it has is worth nothing', async () => {
      const target = await start({ preset });
      const cookie = await target.cookieOf('alice');
      await expectRefusal(target, LOGIN);
      await expectRefusal(target, { method: 'GET', cookie });
      await expectRefusal(target, { cookie, path: '/use/isActive' });
      await expectRefusal(target, { cookie, path: '/use/logout' });
      await expectRefusal(target, { path: '/use/set' });
      await expectRefusal(target, { method: 'GET' });
    });

    it('is told about once, with the setting of both adapters', async () => {
      const target = await start({ preset });
      for (let i = 0; i < 3; i += 1) await target.send(LOGIN);
      const warnings = target.logger.of('warn').map(({ message }) => message);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain("was refused, since preset 'pci' is on");
      expect(warnings[0]).toContain("app.set('trust proxy', 'uniquelocal')");
      expect(warnings[0]).toContain("new FastifyAdapter({ trustProxy: 'uniquelocal' })");
    });

    it('believes X-Forwarded-Proto of the proxy that the adapter trusts, and of nobody else', async () => {
      const https = { ...LOGIN, headers: ['X-Forwarded-Proto: https'] };
      const trusting = await start({ preset }, 'loopback');
      const answer = await trusting.send(https);
      expect(answer.status).toBe(200);
      expect(valuesOf(answer, 'set-cookie')).toHaveLength(1);
      await expectRefusal(trusting, { ...LOGIN, headers: ['X-Forwarded-Proto: http'] });
      await expectRefusal(trusting, LOGIN);
      await expectRefusal(await start({ preset }), https);
      await expectRefusal(await start({ preset }, ['192.0.2.1']), https);
      const forwarded = ['Forwarded: proto=https', 'X-Forwarded-Ssl: on', 'Front-End-Https: on'];
      await expectRefusal(trusting, { ...LOGIN, headers: forwarded });
    });

    it.each(['localhost', 'localhost:3000', 'app.localhost', '127.0.0.1:3000', '[::1]:3000'])(
      'is fine at %s, where no network is in between',
      async (host) => {
        const target = await start({ preset });
        expect((await target.send({ ...LOGIN, host })).status).toBe(200);
      },
    );

    it.each(['localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', '0.0.0.0', ''])(
      'is not at %j',
      async (host) => {
        const target = await start({ preset });
        expect((await target.send({ ...LOGIN, host })).status).toBe(403);
      },
    );

    it('is only warned of without a preset', async () => {
      const target = await start();
      const answer = await target.send(LOGIN);
      expect(answer.status).toBe(200);
      expect(valuesOf(answer, 'set-cookie')).toHaveLength(1);
      expect(target.logger.of('warn')).toHaveLength(1);
    });

    it('is what insecureDevCookies is for, in development', async () => {
      const target = await start({ preset, cookie: { insecureDevCookies: true } });
      expect((await target.send(LOGIN)).status).toBe(200);
    });

    it('is of no concern to public routes without a session, and to the bearer carrier', async () => {
      const target = await start({ preset, bearer: true });
      expect((await target.send({ path: '/hook' })).status).toBe(200);
      const bearer = await target.bearerOf('alice');
      expect((await target.send({ method: 'GET', bearer })).status).toBe(200);
    });
  });

  it('C-06: a remembered login has a cookie that ends with the browser', async () => {
    const lineOf = async (session: SessionModuleOptions): Promise<string> => {
      const target = await start(session);
      const answer = await target.send({ path: '/use/loginOverSession', host: 'localhost' });
      return valuesOf(answer, 'set-cookie')[0] ?? '';
    };
    expect(await lineOf({})).toContain('Max-Age');
    const line = await lineOf({ preset });
    expect(line).toContain('__Host-sid=');
    expect(line).not.toContain('Max-Age');
  });

  it('K-01: evicts at the figure of the preset', async () => {
    const target = await start({ preset });
    const { session: oldest } = await target.service.create('alice');
    // Of sessions of the same millisecond the one with the smaller id would go.
    await until(
      async () => Date.now(),
      (now) => now > oldest.createdAt,
    );
    for (let i = 0; i < 3; i += 1) await target.service.create('alice');
    const ids = (await target.service.list('alice')).sessions.map(({ id }) => id);
    expect(ids).toHaveLength(3);
    expect(ids).not.toContain(oldest.id);
  });

  it('G-01: works with the host of the application and TLS at a proxy, cross-site rules included', async () => {
    const target = await start({ preset }, 'loopback');
    const headers = ['X-Forwarded-Proto: https'];
    const own = { path: '/use/login', headers, origin: `https://${OWN_HOST}` };
    expect((await target.send(own)).status).toBe(200);
    const evil = await target.send({ ...own, origin: 'https://evil.example' });
    expect(bodyOf(evil)['code']).toBe('ERR_SESSION_CROSS_SITE');
  });
});

describe('G-01: the audit at boot', () => {
  const logOf = async (session: SessionModuleOptions): Promise<string[]> => {
    const target = await startTarget('express', { cleanup: {}, ...session });
    await target.close();
    return target.logger
      .of('log')
      .flatMap(({ context, message }) => (context === 'SessionModule' ? [message] : []));
  };

  it('says nothing of the defaults', async () => {
    expect(await logOf({})).toEqual([]);
  });

  it('lists every deviation in one entry, one line each', async () => {
    const session: SessionModuleOptions = {
      timeouts: { idle: '2h' },
      concurrency: { max: 500 },
      crossSite: { trustedOrigins: ['https://spa.example.net'] },
    };
    expect(await logOf(session)).toEqual([
      [
        'options weaker than the safe defaults:',
        '  - timeouts.idle is 2 h (safe: 30 m): whoever finds the browser open has longer to use it (E-01)',
        '  - concurrency.max is 500 (safe: 100): a stolen session is one among more (K-02)',
        '  - crossSite.trustedOrigins is https://spa.example.net (safe: none): pages of these origins can act in the name of users (X-02)',
      ].join('\n'),
    ]);
  });

  it('is there on demand', async () => {
    const target = await startTarget('express', { bearer: true, cleanup: {} });
    expect(target.service.audit().map(({ option }) => option)).toEqual(['bearer']);
    await target.close();
  });
});

describe('what an application refuses to boot with', () => {
  const store = memoryStore();
  const good = { secret: SECRET, store, production: true, cleanup: false } as const;

  /** What the boot ends with, and everything it printed. */
  const boot = async (options: object): Promise<string> => {
    const logger = new LogKeeper();
    const app = create('express', { imports: [SessionModule.forRoot(options)] }, { logger });
    const message = await app.then(
      async (booted) => {
        await booted.close();
        return 'booted';
      },
      (error: unknown) => String(error),
    );
    return [message, ...logger.lines.map((line) => line.message)].join('\n');
  };

  it('boots with these options', async () => {
    expect(await boot(good)).toMatch(/^booted/);
  });

  // The option, and the remedy that the message names.
  it.each<[string, object, string]>([
    [
      'T-12: no secret',
      { secret: undefined },
      'secret is required in production: put the output of `openssl rand -base64 32`',
    ],
    ['T-12: an empty secret', { secret: '' }, 'secret is empty: set the environment variable'],
    ['G-02: no store', { store: undefined }, 'store is required in production: pass a lasting one'],
    [
      'C-02: insecureDevCookies',
      { cookie: { insecureDevCookies: true } },
      'cookie.insecureDevCookies must not be used in production: remove it and serve the application over HTTPS',
    ],
    [
      'C-04: a domain with the prefix',
      { cookie: { domain: 'example.com' } },
      'the prefix __Host- of cookie.name allows no cookie.domain: remove cookie.domain',
    ],
    [
      'C-04: a path with the prefix',
      { cookie: { path: '/app' } },
      "the prefix __Host- of cookie.name needs cookie.path / (got '/app'): remove cookie.path",
    ],
    [
      'C-04: Partitioned alone',
      { cookie: { partitioned: true } },
      'cookie.partitioned needs cookie.sameSite none: set it, or remove cookie.partitioned',
    ],
    [
      'X-02: a pattern',
      { crossSite: { trustedOrigins: ['https://*.example.com'] } },
      'crossSite.trustedOrigins[0] must not be a pattern: list each origin',
    ],
    [
      'X-02: a plain origin',
      { crossSite: { trustedOrigins: ['http://a.example'] } },
      "crossSite.trustedOrigins[0] must begin with https:// in production, since anybody on the network can answer for http://: write 'https://a.example'",
    ],
    [
      'X-02: any page',
      { crossSite: { trustedOrigins: ['null'] } },
      'crossSite.trustedOrigins[0] must not be null, which is what any page can send: name the origin',
    ],
    [
      'X-01: no check at all',
      { crossSite: { insecureAllow: true }, cookie: { sameSite: 'none' } },
      "crossSite.insecureAllow must not be combined with cookie.sameSite 'none'",
    ],
    [
      'X-01: a list that means nothing',
      { crossSite: { insecureAllow: true, trustedOrigins: [] } },
      'crossSite.insecureAllow must not be combined with crossSite.trustedOrigins, which it makes meaningless: remove one of them',
    ],
    [
      'E-02: weaker than the preset',
      { preset, timeouts: { absolute: '24h' } },
      "timeouts.absolute must not be weaker than preset 'pci' (got 24 h, the preset has 12 h): use at most 12 h, or leave the option or the preset out",
    ],
    [
      'R-07: rotation closer than the grace',
      { rotation: { interval: '1m' } },
      'rotation.interval must be at least four times rotation.grace (got 1 m and 30 s)',
    ],
    [
      'G-01: a slip',
      { cookie: { htttpOnly: false } },
      'cookie.htttpOnly is not an option; it is always on: remove it',
    ],
    [
      'E-08: nothing that cleans up',
      { cleanup: {} },
      'cleanup has nothing that runs it: add ScheduleModule.forRoot() of @nestjs/schedule to the imports of the root module',
    ],
  ])('%s', async (_, options, sentence) => {
    const output = await boot({ ...good, ...options });
    expect(output).toContain('SessionConfigError: the session options are not usable:');
    expect(output).toContain(`  - ${sentence}`);
  });

  it.each([
    ['16 bytes', 'x7Kq2mWz9Lp4Rt6B'],
    ['31 bytes', 'x7Kq2mWz9Lp4Rt6Bx7Kq2mWz9Lp4Rt6'],
    ['a word', 'secret'],
    ['an example', 'changeme-changeme-changeme-changeme'],
    ['32 equal bytes', 'a'.repeat(32)],
    ['a keyboard cat', 'keyboard cat keyboard cat keyboard cat'],
    ['counting', 'abcdefghijklmnopqrstuvwxyz0123456789'],
    ['a sentence that says what to do', 'replace-this-with-32-random-bytes-please'],
  ])('T-12: a secret of %s, without a word of it', async (_, secret) => {
    const output = await boot({ ...good, secret });
    expect(output).toMatch(/ {2}- secret .*use 32 random bytes \(openssl rand -base64 32\)/);
    // Short ones are ordinary words of the message.
    expect(secret.length > 10 && output.includes(secret)).toBe(false);
    expect(await boot({ ...good, secret: [SECRET, secret] })).toContain('- secret[1] ');
  });

  it.each<[unknown]>([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [0],
    [-1],
    [1.5],
    ['0s'],
    ['-5m'],
    ['401d'],
    [2 ** 31],
    [1800],
    ['30'],
    ['1h30m'],
    ['30 m'],
    ['1e3s'],
    ['half an hour'],
    [''],
    [null],
    [true],
    [10n],
    [['30m']],
    ['25h'],
  ])('E-11: an idle timeout of %p', async (idle) => {
    const output = await boot({ ...good, timeouts: { idle } });
    // 2^31 ms are 25 days: longer than the absolute timeout.
    expect(output).toMatch(/ {2}- timeouts\.idle (must|is) /);
  });
});
