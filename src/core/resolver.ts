/**
 * Token → session: on the path of every guarded request.
 */
import type { SessionActor } from './claims.js';
import { NegativeCache } from './negative-cache.js';
import type { Privileges } from './privileges.js';
import type { EndedSession } from './record.js';
import type { ResolveOptions, SessionVerdict } from './results.js';
import type { SessionRotator } from './rotator.js';
import { Session, type SessionContext } from './session.js';
import type { SessionSignals } from './signals.js';
import type { ActiveSession } from './store.js';
import type { MintedToken, VerifiedToken } from './token.js';

/**
 * With `successor`, the answer has to carry that token; with `stepUp`, the session may only be used
 * for a further proof of identity.
 */
export type ResolvedToken = SessionVerdict & {
  readonly successor?: MintedToken;
  readonly stepUp?: true;
};

const STEP_UP = { stepUp: true } as const;
/** Milliseconds for which requests with a replaced token may still be under way. */
const UNDER_WAY = 30_000;

export class SessionResolver {
  readonly #context: SessionContext;
  readonly #rotator: SessionRotator;
  readonly #privileges: Privileges;
  readonly #signals: SessionSignals;
  readonly #announceEnd: (ended: EndedSession) => void;
  readonly #dead = new NegativeCache();

  constructor(
    context: SessionContext,
    rotator: SessionRotator,
    privileges: Privileges,
    signals: SessionSignals,
    announceEnd: (ended: EndedSession) => void,
  ) {
    this.#context = context;
    this.#rotator = rotator;
    this.#privileges = privileges;
    this.#signals = signals;
    this.#announceEnd = announceEnd;
  }

  /** Asks the store once, and a second time where a new token is due. */
  async resolve(token: VerifiedToken, options: ResolveOptions): Promise<ResolvedToken> {
    const known = this.#context.access.knownNow;
    // The deadline is part of the token, so that a dead one costs nothing and a store restored
    // from a backup cannot revive it.
    if (known !== undefined && known >= token.hardDeadline) {
      return { status: 'ended', reason: 'absolute' };
    }
    const { touch = true, traits = '', mayRotate = false } = options;
    const { verifier, generation, sessionId: id } = token;
    const dead = this.#dead.get(verifier);
    if (dead) return dead;
    const presented = { verifier, generation, traits };
    const reply = await this.#context.access.call((store) =>
      store.resolve({ id, token: presented, touch }),
    );
    switch (reply.status) {
      case 'active': {
        // The first reply of a process tells the time.
        if (reply.now >= token.hardDeadline) return { status: 'ended', reason: 'absolute' };
        const session = new Session(this.#context, reply);
        if (
          session.claims.actor &&
          !(await this.#actorIsThere(session, session.claims.actor, touch))
        ) {
          return { status: 'ended', reason: 'revoked' };
        }
        const pending = options.client && this.#signals.review(session, options.client());
        const review = pending instanceof Promise ? await pending : pending;
        if (review === 'revoke') {
          await this.#context.invalidate(id);
          return this.#dead.add(verifier, { status: 'ended', reason: 'revoked' });
        }
        const demand = review && STEP_UP;
        if (reply.match === 'current' && !mayRotate) {
          return { status: 'active', session, ...demand };
        }
        const successor = mayRotate
          ? await this.#rotator.successorFor(token, traits, reply, reply.now)
          : undefined;
        this.#reportMatch(reply, reply.now);
        if (successor === undefined) return { status: 'active', session, ...demand };
        const { token: next, record } = successor;
        const renewed = session.renewed(record, reply.now);
        return { status: 'active', session: renewed, successor: next, ...demand };
      }
      case 'ended':
        if (reply.ended) this.#announceEnd(reply.ended);
        // Where only the token was refused, the rules may be others tomorrow.
        if (reply.rejected) return { status: 'ended', reason: reply.reason };
        return this.#dead.add(verifier, { status: 'ended', reason: reply.reason });
      case 'ahead':
        this.#context.events.emit('session.store-rollback', {
          eventId: `${id}:rollback:${generation}`,
          at: reply.now,
          sessionId: id,
        });
        return { status: 'none' };
      case 'gone':
        return this.#dead.add(verifier, { status: 'none' });
      case 'retired':
        // Not dead enough: after its grace the store takes it for a copy and ends the session.
        return { status: 'none' };
    }
  }

  /**
   * Whether another request has just given whoever holds this token a newer one: by a login in its
   * place, or a change of privilege. What is under way with it must not take that cookie away.
   */
  async isOvertaken({ sessionId: id, generation }: VerifiedToken): Promise<boolean> {
    const reply = await this.#context.access.call((store) => store.peek({ id, touch: false }));
    if (reply.status === 'active') return reply.record.generation > generation;
    if (reply.status === 'gone' || reply.reason !== 'replaced') return false;
    return reply.endedAt !== undefined && reply.now - reply.endedAt <= UNDER_WAY;
  }

  /** Acting in another name ends with the session of whoever does it. */
  async #actorIsThere(child: Session, actor: SessionActor, touch: boolean): Promise<boolean> {
    const record = await this.#privileges.liveRecord(actor.sessionId, touch);
    if (record?.userId === actor.userId) return true;
    await this.#privileges.end(child.id);
    return false;
  }

  #reportMatch(active: ActiveSession, at: number): void {
    const { id, generation } = active.record;
    if (active.match === 'reused') {
      const eventId = `${id}:reused:${generation}`;
      this.#context.events.emit('session.reuse-detected', { eventId, at, sessionId: id });
    } else if (active.suspicious) {
      const eventId = `${id}:suspicious:${generation}`;
      this.#context.events.emit('session.suspicious', { eventId, at, sessionId: id });
    }
  }
}
