/**
 * A small application with everything that the HTTP tests need, on either adapter. Uses only the
 * public entry points.
 */
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Module,
  type ModuleMetadata,
  Param,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { INestApplication, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  CurrentSession,
  CurrentUserId,
  Public,
  RequestSession,
  SessionGuard,
  SessionModule,
  type SessionModuleOptions,
  SkipTouch,
  memoryStore,
} from '../../src/index.js';

export const ADAPTERS = ['express', 'fastify'] as const;
export type Adapter = (typeof ADAPTERS)[number];

export const SECRET = 'tests-only-5d1f9a7c3be84620a9d8e1c47f30b6a2';

@Controller()
@UseGuards(SessionGuard)
export class AccountController {
  @Public()
  @Post('login')
  @HttpCode(204)
  async login(
    @Body() body: { user: string; remember?: boolean },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.login(body.user, { remember: body.remember ?? false });
  }

  @Post('logout')
  @HttpCode(204)
  logout(@CurrentSession() session: RequestSession): Promise<void> {
    return session.logout();
  }

  @Get('me')
  me(@CurrentUserId() userId: string, @CurrentSession() session: RequestSession): object {
    return { userId, id: session.id };
  }

  @Public()
  @SkipTouch()
  @Get('session/status')
  async status(@CurrentSession() session: RequestSession): Promise<object> {
    return { timeLeft: (await session.timeLeft()) ?? null };
  }

  @Public()
  @Get('public')
  open(): object {
    return { open: true };
  }

  @Public()
  @Get('who')
  async who(@CurrentSession() session: RequestSession): Promise<object> {
    return { active: await session.isActive(), userId: session.userId ?? null };
  }

  @Get('devices')
  devices(@CurrentSession() session: RequestSession): Promise<object> {
    return session.devices();
  }

  @Delete('devices/:id')
  async revoke(
    @Param('id') id: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    return { revoked: await session.revoke(id) };
  }

  @Post('devices/revoke-others')
  async revokeOthers(@CurrentSession() session: RequestSession): Promise<object> {
    return { revoked: await session.revokeOthers() };
  }

  @Post('devices/revoke-all')
  async revokeAll(@CurrentSession() session: RequestSession): Promise<object> {
    return { revoked: await session.revokeAll() };
  }

  @Post('rotate')
  @HttpCode(204)
  async rotate(@CurrentSession() session: RequestSession): Promise<void> {
    await session.rotate();
  }

  @Public()
  @Post('data/:name')
  @HttpCode(204)
  set(
    @Param('name') name: string,
    @Body() body: { value: string },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    return session.set(name, body.value);
  }

  @Public()
  @Get('data')
  data(@CurrentSession() session: RequestSession): Promise<object> {
    return session.all();
  }

  @Post('count')
  async count(@CurrentSession() session: RequestSession): Promise<object> {
    return { count: await session.increment('count') };
  }

  @Get('slow')
  async slow(@Query('ms') ms: string, @CurrentSession() session: RequestSession): Promise<object> {
    await new Promise((resolve) => setTimeout(resolve, Number(ms)));
    await session.set('slow', true);
    return {};
  }
}

export interface TestApp {
  readonly app: INestApplication;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** A second call is in vain. */
  close(): Promise<void>;
}

export interface TestAppOptions {
  readonly session?: SessionModuleOptions;
  readonly module?: ModuleMetadata;
  readonly logger?: Pick<Logger, 'log' | 'warn' | 'error'> | false;
  /** Believes everybody about the address of a client. */
  readonly trustProxy?: boolean;
  /** Called before the application starts. */
  readonly prepare?: (app: INestApplication) => Promise<void> | void;
  readonly listen?: boolean;
}

/** Boots the application and listens on a free loopback port. */
export async function startApp(adapter: Adapter, options: TestAppOptions = {}): Promise<TestApp> {
  const session = SessionModule.forRoot({
    secret: SECRET,
    store: memoryStore(),
    cleanup: false,
    explain: false,
    ...options.session,
  });

  @Module({
    ...options.module,
    imports: [session, ...(options.module?.imports ?? [])],
    controllers: [AccountController, ...(options.module?.controllers ?? [])],
  })
  class AppModule {}

  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const { logger = false, trustProxy = false } = options;
  const app =
    adapter === 'fastify'
      ? testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter({ trustProxy }), {
          logger: logger as never,
        })
      : testing.createNestApplication({ logger: logger as never });
  if (trustProxy && adapter === 'express') {
    (app as NestExpressApplication).set('trust proxy', true);
  }
  await options.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  let closing: Promise<void> | undefined;
  return { app, url, close: () => (closing ??= app.close()) };
}
