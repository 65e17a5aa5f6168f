/**
 * One login through a request: which sessions end for it, and what happens at the concurrency limit.
 */
import { SessionError, SessionLimitError } from '../core/errors.js';
import type { CreateOptions } from '../core/login-options.js';
import type { SessionService } from '../core/service.js';
import type { UserId } from '../core/user-id.js';
import type { Carrier } from './carrier.js';
import type { LoginResult } from './request-results.js';
import type { Resolution } from './resolution.js';

export async function logIn(
  service: SessionService,
  resolution: Resolution,
  userId: UserId,
  create: CreateOptions,
  carrier: Carrier,
  pausedUntil?: number,
): Promise<LoginResult> {
  resolution.assertTokenCanBeSent(carrier);
  const { presented } = resolution;
  // Of several nothing may cross over: who knows whose they are.
  const old = presented.length === 1 ? presented[0] : undefined;
  const outcome = await service.login(userId, {
    ...create,
    device: resolution.device,
    ...(old && { replaces: old.sessionId }),
  });
  if (outcome.status === 'refused') {
    if (outcome.restored) await resolution.adopt(outcome.restored, 'cookie');
    const { error } = outcome;
    if (!(error instanceof SessionLimitError)) throw error;
    throw await service.pauseLogin(userId, create, error.max, pausedUntil);
  }
  if (old === undefined) await resolution.end(presented);
  await resolution.adopt(outcome, carrier);
  return { session: outcome.session, token: outcome.token.token };
}

export function ticketIsNoGood(): SessionError {
  return new SessionError('ERR_SESSION_SUPERSEDED', 'the login ticket is not genuine or too old');
}
