/**
 * P14: a cookie that a browser would drop is never dropped in silence: one warning per process
 * names the setting of the adapter.
 */
import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CurrentSession,
  RequestSession,
  SessionModule,
  type SessionModuleOptions,
  SessionService,
  memoryStore,
} from '../../src/index.js';
import { ADAPTERS, SECRET } from '../support/app.js';
import { type Application, LogKeeper, listen } from './programs/application.js';
import { type RawAnswer, sendRaw, valuesOf } from './programs/raw-http.js';

@Controller()
class LoginController {
  @Post('login')
  @HttpCode(204)
  async login(@Body() _body: object, @CurrentSession() session: RequestSession): Promise<void> {
    await session.login('alice');
  }

  @Get('who')
  async who(@CurrentSession() session: RequestSession): Promise<object> {
    return { active: await session.isActive() };
  }
}

describe.each(ADAPTERS)('cookies over plain HTTP on %s', (adapter) => {
  const running: Application[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async ({
    session = {},
    trustsProxy = false,
  }: { session?: SessionModuleOptions; trustsProxy?: boolean } = {}) => {
    const logger = new LogKeeper();
    const application = await listen(
      adapter,
      {
        imports: [
          SessionModule.forRoot({
            secret: SECRET,
            store: memoryStore(),
            cleanup: false,
            ...session,
          }),
        ],
        controllers: [LoginController],
      },
      {
        logger,
        ...(trustsProxy && { fastify: { trustProxy: 'loopback' } }),
        prepare: (app) => {
          if (!trustsProxy || adapter === 'fastify') return;
          const { set } = app as unknown as { set(name: string, value: unknown): void };
          set.call(app, 'trust proxy', 'loopback');
        },
      },
    );
    running.push(application);
    const warnings = (): string[] => logger.of('warn').map(({ message }) => message);
    const service = application.app.get(SessionService);
    return { ...application, warnings, service };
  };

  it('P14: sends the cookie all the same, and warns once with the setting of both adapters', async () => {
    const { warnings, port } = await start();
    for (const name of ['app.example.com', 'other.example.com', '10.1.2.3:8080', '[2001:db8::1]']) {
      const answer = await loginAt(port, name);
      expect(answer.status).toBe(204);
      const [line = ''] = valuesOf(answer, 'set-cookie');
      expect(line.replace(/=[^;]*/, '=…')).toBe(
        '__Host-sid=…; Path=/; Secure; HttpOnly; SameSite=Lax',
      );
    }
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toContain("app.set('trust proxy', 'uniquelocal')");
    expect(warnings()[0]).toContain("new FastifyAdapter({ trustProxy: 'uniquelocal' })");
  });

  it('does not warn where no network is in between, or where no cookie is sent', async () => {
    const { warnings, port } = await start();
    const names = ['localhost', 'LOCALHOST:3000', 'app.localhost', '127.0.0.1', '127.8.9.1:80'];
    for (const name of [...names, '[::1]:3000', '[::1]']) await loginAt(port, name);
    await sendRaw(port, { path: '/who', host: 'app.example.com' });
    expect(warnings()).toEqual([]);
  });

  it.each([
    'localhost.example.com',
    'evil-localhost',
    '127.0.0.1.example.com',
    '127.0.0.1@example.com',
    '1270.0.0.1',
  ])('warns for %s, which only looks like this machine', async (name) => {
    const { warnings, port } = await start();
    await loginAt(port, name);
    expect(warnings()).toHaveLength(1);
  });

  it('does not warn behind a proxy that the adapter trusts and that ends TLS', async () => {
    const { warnings, port } = await start({ trustsProxy: true });
    await loginAt(port, 'app.example.com', 'X-Forwarded-Proto: https');
    expect(warnings()).toEqual([]);
    // Such a proxy says when it was plain.
    await loginAt(port, 'app.example.com', 'X-Forwarded-Proto: http');
    expect(warnings()).toHaveLength(1);
  });

  it('C-15: believes no forwarded header without the setting', async () => {
    const { warnings, port } = await start();
    const answer = await loginAt(
      port,
      'app.example.com',
      'X-Forwarded-Proto: https',
      'Forwarded: proto=https;host=localhost',
      'X-Forwarded-Host: localhost',
    );
    expect(valuesOf(answer, 'set-cookie')).toHaveLength(1);
    expect(warnings()).toHaveLength(1);
  });

  it('L-06: the recorded address is the adapter’s, whatever is forwarded', async () => {
    const spoofed = [
      'X-Forwarded-For: 6.6.6.6, 1.2.3.4',
      'X-Real-IP: 6.6.6.6',
      'Forwarded: for=6.6.6.6',
      'X-Client-IP: 6.6.6.6',
    ];
    const direct = await start();
    await loginAt(direct.port, 'localhost', ...spoofed);
    const behind = await start({ trustsProxy: true });
    await loginAt(behind.port, 'localhost', ...spoofed);
    const addresses = await Promise.all(
      [direct, behind].map(async ({ service }) => {
        const { sessions } = await service.list('alice');
        return sessions[0]?.device.address;
      }),
    );
    expect(addresses).toEqual(['127.0.0.1', '1.2.3.4']);
  });

  it('insecureDevCookies sends a cookie that needs no encryption, and says so at boot', async () => {
    const { warnings, port } = await start({ session: { cookie: { insecureDevCookies: true } } });
    const before = warnings().length;
    const [line = ''] = valuesOf(await loginAt(port, 'app.example.com'), 'set-cookie');
    expect(line.replace(/=[^;]*/, '=…')).toBe('sid=…; Path=/; HttpOnly; SameSite=Lax');
    expect(before).toBe(1);
    expect(warnings()).toHaveLength(1);
  });
});

function loginAt(port: number, name: string, ...headers: string[]): Promise<RawAnswer> {
  return sendRaw(port, { method: 'POST', path: '/login', host: name, headers });
}
