/**
 * How the module comes into an application: with nothing, with everything, twice, or wrongly.
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
import { afterEach, describe, expect, it } from '@jest/globals';
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
import { Client } from '../support/client.js';
import { type Application, LogKeeper, create, listen } from './programs/application.js';
import { runProgram } from './programs/child.js';

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
  const running: Application[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (metadata: ModuleMetadata, logger = new LogKeeper()) => {
    const app = await listen(adapter, metadata, { logger });
    running.push(app);
    return { ...app, logger, client: new Client(app.url), service: app.app.get(SessionService) };
  };

  const quiet = (options: SessionModuleOptions = {}): SessionModuleOptions => ({
    secret: SECRET,
    store: memoryStore(),
    cleanup: false,
    ...options,
  });

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

  it('registered twice is an error that says so, wherever the second one is', async () => {
    @Module({ imports: [SessionModule.forRoot(quiet())] })
    class FeatureModule {}
    const module = { imports: [SessionModule.forRoot(quiet()), FeatureModule] };
    const error = await create(adapter, module).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SessionConfigError);
    expect((error as SessionConfigError).message).toMatch(/registered twice[^]*once/);
    const mixed = {
      imports: [
        SessionModule.forRootAsync({ isGlobal: false, useFactory: () => quiet() }),
        FeatureModule,
      ],
    };
    await expect(create(adapter, mixed)).rejects.toThrow('registered twice');
  });

  it('one registration that two modules import is one', async () => {
    const session = SessionModule.forRoot(quiet());
    @Module({ imports: [session] })
    class FirstModule {}
    @Module({ imports: [session] })
    class SecondModule {}
    const { service } = await start({ imports: [session, FirstModule, SecondModule] });
    expect((await service.stats()).active).toBe(0);
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

  it('two applications in one process are strangers, and one outlives the other', async () => {
    const imports = (): ModuleMetadata => ({
      imports: [
        ScheduleModule.forRoot(),
        SessionModule.forRoot({ secret: SECRET, store: memoryStore() }),
      ],
      controllers: [AccountController],
    });
    const [first, second] = [await start(imports()), await start(imports())];
    await first.client.login('alice');
    second.client.cookies = first.client.cookies;
    expect((await second.client.get('/me')).status).toBe(401);
    expect((await first.client.get('/me')).status).toBe(200);
    expect((await second.service.stats()).created).toBe(0);
    const events: unknown[] = [];
    second.service.on('session.created', (event) => void events.push(event));
    await first.client.login('bob');
    expect(events).toEqual([]);

    await first.close();
    running.splice(
      running.findIndex(({ app }) => app === first.app),
      1,
    );
    await second.client.login('carol');
    expect((await second.client.get('/me')).status).toBe(200);
    expect(second.app.get(SessionSweepTask).state.schedule).toBe('scheduled');
  });

  it('two applications on one store share their sessions', async () => {
    const store = memoryStore();
    const metadata = (): ModuleMetadata => ({
      imports: [SessionModule.forRoot(quiet({ store }))],
      controllers: [AccountController],
    });
    const [first, second] = [await start(metadata()), await start(metadata())];
    await first.client.login('alice');
    second.client.cookies = first.client.cookies;
    expect((await second.client.get('/me')).status).toBe(200);
    await second.client.post('/logout');
    expect((await first.client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
  });
});

@Controller()
class UnguardedController {
  @Get('unguarded')
  unguarded(): object {
    return { passed: true };
  }
}

describe('SessionModule in a process of its own', () => {
  const NEEDED = /secret[^]*store[^]*ScheduleModule\.forRoot\(\)/;

  it('boots bare in development, with one warning', async () => {
    const { code, stdout, stderr } = await runProgram('bare-application');
    expect(stderr + stdout).toContain('booted');
    expect((stderr + stdout).match(/\bWARN\b/g)).toHaveLength(1);
    expect(stderr + stdout).not.toMatch(/\bERROR\b/);
    expect(code).toBe(0);
  });

  it('G-02: refuses to boot bare with NODE_ENV=production, and lists what to add in one error', async () => {
    const { code, stdout, stderr } = await runProgram('bare-application', {
      env: { NODE_ENV: 'production' },
    });
    expect(stdout).not.toContain('booted');
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(NEEDED);
    expect((stdout + stderr).match(/the session options are not usable/g)).toHaveLength(1);
  });

  it('T-12: a weak secret is refused without showing it', async () => {
    for (const secret of ['changeme', 'secret', 'a'.repeat(32), '0123456789abcdef']) {
      const { code, stdout, stderr } = await runProgram('bare-application', {
        args: [JSON.stringify({ secret, cleanup: false })],
        env: { NODE_ENV: 'development' },
      });
      expect([secret, code === 0]).toEqual([secret, false]);
      const output = (stdout + stderr).replaceAll('secret', '');
      expect(output.includes(secret)).toBe(false);
    }
  });

  it('the entry points load no optional package', async () => {
    for (const entry of ['index.js', 'testing/index.js']) {
      const path = new URL(`../../src/${entry}`, import.meta.url).href;
      const { stdout, stderr, code } = await runProgram('import-only', { args: [path] });
      expect([entry, stdout, stderr, code]).toEqual([entry, 'required: []\n', '', 0]);
    }
  });
});
