/**
 * Where the guard stands, in which order, and what it says: whoever asks gets the same verdict, and
 * nothing passes by accident (P15).
 */
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpCode,
  HttpException,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  Post,
  type Provider,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AllowPending,
  CurrentSession,
  CurrentUserId,
  Public,
  RequestSession,
  RequireFresh,
  SessionError,
  SessionGuard,
  SessionHttpException,
  SessionModule,
  type SessionModuleOptions,
  SessionRequests,
  SessionService,
  StepUp,
  memoryStore,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { ADAPTERS, SECRET } from '../support/app.js';
import { Client } from '../support/client.js';
import { type Application, type ApplicationOptions, listen } from './programs/application.js';

@Controller()
class PlainController {
  @Public()
  @Post('login')
  @HttpCode(204)
  async login(@CurrentSession() session: RequestSession): Promise<void> {
    await session.login('alice');
  }

  @Get('plain')
  plain(): object {
    return { plain: true };
  }

  @Public()
  @Get('open')
  open(): object {
    return { open: true };
  }

  /** No guard, no `@Public()`: the decorators find the session by themselves. */
  @Get('who')
  async who(
    @CurrentSession() session: RequestSession,
    @CurrentUserId() userId: string | undefined,
  ): Promise<object> {
    return { active: await session.isActive(), userId: userId ?? null };
  }
}

@Controller('routes')
class RouteController {
  @UseGuards(SessionGuard)
  @Get('guarded')
  guarded(@CurrentUserId() userId: string): object {
    return { userId };
  }

  @Get('plain')
  plain(): object {
    return { plain: true };
  }
}

@Controller('public')
@Public()
@UseGuards(SessionGuard)
class PublicController {
  @Get()
  open(): object {
    return { open: true };
  }

  @RequireFresh('10m')
  @Get('fresh')
  fresh(): object {
    return { fresh: true };
  }

  @StepUp({ action: 'pay' })
  @Post('confirmed')
  confirmed(): object {
    return { confirmed: true };
  }

  @Public()
  @RequireFresh('10m')
  @Get('contradiction')
  contradiction(): object {
    return { fresh: true };
  }
}

@Controller('controller')
@UseGuards(SessionGuard)
@RequireFresh('10m')
class GuardedController {
  @Get()
  guarded(@CurrentUserId() userId: string): object {
    return { userId };
  }

  @Public()
  @Get('open')
  open(): object {
    return { open: true };
  }
}

class BaseController {
  @Get('inherited')
  inherited(): object {
    return { inherited: true };
  }

  @Public()
  @Get('inherited-open')
  inheritedOpen(): object {
    return { open: true };
  }
}

@Controller('a')
@UseGuards(SessionGuard)
class GuardedHeir extends BaseController {}

@Controller('b')
@UseGuards(SessionGuard)
@Public()
class PublicHeir extends BaseController {}

const CONTROLLERS = [
  PlainController,
  RouteController,
  PublicController,
  GuardedController,
  GuardedHeir,
  PublicHeir,
];

