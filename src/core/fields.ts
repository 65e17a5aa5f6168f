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
import type { SessionId } from './record.js';
import type { StoreAccess } from './store-access.js';
import type { EncodedFields, FieldChange, WriteReply } from './store.js';

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

/** What the fields need of their surroundings. */
export interface FieldContext {
  readonly access: StoreAccess;
  readonly limits: FieldLimits;
  /** An append may have grown a field past what one write may hold. */
  readonly readingLimits: FieldLimits;
  readonly events: SessionEventBus;
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
    return this.#decode(name, await this.#text(name));
  }

  async all(): Promise<Record<string, unknown>> {
    if (!this.#complete) await this.#load();
    const values: Record<string, unknown> = {};
    for (const [name, text] of this.#texts) {
      // A foreign name such as __proto__ must not reach the object, our own must not be seen.
      if (!isFieldName(name)) continue;
      const value = this.#decode(name, text);
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  async set(values: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#write(encodeSets(values, this.#context.limits));
  }

  async delete(names: readonly string[]): Promise<void> {
    await this.#write(names.map((name) => ({ kind: 'delete', name: checkFieldName(name) })));
  }

  async increment(name: string, by: number): Promise<number> {
    if (!Number.isSafeInteger(by))
      throw new SessionValueError(name, 'can only be incremented by a safe integer');
    await this.#write([{ kind: 'increment', name: checkFieldName(name), by }]);
    return Number(this.#texts.get(name));
  }

  async append(name: string, item: unknown): Promise<void> {
    const text = encodeItem(checkFieldName(name), item, this.#context.limits);
    await this.#write([{ kind: 'append', name, item: text }]);
  }

  /** Compare-and-set: `change` is called again with the newer value if somebody else was faster. */
  async update(name: string, change: (current: unknown) => unknown): Promise<unknown> {
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt++) {
      const expected = await this.#text(name);
      const changed = change(this.#decode(name, expected));
      const value = encodeField(name, changed, this.#context.limits);
      const reply = await this.#send([{ kind: 'replace', name, value, expected }]);
      if (reply.status !== 'conflict') return this.#decode(name, value);
      this.#texts.set(name, reply.current);
    }
    throw new SessionError(
      'ERR_SESSION_CONFLICT',
      `session field ${name} kept changing while it was updated`,
    );
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
    const reply = await this.#send([{ kind: 'replace', name, value: USED, expected }]);
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
    if (reply.status !== 'conflict') return;
    if (reply.why === 'changed') {
      throw new SessionError('ERR_SESSION_CONFLICT', `session field ${reply.name} has changed`);
    }
    throw new SessionValueError(reply.name, CONFLICTS[reply.why]);
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

  #decode(name: string, text: string | undefined): SessionValue | undefined {
    if (text === undefined) return undefined;
    const reading = decodeField(text, this.#context.readingLimits);
    if (reading.ok) return reading.value;
    const at = this.#context.access.knownNow ?? 0;
    const eventId = `${this.#id}:unreadable:${name}`;
    this.#context.events.emit('session.field-unreadable', { eventId, at, sessionId: this.#id });
    return undefined;
  }
}

/** No field of an application can begin with it: control characters are refused there. */
const SYSTEM_PREFIX = '\u0001';

/** A confirmation that was used up: a moment that is too old for every rule. */
const USED = '0';

function grantName(action: string): string {
  return `${SYSTEM_PREFIX}grant:${action}`;
}

const CONFLICTS = {
  'not-an-integer': 'is not an integer, so it cannot be incremented',
  'not-an-array': 'is not an array, so nothing can be appended to it',
  'out-of-range': 'would leave the range of safe integers',
} as const;

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
