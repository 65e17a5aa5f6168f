/**
 * The store contract on Redis: each operation is one script on one slot, so that it happens
 * entirely or not at all. What lies where is described in `docs/reference/redis-keys.md`.
 */
import { SessionConfigError, SessionStoreError } from '../../core/errors.js';
import type { SessionId } from '../../core/record.js';
import type {
  CreateReply,
  CreateRequest,
  EraseUserReply,
  ListReply,
  ListRequest,
  PageReply,
  PageRequest,
  PeekReply,
  PeekRequest,
  PingReply,
  ReadReply,
  ReadRequest,
  Reply,
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
  SessionStore,
  StatsReply,
  StoreLayout,
  StoreSettings,
  SweepReply,
  SweepRequest,
  WriteReply,
  WriteRequest,
} from '../../core/store.js';
import { createPlacementKey } from '../../core/user-id.js';
import * as commands from './redis.commands.js';
import { RedisKeys, STORAGE_VERSION, checkPrefix } from './redis.keys.js';
import { type RedisContext, RedisPages } from './redis.page.js';
import { ReplyReader, letterOf, nonsense } from './redis.reader.js';
import * as replies from './redis.replies.js';
import { RedisRules } from './redis.rules.js';
import type { RedisRunner, ScriptReply } from './redis.runner.js';
import type { ScriptName } from './scripts.gen.js';
import { readStats } from './redis.stats.js';
import { RedisSweeper } from './redis.sweep.js';

/** A runner with a life of its own. */
export interface RedisBackend extends RedisRunner {
  /** Connects and checks the server. */
  open?(settings: StoreSettings): Promise<void>;
  /** What is wrong with a server that answers, and facts for operators. */
  health?(): Promise<Pick<PingReply, 'issues' | 'details'>>;
  close?(): Promise<void>;
}

/** What the store itself can be told. */
export interface RedisStoreSettings {
  /** Begins the name of every key. @defaultValue `nsk:` */
  readonly prefix?: string;
  /** After so many milliseconds an end that nobody confirmed is handed out again. */
  readonly lease?: number;
}

const DEFAULT_PREFIX = 'nsk:';
const DEFAULT_LEASE = 60_000;
const UNLINK_CHUNK = 100;

/** Everything that is known once the store is open. */
interface Opened extends RedisContext {
  readonly sweeper: RedisSweeper;
  readonly pages: RedisPages;
}

/** Sessions in Redis or Valkey. */
export class RedisSessionStore implements SessionStore {
  readonly name = 'redis';
  readonly #backend: RedisBackend;
  readonly #prefix: string;
  readonly #lease: number;
  #opened: Opened | undefined;

  constructor(
    backend: RedisBackend,
    { prefix = DEFAULT_PREFIX, lease = DEFAULT_LEASE }: RedisStoreSettings = {},
  ) {
    checkPrefix(prefix);
    this.#backend = backend;
    this.#prefix = prefix;
    this.#lease = lease;
  }