describe.each(ADAPTERS)('the guard on %s', (adapter) => {
  const running: Application[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const sessionModule = (options: SessionModuleOptions = {}): DynamicModule =>
    SessionModule.forRoot({ secret: SECRET, store: memoryStore(), cleanup: false, ...options });

  const start = async (metadata: ModuleMetadata, options: ApplicationOptions = {}) => {
    const app = await listen(adapter, metadata, options);
    running.push(app);
    return { ...app, client: new Client(app.url), nest: app.app };
  };

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
      const { client, nest } = await start(
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
      const { nest } = await start({
        imports: [sessionModule({ guard: 'global' })],
        controllers: [PlainController],
      });
      await expect(call(nest, 'handle', transport)).rejects.toThrow(
        `sessions are not available in a ${transport} context`,
      );
    });

    it('lets what is explicitly public pass there, since nothing of it needs a request', async () => {
      const { nest } = await start({
        imports: [sessionModule({ guard: 'global' })],
        controllers: [PlainController],
      });
      await expect(call(nest, 'open', 'rpc')).resolves.toBe('handled');
    });
  });

  describe('refuses', () => {
    const seen: unknown[] = [];
    @Catch()
    class CatchEverything implements ExceptionFilter {
      constructor(@Inject(HttpAdapterHost) private readonly adapters: HttpAdapterHost) {}

      catch(error: unknown, host: ArgumentsHost): void {
        seen.push(error);
        const status = error instanceof HttpException ? error.getStatus() : 500;
        const { httpAdapter } = this.adapters;
        httpAdapter.reply(host.switchToHttp().getResponse(), { mine: true }, status);
      }
    }

    @Controller('steps')
    @UseGuards(SessionGuard)
    class StepController {
      @StepUp({ action: 'pay' })
      @Post('pay')
      pay(): object {
        return {};
      }

      @Post('confirm')
      @HttpCode(204)
      async confirm(@CurrentSession() session: RequestSession): Promise<void> {
        await session.elevate({ methods: ['otp'], action: 'pay' });
      }

      @Get('set')
      async set(@CurrentSession() session: RequestSession): Promise<void> {
        await session.set('x', 'y');
      }
    }

    const filters: [string, Provider[], ApplicationOptions, unknown[]][] = [
      ['APP_FILTER', [{ provide: APP_FILTER, useClass: CatchEverything }], {}, [503, []]],
      [
        'useGlobalFilters()',
        [],
        {
          prepare: (app) =>
            void app.useGlobalFilters(new CatchEverything(app.get(HttpAdapterHost))),
        },
        [500, ['ERR_SESSION_STORE']],
      ],
    ];
    it.each(filters)(
      'with an HttpException, so that a catch-all filter by %s can answer',
      async (_name, providers, options, fromHandler) => {
        const store = withFaults(memoryStore());
        const { client } = await start(
          {
            imports: [sessionModule({ store })],
            controllers: [PlainController, RouteController, StepController],
            providers,
          },
          options,
        );
        seen.length = 0;
        const refused = await client.get('/routes/guarded');
        expect([refused.status, refused.body]).toEqual([401, { mine: true }]);
        expect(refused.headers.get('www-authenticate')).toBe('Session');
        expect(seen).toEqual([expect.any(SessionHttpException)]);

        await client.post('/login');
        store.plan({ resolve: { fail: 'before' } });
        const down = await client.get('/routes/guarded');
        expect([down.status, down.headers.get('retry-after')]).toEqual([503, '1']);
        store.plan({});
        expect((await client.post('/steps/confirm')).status).toBe(204);
        store.plan({ write: { fail: 'before' } });
        const unconfirmed = await client.post('/steps/pay');
        expect([unconfirmed.status, unconfirmed.headers.get('retry-after')]).toEqual([503, '1']);
        expect(seen.slice(1)).toEqual([
          expect.any(SessionHttpException),
          expect.any(SessionHttpException),
        ]);

        // What a handler lets through is an error of ours, for our filter or for the application's.
        const letThrough = await client.get('/steps/set');
        const errors = seen.slice(3).map((error) => (error as SessionError).code);
        expect([letThrough.status, errors]).toEqual(fromHandler);
      },
    );

    it('every code has an answer, and no answer names a cause', async () => {
      const { SESSION_ERROR_CODES } = await import('../../src/index.js');
      for (const code of SESSION_ERROR_CODES) {
        const exception = new SessionHttpException(code, { cause: new Error('secret cause') });
        expect(exception.getStatus()).toBeGreaterThanOrEqual(400);
        expect(JSON.stringify(exception.getResponse())).not.toContain('secret cause');
        expect(exception.getResponse()).toMatchObject({ code, statusCode: exception.getStatus() });
      }
    });
  });

  describe('with rules that meet', () => {
    @Controller('both')
    @UseGuards(SessionGuard)
    class BothController {
      @Post('confirm')
      @HttpCode(204)
      async confirm(@CurrentSession() session: RequestSession): Promise<void> {
        await session.elevate({ methods: ['otp'], action: 'pay' });
      }

      @UseGuards(SessionGuard)
      @StepUp({ action: 'pay' })
      @Post('pay')
      @HttpCode(200)
      pay(): object {
        return { paid: true };
      }

      @Public()
      @Post('half')
      @HttpCode(204)
      async half(@CurrentSession() session: RequestSession): Promise<void> {
        await session.login('alice', { pending: true });
      }

      @AllowPending()
      @Get('second-factor')
      secondFactor(): object {
        return { ask: 'otp' };
      }

      @AllowPending()
      @RequireFresh('10m', { methods: ['otp'] })
      @Get('second-factor/fresh')
      freshSecondFactor(): object {
        return { fresh: true };
      }
    }

    it('a confirmation is used up once by a request, however many guards look at it', async () => {
      const { client } = await start({
        imports: [sessionModule({ guard: 'global' })],
        controllers: [PlainController, BothController],
      });
      await client.post('/login');
      expect((await client.post('/both/pay')).body).toMatchObject({ code: 'ERR_SESSION_STEP_UP' });
      await client.post('/both/confirm');
      expect((await client.post('/both/pay')).body).toEqual({ paid: true });
      expect((await client.post('/both/pay')).body).toMatchObject({ code: 'ERR_SESSION_STEP_UP' });
    });

    it('a route that demands a proof is not public because its controller is', async () => {
      const { client } = await start({ imports: [sessionModule()], controllers: CONTROLLERS });
      expect((await client.get('/public')).status).toBe(200);
      expect((await client.get('/public/fresh')).status).toBe(401);
      expect((await client.post('/public/confirmed')).status).toBe(401);
      // Both on one route: the one that protects counts.
      expect((await client.get('/public/contradiction')).status).toBe(401);
      expect((await client.get('/controller/open')).status).toBe(200);
    });

    it('R-06: a route for half a login still demands its own proof', async () => {
      const { client } = await start({
        imports: [sessionModule()],
        controllers: [PlainController, BothController],
      });
      await client.post('/both/half');
      expect((await client.get('/both/second-factor')).status).toBe(200);
      expect((await client.get('/both/second-factor/fresh')).body).toMatchObject({
        code: 'ERR_SESSION_STEP_UP',
      });
      expect((await client.post('/both/pay')).body).toMatchObject({ code: 'ERR_SESSION_PENDING' });
    });
  });
});
