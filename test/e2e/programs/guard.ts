/**
 * Controllers with guards at every place, and without one.
 */
import { Controller, type DynamicModule, Get, HttpCode, Post, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  CurrentUserId,
  Public,
  RequestSession,
  RequireFresh,
  SessionGuard,
  SessionModule,
  type SessionModuleOptions,
  StepUp,
} from '../../../src/index.js';
import { quiet } from '../applications.kit.js';

@Controller()
export class PlainController {
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
export class RouteController {
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
export class GuardedController {
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

export const CONTROLLERS = [
  PlainController,
  RouteController,
  PublicController,
  GuardedController,
  GuardedHeir,
  PublicHeir,
];

export const sessionModule = (options?: SessionModuleOptions): DynamicModule =>
  SessionModule.forRoot(quiet(options));
