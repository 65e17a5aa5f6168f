/**
 * Issues tokens: for a login, for a session without a user, and at a rotation.
 */
import { ANONYMOUS_CLASS, REMEMBERED_CLASS, isClassOfLogins } from './config-timeouts.js';
import type { SessionConfig } from './config.js';
import { type Duration, parseDuration } from './duration.js';
import { SessionError, SessionLimitError, SessionStoreError } from './errors.js';
import type { SessionEventBus } from './events.js';
import type { FieldCipher } from './field-cipher.js';
import { isFieldName } from './field-name.js';
import { encodeSets, sessionTooLarge } from './fields.js';
import { type ConcurrencyRule, limitsOf } from './policy.js';
import type { DevicePrivacy } from './privacy.js';
import { foreseeRefusal } from './login-check.js';
import { claimsOf, factsOf } from './login-claims.js';
import type { LoginFacts } from './login-facts.js';
import type { CreateOptions, LoginTicket } from './login-options.js';
import type { EndedSession, OwnLimits, SessionDevice, SessionId, SessionRecord } from './record.js';
import type { StoreAccess } from './store-access.js';
import type { CreateReply, CreateRequest, EncodedFields } from './store.js';
import { type MintedToken, type TokenCodec, parseSessionId } from './token.js';
import {
  type UserId,
  canonicalUserId,
  createSid,
  placement,
  randomBucket,
  splitSid,
} from './user-id.js';

/** A session that the store has just created. */
export interface Issued {
  readonly status: 'issued';
  readonly token: MintedToken;
  readonly record: SessionRecord;
  readonly now: number;
  /** Sessions that ended for it: replaced or evicted. */
  readonly ended: readonly EndedSession[];
  readonly fields: EncodedFields;
  /** `false`: the store may hold more fields. */
  readonly complete: boolean;
}

/** A login that did not happen. */
export interface Refused {
  readonly status: 'refused';
  readonly error: SessionError;
  /** The anonymous session that the login would have ended, with a new token. */
  readonly restored?: Issued;
}

type Refusal = Exclude<CreateReply['status'], 'created' | 'late'>;

const NOTHING: EncodedFields = new Map();

type Wanted = Omit<CreateRequest['session'], 'id' | 'token' | 'claims'> &
  Omit<CreateRequest, 'session' | 'notAfter'> & {
    readonly bucket: number;
    /** Of the moment of the login, by the store's clock. */
    readonly claims?: (now: number) => string;
  };

export class SessionIssuer {
  readonly #config: SessionConfig;
  readonly #access: StoreAccess;
  readonly #tokens: TokenCodec;
  readonly #events: SessionEventBus;
  readonly #cipher: FieldCipher;
  readonly #privacy: DevicePrivacy;
  readonly #announceEnd: (ended: EndedSession) => void;

  constructor(
    config: SessionConfig,
    access: StoreAccess,
    tokens: TokenCodec,
    events: SessionEventBus,
    cipher: FieldCipher,
    privacy: DevicePrivacy,
    announceEnd: (ended: EndedSession) => void,
  ) {
    this.#config = config;
    this.#access = access;
    this.#tokens = tokens;
    this.#events = events;
    this.#cipher = cipher;
    this.#privacy = privacy;
    this.#announceEnd = announceEnd;
  }

