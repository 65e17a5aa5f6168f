/**
 * What every error and every refusal means over HTTP: one table.
 */
import { type ArgumentsHost, Catch, HttpException, Inject } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import type { SessionConfig } from '../core/config.js';
import {
  type LimitChoice,
  SessionCrossSiteError,
  SessionError,
  type SessionErrorCode,
  SessionLimitError,
} from '../core/errors.js';
import type { EndReason } from '../core/record.js';
import type { RequestVerdict } from '../http/request-session.js';
import { CONFIG_TOKEN } from './session.module-definition.js';

interface Answer {
  readonly status: 400 | 401 | 403 | 409 | 413 | 500 | 503;
  readonly message: string;
}

const SIGN_IN: Answer = { status: 401, message: 'Authentication required' };
const EXPIRED: Answer = { status: 401, message: 'Session expired' };
const FAULT: Answer = { status: 500, message: 'Internal server error' };
const UNAVAILABLE: Answer = { status: 503, message: 'Sessions are temporarily unavailable' };

/** Status and message of every code. */
export const ANSWERS: Readonly<Record<SessionErrorCode, Answer>> = {
  ERR_SESSION_REQUIRED: SIGN_IN,
  ERR_SESSION_AMBIGUOUS: SIGN_IN,
  ERR_SESSION_IDLE: EXPIRED,
  ERR_SESSION_ABSOLUTE: EXPIRED,
  ERR_SESSION_EVICTED: { status: 401, message: 'Session ended by a newer login' },
  ERR_SESSION_REVOKED: { status: 401, message: 'Session revoked' },
  ERR_SESSION_REUSED: { status: 401, message: 'Session ended because an old copy of it was used' },
  ERR_SESSION_ENDED: { status: 401, message: 'Session ended' },
  ERR_SESSION_SUPERSEDED: { status: 401, message: 'Sessions were revoked during the login' },
  ERR_SESSION_PENDING: { status: 401, message: 'A further proof of identity is required' },
  ERR_SESSION_STEP_UP: { status: 401, message: 'A more recent proof of identity is required' },
  ERR_SESSION_CROSS_SITE: { status: 403, message: 'Cross-site request refused' },
  ERR_SESSION_PLAIN_HTTP: { status: 403, message: 'HTTPS is required' },
  ERR_SESSION_LIMIT: { status: 409, message: 'Too many sessions' },
  ERR_SESSION_CONFLICT: { status: 409, message: 'The session was changed by another request' },
  ERR_SESSION_TOO_LARGE: { status: 413, message: 'Too much session data' },
  ERR_SESSION_VALUE: FAULT,
  ERR_SESSION_USER_ID: { status: 400, message: 'Not a user id' },
  ERR_SESSION_CONFIG: FAULT,
  ERR_SESSION_HEADERS_SENT: FAULT,
  ERR_SESSION_STORE: UNAVAILABLE,
  ERR_SESSION_STORE_TIMEOUT: UNAVAILABLE,
  ERR_SESSION_STORE_FULL: UNAVAILABLE,
};

const REASONS: Readonly<Record<EndReason, SessionErrorCode>> = {
  idle: 'ERR_SESSION_IDLE',
  absolute: 'ERR_SESSION_ABSOLUTE',
  evicted: 'ERR_SESSION_EVICTED',
  revoked: 'ERR_SESSION_REVOKED',
  reused: 'ERR_SESSION_REUSED',
  logout: 'ERR_SESSION_ENDED',
  replaced: 'ERR_SESSION_ENDED',
};

const REASON_PHRASES: Readonly<Record<Answer['status'], string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  409: 'Conflict',
  413: 'Payload Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Seconds after which it makes sense to try again. */
const RETRY_AFTER = '1';

/**
 * An answer of the session layer: Nest's usual body plus `code`, one of the closed list.
 *
 * @public
 */
export class SessionHttpException extends HttpException {
  readonly code: SessionErrorCode;
  readonly stepUp: StepUpChallenge | undefined;

