/**
 * How a session gains privileges: half a login, the choice at the limit, a second factor, and acting
 * in another user's name.
 */
import { Body, Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import {
  AllowPending,
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
} from '../../../src/index.js';

@Controller('p')
@UseGuards(SessionGuard)
export class PrivilegesController {
  @Public()
  @Post('password')
  @HttpCode(204)
  async password(
    @Body() { user }: { user: string },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.login(user, { methods: ['pwd'], level: 1, pending: true });
  }

  @Public()
  @Post('choose')
  @HttpCode(204)
  async choose(
    @Body() { ticket, id }: { ticket: string; id: string },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.completeLogin(ticket, id);
  }

  @AllowPending()
  @Post('otp')
  @HttpCode(204)
  async otp(
    @Body() { action }: { action?: string },
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.elevate({ methods: ['otp'], level: 2, ...(action !== undefined && { action }) });
  }

  /** Half a login reaches it: the session itself has to refuse. */
  @AllowPending()
  @Post('act-as/:user')
  @HttpCode(204)
  async actAs(
    @Param('user') user: string,
    @CurrentSession() session: RequestSession,
  ): Promise<void> {
    await session.impersonate(user);
  }

  @Post('stop')
  async stop(@CurrentSession() session: RequestSession): Promise<object> {
    return { back: await session.endImpersonation() };
  }
}
