import type { ConcurrencyRule } from '../../core/policy.js';
import type { EndedSession } from '../../core/record.js';
import type { FieldChange, Reply } from '../../core/store.js';
import { parseSessionId } from '../../core/token.js';
import { expectAllEnded, expectSameSessions } from './audit.js';
import { byId } from './by-id.js';
import type { Contract } from './contract.js';
import { type Expected, ModelStore } from './model.js';
import { type Login, type TestUser, TRAITS, inWords } from './actors.js';
import type { Scene } from './scene.js';

const LIMITS = {
  default: { idle: 120, absolute: 400 },
  short: { idle: 40, absolute: 400 },
  anonymous: { idle: 60, absolute: 200 },
};
const STEPS = 10_000;
const STEPS_BETWEEN_AUDITS = 250;

/** A long random history, every reply of which must be what a naive model says. */
export function describeHistory(contract: Contract): void {
  const { describe, test, repetitions } = contract;

  describe('a random history', () => {
    test(
      'K-06: is what the model says, step by step',
      {
        limits: LIMITS,
        // Few, so that sessions of different users can replace each other.
        buckets: 2,
        touchInterval: 10,
        rotation: { grace: 100, maxForks: 3, onReuse: 'revoke' },
        maxTombstones: 1_000,
      },
      async (scene) => {
        const history = new History(scene, contract);
        for (let step = 1; step <= repetitions(STEPS); step++) {
          await history.step();
          if (step % STEPS_BETWEEN_AUDITS === 0) await history.audit();
        }
        await history.audit();
        await scene.pass(LIMITS.default.absolute + 1);
        await history.audit();
        await history.finish();
      },
    );
  });
}

/** A session that was created once; without a user if it was an anonymous one, or never was. */
type Known = Pick<Login, 'id' | 'token'> & { readonly user?: TestUser };

/** How many of the newest sessions, dead or alive, the operations choose from. */
const MEMORY = 40;

class History {
  readonly #scene: Scene;
  readonly #contract: Contract;
  readonly #model: ModelStore;
  readonly #users: readonly TestUser[];
  #known: Known[] = [];
  /** Every end that was handed out, to whomever. */
  readonly #handedOut: EndedSession[] = [];
  #announced: readonly string[] = [];

  constructor(scene: Scene, contract: Contract) {
    this.#scene = scene;
    this.#contract = contract;
    this.#model = new ModelStore(scene.settings);
    this.#users = Array.from({ length: 6 }, () => scene.user());
  }

  async step(): Promise<void> {
    const dice = this.#scene.random.below(100);
    if (dice < 12) await this.#scene.pass(this.#scene.random.below(30));
    else if (dice < 30) await this.#create();
    else if (dice < 58) await this.#resolve();
    else if (dice < 70) await this.#write();
    else if (dice < 76) await this.#rotate();
    else if (dice < 84) await this.#revoke();
    else if (dice < 87) await this.#revokeUser();
    else if (dice < 88) await this.#endMany();
    else if (dice < 91) await this.#peek();
    else if (dice < 96) await this.#list(this.#pickUser());
    else await this.#sweep();
  }

  async #endMany(): Promise<void> {
    if (this.#scene.random.below(4) === 0) await this.#revokeEveryone();
    else await this.#eraseUser();
  }

