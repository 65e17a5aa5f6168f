/**
 * The data of one session: typed fields, each read and written on its own.
 */
import {
  type FieldLimits,
  type SessionValue,
  checkFieldName,
  decodeField,
  encodeField,
  encodeItem,
  isFieldName,
} from './codec.js';
import { SessionError, SessionValueError } from './errors.js';
import type { SessionEventBus } from './events.js';
import { applyChanges } from './field-changes.js';
import type { FieldCipher } from './field-cipher.js';
import type { SessionId } from './record.js';
import type { StoreAccess } from './store-access.js';
import type { EncodedFields, FieldChange, WriteReply } from './store.js';
import type { Turns } from './turns.js';

/**
 * The fields an application keeps in its sessions. Declare them once, and every `get` and `set` is
 * typed:
 *
 * ```ts
 * declare module 'nestjs-session-kit' {
 *   interface SessionData { cart: string[] }
 * }
 * ```
 *
 * @public
 */
export interface SessionData {}

/** {@link SessionData}, or any field while nothing was declared. @public */
export type SessionFieldTypes = keyof SessionData extends never
  ? Record<string, SessionValue>
  : SessionData;

/** Names of the declared fields. @public */
export type SessionField = Extract<keyof SessionFieldTypes, string>;

/** How often `update` tries again when somebody else was faster. */
const UPDATE_ATTEMPTS = 20;
/** The same for what no caller repeats; only other processes compete, so it is never reached. */
const SPLICE_ATTEMPTS = 500;
const UNBOUNDED = { maxSessionBytes: Infinity, maxFields: Infinity };

/** What the fields need of their surroundings. */
export interface FieldContext {
  readonly access: StoreAccess;
  readonly limits: FieldLimits;
  /** An append may have grown a field past what one write may hold. */
  readonly readingLimits: FieldLimits;
  readonly events: SessionEventBus;
  readonly cipher: FieldCipher;
  /** Of changes to encrypted fields, by session and field. */
  readonly turns: Turns;
  /** Ends a session whose stored data somebody has changed. */
  readonly invalidate: (id: SessionId) => Promise<void>;
}

export class SessionFields {
  readonly #context: FieldContext;
  readonly #id: SessionId;
  /** Texts as last seen; `undefined`: known to be absent. */
  readonly #texts: Map<string, string | undefined>;
  /** Whether a name that is not in `#texts` is absent. */
  #complete: boolean;

  constructor(context: FieldContext, id: SessionId, fields: EncodedFields, complete: boolean) {
    this.#context = context;
    this.#id = id;
    this.#texts = new Map(fields);
    this.#complete = complete;
  }

  async get(name: string): Promise<unknown> {
    return this.#decode(name, await this.#open(name, await this.#text(name)));
  }

