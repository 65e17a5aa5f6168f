/**
 * Gives sessions new tokens: by the clock, for a lost response, and at a change of privilege.
 */
import type { SessionConfig } from './config.js';
import { SessionStoreError } from './errors.js';
import type { SessionEventBus } from './events.js';
import type { SessionRecord } from './record.js';
import type { NextToken, PresentedToken, SuccessorHint } from './rotation.js';
import type { StoreAccess } from './store-access.js';
import type { ActiveSession, RotateRequest } from './store.js';
import {
  MAX_GENERATION,
  type MintedToken,
  type TokenCodec,
  type VerifiedToken,
  createSalt,
  parseSessionId,
} from './token.js';

/** A session under a new token. */
export interface Rotated {
  readonly token: MintedToken;
  readonly record: SessionRecord;
}

export class SessionRotator {
  readonly #config: SessionConfig;
  readonly #access: StoreAccess;
  readonly #tokens: TokenCodec;
  readonly #events: SessionEventBus;

  constructor(
    config: SessionConfig,
    access: StoreAccess,
    tokens: TokenCodec,
    events: SessionEventBus,
  ) {
    this.#config = config;
    this.#access = access;
    this.#tokens = tokens;
    this.#events = events;
  }

  /**
   * The token that the holder of this one gets with the answer, if any: the successor of a token
   * that was rotated a moment ago, or a new one if that is due and the answer can carry it.
   *
   * A store that cannot rotate now, such as a full one, does not fail the request: the token it
   * came with is still good, and the next request tries again.
   */
  async successorFor(
    token: VerifiedToken,
    traits: string,
    active: ActiveSession,
    now: number,
  ): Promise<Rotated | undefined> {
    const { record } = active;
    if (active.successor) return this.#derive(token, active.successor, record);
    const kind = this.#dueKind(token, active, now);
    if (kind === undefined) return undefined;
    try {
      return await this.#rotateSoftly(kind, token, traits, record);
    } catch (error) {
      if (error instanceof SessionStoreError) return undefined;
      throw error;
    }
  }

  /**
   * A new token for the same session that nobody but the caller gets; the old one is dead when
   * this returns. `undefined`: the session is gone, or somebody else rotated it.
   */
  rotateHard(
    token: VerifiedToken,
    generation: number,
    changes: Pick<RotateRequest, 'claims' | 'authenticated'> = {},
  ): Promise<Rotated | undefined> {
    const { sessionId: id, hardDeadline } = token;
    return this.#replace(
      { id, token: presented(token, ''), kind: 'hard', ...changes },
      generation,
      hardDeadline,
    );
  }

  /** The same for a session whose token is not at hand; the caller has another right to it. */
  reissue(record: SessionRecord, hardDeadline: number): Promise<Rotated | undefined> {
    const { id, generation } = record;
    const token = { verifier: '', generation, traits: '' };
    return this.#replace({ id, token, kind: 'reissue' }, generation, hardDeadline);
  }

  async #replace(
    request: Omit<RotateRequest, 'next' | 'notAfter'>,
    generation: number,
    hardDeadline: number,
  ): Promise<Rotated | undefined> {
    const place = parseSessionId(request.id);
    if (place === undefined || generation >= MAX_GENERATION) return undefined;
    const next = this.#tokens.mint({ ...place, generation: generation + 1, hardDeadline });
    const reply = await this.#rotate({ ...request, next: nextToken(next) });
    return reply.status === 'rotated' ? { token: next, record: reply.record } : undefined;
  }

  #dueKind(token: VerifiedToken, active: ActiveSession, now: number): 'soft' | 'fork' | undefined {
    if (active.record.generation >= MAX_GENERATION) return undefined;
    if (active.match === 'fork') return 'fork';
    const { rotationInterval } = this.#config;
    // An anonymous session has nothing to protect.
    if (active.match !== 'current' || active.record.userId === undefined) return undefined;
    if (rotationInterval === undefined) return undefined;
    const isOld = now - active.rotatedAt >= rotationInterval;
    // While keys roll, tokens of the older key are replaced as soon as they are confirmed.
    const isUnderOldKey = !token.isNewestKey && now - active.rotatedAt >= this.#minimumAge;
    return isOld || isUnderOldKey ? 'soft' : undefined;
  }

  /** Two rotations within one grace would retire a token that is still under way. */
  get #minimumAge(): number {
    return 4 * this.#config.settings.rotation.grace;
  }

  async #rotateSoftly(
    kind: 'soft' | 'fork',
    token: VerifiedToken,
    traits: string,
    record: SessionRecord,
  ): Promise<Rotated | undefined> {
    const generation = record.generation + 1;
    const salt = createSalt();
    const { id: keyId } = this.#config.ring.current;
    const next = this.#tokens.successor(token, { salt, generation, keyId });
    if (next === undefined) return undefined;
    const reply = await this.#rotate({
      id: token.sessionId,
      token: presented(token, traits),
      kind,
      next: { ...nextToken(next), salt },
    });
    if (reply.status === 'rotated') return { token: next, record: reply.record };
    return reply.status === 'lost' && reply.successor
      ? this.#derive(token, reply.successor, { ...record, generation })
      : undefined;
  }

  /** All presenters of one token derive the same successor, on every instance. */
  #derive(token: VerifiedToken, hint: SuccessorHint, record: SessionRecord): Rotated | undefined {
    const successor = this.#tokens.successor(token, hint);
    return successor && { token: successor, record };
  }

  async #rotate(
    request: Omit<RotateRequest, 'notAfter'>,
  ): Promise<Awaited<ReturnType<StoreAccess['store']['rotate']>>> {
    const reply = await this.#access.mutate((store, _now, notAfter) =>
      store.rotate({ ...request, notAfter }),
    );
    if (reply.status === 'rotated') {
      const { id, next } = request;
      this.#events.emit('session.rotated', {
        eventId: `${id}:rotated:${next.generation}`,
        at: reply.now,
        sessionId: id,
        generation: next.generation,
      });
    }
    return reply;
  }
}

function presented(token: VerifiedToken, traits: string): PresentedToken {
  return { verifier: token.verifier, generation: token.generation, traits };
}

function nextToken(token: MintedToken): NextToken {
  return { verifier: token.verifier, keyId: token.keyId, generation: token.generation };
}
