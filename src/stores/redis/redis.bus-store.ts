import type { SessionBus, SessionNotice } from '../../core/bus.js';
import type { EndedSession } from '../../core/record.js';
import type {
  CreateReply,
  CreateRequest,
  EraseUserReply,
  ListRequest,
  ResolveReply,
  ResolveRequest,
  RevokeEveryoneReply,
  RevokeEveryoneRequest,
  RevokeReply,
  RevokeRequest,
  RevokeUserReply,
  RevokeUserRequest,
  RotateReply,
  RotateRequest,
  SweepReply,
  SweepRequest,
} from '../../core/store.js';
import { type RedisBackend, RedisSessionStore, type RedisStoreSettings } from './redis.store.js';

/**
 * What `redisStore()` makes: tells the other instances what happened to sessions. Telling never
 * delays an operation and never fails it.
 *
 * @public
 */
export class RedisStore extends RedisSessionStore {
  /** News about sessions, from all instances. */
  readonly bus: SessionBus;

  /** @internal */
  constructor(backend: RedisBackend, bus: SessionBus, settings: RedisStoreSettings) {
    super(backend, settings);
    this.bus = bus;
  }

  override async create(request: CreateRequest): Promise<CreateReply> {
    const reply = await super.create(request);
    if (reply.status === 'created') this.#tellEnded(reply.ended);
    return reply;
  }

  override async resolve(request: ResolveRequest): Promise<ResolveReply> {
    const reply = await super.resolve(request);
    if (reply.status === 'ended' && reply.ended !== undefined) this.#tellEnded([reply.ended]);
    return reply;
  }

  override async rotate(request: RotateRequest): Promise<RotateReply> {
    const reply = await super.rotate(request);
    if (reply.status === 'rotated') {
      const { id, next } = request;
      this.bus.publish([{ kind: 'rotated', sessionId: id, generation: next.generation }]);
    }
    return reply;
  }

  override async revoke(request: RevokeRequest): Promise<RevokeReply> {
    try {
      const reply = await super.revoke(request);
      if (reply.status === 'revoked') this.#tellEnded([reply.ended]);
      return reply;
    } catch (error) {
      // It may have ended all the same. Who is told in vain asks the store once more.
      this.bus.publish([{ kind: 'ended', sessionId: request.id, reason: request.reason }]);
      throw error;
    }
  }

  override async revokeUser(request: RevokeUserRequest): Promise<RevokeUserReply> {
    const reply = await super.revokeUser(request);
    this.#tellEnded(reply.ended);
    return reply;
  }

  override async revokeEveryone(request: RevokeEveryoneRequest): Promise<RevokeEveryoneReply> {
    const reply = await super.revokeEveryone(request);
    this.bus.publish([{ kind: 'everyone', until: reply.until, reason: request.reason }]);
    return reply;
  }

  override async eraseUser(request: ListRequest): Promise<EraseUserReply> {
    const reply = await super.eraseUser(request);
    this.#tellEnded(reply.ended);
    return reply;
  }

  override async sweep(request: SweepRequest): Promise<SweepReply> {
    const reply = await super.sweep(request);
    if (reply.status === 'swept') this.#tellEnded(reply.ended);
    return reply;
  }

  #tellEnded(ended: readonly EndedSession[]): void {
    if (ended.length === 0) return;
    this.bus.publish(
      ended.map(({ id, reason }): SessionNotice => ({ kind: 'ended', sessionId: id, reason })),
    );
  }
}
