import {
  BadRequestException,
  Controller,
  Delete,
  Get,
  HttpCode,
  NotFoundException,
  Param,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { type SessionInfo, SessionService, type SessionStats, SkipTouch } from 'nestjs-session-kit';
import { AccountsService } from '../accounts/accounts.service.js';
import { type Fields, textField } from '../web/json-body.pipe.js';
import { type Activity, ActivityLog } from './activity-log.service.js';
import { AdminGuard } from './admin.guard.js';

interface AdminPage {
  readonly sessions: readonly (SessionInfo & {
    readonly userId: string | undefined;
    readonly userName: string | undefined;
  })[];
  readonly cursor?: string;
}

@UseGuards(AdminGuard)
@Controller('admin')
export class AdminController {
  constructor(
    private readonly sessions: SessionService,
    private readonly accounts: AccountsService,
    private readonly activity: ActivityLog,
  ) {}

  /** Polled by the charts, so it is no activity of the administrator. */
  @SkipTouch()
  @Get('stats')
  stats(): Promise<SessionStats> {
    return this.sessions.stats();
  }

  @SkipTouch()
  @Get('activity')
  latest(): readonly Activity[] {
    return this.activity.latest;
  }

  @Get('sessions')
  async page(@Query() query: Fields): Promise<AdminPage> {
    const limit = Number(query['limit'] ?? 10);
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
      throw new BadRequestException('"limit" must be a number from 1 to 100');
    }
    const cursor = query['cursor'] === undefined ? {} : { cursor: textField(query, 'cursor', 200) };
    const page = await this.sessions.page({ limit, ...cursor });
    const sessions = page.sessions.map((info) => ({
      ...info,
      userName: this.accounts.byId(info.userId)?.name ?? info.userId,
    }));
    return { ...page, sessions };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  async revoke(@Param('id') id: string): Promise<void> {
    if (!(await this.sessions.revoke(id))) throw new NotFoundException('No such session');
  }

  @Post('users/:id/revoke')
  @HttpCode(200)
  async revokeUser(@Param() path: Fields): Promise<{ revoked: number }> {
    return { revoked: await this.sessions.revokeUser(textField(path, 'id', 64)) };
  }
}
