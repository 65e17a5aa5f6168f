import { setTimeout as sleep } from 'node:timers/promises';
import type { EndReason, EndedSession, SessionId, SessionRecord } from '../../core/record.js';
import type { NextToken, PresentedToken, Rotation } from '../../core/rotation.js';
import type {
  CreateReply,
  CreateRequest,
  FieldChange,
  FieldNames,
  ListReply,
  PageReply,
  ReadReply,
  ResolveReply,
  RevokeReply,
  RotateReply,
  SessionStore,
  StoreLayout,
  StoreSettings,
  UserPlace,
  WriteReply,
} from '../../core/store.js';
import { sessionIdOf } from '../../core/token.js';
import { createSid, placement } from '../../core/user-id.js';
import type { Random } from '../random.js';
import {
  type Login,
  type LoginOptions,
  Stalled,
  TRAITS,
  type TestUser,
  inWords,
} from './actors.js';
import type { StoreContents, StoreUnderTest } from './harness.js';

const MINUTE = 60_000;
/** Longer than any wait of the suite. */
const PATIENCE = 30_000;

/** A fresh store with everything a test needs to act on it. */
export class Scene {
  readonly store: SessionStore;
  readonly settings: StoreSettings;
  readonly random: Random;
  readonly #underTest: StoreUnderTest;
  readonly #layout: StoreLayout;
  readonly #others: SessionStore[] = [];
  #latest = 0;
  #users = 0;

  private constructor(underTest: StoreUnderTest, layout: StoreLayout, random: Random) {
    this.store = underTest.store;
    this.settings = underTest.settings;
    this.random = random;
    this.#underTest = underTest;
    this.#layout = layout;
  }

  static async open(underTest: StoreUnderTest, random: Random): Promise<Scene> {
    const layout = await underTest.store.open(underTest.settings);
    const scene = new Scene(underTest, layout, random);
    await scene.now();
    return scene;
  }

