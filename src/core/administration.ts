/**
 * What operators and data protection ask for: ending sessions by a condition, explaining a
 * verdict, handing out and erasing what is kept about a user.
 */
import { performance } from 'node:perf_hooks';
import { type SessionClaims, decodeClaims } from './claims.js';
import { type FieldReading, decodeField, isFieldName } from './codec.js';
import { show } from './config-text.js';
import { deadlinesOf } from './policy.js';
import type { EndReason, EndedSession, SessionId, SessionRecord } from './record.js';
import { type SessionContext, type SessionInfo, infoOf } from './session.js';
import type { StoreAccess } from './store-access.js';
import type { UserPlace } from './store.js';
import { type TokenCodec, looksLikeToken, parseSessionId } from './token.js';

/**
 * Which sessions are meant: those that meet every condition given. Leave out what is no condition:
 * one that is `undefined` is an error, since it would mean everybody.
 *
 * @public
 */
export interface SessionFilter {
  /** Milliseconds since 1970. */
  readonly createdBefore?: number;
  /** Last seen before this moment; milliseconds since 1970. */
  readonly seenBefore?: number;
  /** The user used this method to log in. */
  readonly method?: string;
  /** Assurance level below this. */
  readonly levelBelow?: number;
  readonly tenant?: string;
  readonly limitClass?: string;
  readonly userId?: string;
}

/** How a `revokeWhere` is done. @public */
export interface RevokeWhereOptions {
  /** Only count. @defaultValue `false` */
  readonly dryRun?: boolean;
  /** Where an earlier call stopped. */
  readonly cursor?: string;
  /** Milliseconds after which it stops and gives a cursor. @defaultValue 10 s */
  readonly budget?: number;
}

/** What a `revokeWhere` did. @public */
export interface RevokeWhereReport {
  /** Sessions that were looked at. */
  readonly examined: number;
  /** Those that meet the conditions. */
  readonly matched: number;
  /** Those that ended; fewer than `matched` if some ended by themselves meanwhile. */
  readonly revoked: number;
  /** For the next call; absent when all have been looked at. */
  readonly cursor?: string;
}

/**
 * Why a token or id is worth what it is.
 *
 * @public
 */
export interface SessionExplanation {
  readonly verdict: 'active' | EndReason | 'none';
  /** The check that decides, in words. */
  readonly decidedBy: string;
  readonly sessionId?: SessionId;
  readonly userId?: string;
  /** Milliseconds since 1970 by the store's clock. */
  readonly now: number;
  readonly createdAt?: number;
  readonly seenAt?: number;
  readonly idleAt?: number;
  readonly absoluteAt?: number;
  /** The deadline inside the token, if a token was given. */
  readonly hardDeadline?: number;
}

/** What is kept about a user, but for digests that only the application can make. @public */
export interface UserExport {
  readonly userId: string;
  readonly sessions: readonly (SessionInfo &
    Pick<SessionClaims, 'methods' | 'level' | 'isPending' | 'tenant'> & {
      readonly data: Readonly<Record<string, unknown>>;
    })[];
  readonly ended: readonly {
    readonly id: SessionId;
    readonly reason: EndReason;
    readonly endedAt: number;
  }[];
}

const PAGE = 100;
const DEFAULT_BUDGET = 10_000;

export class Administration {
  readonly #context: SessionContext;
  readonly #access: StoreAccess;
  readonly #tokens: TokenCodec;
  readonly #announceEnd: (ended: EndedSession) => void;

  constructor(
    context: SessionContext,
    access: StoreAccess,
    tokens: TokenCodec,
    announceEnd: (ended: EndedSession) => void,
  ) {
    this.#context = context;
    this.#access = access;
    this.#tokens = tokens;
    this.#announceEnd = announceEnd;
  }

  async revokeEveryone(until: number | undefined): Promise<void> {
    if (until !== undefined && !Number.isFinite(until)) {
      throw new RangeError('until must be a moment in milliseconds since 1970');
    }
    const request = { reason: 'revoked', ...(until !== undefined && { until }) } as const;
    await this.#access.call((store) => store.revokeEveryone(request));
  }

  async revokeWhere(
    filter: SessionFilter,
    options: RevokeWhereOptions,
  ): Promise<RevokeWhereReport> {
    checkFilter(filter);
    const { dryRun = false, budget = DEFAULT_BUDGET } = options;
    const end = performance.now() + budget;
    const report = { examined: 0, matched: 0, revoked: 0 };
    let { cursor } = options;
    do {
      const request = { limit: PAGE, ...(cursor !== undefined && { cursor }) };
      const page = await this.#access.call((store) => store.page(request));
      const matching = page.sessions.filter((record) => meets(record, filter));
      report.examined += page.sessions.length;
      report.matched += matching.length;
      if (!dryRun) report.revoked += await this.#revokeAll(matching);
      cursor = page.cursor;
    } while (cursor !== undefined && performance.now() < end);
    return { ...report, ...(cursor !== undefined && { cursor }) };
  }

