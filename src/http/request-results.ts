/**
 * What {@link RequestSession} takes and gives.
 */
import type { CreateOptions } from '../core/login-options.js';
import type { Session, SessionInfo } from '../core/session.js';
import type { SecretToken } from '../core/token.js';
import type { Carrier } from './carrier.js';

/** How a login through a request is done. @public */
export interface LoginOptions extends Omit<CreateOptions, 'replaces' | 'device' | 'actor'> {
  /**
   * `'bearer'` sets no cookie: send the token that is returned to the client yourself. Needs the
   * option `bearer`.
   *
   * @defaultValue `'cookie'`
   */
  readonly carrier?: Carrier;
}

/** @public */
export interface LoginResult {
  readonly session: Session;
  /** Only needed with `carrier: 'bearer'`; `reveal()` gives the text. */
  readonly token: SecretToken;
}

/** One of the user's sessions, as shown to them. @public */
export interface DeviceSession extends SessionInfo {
  /** It is the one that asks. */
  readonly isCurrent: boolean;
}
