/**
 * Decorators of routes and of handler parameters.
 */
import {
  type CustomDecorator,
  type ExecutionContext,
  Injectable,
  type PipeTransform,
  SetMetadata,
  createParamDecorator,
} from '@nestjs/common';
import type { RequestSession } from '../http/request-session.js';
import { SessionRequests } from './session-requests.js';

export const PUBLIC = Symbol('nestjs-session-kit.public');
export const SKIP_TOUCH = Symbol('nestjs-session-kit.skip-touch');

/** This route, or all of this controller, needs no session; it reads no store unless it asks to. @public */
export const Public = (): CustomDecorator<symbol> => SetMetadata(PUBLIC, true);

/**
 * Requests to this route do not count as activity: polling, heartbeats, the countdown on a page.
 * Must not be told from a user's own doing by the client (NIST SP 800-63B-4 5.2).
 *
 * @public
 */
export const SkipTouch = (): CustomDecorator<symbol> => SetMetadata(SKIP_TOUCH, true);

/** Finds the session through dependency injection, so that it works on routes without a guard. */
@Injectable()
export class CurrentSessionPipe implements PipeTransform<ExecutionContext, RequestSession> {
  constructor(private readonly requests: SessionRequests) {}

  transform(context: ExecutionContext): RequestSession {
    return this.requests.ofContext(context);
  }
}

/** Resolves the session if nobody has, and gives its user. */
@Injectable()
export class CurrentUserIdPipe implements PipeTransform<ExecutionContext> {
  constructor(private readonly requests: SessionRequests) {}

  async transform(context: ExecutionContext): Promise<string | undefined> {
    const session = this.requests.ofContext(context);
    await session.resolve();
    return session.userId;
  }
}

const Context = createParamDecorator((_data: unknown, context: ExecutionContext) => context);

/** The {@link RequestSession} of this request. @public */
export const CurrentSession = (): ParameterDecorator => Context(CurrentSessionPipe);

/** The id of the logged-in user; `undefined` on a public route where nobody is. @public */
export const CurrentUserId = (): ParameterDecorator => Context(CurrentUserIdPipe);
