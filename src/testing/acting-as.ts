/**
 * A logged-in client for tests, without going through the application's login.
 */
import type { INestApplicationContext } from '@nestjs/common';
import type { SessionConfig } from '../core/config.js';
import type { CreateOptions } from '../core/login-options.js';
import { SessionService } from '../core/service.js';
import type { Session } from '../core/session.js';
import type { UserId } from '../core/user-id.js';
import { CONFIG_TOKEN } from '../nest/session.module-definition.js';

/** A session made for a test, and the ways to present it. @public */
export interface ActingAs {
  readonly session: Session;
  /** For supertest (`.set(alice.headers)`), `inject` and `fetch`. */
  readonly headers: { readonly cookie: string };
  /** For Playwright: `context.addCookies([alice.browserCookie('http://localhost:3000')])`. */
  browserCookie(origin: string): BrowserCookie;
}

/** A cookie as Playwright takes it. @public */
export interface BrowserCookie {
  readonly name: string;
  readonly value: string;
  readonly url: string;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
}

const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' } as const;

/**
 * Logs a user in directly at the session layer of a running application.
 *
 * @example
 * ```ts
 * const alice = await actingAs(app, 'alice');
 * await request(app.getHttpServer()).get('/me').set(alice.headers).expect(200);
 * ```
 *
 * @public
 */
export async function actingAs(
  app: INestApplicationContext,
  userId: UserId,
  options: CreateOptions = {},
): Promise<ActingAs> {
  const service = app.get(SessionService, { strict: false });
  const { cookie } = app.get<SessionConfig>(CONFIG_TOKEN, { strict: false });
  const { session, token } = await service.create(userId, options);
  const value = token.token.reveal();
  return {
    session,
    headers: { cookie: `${cookie.name}=${value}` },
    browserCookie: (origin) => ({
      name: cookie.name,
      value,
      url: new URL('/', origin).href,
      httpOnly: cookie.httpOnly,
      secure: cookie.secure,
      sameSite: SAME_SITE[cookie.sameSite],
    }),
  };
}