  async explain(tokenOrId: string): Promise<SessionExplanation> {
    const { now } = await this.#access.call((store) => store.ping());
    if (parseSessionId(tokenOrId)) return this.#explainId(tokenOrId, now);
    const token = this.#tokens.verify(tokenOrId);
    if (token === undefined) {
      const decidedBy = looksLikeToken(tokenOrId)
        ? 'the tag: forged, damaged, or made under another secret or audience'
        : 'the spelling: neither a token nor a session id';
      return { verdict: 'none', decidedBy, now };
    }
    const { hardDeadline, sessionId } = token;
    if (now >= hardDeadline) {
      const decidedBy = 'the deadline inside the token';
      return { verdict: 'absolute', decidedBy, sessionId, hardDeadline, now };
    }
    const explained = await this.#explainId(sessionId, now);
    const isOlder = token.generation < (explained.generation ?? 0);
    const decidedBy =
      explained.verdict === 'active' && isOlder
        ? 'the generation: a newer token was issued, so this one is retired or in its grace'
        : explained.decidedBy;
    return { ...explained, decidedBy, hardDeadline };
  }

  async exportUser(userId: string, user: UserPlace): Promise<UserExport> {
    const { sessions, tombstones } = await this.#access.call((store) => store.list({ user }));
    const exported: UserExport['sessions'][number][] = [];
    for (const record of sessions) {
      const reply = await this.#access.call((store) => store.read({ id: record.id }));
      const fields = reply.status === 'read' ? [...reply.fields] : [];
      const data = fields
        .filter(([name]) => isFieldName(name))
        .map(([name, stored]) => [name, this.#read(record.id, name, stored)] as const)
        .flatMap(([name, reading]) => (reading.ok ? [[name, reading.value] as const] : []));
      const { methods, level, isPending, tenant } = decodeClaims(record.claims);
      const claims = { methods, level, isPending, ...(tenant !== undefined && { tenant }) };
      exported.push({ ...this.#info(record), ...claims, data: Object.fromEntries(data) });
    }
    return { userId, sessions: exported, ended: tombstones };
  }

  async eraseUser(user: UserPlace): Promise<number> {
    const { ended } = await this.#access.call((store) => store.eraseUser({ user }));
    ended.forEach(this.#announceEnd);
    return ended.length;
  }

  async #explainId(
    id: SessionId,
    now: number,
  ): Promise<SessionExplanation & { readonly generation?: number }> {
    const reply = await this.#access.call((store) => store.peek({ id, touch: false }));
    if (reply.status === 'gone') {
      return {
        verdict: 'none',
        decidedBy: 'the store: it knows no such session',
        sessionId: id,
        now,
      };
    }
    if (reply.status === 'ended') {
      const decidedBy = `the store: the session has ended (${reply.reason})`;
      return { verdict: reply.reason, decidedBy, sessionId: id, now: reply.now };
    }
    const { userId, createdAt, seenAt, generation } = reply.record;
    const deadlines = deadlinesOf(reply.record, this.#context.limitTable);
    const first = deadlines.idleAt < deadlines.absoluteAt ? 'idle' : 'absolute';
    return {
      verdict: 'active',
      decidedBy: `all checks pass; the ${first} timeout comes first`,
      sessionId: id,
      ...(userId !== undefined && { userId }),
      now: reply.now,
      createdAt,
      seenAt,
      generation,
      ...deadlines,
    };
  }

  async #revokeAll(records: readonly SessionRecord[]): Promise<number> {
    const replies = await Promise.all(
      records.map(({ id }) =>
        this.#access.call((store) => store.revoke({ id, reason: 'revoked' })),
      ),
    );
    const revoked = replies.filter((reply) => reply.status === 'revoked');
    for (const { ended } of revoked) this.#announceEnd(ended);
    return revoked.length;
  }

  #read(id: SessionId, name: string, stored: string): FieldReading {
    const opened = this.#context.cipher.open(id, name, stored);
    if (opened.status !== 'text') return { ok: false, reason: 'malformed' };
    return decodeField(opened.text, this.#context.readingLimits);
  }

  #info(record: SessionRecord): SessionInfo {
    return infoOf(record, deadlinesOf(record, this.#context.limitTable));
  }
}

const CONDITIONS: Readonly<Record<keyof SessionFilter, 'number' | 'string'>> = {
  createdBefore: 'number',
  seenBefore: 'number',
  method: 'string',
  levelBelow: 'number',
  tenant: 'string',
  limitClass: 'string',
  userId: 'string',
};

/** A condition that came out of a request empty, or under another name, would end everybody's. */
function checkFilter(filter: SessionFilter): void {
  for (const [name, value] of Object.entries(filter)) {
    const type = Object.hasOwn(CONDITIONS, name) && CONDITIONS[name as keyof SessionFilter];
    if (type === false) throw new TypeError(`revokeWhere knows no condition ${show(name)}`);
    if (typeof value === type && !Number.isNaN(value)) continue;
    throw new TypeError(
      `revokeWhere: ${name} must be a ${type}; leave it out if it is no condition`,
    );
  }
}

function meets(record: SessionRecord, filter: SessionFilter): boolean {
  const { methods, level, tenant } = decodeClaims(record.claims);
  const { createdBefore = Infinity, seenBefore = Infinity } = filter;
  return (
    record.userId !== undefined &&
    record.createdAt < createdBefore &&
    record.seenAt < seenBefore &&
    (filter.method === undefined || methods.some(({ method }) => method === filter.method)) &&
    (filter.levelBelow === undefined || level < filter.levelBelow) &&
    (filter.tenant === undefined || tenant === filter.tenant) &&
    (filter.limitClass === undefined || record.limitClass === filter.limitClass) &&
    (filter.userId === undefined || record.userId === filter.userId)
  );
}
