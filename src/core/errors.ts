/**
 * Every error of this library. Expected outcomes (an expired session, a field that changed
 * meanwhile) are values; errors are for system faults, set-up mistakes and misuse.
 */

/**
 * All error codes. The list is closed: a new code is a minor release and a line in
 * `docs/reference/errors.md`.
 *
 * @public
 */
export const SESSION_ERROR_CODES = [
  'ERR_SESSION_CONFIG',
  'ERR_SESSION_USER_ID',
  'ERR_SESSION_VALUE',
  'ERR_SESSION_TOO_LARGE',
  'ERR_SESSION_REQUIRED',
  'ERR_SESSION_AMBIGUOUS',
  'ERR_SESSION_IDLE',
  'ERR_SESSION_ABSOLUTE',
  'ERR_SESSION_EVICTED',
  'ERR_SESSION_REVOKED',
  'ERR_SESSION_REUSED',
  'ERR_SESSION_ENDED',
  'ERR_SESSION_PENDING',
  'ERR_SESSION_STEP_UP',
  'ERR_SESSION_CROSS_SITE',
  'ERR_SESSION_PLAIN_HTTP',
  'ERR_SESSION_LIMIT',
  'ERR_SESSION_SUPERSEDED',
  'ERR_SESSION_CONFLICT',
  'ERR_SESSION_HEADERS_SENT',
  'ERR_SESSION_STORE',
  'ERR_SESSION_STORE_TIMEOUT',
  'ERR_SESSION_STORE_FULL',
] as const;

/** One of {@link SESSION_ERROR_CODES}. @public */
export type SessionErrorCode = (typeof SESSION_ERROR_CODES)[number];

const BRAND = Symbol.for('nestjs-session-kit.error');

/**
 * Base of all errors of this library: switch on `code`.
 *
 * `instanceof` also holds between two copies of the package in one process (a brand is compared,
 * not the prototype).
 *
 * @public
 */
export class SessionError extends Error {
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    Object.defineProperty(this, BRAND, { value: new.target.name });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false;
    if (this === SessionError) return true;
    return Function.prototype[Symbol.hasInstance].call(this, value) || value[BRAND] === this.name;
  }
}

/**
 * The options given to the module are wrong; `problems` lists every mistake, one sentence each,
 * with the name of the option and the remedy.
 *
 * @public
 */
export class SessionConfigError extends SessionError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      'ERR_SESSION_CONFIG',
      `the session options are not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
    this.problems = Object.freeze([...problems]);
  }
}

/**
 * A value cannot be kept in a session exactly as it is; `path` says where in the value
 * (`cart.items[3].price`). Nothing was written.
 *
 * @public
 */
export class SessionValueError extends SessionError {
  readonly path: string;

  constructor(
    path: string,
    why: string,
    code: 'ERR_SESSION_VALUE' | 'ERR_SESSION_TOO_LARGE' = 'ERR_SESSION_VALUE',
  ) {
    super(code, `session field ${path} ${why}`);
    this.path = path;
  }
}

/** One of the sessions that a user could end to make room. @public */
export interface LimitChoice {
  readonly id: string;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly device: {
    readonly client?: string;
    readonly platform?: string;
    readonly address?: string;
  };
}

/**
 * A page of another site made the request, or one that could not show the session's own token
 * (`crossSite.token`). Nothing was changed.
 *
 * @public
 */
export class SessionCrossSiteError extends SessionError {
  /** The `Origin` that was refused; absent if there was none, or one that is no origin. */
  readonly origin: string | undefined;
  /** What a developer can do about it, with the name of the option. Absent in production. */
  readonly hint: string | undefined;

  constructor(
    why: string,
    facts: { readonly origin?: string | undefined; readonly production: boolean },
  ) {
    super('ERR_SESSION_CROSS_SITE', `cross-site request refused: ${why}`);
    this.origin = facts.origin;
    this.hint = facts.production ? undefined : why;
  }
}

/**
 * The user already has `max` sessions and the policy is `reject`. Nothing was changed.
 *
 * After `RequestSession.login()` it also says how to go on: let the user pick one of `sessions`
 * and hand `ticket` with its id to `RequestSession.completeLogin()`, within 5 minutes, once.
 *
 * @public
 */
export class SessionLimitError extends SessionError {
  readonly max: number;
  declare readonly ticket: string | undefined;
  readonly sessions: readonly LimitChoice[];

  constructor(max: number, choice?: { ticket: string; sessions: readonly LimitChoice[] }) {
    super('ERR_SESSION_LIMIT', `the user already has the maximum of ${max} sessions`);
    this.max = max;
    // Not enumerable: it opens a session, so no log may print it.
    Object.defineProperty(this, 'ticket', { value: choice?.ticket, enumerable: false });
    this.sessions = choice?.sessions ?? [];
  }
}

/**
 * The store did not do what it was asked: unreachable, too slow, full, or answering nonsense.
 * Never means "no session". After a time-out the outcome of a mutation is unknown.
 *
 * The message and the cause carry no host, key, payload or connection string.
 *
 * @public
 */
export class SessionStoreError extends SessionError {
  constructor(
    message: string,
    options?: ErrorOptions & {
      readonly code?: 'ERR_SESSION_STORE' | 'ERR_SESSION_STORE_TIMEOUT' | 'ERR_SESSION_STORE_FULL';
    },
  ) {
    super(options?.code ?? 'ERR_SESSION_STORE', message, options);
  }
}