  constructor(
    code: SessionErrorCode,
    options: {
      readonly cause?: unknown;
      readonly stepUp?: StepUpChallenge;
      readonly explanation?: string | undefined;
      readonly choice?: { readonly ticket: string; readonly sessions: readonly LimitChoice[] };
    } = {},
  ) {
    const { stepUp, choice, explanation, ...rest } = options;
    const { status, message } = ANSWERS[code];
    const hint = rest.cause instanceof SessionCrossSiteError ? rest.cause.hint : undefined;
    const body = { statusCode: status, message, error: REASON_PHRASES[status], code };
    super(
      {
        ...body,
        ...(hint && { hint }),
        ...(stepUp && { stepUp }),
        ...choice,
        ...(explanation && { explanation }),
      },
      status,
      rest,
    );
    this.code = code;
    this.stepUp = stepUp;
  }

  /** The refusal for a verdict that is not `active`, with its reason: for routes of your own. */
  static of(verdict: RequestVerdict): SessionHttpException {
    return new SessionHttpException(codeOf(verdict));
  }
}

/**
 * What would make a refused request pass, for clients: in the body under `stepUp`.
 *
 * @public
 */
export interface StepUpChallenge {
  /** Seconds since the proof of identity, at most. */
  readonly maxAge?: number;
  readonly methods?: readonly string[];
  readonly level?: number;
  /** The action to be confirmed. */
  readonly action?: string;
}

/** RFC 9470 section 3: the parameters of a step-up challenge. */
function stepUpParameters({ maxAge, methods, level }: StepUpChallenge): string {
  const parameters = ['error="insufficient_user_authentication"'];
  parameters.push('error_description="a more recent or stronger proof of identity is required"');
  const acr = [...(methods ?? []), ...(level === undefined ? [] : [String(level)])];
  if (acr.length > 0) parameters.push(`acr_values="${acr.join(' ')}"`);
  if (maxAge !== undefined) parameters.push(`max_age="${maxAge}"`);
  return parameters.join(', ');
}

/** Why a request without an active session of a user is refused. */
export function codeOf(verdict: RequestVerdict): SessionErrorCode {
  if (verdict.status === 'ended') return REASONS[verdict.reason];
  return verdict.status === 'ambiguous' ? 'ERR_SESSION_AMBIGUOUS' : 'ERR_SESSION_REQUIRED';
}

function toHttpException(error: SessionError): SessionHttpException {
  const { code } = error;
  if (!(error instanceof SessionLimitError) || error.ticket === undefined) {
    return new SessionHttpException(code, { cause: error });
  }
  const { ticket, sessions } = error;
  return new SessionHttpException(code, { cause: error, choice: { ticket, sessions } });
}

/** Headers that belong to an answer. `WWW-Authenticate` is required with 401 (RFC 9110 11.6.1). */
export function headersOf(
  exception: SessionHttpException,
  bearer: boolean,
): readonly (readonly [name: string, value: string])[] {
  const status = exception.getStatus();
  if (status === 401) {
    const scheme = bearer ? 'Bearer' : 'Session';
    const { stepUp } = exception;
    return [['WWW-Authenticate', stepUp ? `${scheme} ${stepUpParameters(stepUp)}` : scheme]];
  }
  if (status === 503) return [['Retry-After', RETRY_AFTER]];
  return [];
}

/**
 * Turns errors that handlers let through into the answers of the table.
 *
 * An application with its own catch-all filter can do the same: `new SessionHttpException(error.code)`.
 */
@Catch(SessionError)
export class SessionExceptionFilter extends BaseExceptionFilter {
  readonly #bearer: boolean;

  constructor(@Inject(CONFIG_TOKEN) config: SessionConfig) {
    super();
    this.#bearer = config.bearer;
  }

  override catch(error: SessionError, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const exception = toHttpException(error);
    // A fault of the application: let Nest answer 500 and log it with its stack.
    if (exception.getStatus() === 500) return super.catch(error, host);
    const response = host.switchToHttp().getResponse<object>();
    const adapter = this.httpAdapterHost?.httpAdapter;
    // After the head Nest can only end the response; another error would hide this one.
    const isTooLate = adapter?.isHeadersSent(response) === true;
    for (const [name, value] of isTooLate ? [] : headersOf(exception, this.#bearer)) {
      adapter?.setHeader(response, name, value);
    }
    super.catch(exception, host);
  }
}
