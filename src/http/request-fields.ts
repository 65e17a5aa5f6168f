/**
 * The data of a request's session, by the same names as on `Session`; a session begins with the
 * first write.
 */
import type { SessionItem } from '../core/codec.js';
import type { SessionField, SessionFieldTypes } from '../core/fields.js';
import type { EndReason } from '../core/record.js';
import type { Session } from '../core/session.js';

/**
 * What a request's credential is worth.
 *
 * - `active`: a live session
 * - `ended`: it is over, for this reason
 * - `ambiguous`: the request carried two different genuine tokens
 * - `none`: no credential, or one that is worth nothing
 *
 * @public
 */
export type RequestVerdict =
  | {
      readonly status: 'active';
      readonly session: Session;
      /** A signal asks for a further proof of identity; `SessionGuard` demands it. */
      readonly stepUp?: true;
    }
  | { readonly status: 'ended'; readonly reason: EndReason }
  | { readonly status: 'ambiguous' }
  | { readonly status: 'none' };

/** Part of {@link RequestSession}. @public */
export abstract class RequestFields {
  abstract resolve(): Promise<RequestVerdict>;

  /** Creates an anonymous session with these fields. @internal */
  protected abstract begin(values: Readonly<Record<string, unknown>>): Promise<Session>;

  /** See {@link Session.get}. `undefined` without a session. */
  async get<Name extends SessionField>(name: Name): Promise<SessionFieldTypes[Name] | undefined> {
    const verdict = await this.resolve();
    return verdict.status === 'active' ? verdict.session.get(name) : undefined;
  }

  /** See {@link Session.all}. Empty without a session. */
  async all(): Promise<Partial<SessionFieldTypes>> {
    const verdict = await this.resolve();
    return verdict.status === 'active' ? verdict.session.all() : {};
  }

  /**
   * See {@link Session.set}. Without a session an anonymous one is created, which is the only way
   * in which a visitor who does not log in gets one.
   *
   * @throws SessionError `ERR_SESSION_ENDED` if another request, such as a login, has just given this
   *   browser a newer token, whose cookie that of the anonymous session would replace
   */
  set<Name extends SessionField>(name: Name, value: SessionFieldTypes[Name]): Promise<void>;
  set(values: Partial<SessionFieldTypes>): Promise<void>;
  async set(nameOrValues: string | Partial<SessionFieldTypes>, value?: unknown): Promise<void> {
    const values =
      typeof nameOrValues === 'string' ? { [nameOrValues]: value } : { ...nameOrValues };
    const verdict = await this.resolve();
    if (verdict.status === 'active') return verdict.session.set(values as never);
    await this.begin(values);
  }

  /** See {@link Session.delete}. */
  async delete(...names: SessionField[]): Promise<void> {
    const verdict = await this.resolve();
    if (verdict.status === 'active') await verdict.session.delete(...names);
  }

  /** See {@link Session.increment}. */
  async increment(name: SessionField, by = 1): Promise<number> {
    return (await this.#orBegin()).increment(name, by);
  }

  /** See {@link Session.append}. */
  async append(name: SessionField, item: SessionItem): Promise<void> {
    return (await this.#orBegin()).append(name, item);
  }

  /** See {@link Session.update}. */
  async update<Name extends SessionField>(
    name: Name,
    change: (current: SessionFieldTypes[Name] | undefined) => SessionFieldTypes[Name],
  ): Promise<SessionFieldTypes[Name]> {
    return (await this.#orBegin()).update(name, change);
  }

  async #orBegin(): Promise<Session> {
    const verdict = await this.resolve();
    return verdict.status === 'active' ? verdict.session : this.begin({});
  }
}
