/**
 * What the guard says to whoever it refuses, and where rules meet, which of them it enforces.
 */
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpCode,
  HttpException,
  Inject,
  Post,
  type Provider,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import {
  AllowPending,
  CurrentSession,
  Public,
  RequestSession,
  RequireFresh,
  SessionError,
  SessionGuard,
  SessionHttpException,
  StepUp,
  memoryStore,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { ADAPTERS } from '../support/app.js';
import { useApplications } from './applications.kit.js';
import type { ApplicationOptions } from './programs/application.js';
import { CONTROLLERS, PlainController, RouteController, sessionModule } from './programs/guard.js';

describe.each(ADAPTERS)('the guard on %s', (adapter) => {
  const start = useApplications(adapter);

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
