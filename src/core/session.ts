/**
 * One live session in the hands of the application.
 */
import { type SessionClaims, decodeClaims } from './claims.js';
import type { SessionItem } from './codec.js';
import {
  type FieldContext,
  type SessionField,
  type SessionFieldTypes,
  SessionFields,
} from './fields.js';
import { type Deadlines, type LimitTable, deadlinesOf } from './policy.js';
import type { SessionDevice, SessionId, SessionRecord } from './record.js';
import type { EncodedFields } from './store.js';

/**
 * What may be shown of a session: no token, no data. Instants in milliseconds since 1970.
 *
 * @public
 */
export interface SessionInfo {
  readonly id: SessionId;
  readonly createdAt: number;
  readonly seenAt: number;
  /** The earlier of the two deadlines, if it is not used before. */
  readonly expiresAt: number;
  readonly limitClass: string;
  readonly device: SessionDevice;
  /** Who acts in the user's name in it, if somebody does. */
  readonly actor?: { readonly userId: string };
}

/** Seconds until a session ends: unused, and in any case. @public */
export interface TimeLeft {
  readonly idle: number;
  readonly absolute: number;
}

/** What sessions need of their surroundings. */
export interface SessionContext extends FieldContext {
  readonly limitTable: LimitTable;
  /** Calls `onEnd` once, when the session is over; the function that is returned ends the watch. */
  readonly watch: (session: Session, onEnd: () => void) => () => void;
}

/**
 * A session that was alive when it was resolved. Facts are a snapshot of that moment; fields are
 * read and written one by one, at the store: when a call returns, the change is durable, and two
 * requests that write different fields never overwrite each other.
 *
 * Every method that changes something rejects with `ERR_SESSION_ENDED` if the session has ended
 * meanwhile, and with `SessionStoreError` if the store failed.
 *
 * @public
 */
export class Session {
  readonly id: SessionId;
  /** Absent in an anonymous session. */
  readonly userId: string | undefined;
  readonly createdAt: number;
  /** When the user last proved who they are. */
  readonly authenticatedAt: number | undefined;
  readonly limitClass: string;
  readonly device: SessionDevice;
  /** How the user logged in, and who acts in their name. */
  readonly claims: SessionClaims;
  readonly #context: SessionContext;
  readonly #record: SessionRecord;
  readonly #deadlines: Deadlines;
  readonly #resolvedAt: number;
  readonly #fields: SessionFields;

  /** @internal */
  constructor(
    context: SessionContext,
    active: {
      readonly record: SessionRecord;
      readonly fields: EncodedFields | SessionFields;
      readonly complete: boolean;
      readonly now: number;
    },
  ) {
    const { record } = active;
    this.id = record.id;
    this.userId = record.userId;
    this.createdAt = record.createdAt;
    this.authenticatedAt = record.authenticatedAt;
    this.limitClass = record.limitClass;
    this.device = record.device;
    this.claims = decodeClaims(record.claims);
    this.#record = record;
    this.#resolvedAt = active.now;
    this.#deadlines = deadlinesOf(record, context.limitTable);
    this.#context = context;
    this.#fields =
      active.fields instanceof SessionFields
        ? active.fields
        : new SessionFields(context, record.id, active.fields, active.complete);
  }

  /** Highest generation of its tokens. @internal */
  get generation(): number {
    return this.#record.generation;
  }

  /** As of the moment when it was resolved. @internal */
  get deadlines(): Deadlines {
    return this.#deadlines;
  }

  /** Calls `onEnd` when it is over, wherever that happens; what is returned ends the watch. @internal */
  watch(onEnd: () => void): () => void {
    return this.#context.watch(this, onEnd);
  }

  /** The same session with newer facts. @internal */
  renewed(record: SessionRecord, now: number): Session {
    return new Session(this.#context, { record, fields: this.#fields, complete: true, now });
  }

  /** What may be shown of it. */
  get info(): SessionInfo {
    return infoOf(this.#record, this.#deadlines);
  }

  /** Seconds left when it was resolved, rounded down. */
  get timeLeft(): TimeLeft {
    const seconds = (deadline: number): number =>
      Math.max(0, Math.floor((deadline - this.#resolvedAt) / 1000));
    return { idle: seconds(this.#deadlines.idleAt), absolute: seconds(this.#deadlines.absoluteAt) };
  }

  /** The value of a field, a fresh copy at each call; `undefined` if there is none. */
  async get<Name extends SessionField>(name: Name): Promise<SessionFieldTypes[Name] | undefined> {
    return (await this.#fields.get(name)) as SessionFieldTypes[Name] | undefined;
  }

  /** All fields. */
  async all(): Promise<Partial<SessionFieldTypes>> {
    return (await this.#fields.all()) as Partial<SessionFieldTypes>;
  }

  /**
   * Sets one field, or several in one step. What is set is what is read back.
   *
   * @throws SessionValueError `ERR_SESSION_VALUE` for what cannot be kept exactly, with its path;
   *   `ERR_SESSION_TOO_LARGE` beyond the size limits. Nothing is written then.
   */
  set<Name extends SessionField>(name: Name, value: SessionFieldTypes[Name]): Promise<void>;
  set(values: Partial<SessionFieldTypes>): Promise<void>;
  set(nameOrValues: string | Partial<SessionFieldTypes>, value?: unknown): Promise<void> {
    return this.#fields.set(
      typeof nameOrValues === 'string' ? { [nameOrValues]: value } : nameOrValues,
    );
  }

  /** Removes fields; those that are not there are no error. */
  delete(...names: SessionField[]): Promise<void> {
    return this.#fields.delete(names);
  }

  /** Adds to an integer field atomically, 0 if absent; gives the sum. */
  increment(name: SessionField, by = 1): Promise<number> {
    return this.#fields.increment(name, by);
  }

  /** Adds an item to the end of an array field atomically, empty if absent. */
  append(name: SessionField, item: SessionItem): Promise<void> {
    return this.#fields.append(name, item);
  }

  /**
   * Changes a field depending on its value without losing a parallel change: `change` may be
   * called more than once, so it must have no side effects.
   *
   * @throws SessionError `ERR_SESSION_CONFLICT` if it kept changing
   */
  async update<Name extends SessionField>(
    name: Name,
    change: (current: SessionFieldTypes[Name] | undefined) => SessionFieldTypes[Name],
  ): Promise<SessionFieldTypes[Name]> {
    const changed = await this.#fields.update(name, (current) =>
      change(current as SessionFieldTypes[Name] | undefined),
    );
    return changed as SessionFieldTypes[Name];
  }

  /** Notes that the user has just confirmed an action. @internal */
  grant(action: string): Promise<void> {
    return this.#fields.grant(action);
  }

  /** Uses up such a confirmation: once, and only if it is not older than `maxAge`. @internal */
  useGrant(action: string, maxAge: number): Promise<boolean> {
    return this.#fields.useGrant(action, maxAge);
  }

  toJSON(): SessionInfo {
    return this.info;
  }
}

/** The showable part of a record. */
export function infoOf(record: SessionRecord, deadlines: Deadlines): SessionInfo {
  const { actor } = decodeClaims(record.claims);
  return {
    id: record.id,
    createdAt: record.createdAt,
    seenAt: record.seenAt,
    expiresAt: Math.min(deadlines.idleAt, deadlines.absoluteAt),
    limitClass: record.limitClass,
    device: record.device,
    ...(actor && { actor: { userId: actor.userId } }),
  };
}