  /** Everything that can be refused is refused before the first session ends. */
  async forUser(userId: UserId, options: CreateOptions): Promise<Issued | Refused> {
    const user = canonicalUserId(userId);
    const facts = factsOf(user, options);
    const limitClass = await this.#limitClass(options, facts);
    const ownLimits = this.#ownLimits(options.timeouts);
    const own = this.#encode(options.data ?? {});
    const ticket = ticketOf(options.ticket, user);
    const claims = claimsOf(facts, options.actor);
    // An id out of a request body can be anything.
    const evicts = parseSessionId(options.evicts) && options.evicts;
    // Who acts in another name must not cost that user a session of their own, now or later.
    const rule = options.actor === undefined ? await this.#ruleFor(facts) : undefined;
    const max = rule?.max ?? 0;
    const place = placement(user, await this.#access.layout());
    const { keepOnLogin } = this.#config;
    const inPlace = this.#replacedIn(place.bucket, options.replaces);
    if (options.replaces !== undefined && !inPlace) {
      const why = await foreseeRefusal(this.#access, place, rule, evicts, ticket.epoch);
      if (why !== undefined) return { status: 'refused', error: refusal(why, max) };
    }
    const left = inPlace ? NOTHING : await this.#endReplaced(options.replaces);
    const reply = await this.#insert({
      bucket: place.bucket,
      limitClass,
      ...(ownLimits && { ownLimits }),
      device: options.device ?? {},
      claims,
      fields: new Map(
        [...left, ...own].filter(([name]) => own.has(name) || keepOnLogin.includes(name)),
      ),
      user: { ...place, userId: user },
      concurrency: rule ?? 'exempt',
      ...(inPlace && { replaces: { id: inPlace, take: keepOnLogin } }),
      ...(evicts !== undefined && { evicts }),
      ...ticket,
    });
    if (reply.status !== 'issued') return this.#refuse(reply.status, max, left, options.device);
    this.#events.emit('session.created', {
      eventId: `${reply.record.id}:created`,
      at: reply.now,
      sessionId: reply.record.id,
      userId: user,
      limitClass,
      isPending: options.pending ?? false,
      ...(options.actor !== undefined && { actor: options.actor }),
    });
    return reply;
  }

  async forAnonymous(
    data: Readonly<Record<string, unknown>>,
    device: SessionDevice,
  ): Promise<Issued> {
    const fields = this.#encode(data);
    const { buckets } = await this.#access.layout();
    const bucket = randomBucket(buckets);
    return this.#anonymous(bucket, fields, device);
  }

  /** A session without a user that holds something for a while; milliseconds. */
  async park(fields: EncodedFields, lifetime: number): Promise<Issued> {
    const { buckets } = await this.#access.layout();
    const ownLimits = { idle: lifetime, absolute: lifetime };
    const reply = await this.#insert({
      bucket: randomBucket(buckets),
      limitClass: ANONYMOUS_CLASS,
      ownLimits,
      device: {},
      fields,
    });
    if (reply.status === 'issued') return reply;
    throw refusal(reply.status, 0);
  }

  async #anonymous(bucket: number, fields: EncodedFields, device: SessionDevice): Promise<Issued> {
    const reply = await this.#insert({ bucket, limitClass: ANONYMOUS_CLASS, device, fields });
    if (reply.status === 'issued') return reply;
    throw refusal(reply.status, 0);
  }

  async #insert(wanted: Wanted): Promise<Issued | { readonly status: Refusal }> {
    const { bucket, claims, concurrency, replaces, evicts, epoch, verifiedAt, ...session } = wanted;
    const conditions = { concurrency, replaces, evicts, epoch, verifiedAt };
    const { absolute } = limitsOf(session, this.#config.settings.limits);
    const answer = await this.#access.mutate(async (store, now, notAfter) => {
      const sid = createSid(session.user?.userKey);
      const token = this.#tokens.mint({ bucket, sid, generation: 0, hardDeadline: now + absolute });
      const { sessionId: id, verifier, keyId, generation } = token;
      const fields = this.#cipher.sealAll(id, session.fields);
      const created = await store.create({
        session: {
          ...session,
          device: this.#privacy.kept(session.device),
          fields,
          id,
          token: { verifier, keyId, generation },
          ...(claims && { claims: claims(now) }),
        },
        ...given(conditions),
        notAfter,
      });
      return { status: created.status, now: created.now, reply: created, token, fields };
    });
    const { reply, token: issued, fields } = answer;
    // `mutate` has dealt with `late`.
    if (reply.status === 'late') throw refusal('taken', 0);
    if (reply.status !== 'created') return { status: reply.status };
    reply.ended.forEach(this.#announceEnd);
    const { record, now, ended } = reply;
    const complete = replaces === undefined;
    return {
      status: 'issued',
      token: issued,
      record,
      now,
      ended,
      fields,
      complete,
    };
  }

  /**
   * Ends a session of another bucket before the new one is created: a crash in between leaves
   * neither alive. In the same bucket the store does both in one step. Of an anonymous session the
   * fields are handed over.
   */
  async #endReplaced(id: SessionId | undefined): Promise<EncodedFields> {
    if (id === undefined) return NOTHING;
    const request = { id, reason: 'replaced', take: 'all' } as const;
    const reply = await this.#access.call((store) => store.revoke(request));
    if (reply.status === 'gone') return NOTHING;
    this.#announceEnd(reply.ended);
    return this.#opened(id, reply.fields);
  }

  /**
   * The id, if it lies in this bucket and the store can do both in one step. Not if fields may
   * cross that are bound to the old id: they have to be encrypted anew.
   */
  #replacedIn(bucket: number, id: SessionId | undefined): SessionId | undefined {
    const parts = parseSessionId(id);
    if (parts?.bucket !== bucket) return undefined;
    return this.#cipher.isOn && splitSid(parts.sid).isAnonymous ? undefined : id;
  }

  /**
   * The readable ones of the application: nothing that somebody put into the store crosses a login,
   * and nothing of our own either, such as a login that waits there for a few minutes.
   */
  #opened(id: SessionId, fields: EncodedFields): EncodedFields {
    const readable = new Map<string, string>();
    for (const [name, stored] of fields) {
      if (!isFieldName(name)) continue;
      const opened = this.#cipher.open(id, name, stored);
      if (opened.status === 'text') readable.set(name, opened.text);
    }
    return readable;
  }

  /** Ends a session that its caller does not want after all; whether this call ended it. */
  async withdraw(id: SessionId, reason: 'logout' | 'revoked' = 'logout'): Promise<boolean> {
    const reply = await this.#access.call((store) => store.revoke({ id, reason }));
    if (reply.status === 'gone') return false;
    this.#announceEnd(reply.ended);
    return true;
  }

  /**
   * A login that only the store refuses loses nothing, either: what the visitor had collected lives
   * on in a new session.
   */
  async #refuse(
    status: Refusal,
    max: number,
    left: EncodedFields,
    device: SessionDevice = {},
  ): Promise<Refused> {
    const error = refusal(status, max);
    if (left.size === 0) return { status: 'refused', error };
    const { buckets } = await this.#access.layout();
    const restored = await this.#anonymous(randomBucket(buckets), left, device);
    return { status: 'refused', error, restored };
  }

  /** Timeouts of this login only; they cannot be looser than those of its class. */
  #ownLimits(timeouts: CreateOptions['timeouts']): OwnLimits | undefined {
    if (timeouts === undefined) return undefined;
    const { idle, absolute } = timeouts;
    return {
      ...(idle !== undefined && { idle: milliseconds('timeouts.idle', idle) }),
      ...(absolute !== undefined && { absolute: milliseconds('timeouts.absolute', absolute) }),
    };
  }

  async #limitClass({ limitClass }: CreateOptions, login: LoginFacts): Promise<string> {
    const usual = login.remember ? REMEMBERED_CLASS : 'default';
    const name = limitClass ?? (await this.#config.classOf(login)) ?? usual;
    if (isClassOfLogins(name, this.#config.settings.limits)) return name;
    throw new SessionError(
      'ERR_SESSION_CONFIG',
      `there is no limit class ${JSON.stringify(name)} for logins: add it to timeouts.classes`,
    );
  }

  async #ruleFor(login: LoginFacts): Promise<ConcurrencyRule> {
    const { max, atLimit } = this.#config.concurrency;
    return { max: await max(login), atLimit: await atLimit(login) };
  }

  #encode(values: Readonly<Record<string, unknown>>): Map<string, string> {
    const changes = encodeSets(values, this.#config.fieldLimits);
    return new Map(changes.map(({ name, value }) => [name, value]));
  }
}

/** A ticket of another user proves nothing. */
function ticketOf(
  ticket: LoginTicket | undefined,
  user: string,
): Pick<CreateRequest, 'epoch' | 'verifiedAt'> {
  if (ticket === undefined) return {};
  if (ticket.userId === user) return { epoch: ticket.epoch, verifiedAt: ticket.at };
  throw new SessionError('ERR_SESSION_USER_ID', 'the login ticket is not of this user');
}

function milliseconds(name: string, value: Duration): number {
  const parsed = parseDuration(value);
  if (parsed.ok) return parsed.ms;
  throw new SessionError('ERR_SESSION_CONFIG', `${name} of a login ${parsed.problem}`);
}

/** Without the keys that are `undefined`. */
function given<T extends object>(values: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

function refusal(status: Refusal, max: number): SessionError {
  switch (status) {
    case 'limit':
      return new SessionLimitError(max);
    case 'too-large':
      return sessionTooLarge();
    case 'superseded':
      return new SessionError(
        'ERR_SESSION_SUPERSEDED',
        'all sessions of the user were revoked while they logged in',
      );
    case 'taken':
      return new SessionStoreError('the session store claims to have a session that was just made');
  }
}
