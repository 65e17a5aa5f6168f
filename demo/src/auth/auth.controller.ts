import {
  Body,
  Controller,
  Get,
  HttpCode,
  NotFoundException,
  Post,
  UnauthorizedException,
} from '@nestjs/common';
import {
  CurrentSession,
  CurrentUserId,
  Public,
  type RequestSession,
  SessionService,
} from 'nestjs-session-kit';
import type { Account } from '../accounts/accounts.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { type Fields, JsonBodyPipe, booleanField, textField } from '../web/json-body.pipe.js';

interface LoginBody {
  readonly username: string;
  readonly password: string;
  readonly remember: boolean;
}

const loginBody = new JsonBodyPipe((fields: Fields): LoginBody => ({
  username: textField(fields, 'username', 64),
  password: textField(fields, 'password', 256),
  remember: booleanField(fields, 'remember'),
}));

/** An account without its password. */
export type Me = Pick<Account, 'id' | 'username' | 'name' | 'role'>;

@Controller()
export class AuthController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly sessions: SessionService,
  ) {}

  @Public()
  @Post('login')
  @HttpCode(200)
  async login(
    @Body(loginBody) { username, password, remember }: LoginBody,
    @CurrentSession() session: RequestSession,
  ): Promise<Me> {
    const { ok, account } = await this.accounts.verify(username, password);
    if (!ok) {
      await this.sessions.recordLoginFailure(account?.id);
      throw new UnauthorizedException('Wrong user name or password');
    }
    // A new session with a new token; whatever session this browser had before ends.
    await session.login(account.id, { remember });
    return meOf(account);
  }

  /** Public, so that it also works when the session is already over. */
  @Public()
  @Post('logout')
  @HttpCode(204)
  async logout(@CurrentSession() session: RequestSession): Promise<void> {
    await session.logout();
  }

  @Get('me')
  me(@CurrentUserId() userId: string): Me {
    const account = this.accounts.byId(userId);
    if (!account) throw new NotFoundException('This account is gone');
    return meOf(account);
  }
}

function meOf({ id, username, name, role }: Account): Me {
  return { id, username, name, role };
}