  async all(): Promise<Record<string, unknown>> {
    if (!this.#complete) await this.#load();
    const values: Record<string, unknown> = {};
    for (const [name, text] of this.#texts) {
      // A foreign name such as __proto__ must not reach the object, our own must not be seen.
      if (!isFieldName(name)) continue;
      const value = this.#decode(name, await this.#open(name, text));
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  async set(values: Readonly<Record<string, unknown>>): Promise<void> {
    const changes = encodeSets(values, this.#context.limits);
    await this.#write(
      changes.map((change) => ({ ...change, value: this.#seal(change.name, change.value) })),
    );
  }

  async delete(names: readonly string[]): Promise<void> {
    await this.#write(names.map((name) => ({ kind: 'delete', name: checkFieldName(name) })));
  }

  async increment(name: string, by: number): Promise<number> {
    if (!Number.isSafeInteger(by))
      throw new SessionValueError(name, 'can only be incremented by a safe integer');
    const change = { kind: 'increment', name: checkFieldName(name), by } as const;
    if (this.#context.cipher.covers(name)) return Number(await this.#splice(change));
    await this.#write([change]);
    return Number(this.#texts.get(name));
  }

  async append(name: string, item: unknown): Promise<void> {
    const text = encodeItem(checkFieldName(name), item, this.#context.limits);
    const change = { kind: 'append', name, item: text } as const;
    if (this.#context.cipher.covers(name)) await this.#splice(change);
    else await this.#write([change]);
  }

  /** Compare-and-set: `change` is called again with the newer value if somebody else was faster. */
  async update(name: string, change: (current: unknown) => unknown): Promise<unknown> {
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt++) {
      const expected = await this.#text(name);
      const changed = change(this.#decode(name, await this.#open(name, expected)));
      const text = encodeField(name, changed, this.#context.limits);
      const value = this.#seal(name, text);
      const reply = await this.#send([{ kind: 'replace', name, value, expected }]);
      if (reply.status !== 'conflict') return this.#decode(name, text);
      this.#texts.set(name, reply.current);
    }
    throw keptChanging(name);
  }

  async grant(action: string): Promise<void> {
    const value = String(await this.#context.access.now());
    await this.#write([{ kind: 'set', name: grantName(action), value }]);
  }

  async useGrant(action: string, maxAge: number): Promise<boolean> {
    const name = grantName(action);
    const expected = await this.#known(name);
    const age = (await this.#context.access.now()) - Number(expected ?? 0);
    if (expected === undefined || age > maxAge) return false;
    // Of two requests that use it at once, the store lets one win.
    const reply = await this.#send([
      { kind: 'replace', name, value: USED, expected },
      { kind: 'delete', name },
    ]);
    return reply.status === 'written';
  }

  async #text(name: string): Promise<string | undefined> {
    return this.#known(checkFieldName(name));
  }

  async #known(name: string): Promise<string | undefined> {
    if (!this.#complete && !this.#texts.has(name)) await this.#load([name]);
    return this.#texts.get(name);
  }

  async #load(names?: readonly string[]): Promise<void> {
    const request = { id: this.#id, ...(names && { names }) };
    const reply = await this.#context.access.call((store) => store.read(request));
    if (reply.status === 'gone') throw sessionIsGone();
    for (const [name, text] of reply.fields) this.#texts.set(name, text);
    if (names === undefined) this.#complete = true;
    else for (const name of names) if (!reply.fields.has(name)) this.#texts.set(name, undefined);
  }

  async #write(changes: readonly FieldChange[]): Promise<void> {
    const reply = await this.#send(changes);
    if (reply.status === 'conflict') throw conflictOf(reply);
  }

  /** What a store does with a text that it can read: here by compare-and-set, since it cannot. */
  #splice(change: Extract<FieldChange, { kind: 'increment' | 'append' }>): Promise<string> {
    return this.#context.turns.take(`${this.#id}${change.name}`, () => this.#trySplice(change));
  }

  async #trySplice(
    change: Extract<FieldChange, { kind: 'increment' | 'append' }>,
  ): Promise<string> {
    const { name } = change;
    for (let attempt = 0; attempt < SPLICE_ATTEMPTS; attempt++) {
      const expected = await this.#text(name);
      const current = await this.#open(name, expected);
      const fields = new Map(current === undefined ? [] : [[name, current]]);
      const outcome = applyChanges(fields, [change], UNBOUNDED);
      if (outcome.status === 'too-large') throw sessionTooLarge();
      if (outcome.status === 'conflict') throw conflictOf(outcome);
      const text = String(outcome.fields.get(name));
      const value = this.#seal(name, text);
      const reply = await this.#send([{ kind: 'replace', name, value, expected }]);
      if (reply.status !== 'conflict') return text;
      this.#texts.set(name, reply.current);
    }
    throw keptChanging(name);
  }

  async #send(
    changes: readonly FieldChange[],
  ): Promise<Extract<WriteReply, { status: 'written' | 'conflict' }>> {
    const reply = await this.#context.access.mutate((store, _now, notAfter) =>
      store.write({ id: this.#id, changes, notAfter }),
    );
    if (reply.status === 'gone') throw sessionIsGone();
    if (reply.status === 'too-large') throw sessionTooLarge();
    if (reply.status === 'written') {
      for (const [name, text] of reply.fields) this.#texts.set(name, text);
    }
    return reply;
  }

  #seal(name: string, text: string): string {
    return this.#context.cipher.seal(this.#id, name, text);
  }

  /**
   * The readable text of a field; `undefined` if it has none, or none that we could have written.
   *
   * @throws SessionError `ERR_SESSION_ENDED` if somebody changed it in the store: the session ends
   */
  async #open(name: string, stored: string | undefined): Promise<string | undefined> {
    if (stored === undefined) return undefined;
    const opened = this.#context.cipher.open(this.#id, name, stored);
    if (opened.status === 'text') return opened.text;
    this.#reportUnreadable(name);
    if (opened.status === 'foreign') return undefined;
    await this.#context.invalidate(this.#id);
    throw sessionIsGone();
  }

  #decode(name: string, text: string | undefined): SessionValue | undefined {
    if (text === undefined) return undefined;
    const reading = decodeField(text, this.#context.readingLimits);
    if (reading.ok) return reading.value;
    this.#reportUnreadable(name);
    return undefined;
  }

  #reportUnreadable(name: string): void {
    const at = this.#context.access.knownNow ?? 0;
    const eventId = `${this.#id}:unreadable:${name}`;
    this.#context.events.emit('session.field-unreadable', { eventId, at, sessionId: this.#id });
  }
}

/** No field of an application can begin with it: control characters are refused there. */
const SYSTEM_PREFIX = '\u0001';

/** What a confirmation becomes before it is removed: actions with an amount in their name add up. */
const USED = '0';

function grantName(action: string): string {
  return `${SYSTEM_PREFIX}grant:${action}`;
}

const CONFLICTS = {
  'not-an-integer': 'is not an integer, so it cannot be incremented',
  'not-an-array': 'is not an array, so nothing can be appended to it',
  'out-of-range': 'would leave the range of safe integers',
} as const;

function conflictOf({
  name,
  why,
}: Pick<Extract<WriteReply, { status: 'conflict' }>, 'name' | 'why'>): SessionError {
  if (why !== 'changed') return new SessionValueError(name, CONFLICTS[why]);
  return new SessionError('ERR_SESSION_CONFLICT', `session field ${name} has changed`);
}

function keptChanging(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    `session field ${name} kept changing while it was updated`,
  );
}

/** Encodes initial or changed values; refuses all if one cannot be kept exactly. */
export function encodeSets(
  values: Readonly<Record<string, unknown>>,
  limits: FieldLimits,
): Extract<FieldChange, { kind: 'set' }>[] {
  return Object.entries(values).map(([name, value]) => ({
    kind: 'set',
    name: checkFieldName(name),
    value: encodeField(name, value, limits),
  }));
}

/** The session ended while a request was using it. */
export function sessionIsGone(): SessionError {
  return new SessionError('ERR_SESSION_ENDED', 'the session has ended');
}

export function sessionTooLarge(): SessionError {
  return new SessionError(
    'ERR_SESSION_TOO_LARGE',
    'the session would exceed data.maxSessionBytes or data.maxFields; nothing was written',
  );
}
