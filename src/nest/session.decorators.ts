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
import type { FreshnessRule } from '../core/claims.js';
import { type Duration, parseDuration } from '../core/duration.js';
import { SessionConfigError } from '../core/errors.js';
import type { RequestSession } from '../http/request-session.js';
import { SessionRequests } from './session-requests.js';

export const PUBLIC = Symbol('nestjs-session-kit.public');
export const SKIP_TOUCH = Symbol('nestjs-session-kit.skip-touch');
export const ALLOW_PENDING = Symbol('nestjs-session-kit.allow-pending');
export const FRESHNESS = Symbol('nestjs-session-kit.freshness');
export const STEP_UP = Symbol('nestjs-session-kit.step-up');
export const END_WITH_SESSION = Symbol('nestjs-session-kit.end-with-session');

/** This route, or all of this controller, needs no session; it reads no store unless it asks to. @public */
export const Public = (): CustomDecorator<symbol> => SetMetadata(PUBLIC, true);

/**
 * Requests to this route do not count as activity: polling, heartbeats, the countdown on a page.
 * Must not be told from a user's own doing by the client (NIST SP 800-63B-4 5.2).
 *
 * @public
 */
export const SkipTouch = (): CustomDecorator<symbol> => SetMetadata(SKIP_TOUCH, true);

/** Lets in sessions that wait for a further proof of identity: the routes that take it. @public */
export const AllowPending = (): CustomDecorator<symbol> => SetMetadata(ALLOW_PENDING, true);

/**
 * Responses of this route are cut off when the session ends, within 5 seconds: for downloads and
 * long polls behind the guard. Routes with `@Sse()` need no such word. Not for a route that ends its
 * own session and answers afterwards.
 *
 * @public
 */
export const EndWithSession = (): CustomDecorator<symbol> => SetMetadata(END_WITH_SESSION, true);

/** What kind of proof a route asks for. @public */
export interface ProofOptions {
  /** One of these methods, as given to `login` or `elevate`. @defaultValue any */
  readonly methods?: readonly string[];
  /** Assurance level of the session, at least. @defaultValue 0 */
  readonly level?: number;
}

/**
 * The user must have proved who they are within `maxAge`, by one of the methods, at the level. The
 * refusal is 401 in the form of RFC 9470 with `ERR_SESSION_STEP_UP`; `session.elevate()` meets it.
 *
 * @example
 * ```ts
 * import { Post } from '@nestjs/common';
 * import { RequireFresh } from 'nestjs-session-kit';
 *
 * export class TransferController {
 *   @RequireFresh('10m', { methods: ['otp', 'hwk'] })
 *   @Post('transfer')
 *   transfer() {}
 * }
 * ```
 *
 * @throws SessionConfigError at once if `maxAge` is not a duration
 *
 * @public
 */
export function RequireFresh(
  maxAge: Duration,
  options: ProofOptions = {},
): CustomDecorator<symbol> {
  const rule: FreshnessRule = { maxAge: durationOf('RequireFresh', maxAge), ...options };
  return SetMetadata(FRESHNESS, rule);
}

/** An action that has to be confirmed each time. @public */
export interface StepUpOptions extends ProofOptions {
  /** What is confirmed: a name, or a function of the request, such as one with the amount in it. */
  readonly action: string | ((request: never) => string);
  /** How long a confirmation can wait to be used. @defaultValue `'5m'` */
  readonly maxAge?: Duration;
}

/**
 * One proof of identity for one action: `session.elevate({ methods, action })` confirms it, this
 * route uses the confirmation up. Two requests cannot use the same one.
 *
 * @public
 */
export function StepUp(options: StepUpOptions): CustomDecorator<symbol> {
  const { action, maxAge = '5m', ...proof } = options;
  const rule: StepUpRule = { action, maxAge: durationOf('StepUp', maxAge), ...proof };
  return SetMetadata(STEP_UP, rule);
}

/** {@link StepUpOptions} as the guard reads them. */
export interface StepUpRule extends FreshnessRule {
  readonly action: StepUpOptions['action'];
}

function durationOf(decorator: string, value: Duration): number {
  const parsed = parseDuration(value);
  if (parsed.ok) return parsed.ms;
  throw new SessionConfigError([`${decorator}: maxAge ${parsed.problem}`]);
}

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

/**
 * The id of the logged-in user; `undefined` on a public route where nobody is, or only half: a
 * pending login counts behind `@AllowPending()` alone.
 *
 * @public
 */
export const CurrentUserId = (): ParameterDecorator => Context(CurrentUserIdPipe);