  async #create(): Promise<void> {
    const { random } = this.#scene;
    const user = this.#pickUser();
    const anonymous = random.below(5) === 0;
    const epoch = this.#model.epochs.get(user.userKey);
    const replaced = random.below(4) === 0 ? this.#pickInBucket(user) : undefined;
    const again = random.below(20) === 0 ? this.#pickRemembered(user) : undefined;
    const evicts = random.below(10) === 0 ? this.#pickOf(user) : undefined;
    const rule: ConcurrencyRule = {
      max: 1 + random.below(4),
      atLimit: random.pick(['evict-oldest', 'evict-least-recent', 'reject']),
    };
    const request = this.#scene.request({
      user,
      anonymous,
      limitClass: anonymous ? 'anonymous' : random.pick(['default', 'default', 'short']),
      concurrency: random.below(8) === 0 ? 'exempt' : rule,
      fields: { n: '1', list: '[]' },
      ...(again && !anonymous && { id: again.id }),
      ...(evicts && { evicts: evicts.id }),
      ...(replaced && { replaces: { id: replaced.id, take: 'all' } }),
      ...(epoch !== undefined && { epoch: epoch - random.below(2) }),
    });
    const reply = await this.#scene.store.create(request);
    this.#compare(reply, reply.status, this.#model.create(request, reply.now));
    if (reply.status !== 'created') return;
    const { id, token } = request.session;
    const known = { id, token: { ...token, traits: TRAITS }, ...(!anonymous && { user }) };
    this.#known = [...this.#known, known].slice(-MEMORY);
  }

  async #resolve(): Promise<void> {
    const { random } = this.#scene;
    const { id, token } = this.#pickKnown();
    const isForged = random.below(20) === 0;
    const generation = random.below(token.generation + 2);
    const { verifier } = this.#scene.newToken();
    const request = {
      id,
      token: isForged ? { verifier, generation, traits: TRAITS } : token,
      touch: random.below(3) > 0,
    };
    const reply = await this.#scene.store.resolve(request);
    const expected = this.#model.resolve(request, reply.now);
    // The call that finds a session past all its deadlines still says why it ended.
    const foundIt = reply.status === 'ended' && reply.ended !== undefined;
    const verdict = foundIt && expected.verdict === 'gone' ? 'gone' : inWords(reply);
    if (foundIt && expected.ended === undefined) this.#handedOut.push(reply.ended);
    this.#compare(reply, verdict, expected);
  }

  async #write(): Promise<void> {
    const { random } = this.#scene;
    const { id } = this.#pickKnown();
    const changes = Array.from({ length: 1 + random.below(3) }, () => this.#anyChange());
    const reply = await this.#scene.store.write({ id, changes, notAfter: this.#scene.notAfter });
    this.#compare(reply, reply.status, this.#model.write(id, changes, reply.now));
  }

  #anyChange(): FieldChange {
    const { random } = this.#scene;
    return random.pick<FieldChange>([
      { kind: 'increment', name: 'n', by: random.below(100) - 50 },
      { kind: 'append', name: 'list', item: String(random.below(10)) },
      { kind: 'set', name: `f${random.below(5)}`, value: String(random.below(10)) },
      { kind: 'delete', name: `f${random.below(5)}` },
    ]);
  }

  async #rotate(): Promise<void> {
    const known = this.#pickKnown();
    const { id, token } = known;
    const next = this.#scene.newToken(token.generation + 1 + this.#scene.random.below(2));
    const { notAfter } = this.#scene;
    const request = { id, token, kind: 'hard', next, notAfter } as const;
    const reply = await this.#scene.store.rotate(request);
    this.#compare(reply, reply.status, this.#model.rotate(request, reply.now));
    if (reply.status !== 'rotated') return;
    this.#known = this.#known.map((each) =>
      each.id === id ? { ...each, token: { ...next, traits: TRAITS } } : each,
    );
  }

  async #revoke(): Promise<void> {
    const { random } = this.#scene;
    const { id } = this.#pickKnown();
    const reason = random.pick(['logout', 'revoked'] as const);
    const owner = random.below(2) === 0 ? {} : { userKey: this.#pickUser().userKey };
    const request = { id, reason, ...owner };
    const reply = await this.#scene.store.revoke(request);
    this.#compare(reply, reply.status, this.#model.revoke(request, reply.now));
  }

  async #revokeUser(): Promise<void> {
    const user = this.#pickUser();
    const except = this.#scene.random.below(2) === 0 ? {} : { except: this.#pickKnown().id };
    const reply = await this.#scene.store.revokeUser({ user, reason: 'revoked', ...except });
    const { userKey } = user;
    const expected = this.#model.revokeUser(userKey, except.except, reply.epoch, reply.now);
    this.#compare(reply, reply.status, expected);
  }

  async #eraseUser(): Promise<void> {
    const user = this.#pickUser();
    const reply = await this.#scene.store.eraseUser({ user });
    this.#compare(reply, reply.status, this.#model.eraseUser(user.userKey, reply.now));
  }

  async #revokeEveryone(): Promise<void> {
    const reply = await this.#scene.store.revokeEveryone({ reason: 'revoked' });
    this.#compare(reply, reply.status, this.#model.revokeEveryone(reply.now));
    // What begins in the same millisecond may count as begun before.
    await this.#scene.pass(2);
  }

  async #peek(): Promise<void> {
    const { id } = this.#pickKnown();
    const touch = this.#scene.random.below(2) === 0;
    const reply = await this.#scene.store.peek({ id, touch });
    const expected = this.#model.peek(id, touch, reply.now);
    const verdict = reply.status === 'ended' ? `ended ${reply.reason}` : reply.status;
    // A session that nobody has found yet may still be there with its reason.
    const isUnfound = reply.status === 'ended' && expected.verdict === 'gone';
    this.#compare(reply, isUnfound ? 'gone' : verdict, expected);
  }

  async #list(user: TestUser): Promise<void> {
    const { expect } = this.#contract;
    const { sessions, tombstones, epoch, now } = await this.#scene.store.list({ user });
    this.#model.passTo(now);
    const live = this.#model.of(user.userKey).map(({ record }) => record);
    expect(sessions.toSorted(byId)).toEqual(live.toSorted(byId));
    const times = sessions.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    const dead = this.#model.ended
      .filter(({ userKey, absoluteAt }) => userKey === user.userKey && now < absoluteAt)
      .map(({ id, reason, endedAt }) => ({ id, reason, endedAt }));
    expect(tombstones.toSorted(byId)).toEqual(dead.toSorted(byId));
    expect(epoch).toBe(this.#model.epochs.get(user.userKey) ?? epoch);
  }

  async #sweep(): Promise<void> {
    const { notAfter, random } = this.#scene;
    const limit = random.below(4);
    const request = { limit, announced: this.#announced, notAfter };
    const reply = await this.#scene.store.sweep(request);
    if (reply.status !== 'swept') throw new Error(`sweep answered ${reply.status}`);
    this.#contract.expect(reply.ended.length).toBeLessThanOrEqual(limit);
    this.#handedOut.push(...reply.ended);
    this.#announced = reply.ended.map(({ id }) => id);
  }

  /** Looks at all there is, after a cleanup. */
  async audit(): Promise<void> {
    this.#handedOut.push(...(await this.#scene.sweepAll(7, { announced: this.#announced })));
    this.#announced = [];
    for (const user of this.#users) await this.#list(user);
    await expectSameSessions(this.#contract, this.#scene, this.#model);
  }

  /** When all has ended. */
  finish(): Promise<void> {
    return expectAllEnded(this.#contract, this.#scene, this.#model, this.#handedOut);
  }

  #compare(reply: Reply<string>, verdict: string, expected: Expected): void {
    const { expect } = this.#contract;
    expect(verdict).toBe(expected.verdict);
    const { ended = [], record, fields } = reply as ComparedReply;
    if (expected.record) expect(record).toEqual(expected.record);
    if (expected.fields) expect(Object.fromEntries(fields ?? [])).toEqual(expected.fields);
    if (expected.ended === undefined) return;
    const ends = [ended].flat();
    expect(ends.toSorted(byId)).toEqual(expected.ended.toSorted(byId));
    this.#handedOut.push(...ends);
  }

  #pickUser(): TestUser {
    return this.#scene.random.pick(this.#users) ?? this.#scene.user();
  }

  #pickOf(user: TestUser): Known | undefined {
    return this.#scene.random.pick(this.#known.filter((known) => known.user === user));
  }

  #pickInBucket({ bucket }: TestUser): Known | undefined {
    const known = this.#pickKnown();
    return parseSessionId(known.id)?.bucket === bucket ? known : undefined;
  }

  /** One whose id is still taken: by itself or by its tombstone. */
  #pickRemembered(user: TestUser): Known | undefined {
    const known = this.#pickOf(user);
    const id = known?.id ?? '';
    const { latest } = this.#scene;
    const isTaken = this.#model.find(id) ?? this.#model.reasonOfEnd(id, latest);
    return isTaken === undefined ? undefined : known;
  }

  /** Or one that never was. */
  #pickKnown(): Known {
    const { random } = this.#scene;
    const known = random.below(30) === 0 ? undefined : random.pick(this.#known);
    if (known !== undefined) return known;
    const token = { ...this.#scene.newToken(), traits: TRAITS };
    return { id: this.#scene.id(random.below(this.#scene.layout.buckets)), token };
  }
}

/** The parts of all replies that are compared. */
interface ComparedReply {
  readonly ended?: EndedSession | readonly EndedSession[];
  readonly record?: unknown;
  readonly fields?: ReadonlyMap<string, string | undefined>;
}
