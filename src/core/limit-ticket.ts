/**
 * Lets a user whose login met the concurrency limit choose which session makes room, without
 * proving their credentials again.
 *
 * The login waits in an anonymous session of its own, for five minutes; the ticket is that
 * session's token. So neither the secret nor a copy of the store is enough to make one, and it is
 * good once, because a session ends only once.
 */
import { SessionLimitError } from './errors.js';
import type { SessionIssuer } from './issuer.js';
import { isCounted } from './login-check.js';
import type { CreateOptions, LoginTicket } from './login-options.js';
import type { StoreAccess } from './store-access.js';
import type { UserPlace } from './store.js';
import type { TokenCodec } from './token.js';

/** Milliseconds in which the user can choose. */
const LIFETIME = 5 * 60_000;

/** No field of an application can have this name: control characters are refused there. */
const FIELD = '\u0001paused-login';

/** A login that only lacks room. */
export interface PausedLogin {
  readonly userId: string;
  readonly options: Pick<
    CreateOptions,
    'remember' | 'limitClass' | 'timeouts' | 'methods' | 'level' | 'pending' | 'tenant'
  >;
  readonly ticket: LoginTicket;
  /** The user has to choose before then; milliseconds since 1970 by the store's clock. */
  readonly until: number;
}

/** The refusal that says how to go on. A login that was paused before gets no more time. */
export async function pauseLogin(
  access: StoreAccess,
  issuer: SessionIssuer,
  user: UserPlace & { readonly userId: string },
  options: CreateOptions,
  max: number,
  pausedUntil?: number,
): Promise<SessionLimitError> {
  const { userId, bucket, userKey } = user;
  const place = { bucket, userKey };
  const { sessions, epoch, now } = await access.call((store) => store.list({ user: place }));
  const until = pausedUntil ?? now + LIFETIME;
  if (until <= now) return new SessionLimitError(max);
  const { remember, limitClass, timeouts, methods, level, pending, tenant } = options;
  // JSON drops what is undefined.
  const text = JSON.stringify({
    userId,
    options: { remember, limitClass, timeouts, methods, level, pending, tenant },
    ticket: options.ticket ?? { userId, epoch, at: now },
    until,
  });
  const { token } = await issuer.park(new Map([[FIELD, text]]), until - now);
  // The others would make no room.
  const choices = sessions.filter(isCounted).map(({ id, createdAt, seenAt, device }) => ({
    id,
    createdAt,
    seenAt,
    device,
  }));
  return new SessionLimitError(max, { ticket: token.token.reveal(), sessions: choices });
}

/** The login behind a ticket, once; `undefined` for anything but a genuine ticket in its time. */
export async function resumeLogin(
  access: StoreAccess,
  tokens: TokenCodec,
  ticket: unknown,
): Promise<PausedLogin | undefined> {
  const token = tokens.verify(ticket);
  if (token === undefined) return undefined;
  const { sessionId: id, verifier, generation } = token;
  const presented = { verifier, generation, traits: '' };
  const reply = await access.call((store) => store.resolve({ id, token: presented, touch: false }));
  // Any other session's token is none of ours, and must not end it.
  if (reply.status !== 'active') return undefined;
  // Asked for by name: a store may keep what is long apart from what comes with the session.
  const names = [FIELD];
  const held = await access.call((store) => store.read({ id, names }));
  if (held.status !== 'read' || !held.fields.has(FIELD)) return undefined;
  const ended = await access.call((store) => store.revoke({ id, reason: 'logout', take: names }));
  const text = ended.status === 'revoked' ? ended.fields.get(FIELD) : undefined;
  return text === undefined ? undefined : (JSON.parse(text) as PausedLogin);
}
