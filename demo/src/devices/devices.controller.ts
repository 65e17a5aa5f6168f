import { Controller, Delete, Get, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import {
  CurrentSession,
  CurrentUserId,
  type DeviceSession,
  type RequestSession,
  SessionService,
  type SessionTombstone,
  SkipTouch,
} from 'nestjs-session-kit';

/** Where a user is logged in, and how they end it. */
@Controller('devices')
export class DevicesController {
  constructor(private readonly sessions: SessionService) {}

  /** The page refreshes the list by itself, which is not activity of the user. */
  @SkipTouch()
  @Get()
  list(@CurrentSession() session: RequestSession): Promise<DeviceSession[]> {
    return session.devices();
  }

  /** Sessions that ended lately, and why. */
  @SkipTouch()
  @Get('ended')
  async ended(@CurrentUserId() userId: string): Promise<readonly SessionTombstone[]> {
    const { ended } = await this.sessions.list(userId);
    return ended;
  }

  /** The id comes from the client; the library looks for it among this user's sessions only. */
  @Delete(':id')
  @HttpCode(204)
  async revoke(@Param('id') id: string, @CurrentSession() session: RequestSession): Promise<void> {
    if (!(await session.revoke(id))) throw new NotFoundException('You have no such session');
  }

  @Post('revoke-others')
  @HttpCode(200)
  async revokeOthers(@CurrentSession() session: RequestSession): Promise<{ revoked: number }> {
    return { revoked: await session.revokeOthers() };
  }

  @Post('revoke-all')
  @HttpCode(200)
  async revokeAll(@CurrentSession() session: RequestSession): Promise<{ revoked: number }> {
    return { revoked: await session.revokeAll() };
  }
}
