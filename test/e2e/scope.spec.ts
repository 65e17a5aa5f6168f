/**
 * P40: nothing of ours is request-scoped, so nothing that injects it becomes so.
 */
import { Controller, Get, Inject, Injectable, Module, Scope, UseGuards } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CurrentSession,
  CurrentUserId,
  InjectSessionConfig,
  RequestSession,
  type SessionConfig,
  SessionGuard,
  SessionHealthIndicator,
  SessionModule,
  SessionRequests,
  SessionService,
  SessionSweepTask,
  memoryStore,
} from '../../src/index.js';
import { ADAPTERS, SECRET } from '../support/app.js';
import { type Application, listen } from './programs/application.js';

@Injectable()
class Everything {
  static made = 0;

  constructor(
    readonly service: SessionService,
    readonly requests: SessionRequests,
    readonly guard: SessionGuard,
    readonly sweep: SessionSweepTask,
    readonly health: SessionHealthIndicator,
    @InjectSessionConfig() readonly config: SessionConfig,
  ) {
    Everything.made += 1;
  }

  @Cron('0 0 1 1 *')
  yearly(): void {}
}

@Controller()
@UseGuards(SessionGuard)
class ScopeController {
  static made = 0;

  constructor(readonly everything: Everything) {
    ScopeController.made += 1;
  }

  @Get('scope')
  scope(@CurrentSession() _session: RequestSession, @CurrentUserId() userId: string): object {
    return { userId };
  }
}

@Injectable({ scope: Scope.REQUEST })
class OfTheRequest {
  constructor(readonly service: SessionService) {}
}

@Controller('scoped')
@UseGuards(SessionGuard)
class ScopedController {
  constructor(@Inject(OfTheRequest) readonly own: OfTheRequest) {}

  @Get()
  scoped(@CurrentUserId() userId: string): object {
    return { userId, service: this.own.service.storeName };
  }
}

describe.each(ADAPTERS)('the scope of our providers on %s', (adapter) => {
  const running: Application[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async () => {
    @Module({
      imports: [
        ScheduleModule.forRoot(),
        SessionModule.forRoot({ secret: SECRET, store: memoryStore(), guard: 'global' }),
      ],
      controllers: [ScopeController, ScopedController],
      providers: [Everything, OfTheRequest],
    })
    class AppModule {}
    const application = await listen(adapter, { imports: [AppModule] });
    running.push(application);
    return application;
  };

  it('P40: every provider, guard, pipe and filter of ours is a singleton, by the DI tree', async () => {
    const { app } = await start();
    const modules = [...app.get(ModulesContainer).values()];
    const wrappers = (of: typeof modules): InstanceWrapper[] =>
      of.flatMap(({ providers, injectables, controllers }) => [
        ...providers.values(),
        ...injectables.values(),
        ...controllers.values(),
      ]);
    const ours = wrappers(modules.filter(({ metatype }) => metatype === SessionModule));
    expect(ours.length).toBeGreaterThan(10);
    const notSingle = ours.filter((wrapper) => !wrapper.isDependencyTreeStatic());
    expect(notSingle.map(({ name }) => String(name))).toEqual([]);
    expect(ours.filter(({ isTransient }) => isTransient)).toEqual([]);

    const theirs = wrappers(modules).filter(({ metatype }) =>
      [Everything, ScopeController, SessionGuard].includes(metatype as never),
    );
    expect(theirs.length).toBeGreaterThanOrEqual(3);
    const staticNames = theirs
      .filter((wrapper) => wrapper.isDependencyTreeStatic())
      .map(({ name }) => String(name));
    expect(new Set(staticNames)).toEqual(
      new Set(['Everything', 'ScopeController', 'SessionGuard']),
    );
  });

  it('P40: requests make no instances, and request-scoped code of the application can use ours', async () => {
    const { app, url } = await start();
    const { token } = await app.get(SessionService).create('alice');
    const headers = { cookie: `__Host-sid=${token.token.reveal()}` };
    const made = [Everything.made, ScopeController.made];
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`${url}/scope`, { headers });
      expect(await response.json()).toEqual({ userId: 'alice' });
      const scoped = await fetch(`${url}/scoped`, { headers });
      expect(await scoped.json()).toEqual({ userId: 'alice', service: 'memory' });
    }
    expect([Everything.made, ScopeController.made]).toEqual(made);
  });
});