  async open(settings: StoreSettings): Promise<StoreLayout> {
    await this.#backend.open?.(settings);
    const keys = new RedisKeys(this.#prefix, settings.buckets);
    const wanted = [STORAGE_VERSION, settings.buckets, createPlacementKey()];
    const reader = new ReplyReader(await this.#backend.run('layout', [keys.layout], wanted));
    const version = Number(reader.text());
    const buckets = Number(reader.text());
    const placementKey = reader.text();
    if (version !== STORAGE_VERSION) {
      throw new SessionConfigError([
        `the store has the storage format ${version}, and this version of the library reads ${STORAGE_VERSION}`,
      ]);
    }
    if (buckets !== settings.buckets) {
      throw new SessionConfigError([
        `the store was set up with ${buckets} buckets and cannot be opened with ${settings.buckets}`,
      ]);
    }
    const rules = new RedisRules(settings, this.#lease);
    const context = { runner: this.#backend, keys, rules };
    const [sweeper, pages] = [new RedisSweeper(context), new RedisPages(context)];
    this.#opened = { ...context, sweeper, pages };
    return { buckets, placementKey };
  }

  async create(request: CreateRequest): Promise<CreateReply> {
    const { keys, rules } = this.#open;
    const { session, replaces } = request;
    const at = keys.session(session.id);
    const old = replaces && keys.session(replaces.id);
    const isOwn = session.user ? at?.userKey === session.user.userKey : at?.isAnonymous === true;
    if (at === undefined || !isOwn) throw misuse('the id of a new session must be its own');
    if (old !== undefined && old.bucket !== at.bucket) {
      throw misuse('a session can only replace one of its own bucket');
    }
    const { reply, leftovers } = replies.readCreate(
      session.id,
      old?.id,
      await this.#run(commands.createCommand(request, at, old, rules)),
    );
    await this.#discard(leftovers);
    return reply;
  }

  async resolve(request: ResolveRequest): Promise<ResolveReply> {
    const { keys, rules } = this.#open;
    const at = keys.session(request.id);
    if (at === undefined) return this.#gone();
    const { reply, leftovers } = replies.readResolve(
      request.id,
      await this.#run(commands.resolveCommand(request, at, rules)),
    );
    await this.#discard(leftovers);
    return reply;
  }

  async peek(request: PeekRequest): Promise<PeekReply> {
    const { keys, rules } = this.#open;
    const at = keys.session(request.id);
    if (at === undefined) return this.#gone();
    return replies.readPeek(at.id, await this.#run(commands.peekCommand(request, at, rules)));
  }

  async read(request: ReadRequest): Promise<ReadReply> {
    const { keys, rules } = this.#open;
    const at = keys.session(request.id);
    if (at === undefined) return this.#gone();
    return replies.readRead(await this.#run(commands.readCommand(request, at, rules)));
  }

  async write(request: WriteRequest): Promise<WriteReply> {
    const { keys, rules } = this.#open;
    const at = keys.session(request.id);
    if (at === undefined) return this.#gone();
    const reply = await this.#run(commands.writeCommand(request, at, rules));
    return replies.readWrite(request.changes, reply);
  }

  async rotate(request: RotateRequest): Promise<RotateReply> {
    const { keys, rules } = this.#open;
    const at = keys.session(request.id);
    if (at === undefined) return this.#gone();
    const reply = await this.#run(commands.rotateCommand(request, at, rules));
    return replies.readRotate(request.id, reply);
  }

  async revoke(request: RevokeRequest): Promise<RevokeReply> {
    const { keys, rules } = this.#open;
    const { id, userKey } = request;
    const at = keys.session(id);
    if (at === undefined) return this.#gone();
    // The id says whose session it is.
    const isForeign = userKey !== undefined && (at.isAnonymous || at.userKey !== userKey);
    if (isForeign) return this.#gone();
    return replies.readRevoke(await this.#run(commands.revokeCommand(request, at, rules)));
  }

  async revokeUser(request: RevokeUserRequest): Promise<RevokeUserReply> {
    return this.#endUser(request, false);
  }

  async eraseUser({ user }: ListRequest): Promise<EraseUserReply> {
    const { now, ended } = await this.#endUser({ user, reason: 'revoked' }, true);
    return { status: 'erased', now, ended };
  }

  /** Two short commands for each bucket; every script looks at what they leave there. */
  async revokeEveryone({ until, reason }: RevokeEveryoneRequest): Promise<RevokeEveryoneReply> {
    const { keys } = this.#open;
    // Servers whose clocks differ: what the fastest one has just created is meant, too.
    const ask = (script: ScriptName, args: readonly (string | number)[]): Promise<number[]> =>
      Promise.all(
        keys.buckets.map(async ({ counters }) =>
          (await this.#read(script, [counters], args)).integer(),
        ),
      );
    const now = Math.max(...(await ask('clock', [])));
    const wanted = Math.min(until ?? now, now);
    const standing = await ask('revoke-everyone', [wanted, now, letterOf(reason)]);
    return { status: 'revoked', now, until: Math.max(...standing) };
  }

  async list(request: ListRequest): Promise<ListReply> {
    const { keys, rules } = this.#open;
    const reply = await this.#run(commands.listCommand(request, keys, rules));
    return replies.readList(rules.maxTombstones, reply);
  }

  async page(request: PageRequest): Promise<PageReply> {
    return this.#open.pages.page(request, await this.#now());
  }

  async sweep(request: SweepRequest): Promise<SweepReply> {
    return this.#open.sweeper.sweep(request);
  }

  async stats(): Promise<StatsReply> {
    return readStats(this.#backend, this.#open.keys, await this.#now());
  }

  async countLoginFailure(): Promise<Reply<'counted'>> {
    const { buckets } = this.#open.keys;
    // Any bucket will do: the counters of all are added up.
    const bucket = buckets[Math.floor(Math.random() * buckets.length)];
    if (bucket === undefined) throw nonsense();
    const reader = await this.#read('count-failure', [bucket.counters], []);
    return { status: 'counted', now: reader.integer() };
  }

  async ping(): Promise<PingReply> {
    const [now, health] = await Promise.all([this.#now(), this.#backend.health?.()]);
    return { status: 'pong', now, issues: health?.issues ?? [], details: health?.details ?? {} };
  }

  async close(): Promise<void> {
    await this.#backend.close?.();
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw new SessionStoreError('the session store is not open');
    return this.#opened;
  }

  async #run({ script, keys, args }: commands.RedisCommand): Promise<ScriptReply> {
    // The driver flattens lists: one in the place of a text would move all arguments behind it.
    if (!args.every(isArgument)) throw misuse('an argument is no text and no number');
    return this.#backend.run(script, keys, args);
  }

  /** Runs a script and reads over its status. */
  async #read(...command: Parameters<RedisRunner['run']>): Promise<ReplyReader> {
    const reader = new ReplyReader(await this.#backend.run(...command));
    reader.text();
    return reader;
  }

  async #now(): Promise<number> {
    return (await this.#read('clock', [this.#open.keys.layout], [])).integer();
  }

  /** For what is no id of this store, or somebody else's. */
  async #gone(): Promise<Reply<'gone'>> {
    return { status: 'gone', now: await this.#now() };
  }

  async #endUser(request: RevokeUserRequest, erase: boolean): Promise<RevokeUserReply> {
    const { keys, rules } = this.#open;
    const command = commands.revokeUserCommand(request, erase, keys, rules);
    const { reply, leftovers } = replies.readRevokeUser(await this.#run(command));
    await this.#discard(leftovers);
    return reply;
  }

  /** Removes what sessions left behind that a script ended without declaring their keys. */
  async #discard(ids: readonly SessionId[]): Promise<void> {
    if (ids.length === 0) return;
    const { keys } = this.#open;
    const leftovers = ids.flatMap((id) => {
      const at = keys.session(id);
      return at === undefined ? [] : [at.hash, at.large];
    });
    for (let from = 0; from < leftovers.length; from += UNLINK_CHUNK) {
      await this.#backend.unlink(leftovers.slice(from, from + UNLINK_CHUNK));
    }
  }
}

function isArgument(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function misuse(why: string): SessionStoreError {
  return new SessionStoreError(`the session store was used in a wrong way: ${why}`);
}
