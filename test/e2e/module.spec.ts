/**
 * How the module comes into an application: with nothing, with everything, or wrongly.
 */
import {
  Controller,
  Get,
  Injectable,
  Module,
  type ModuleMetadata,
  UseGuards,
} from '@nestjs/common';
import { SchedulerRegistry, ScheduleModule } from '@nestjs/schedule';
import { describe, expect, it } from '@jest/globals';
import {
  CLEANUP_JOB,
  CurrentUserId,
  SessionConfigError,
  SessionGuard,
  SessionHealthIndicator,
  SessionModule,
  type SessionModuleAsyncOptions,
  type SessionModuleOptions,
  type SessionOptions,
  type SessionOptionsFactory,
  SessionRequests,
  SessionService,
  SessionSweepTask,
  memoryStore,
} from '../../src/index.js';
import { AccountController, ADAPTERS, SECRET } from '../support/app.js';
import { quiet, useApplications } from './applications.kit.js';
import { LogKeeper, create } from './programs/application.js';

/** Where an application keeps its settings. */
@Injectable()
class Settings {
  readonly secret = SECRET;
  readonly bearer = true;
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class SessionSettings implements SessionOptionsFactory {
  constructor(readonly settings: Settings) {}

  createSessionOptions(): SessionOptions {
    return { secret: this.settings.secret, bearer: true, cleanup: false, store: memoryStore() };
  }
}

@Module({ imports: [SettingsModule], providers: [SessionSettings], exports: [SessionSettings] })
class SessionSettingsModule {}

describe.each(ADAPTERS)('SessionModule on %s', (adapter) => {
  const startApplication = useApplications(adapter);
  const start = async (metadata: ModuleMetadata) => {
    const logger = new LogKeeper();
    return { ...(await startApplication(metadata, { logger })), logger };
  };

  describe('forRoot()', () => {
    it('boots with nothing else imported, works, and says what is missing in one warning', async () => {
      const imports = [SessionModule.forRoot()];
      const { client, logger } = await start({ imports, controllers: [AccountController] });
      const warnings = logger.of('warn', 'error', 'fatal').map(({ message }) => message);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/secret/);
      expect(warnings[0]).toMatch(/ScheduleModule\.forRoot\(\)/);
      await client.login('alice');
      expect((await client.get('/me')).body).toMatchObject({ userId: 'alice' });
    });

    it('is silent when nothing is missing', async () => {
      const { logger } = await start({
        imports: [
          ScheduleModule.forRoot(),
          SessionModule.forRoot({ secret: SECRET, store: memoryStore() }),
        ],
      });
      expect(logger.of('warn', 'error', 'fatal')).toEqual([]);
    });

    it('P40, G-02: in production, one error names everything that has to be added', async () => {
      const module = { imports: [SessionModule.forRoot({ production: true })] };
      const error = await create(adapter, module).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SessionConfigError);
      const { problems } = error as SessionConfigError;
      expect(problems).toHaveLength(3);
      expect(problems.join('\n')).toMatch(/secret[^]*store[^]*ScheduleModule\.forRoot\(\)/);
    });

    it('lists every mistake at once and quotes no secret', async () => {
      const options = {
        secret: 'too-short-to-be-a-secret',
        cookie: { nmae: 'x' },
        timeouts: { idle: '2h', absolute: '1h' },
        cleanup: { cron: 'every day' },
        storee: memoryStore(),
      } as unknown as SessionModuleOptions;
      const module = { imports: [SessionModule.forRoot(options)] };
      const error = await create(adapter, module).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SessionConfigError);
      const { message, problems } = error as SessionConfigError;
      expect(problems.length).toBeGreaterThanOrEqual(5);
      expect(message).toMatch(/cookie\.name/);
      expect(message).toMatch(/did you mean/);
      expect(message).not.toContain('too-short-to-be-a-secret');
    });

    it('does not keep or change the options of the caller', async () => {
      const options: SessionModuleOptions = quiet({ timeouts: { idle: '10m' } });
      const before = JSON.stringify(options);
      Object.freeze(options);
      Object.freeze(options.timeouts);
      await start({ imports: [SessionModule.forRoot(options)] });
      expect(JSON.stringify(options)).toBe(before);
    });
  });

  describe('forRootAsync()', () => {
    const ways: [string, SessionModuleAsyncOptions][] = [
      [
        'useFactory with inject',
        {
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: (settings: Settings) => quiet({ secret: settings.secret, bearer: true }),
        },
      ],
      [
        'an asynchronous useFactory',
        {
          useFactory: async () => {
            await new Promise((resolve) => setImmediate(resolve));
            return quiet({ bearer: true });
          },
        },
      ],
      ['useClass', { imports: [SettingsModule], useClass: SessionSettings }],
      ['useExisting', { imports: [SessionSettingsModule], useExisting: SessionSettings }],
    ];
    it.each(ways)('takes %s', async (_name, options) => {
      const { client, url } = await start({
        imports: [SessionModule.forRootAsync(options)],
        controllers: [AccountController],
      });
      await client.login('alice');
      const [, token] = client.cookies.split('=');
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${url}/me`, { headers })).status).toBe(200);
    });

    it('checks what a factory returns, and passes on what it throws', async () => {
      const wrong = SessionModule.forRootAsync({ useFactory: () => ({ secret: 'short' }) });
      await expect(create(adapter, { imports: [wrong] })).rejects.toBeInstanceOf(
        SessionConfigError,
      );
      const failing = SessionModule.forRootAsync({
        useFactory: async () => {
          throw new Error('no settings');
        },
      });
      await expect(create(adapter, { imports: [failing] })).rejects.toThrow('no settings');
    });

    it('RULE 15b: guard: "global" from a factory guards everything', async () => {
      const { client } = await start({
        imports: [SessionModule.forRootAsync({ useFactory: () => quiet({ guard: 'global' }) })],
        controllers: [UnguardedController],
      });
      expect((await client.get('/unguarded')).status).toBe(401);
    });

    it('reports what is missing in production, also from a factory', async () => {
      const module = SessionModule.forRootAsync({ useFactory: () => ({ production: true }) });
      const error = await create(adapter, { imports: [module] }).catch((reason: unknown) => reason);
      expect((error as SessionConfigError).problems).toHaveLength(3);
    });
  });

  describe('isGlobal', () => {
    @Controller()
    @UseGuards(SessionGuard)
    class FeatureController {
      constructor(readonly service: SessionService) {}

      @Get('feature')
      feature(@CurrentUserId() userId: string): object {
        return { userId, store: this.service.storeName };
      }
    }

    it('true is the default: a feature module needs no import', async () => {
      @Module({ controllers: [FeatureController] })
      class FeatureModule {}
      const { client } = await start({
        imports: [SessionModule.forRoot(quiet()), FeatureModule],
        controllers: [AccountController],
      });
      expect((await client.get('/feature')).status).toBe(401);
      await client.login('alice');
      expect((await client.get('/feature')).body).toEqual({ userId: 'alice', store: 'memory' });
    });

    it.each(['forRoot', 'forRootAsync'] as const)(
      'false: %s serves the modules that import it, and no others',
      async (method) => {
        const session =
          method === 'forRoot'
            ? SessionModule.forRoot(quiet({ isGlobal: false }))
            : SessionModule.forRootAsync({ isGlobal: false, useFactory: () => quiet() });
        @Module({ imports: [session], exports: [SessionModule] })
        class SharedModule {}
        @Module({ imports: [SharedModule], controllers: [FeatureController] })
        class FeatureModule {}
        const { client } = await start({
          imports: [SharedModule, FeatureModule],
          controllers: [AccountController],
        });
        await client.login('alice');
        expect((await client.get('/feature')).body).toEqual({ userId: 'alice', store: 'memory' });

        @Module({ controllers: [FeatureController] })
        class StrangerModule {}
        const apart = { imports: [SharedModule, StrangerModule] };
        await expect(create(adapter, apart)).rejects.toThrow(/StrangerModule/);
      },
    );
  });

  it('gives out everything that its documentation names', async () => {
    const { app } = await start({
      imports: [ScheduleModule.forRoot(), SessionModule.forRoot({ secret: SECRET })],
    });
    for (const token of [
      SessionService,
      SessionRequests,
      SessionGuard,
      SessionSweepTask,
      SessionHealthIndicator,
    ]) {
      expect(app.get<object>(token)).toBeInstanceOf(token);
    }
    expect(app.get(SchedulerRegistry).getCronJobs().has(CLEANUP_JOB)).toBe(true);
  });
});

@Controller()
class UnguardedController {
  @Get('unguarded')
  unguarded(): object {
    return { passed: true };
  }
}
