/**
 * The contract once more, as naively as possible and without the code of any store: lists that are
 * searched, nothing kept that can be computed. The random history is compared with it.
 */
import type { EndReason, EndedSession, SessionRecord } from '../../core/record.js';
import type {
  CreateRequest,
  FieldChange,
  ResolveRequest,
  RevokeRequest,
  RotateRequest,
  StoreSettings,
} from '../../core/store.js';

export interface ModelSession {
  record: SessionRecord;
  readonly userKey: string | undefined;
  readonly isExempt: boolean;
  verifier: string;
  retired: { readonly before: number; readonly until: number } | undefined;
  readonly fields: Map<string, string>;
}

/** What a model says of an operation, in the words of the comparison. */
export interface Expected {
  readonly verdict: string;
  readonly ended?: readonly EndedSession[];
  readonly record?: SessionRecord;
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

export class ModelStore {
  readonly settings: StoreSettings;
  live: ModelSession[] = [];
  readonly ended: (EndedSession & { absoluteAt: number; readonly userKey?: string })[] = [];
  readonly epochs = new Map<string, number>();
  created = 0;

  constructor(settings: StoreSettings) {
    this.settings = settings;
  }

  /** Everything that the clock alone has ended by now. */
  passTo(now: number): void {
    for (const session of this.live) {
      const { idleAt, absoluteAt } = session.record;
      if (now < idleAt && now < absoluteAt) continue;
      const reason = absoluteAt <= idleAt ? 'absolute' : 'idle';
      this.#end(session, reason, Math.min(idleAt, absoluteAt));
    }
  }

