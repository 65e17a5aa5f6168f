/**
 * Changes of privilege: a further proof of identity, and acting in another user's name. Each gives
 * the session a token that nobody knew before, without any grace.
 */
import { withMethods, encodeClaims } from './claims.js';
import { IMPERSONATION_CLASS } from './config-timeouts.js';
import { SessionError } from './errors.js';
import type { SessionEventBus, SessionEvents } from './events.js';
import { sessionIsGone } from './fields.js';
import type { Issued, Refused, SessionIssuer } from './issuer.js';
import type { SessionDevice, SessionId, SessionRecord } from './record.js';
import type { ElevateOptions, ImpersonateOptions } from './results.js';
import type { Rotated, SessionRotator } from './rotator.js';
import type { Session } from './session.js';
import type { SessionSignals } from './signals.js';
import type { StoreAccess } from './store-access.js';
import type { VerifiedToken } from './token.js';
import type { UserId } from './user-id.js';

const MAX_ACTION_BYTES = 128;

export class Privileges {
  readonly #access: StoreAccess;
  readonly #issuer: SessionIssuer;
  readonly #rotator: SessionRotator;
  readonly #signals: SessionSignals;
  readonly #events: SessionEventBus;

  constructor(
    access: StoreAccess,
    issuer: SessionIssuer,
    rotator: SessionRotator,
    signals: SessionSignals,
    events: SessionEventBus,
  ) {
    this.#access = access;
    this.#issuer = issuer;
    this.#rotator = rotator;
    this.#signals = signals;
    this.#events = events;
  }

  /**
   * The session is worth more from now on, and completes if it was pending. The proof also counts
   * for where it was given. The action is for the caller to grant, once the token is on its way.
   */
  async elevate(
    token: VerifiedToken,
    device: SessionDevice,
    session: Session,
    options: ElevateOptions,
  ): Promise<Rotated> {
    const { methods, level, action } = options;
    if (methods.length === 0)
      throw refused('elevate needs the method by which the user proved who they are');
    if (action !== undefined) checkAction(action);
    const at = await this.#access.now();
    const place = this.#signals.acceptance(session, device);
    const raised = withMethods(session.claims, methods, at, level);
    const next = await this.#rotator.rotateHard(token, session.generation, {
      claims: encodeClaims({ ...raised, ...(place !== undefined && { place }) }),
      authenticated: true,
    });
    if (next === undefined) throw sessionIsGone();
    this.#announce(session, {
      at,
      methods,
      level: raised.level,
      generation: next.token.generation,
    });
    return next;
  }

  /**
   * A session of the target user that remembers who really acts. The actor's own session lives on
   * under a token that nobody holds, until `release` gives it back.
   */
  async impersonate(
    token: VerifiedToken,
    actor: Session,
    target: UserId,
    options: ImpersonateOptions,
  ): Promise<Issued | Refused> {
    const { userId } = actor;
    if (userId === undefined || actor.claims.actor !== undefined) {
      throw refused('only a user in a session of their own can act in another name');
    }
    if (actor.claims.isPending) {
      throw new SessionError('ERR_SESSION_PENDING', 'half a login cannot act in another name');
    }
    const { limitClass = IMPERSONATION_CLASS, ...rest } = options;
    const issued = await this.#issuer.forUser(target, {
      ...rest,
      limitClass,
      methods: [],
      actor: { userId, sessionId: actor.id },
    });
    if (issued.status === 'refused') return issued;
    try {
      if (await this.#rotator.rotateHard(token, actor.generation)) return issued;
    } catch (error) {
      // Nobody will ever hold its token; what cannot be ended now does not last long.
      await this.#issuer.withdraw(issued.record.id).catch(() => false);
      throw error;
    }
    await this.#issuer.withdraw(issued.record.id);
    throw sessionIsGone();
  }

  /** Ends the impersonation; a new token of the actor's own session, if that is still alive. */
  async release(child: Session): Promise<Rotated | undefined> {
    const { actor } = child.claims;
    if (actor === undefined) throw refused("this session is nobody else's");
    // Of two requests one goes back, and none out of a session that somebody ended meanwhile.
    if (!(await this.#issuer.withdraw(child.id))) throw sessionIsGone();
    const record = await this.liveRecord(actor.sessionId);
    if (record === undefined) return undefined;
    return this.#rotator.reissue(record, record.absoluteAt);
  }

  /** Ends an impersonation whose actor has no session any more: nobody logged out in it. */
  async end(id: SessionId): Promise<void> {
    await this.#issuer.withdraw(id, 'revoked');
  }

  #announce(
    { id, userId }: Session,
    facts: Pick<SessionEvents['session.elevated'], 'at' | 'methods' | 'level' | 'generation'>,
  ): void {
    if (userId === undefined) return;
    const eventId = `${id}:elevated:${facts.generation}`;
    const methods = Object.freeze([...new Set(facts.methods)]);
    this.#events.emit('session.elevated', { eventId, sessionId: id, userId, ...facts, methods });
  }

  /** The record of a live session. */
  async liveRecord(id: SessionId, touch = false): Promise<SessionRecord | undefined> {
    const reply = await this.#access.call((store) => store.peek({ id, touch }));
    return reply.status === 'active' ? reply.record : undefined;
  }
}

function checkAction(action: string): void {
  const bytes = Buffer.byteLength(action);
  const isText = !action.includes('\0') && !/\p{Surrogate}/u.test(action);
  if (isText && bytes >= 1 && bytes <= MAX_ACTION_BYTES) return;
  throw refused(`an action is a well-formed text of 1 to ${MAX_ACTION_BYTES} bytes without NUL`);
}

function refused(why: string): SessionError {
  return new SessionError('ERR_SESSION_VALUE', why);
}
