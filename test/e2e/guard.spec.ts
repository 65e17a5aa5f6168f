/**
 * Where the guard stands, and in which order: whoever asks gets the same verdict, and nothing passes
 * by accident (P15).
 */
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  type Provider,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, ExternalContextCreator } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import {
  CurrentSession,
  CurrentUserId,
  Public,
  RequestSession,
  SessionGuard,
  type SessionModuleOptions,
  SessionRequests,
  SessionService,
  memoryStore,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { ADAPTERS } from '../support/app.js';
import { Client } from '../support/client.js';
import { useApplications } from './applications.kit.js';
import type { ApplicationOptions } from './programs/application.js';
import {
  CONTROLLERS,
  GuardedController,
  PlainController,
  RouteController,
  sessionModule,
} from './programs/guard.js';

describe.each(ADAPTERS)('the guard on %s', (adapter) => {
  const start = useApplications(adapter);

  const statusesOf = async (client: Client, paths: readonly string[]): Promise<string[]> =>
    Promise.all(paths.map(async (path) => `${path} ${(await client.get(path)).status}`));

  describe('stands', () => {
    it('at controllers and routes: nothing else is guarded', async () => {
      const { client } = await start({ imports: [sessionModule()], controllers: CONTROLLERS });
      const expected = [
        '/plain 200',
        '/open 200',
        '/who 200',
        '/routes/guarded 401',
        '/routes/plain 200',
        '/controller 401',
        '/controller/open 200',
        '/public 200',
        '/a/inherited 401',
        '/a/inherited-open 200',
        '/b/inherited 200',
      ];
      const paths = expected.map((line) => line.split(' ')[0] ?? '');
      expect(await statusesOf(client, paths)).toEqual(expected);
      await client.post('/login');
      expect(new Set((await statusesOf(client, paths)).map((line) => line.slice(-3)))).toEqual(
        new Set(['200']),
      );
    });

    const everywhere: [string, SessionModuleOptions, ApplicationOptions, Provider[]][] = [
      ["guard: 'global'", { guard: 'global' }, {}, []],
      [
        'useGlobalGuards()',
        {},
        { prepare: (app) => void app.useGlobalGuards(app.get(SessionGuard)) },
        [],
      ],
      ['APP_GUARD of the application', {}, {}, [{ provide: APP_GUARD, useExisting: SessionGuard }]],
    ];
    it.each(everywhere)(
      'everywhere with %s, and lets @Public() pass',
      async (_name, session, options, providers) => {
        const { client } = await start(
          { imports: [sessionModule(session)], controllers: CONTROLLERS, providers },
          options,
        );
        const expected = [
          '/plain 401',
          '/open 200',
          '/who 401',
          '/routes/guarded 401',
          '/routes/plain 401',
          '/controller 401',
          '/controller/open 200',
          '/public 200',
          '/a/inherited 401',
          '/a/inherited-open 200',
          '/b/inherited 200',
        ];
        const paths = expected.map((line) => line.split(' ')[0] ?? '');
        expect(await statusesOf(client, paths)).toEqual(expected);
        expect((await client.get('/nowhere')).status).toBe(404);
        await client.post('/login');
        expect((await client.get('/plain')).body).toEqual({ plain: true });
      },
    );

    it('once or five times: one verdict and one store call a request', async () => {
      const store = withFaults(memoryStore());
      class Same implements CanActivate {
        constructor(@Inject(SessionRequests) private readonly requests: SessionRequests) {}

        async canActivate(context: ExecutionContext): Promise<boolean> {
          return (await this.requests.ofContext(context).resolve()).status === 'active';
        }
      }
      @Controller()
      @UseGuards(SessionGuard, SessionGuard)
      class ManyGuardsController {
        @UseGuards(SessionGuard)
        @Get('many')
        async many(
          @CurrentSession() session: RequestSession,
          @CurrentUserId() userId: string,
        ): Promise<object> {
          await Promise.all([session.isActive(), session.resolve(), session.timeLeft()]);
          return { userId };
        }
      }
      const { client, app: nest } = await start(
        {
          imports: [sessionModule({ store, guard: 'global' })],
          controllers: [PlainController, ManyGuardsController],
        },
        { prepare: (app) => void app.useGlobalGuards(new Same(app.get(SessionRequests))) },
      );
      // The application's own guard stands in front of the login, too.
      expect((await client.post('/login')).status).toBe(403);
      const { token } = await nest.get(SessionService).create('alice');
      client.cookies = `__Host-sid=${token.token.reveal()}`;
      const before = store.calls.resolve;
      expect((await client.get('/many')).body).toEqual({ userId: 'alice' });
      expect(store.calls.resolve - before).toBe(1);
    });

    it('P15: guards of the application see the verdict, before ours and after', async () => {
      const seen: string[] = [];
      @Injectable()
      class RolesGuard implements CanActivate {
        constructor(private readonly requests: SessionRequests) {}

        async canActivate(context: ExecutionContext): Promise<boolean> {
          const session = this.requests.ofContext(context);
          await session.isActive();
          seen.push(String(session.userId));
          return true;
        }
      }
      @Module({ providers: [{ provide: APP_GUARD, useClass: RolesGuard }] })
      class EarlyModule {}
      @Module({ providers: [{ provide: APP_GUARD, useClass: RolesGuard }] })
      class LateModule {}
      const { client } = await start({
        imports: [EarlyModule, sessionModule({ guard: 'global' }), LateModule],
        controllers: [PlainController],
      });
      await client.post('/login');
      seen.length = 0;
      expect((await client.get('/plain')).status).toBe(200);
      expect(seen).toEqual(['alice', 'alice']);
    });
  });

  describe('in tests of an application', () => {
    const letPass: CanActivate = { canActivate: () => true };

    it('P39: overrideProvider(SessionGuard) opens what guard: "global" closes', async () => {
      const { client } = await start(
        { imports: [sessionModule({ guard: 'global' })], controllers: [PlainController] },
        { override: (builder) => builder.overrideProvider(SessionGuard).useValue(letPass) },
      );
      expect((await client.get('/plain')).status).toBe(200);
    });

    it('P39: overrideGuard(SessionGuard) opens what @UseGuards(SessionGuard) closes', async () => {
      const { client } = await start(
        { imports: [sessionModule()], controllers: [GuardedController, RouteController] },
        { override: (builder) => builder.overrideGuard(SessionGuard).useValue(letPass) },
      );
      expect((await client.get('/controller')).status).toBe(200);
      expect((await client.get('/routes/guarded')).status).toBe(200);
    });
  });

  it('@CurrentSession() and @CurrentUserId() work on a route without any guard', async () => {
    const { client } = await start({ imports: [sessionModule()], controllers: [PlainController] });
    expect((await client.get('/who')).body).toEqual({ active: false, userId: null });
    await client.post('/login');
    expect((await client.get('/who')).body).toEqual({ active: true, userId: 'alice' });
  });

  describe('of another transport', () => {
    class Handlers {
      @SetMetadata('any', true)
      handle(): string {
        return 'handled';
      }

      @Public()
      open(): string {
        return 'handled';
      }
    }

    /** Runs a handler the way microservices and gateways do: guards first. */
    const call = async (
      nest: INestApplication,
      name: 'handle' | 'open',
      transport: string,
    ): Promise<unknown> => {
      const handlers = new Handlers();
      const creator = nest.get(ExternalContextCreator);
      const proxy = creator.create(
        handlers,
        handlers[name],
        name,
        undefined,
        undefined,
        undefined,
        undefined,
        { guards: true, interceptors: true, filters: false },
        transport,
      );
      return (proxy as (...args: unknown[]) => Promise<unknown>)({}, {});
    };

    it.each(['rpc', 'ws', 'graphql', 'unheard-of'])('F-04: denies %s', async (transport) => {
      const { app: nest } = await start({
        imports: [sessionModule({ guard: 'global' })],
        controllers: [PlainController],
      });
      await expect(call(nest, 'handle', transport)).rejects.toThrow(
        `sessions are not available in a ${transport} context`,
      );
    });

    it('lets what is explicitly public pass there, since nothing of it needs a request', async () => {
      const { app: nest } = await start({
        imports: [sessionModule({ guard: 'global' })],
        controllers: [PlainController],
      });
      await expect(call(nest, 'open', 'rpc')).resolves.toBe('handled');
    });
  });
});