  create(request: CreateRequest, now: number): Expected {
    this.passTo(now);
    const { session, concurrency, replaces, evicts, epoch } = request;
    const { id, user, token } = session;
    const same = this.live.find(({ record }) => record.id === id);
    if (same?.verifier === token.verifier) return { verdict: 'created', record: same.record };
    if (same !== undefined || this.reasonOfEnd(id, now) !== undefined) return { verdict: 'taken' };
    if (user && epoch !== undefined && epoch < (this.epochs.get(user.userKey) ?? epoch)) {
      return { verdict: 'superseded' };
    }
    const replaced = this.live.find(({ record }) => record.id === replaces?.id);
    const others = this.live.filter(
      (other) => user !== undefined && other.userKey === user.userKey && other !== replaced,
    );
    const given = others.filter(({ record }) => record.id === evicts);
    const rivals = others.filter((other) => !given.includes(other) && !other.isExempt);
    const isExempt = concurrency === 'exempt';
    const rule = isExempt ? undefined : concurrency;
    const surplus = user && rule ? rivals.length + 1 - rule.max : 0;
    if (surplus > 0 && rule?.atLimit === 'reject') return { verdict: 'limit' };
    const age = rule?.atLimit === 'evict-oldest' ? 'createdAt' : 'seenAt';
    const byAge = rivals.toSorted((a, b) => {
      const [first, second] = [a.record, b.record];
      return first[age] - second[age] || (first.id < second.id ? -1 : 1);
    });
    const ended = replaced ? [this.#end(replaced, 'replaced', now)] : [];
    for (const rival of [...given, ...byAge.slice(0, Math.max(0, surplus))]) {
      ended.push(this.#end(rival, 'evicted', now));
    }
    const { limits } = this.settings;
    const { idle, absolute } = limits[session.limitClass] ?? limits.default;
    const record: SessionRecord = {
      id,
      ...(user && { userId: user.userId, authenticatedAt: now }),
      createdAt: now,
      seenAt: now,
      idleAt: Math.min(now + idle, now + absolute),
      absoluteAt: now + absolute,
      limitClass: session.limitClass,
      device: session.device,
      generation: 0,
    };
    const userKey = user?.userKey;
    const taken = replaced && replaced.userKey === undefined ? replaced.fields : [];
    const fields = new Map([...taken, ...session.fields]);
    const { verifier } = token;
    this.live.push({ record, userKey, isExempt, verifier, retired: undefined, fields });
    if (user) this.created += 1;
    return { verdict: 'created', ended, record };
  }

  resolve({ id, token, touch }: ResolveRequest, now: number): Expected {
    this.passTo(now);
    const session = this.find(id);
    if (session === undefined) {
      const reason = this.reasonOfEnd(id, now);
      return { verdict: reason === undefined ? 'gone' : `ended ${reason}` };
    }
    const { record, verifier, retired } = session;
    if (token.verifier !== verifier) {
      if (retired && token.generation < retired.before && now <= retired.until) {
        return { verdict: 'retired' };
      }
      if (token.generation > record.generation) return { verdict: 'ahead' };
      return { verdict: 'ended reused', ended: [this.#end(session, 'reused', now)] };
    }
    if (touch) this.#touch(session, now);
    const fields = Object.fromEntries(session.fields);
    return { verdict: 'active current', record: session.record, fields };
  }

  peek(id: string, touch: boolean, now: number): Expected {
    this.passTo(now);
    const session = this.find(id);
    if (session !== undefined) {
      if (touch) this.#touch(session, now);
      return { verdict: 'active', record: session.record };
    }
    const reason = this.reasonOfEnd(id, now);
    return { verdict: reason === undefined ? 'gone' : `ended ${reason}` };
  }

  write(id: string, changes: readonly FieldChange[], now: number): Expected {
    this.passTo(now);
    const session = this.find(id);
    if (session === undefined) return { verdict: 'gone' };
    const fields: Record<string, string | undefined> = {};
    for (const change of changes) {
      const before = session.fields.get(change.name);
      const after = changed(before, change);
      if (after === undefined) session.fields.delete(change.name);
      else session.fields.set(change.name, after);
      fields[change.name] = after;
    }
    return { verdict: 'written', fields };
  }

  /** Hard rotations only: the state machine of the others has tests of its own. */
  rotate({ id, token, next }: RotateRequest, now: number): Expected {
    this.passTo(now);
    const session = this.find(id);
    if (session === undefined) return { verdict: 'gone' };
    const { generation } = session.record;
    if (token.verifier !== session.verifier || next.generation !== generation + 1) {
      return { verdict: 'lost' };
    }
    session.record = { ...session.record, generation: next.generation };
    session.verifier = next.verifier;
    session.retired = { before: next.generation, until: now + this.settings.rotation.grace };
    return { verdict: 'rotated', record: session.record };
  }

  revoke({ id, reason, userKey }: RevokeRequest, now: number): Expected {
    this.passTo(now);
    const session = this.find(id);
    if (session === undefined || (userKey !== undefined && session.userKey !== userKey)) {
      return { verdict: 'gone' };
    }
    return { verdict: 'revoked', ended: [this.#end(session, reason, now)] };
  }

  revokeUser(userKey: string, except: string | undefined, epoch: number, now: number): Expected {
    this.passTo(now);
    this.epochs.set(userKey, epoch);
    const doomed = this.of(userKey).filter(({ record }) => record.id !== except);
    return { verdict: 'revoked', ended: doomed.map((each) => this.#end(each, 'revoked', now)) };
  }

  revokeEveryone(now: number): Expected {
    this.passTo(now);
    for (const session of this.live) this.#end(session, 'revoked', now);
    return { verdict: 'revoked' };
  }

  eraseUser(userKey: string, now: number): Expected {
    this.passTo(now);
    const ended = this.of(userKey).map((session) => this.#end(session, 'revoked', now));
    for (const end of this.ended) if (end.userKey === userKey) end.absoluteAt = -Infinity;
    this.epochs.delete(userKey);
    return { verdict: 'erased', ended };
  }

  find(id: string): ModelSession | undefined {
    return this.live.find(({ record }) => record.id === id);
  }

  of(userKey: string): readonly ModelSession[] {
    return this.live.filter((session) => session.userKey === userKey);
  }

  /** While the tombstone is kept. */
  reasonOfEnd(id: string, now: number): EndReason | undefined {
    return this.ended.find((end) => end.id === id && now < end.absoluteAt)?.reason;
  }

  #touch(session: ModelSession, now: number): void {
    const { record } = session;
    const { limits, touchInterval } = this.settings;
    if (now <= record.seenAt || now < record.seenAt + touchInterval) return;
    const { idle } = limits[record.limitClass] ?? limits.default;
    const idleAt = Math.min(now + idle, record.absoluteAt);
    session.record = { ...record, seenAt: now, idleAt };
  }

  #end(session: ModelSession, reason: EndReason, endedAt: number): EndedSession {
    this.live = this.live.filter((other) => other !== session);
    const { record, userKey } = session;
    const { id, userId, createdAt, absoluteAt } = record;
    const ended = { id, ...(userId !== undefined && { userId }), reason, createdAt, endedAt };
    this.ended.push({ ...ended, absoluteAt, ...(userKey !== undefined && { userKey }) });
    return ended;
  }
}

function changed(before: string | undefined, change: FieldChange): string | undefined {
  switch (change.kind) {
    case 'set':
    case 'replace':
      return change.value;
    case 'delete':
      return undefined;
    case 'increment':
      return String(Number(before ?? 0) + change.by);
    case 'append':
      return JSON.stringify([...JSON.parse(before ?? '[]'), JSON.parse(change.item)]);
  }
}