  async close(): Promise<void> {
    for (const store of [...this.#others, this.store]) await store.close();
  }

  get layout(): StoreLayout {
    return this.#layout;
  }

  /** Another instance on the same data. */
  async connect(): Promise<SessionStore> {
    const store = await this.#underTest.connect?.();
    if (store === undefined) throw new Error('the harness has no connect()');
    this.#others.push(store);
    await store.open(this.settings);
    return store;
  }

  async inspect(): Promise<StoreContents> {
    const contents = await this.#underTest.inspect?.();
    if (contents === undefined) throw new Error('the harness has no inspect()');
    return contents;
  }

  // Time

  async now(): Promise<number> {
    return this.#seen((await this.store.ping()).now);
  }

  /** The store's time as it was last seen. */
  get latest(): number {
    return this.#latest;
  }

  /** A deadline that no command of a test misses. */
  get notAfter(): number {
    return this.#latest + 10 * MINUTE;
  }

  /** Lets the store's clock reach an instant. */
  async passTo(instant: number): Promise<void> {
    const missing = instant - (await this.now());
    if (this.#underTest.advance !== undefined) {
      if (missing > 0) await this.#underTest.advance(missing);
      await this.now();
      return;
    }
    const giveUpAt = Date.now() + missing + PATIENCE;
    for (let left = missing; left > 0; left = instant - (await this.now())) {
      if (Date.now() > giveUpAt) throw new Error('the clock of the store stands still');
      await sleep(Math.min(left, 50));
    }
  }

  async pass(ms: number): Promise<void> {
    await this.passTo((await this.now()) + ms);
  }

  /** For what must have happened before an instant: begins the test anew if it was too slow. */
  mustPrecede(now: number, instant: number): void {
    if (now >= instant) throw new Stalled(`the store's clock passed ${instant} too early`);
  }

  // Requests

  user(userId = `user ${++this.#users}`): TestUser {
    return { userId, ...placement(userId, this.#layout) };
  }

  /** An id that no session has yet; without a user, one of an anonymous session. */
  id(bucket: number, user?: UserPlace): SessionId {
    const sid = createSid(user?.userKey);
    // The random parts, once more from the seed. The last bit says whether there is a user.
    const placed = user === undefined ? 0 : Buffer.from(user.userKey, 'base64url').length;
    sid.set(this.random.bytes(sid.length - 1 - placed), placed);
    return sessionIdOf(bucket, sid);
  }

  newToken(generation = 0): NextToken {
    return { verifier: this.#secret(), keyId: this.random.below(64), generation };
  }

  request(options: LoginOptions = {}): CreateRequest {
    const { id, token, user = this.user(), anonymous = false, fields = {}, ...more } = options;
    const { limitClass, device = {}, ownLimits, claims, ...conditions } = more;
    return {
      ...conditions,
      notAfter: conditions.notAfter ?? this.notAfter,
      session: {
        id: id ?? this.id(user.bucket, anonymous ? undefined : user),
        token: token ?? this.newToken(),
        limitClass: limitClass ?? (anonymous ? 'anonymous' : 'default'),
        ...(ownLimits && { ownLimits }),
        ...(claims !== undefined && { claims }),
        device,
        fields: new Map(Object.entries(fields)),
        ...(!anonymous && { user }),
      },
    };
  }

  // Operations

  create(options: LoginOptions = {}): Promise<CreateReply> {
    return this.#call(this.store.create(this.request(options)));
  }

  /** A session that must come into existence. */
  async login(options: LoginOptions = {}): Promise<Login> {
    const user = options.user ?? this.user();
    const request = this.request({ ...options, user });
    const reply = await this.#call(this.store.create(request));
    if (reply.status !== 'created') throw new Error(`create answered ${reply.status}`);
    const { id, token } = request.session;
    const { verifier, generation } = token;
    const { record, ended } = reply;
    return { id, user, token: { verifier, generation, traits: TRAITS }, record, ended, request };
  }

  resolve(
    login: Pick<Login, 'id' | 'token'>,
    options: { readonly touch?: boolean; readonly token?: PresentedToken } = {},
  ): Promise<ResolveReply> {
    const { touch = true, token = login.token } = options;
    return this.#call(this.store.resolve({ id: login.id, token, touch }));
  }

  /** What a token is worth, in words: `active current`, `ended idle`, `gone`. */
  async verdict(login: Pick<Login, 'id' | 'token'>, token = login.token): Promise<string> {
    return inWords(await this.resolve(login, { token, touch: false }));
  }

  /** Many verdicts at once. */
  async verdicts(logins: readonly Login[]): Promise<readonly string[]> {
    return Promise.all(logins.map((login) => this.verdict(login)));
  }

  write(login: Pick<Login, 'id'>, ...changes: readonly FieldChange[]): Promise<WriteReply> {
    return this.#call(this.store.write({ id: login.id, changes, notAfter: this.notAfter }));
  }

  read(login: Pick<Login, 'id'>, names?: readonly string[]): Promise<ReadReply> {
    return this.#call(this.store.read({ id: login.id, ...(names && { names }) }));
  }

  /** All fields, as an object; `undefined` if the session is gone. */
  async fields(login: Pick<Login, 'id'>): Promise<Readonly<Record<string, string>> | undefined> {
    const reply = await this.read(login);
    return reply.status === 'read' ? Object.fromEntries(reply.fields) : undefined;
  }

  /** Rotates away from `from` and gives the token that would follow, rotated or not. */
  async rotate(
    login: Pick<Login, 'id' | 'token'>,
    kind: Rotation['kind'],
    options: {
      readonly from?: PresentedToken;
      readonly generation?: number;
      readonly authenticated?: boolean;
      readonly claims?: string;
    } = {},
  ): Promise<{
    readonly reply: RotateReply;
    readonly token: PresentedToken;
    readonly next: NextToken;
  }> {
    const { from = login.token, generation = from.generation + 1, ...proved } = options;
    const plain = this.newToken(generation);
    const isSoft = kind === 'soft' || kind === 'fork';
    const next = isSoft ? { ...plain, salt: this.#secret() } : plain;
    const request = { id: login.id, token: from, kind, next, notAfter: this.notAfter, ...proved };
    const reply = await this.#call(this.store.rotate(request));
    const { verifier } = next;
    return { reply, token: { verifier, generation, traits: from.traits }, next };
  }

  revoke(
    login: Pick<Login, 'id'>,
    options: {
      readonly reason?: EndReason;
      readonly userKey?: string;
      readonly take?: FieldNames;
    } = {},
  ): Promise<RevokeReply> {
    return this.#call(this.store.revoke({ id: login.id, reason: 'revoked', ...options }));
  }

  list(user: UserPlace): Promise<ListReply> {
    return this.#call(this.store.list({ user }));
  }

  /** Ids of a user's live sessions, newest first. */
  async liveIds(user: UserPlace): Promise<readonly SessionId[]> {
    return (await this.list(user)).sessions.map(({ id }) => id);
  }

  /** Pages through all sessions; `between` runs after each page. */
  async pages(limit: number, between?: () => Promise<void>): Promise<readonly SessionRecord[]> {
    const sessions: SessionRecord[] = [];
    let page: PageReply | undefined;
    do {
      const { cursor } = page ?? {};
      page = await this.store.page({ limit, ...(cursor !== undefined && { cursor }) });
      sessions.push(...page.sessions);
      await between?.();
    } while (page.cursor !== undefined);
    return sessions;
  }

  /** Sweeps until nothing is left, as the cleanup does it. */
  async sweepAll(
    batch = 100,
    options: { readonly store?: SessionStore; readonly announced?: readonly SessionId[] } = {},
  ): Promise<readonly EndedSession[]> {
    const { store = this.store } = options;
    let { announced = [] } = options;
    const all: EndedSession[] = [];
    for (;;) {
      const request = { limit: batch, announced, notAfter: this.notAfter };
      const reply = await this.#call(store.sweep(request));
      if (reply.status !== 'swept') throw new Error(`sweep answered ${reply.status}`);
      all.push(...reply.ended);
      if (reply.ended.length === 0 && !reply.more) return all;
      announced = reply.ended.map(({ id }) => id);
    }
  }

  #secret(): string {
    return Buffer.from(this.random.bytes(32)).toString('base64url');
  }

  #seen(now: number): number {
    this.#latest = Math.max(this.#latest, now);
    return now;
  }

  async #call<R extends { readonly now: number }>(operation: Promise<R>): Promise<R> {
    const reply = await operation;
    this.#seen(reply.now);
    return reply;
  }
}
