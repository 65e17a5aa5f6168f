import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
} from '@nestjs/common';
import { SessionRequests } from 'nestjs-session-kit';
import { AccountsService } from '../accounts/accounts.service.js';

/**
 * Lets administrators pass. The session says who asks, the user table says what they may: a role
 * that is taken away counts with the next request.
 */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    private readonly requests: SessionRequests,
    private readonly accounts: AccountsService,
  ) {}

  /** Runs after the global `SessionGuard`, which has resolved the session. */
  canActivate(context: ExecutionContext): boolean {
    const { userId } = this.requests.ofContext(context);
    if (this.accounts.byId(userId)?.role === 'admin') return true;
    throw new ForbiddenException('For administrators only');
  }
}
