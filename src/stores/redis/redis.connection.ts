import { setTimeout as delay } from 'node:timers/promises';
import { SessionConfigError, SessionStoreError } from '../../core/errors.js';
import type { StoreSettings } from '../../core/store.js';
import { RedisBus } from './redis.bus.js';
import { RedisCalls, type Task } from './redis.connection-calls.js';
import { CLIENT_WARNING, clientWarning } from './redis.connection-check.js';
import {
  type DriverClient,
  duplicateOf,
  loadDriver,
  makeClient,
} from './redis.connection-driver.js';
import { parseInfo, serverProblems } from './redis.connection-info.js';
import { RedisLink } from './redis.connection-link.js';
import { type MakeLane, ReplicaWrites } from './redis.connection-replicas.js';
import { timeoutError } from './redis.errors.js';
import { type Health, RedisHealth } from './redis.health.js';
import type { ResolvedRedisOptions } from './redis.options.js';
import type { ScriptReply } from './redis.runner.js';
import type { RedisBackend } from './redis.store.js';
import { SCRIPTS, type ScriptName } from './scripts.gen.js';

/** What has to be on the replicas before it is answered, if `waitReplicas` is set. */
const LASTING: ReadonlySet<string> = new Set<string>([
  'create',
  'rotate',
  'revoke',
  'revoke-user',
  'revoke-everyone',
  'erase-user',
]);

/**
 * Scripts that write, but have the same effect once or twice. Ends are not among them: the second
 * time they cannot tell who was ended.
 */
const REPEATABLE: ReadonlySet<string> = new Set<string>([
  'create',
  'layout',
  'list',
  'peek',
  'read',
  'resolve',
  'revoke-everyone',
  'rotate',
]);

/** Longest wait for a removal that matters to nobody. */
const UNLINK_PATIENCE = 50;
const CLOSE_PATIENCE = 200;

/** All that exists while the connection is open. */
interface Opened {
  readonly link: RedisLink;
  readonly calls: RedisCalls;
  readonly replicas: ReplicaWrites | undefined;
  readonly health: RedisHealth;
}

/**
 * The way to the servers: one total deadline for each call, and errors that tell nothing they must
 * not tell. Connects when it is needed and again by itself.
 */
export class RedisConnection implements RedisBackend {
  readonly bus: RedisBus;
  readonly #options: ResolvedRedisOptions;
  #opened: Opened | undefined;
  #deadline = 1_000;

  constructor(options: ResolvedRedisOptions) {
    this.#options = options;
    this.bus = new RedisBus(
      {
        publish: (channel, text) => this.#publish(channel, text),
        makeSubscriber: () => this.#makeSubscriber(),
      },
      { channel: `${options.prefix}bus`, deadline: () => this.#deadline },
    );
  }

  /** @throws SessionConfigError if the server cannot be used at all */
  async open({ deadline }: StoreSettings): Promise<void> {
    const { target, waitReplicas } = this.#options;
    this.#deadline = deadline;
    if (this.#opened?.calls.deadline !== deadline) {
      const known = this.#opened;
      const link = known?.link ?? (await this.#makeLink(deadline));
      const calls = new RedisCalls(link, deadline);
      known?.replicas?.close();
      const makeLane: MakeLane = (at, onEnd) => {
        const { client } = link;
        const node = client.isCluster ? client.nodes?.('all')[0] : client;
        if (node === undefined) return undefined;
        const own = duplicateOf(node, { deadline, role: 'writes', once: at !== undefined, at });
        return new RedisLink(own, { isOurs: true, deadline, ...(onEnd && { onEnd }) });
      };
      this.#opened = {
        link,
        calls,
        replicas: waitReplicas === 0 ? undefined : new ReplicaWrites(calls, waitReplicas, makeLane),
        health: new RedisHealth({
          ask: () => this.#askMasters(calls),
          waitReplicas,
          mode: link.client.isCluster ? 'cluster' : target.kind,
          isBusCut: () => this.bus.isUsed && !this.bus.isConnected,
        }),
      };
    }
    await this.#checkServers(this.#opened.calls);
    this.bus.open();
  }

  async run(
    name: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<ScriptReply> {
    const { calls, replicas } = this.#open;
    const script = SCRIPTS[name];
    const [key = ''] = keys;
    const facts = {
      isRepeatable: REPEATABLE.has(name) || script.text.startsWith('#!lua flags=no-writes'),
      place: calls.link.client.isCluster ? key.slice(0, key.indexOf('}')) : '',
      size: sizeOf(args),
    };
    const reply =
      replicas !== undefined && LASTING.has(name)
        ? replicas.run(script, keys, args, facts)
        : calls.run({
            ...facts,
            send: (link, inFull) => link.evaluate(script, inFull, keys, args),
          });
    return (await reply) as ScriptReply;
  }

  async unlink(keys: readonly string[]): Promise<void> {
    const removal = this.#open.calls.run(commandTask('unlink', ...keys));
    await Promise.race([removal, delay(UNLINK_PATIENCE)]).catch(() => undefined);
  }

  health(): Promise<Health> {
    return this.#open.health.check();
  }

  /** Lets calls under way come to their end, briefly. A client of the application stays open. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.bus.close();
    if (opened === undefined) return;
    const end = performance.now() + Math.min(CLOSE_PATIENCE, this.#deadline / 2);
    while (opened.calls.pending > 0 && opened.link.isReady && performance.now() < end) {
      await delay(5);
    }
    opened.replicas?.close();
    opened.link.close();
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw new SessionStoreError('the session store is not open');
    return this.#opened;
  }

  async #makeLink(deadline: number): Promise<RedisLink> {
    const { target } = this.#options;
    if (target.kind !== 'client') {
      const client = makeClient(await loadDriver(), target, deadline, 'store');
      return new RedisLink(client, { isOurs: true, deadline });
    }
    const client = target.client as DriverClient;
    const warning = clientWarning(client);
    if (warning !== undefined) process.emitWarning(warning, { code: CLIENT_WARNING });
    return new RedisLink(client, { isOurs: false, deadline });
  }

  async #checkServers(calls: RedisCalls): Promise<void> {
    const answers = await this.#askMasters(calls);
    const isCluster = calls.link.client.isCluster === true;
    const problems = answers.flatMap((text) =>
      text === undefined ? [] : serverProblems(parseInfo(text), isCluster),
    );
    if (problems.length > 0) throw new SessionConfigError([...new Set(problems)]);
  }

  /** `INFO` of each master; rejects if none answers. */
  async #askMasters(calls: RedisCalls): Promise<readonly (string | undefined)[]> {
    const answers = await calls.run({
      send: async ({ client }) => {
        const nodes = client.nodes?.('master') ?? [client];
        const patience = calls.deadline * 0.6;
        const results = await Promise.allSettled(
          nodes.map((node) => within(patience, node.call('info'))),
        );
        const [first] = results;
        if (first?.status === 'rejected' && results.every(({ status }) => status === 'rejected')) {
          throw first.reason;
        }
        return results.map((result) =>
          result.status === 'fulfilled' ? String(result.value) : undefined,
        );
      },
      isRepeatable: true,
      place: '',
      size: 0,
    });
    return answers as readonly (string | undefined)[];
  }

  #makeSubscriber(): DriverClient | undefined {
    const client = this.#opened?.link.client;
    if (client === undefined) return undefined;
    const nodes = client.nodes?.('master') ?? [client];
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    return node && duplicateOf(node, { deadline: this.#deadline, role: 'bus', once: true });
  }

  #publish(channel: string, text: string): void {
    const task = commandTask('publish', channel, text);
    // Whoever is not told now finds out when what they know runs out.
    this.#opened?.calls.run(task).catch(() => undefined);
  }
}

function commandTask(command: string, ...args: readonly string[]): Task {
  return {
    send: (link) => {
      link.cork();
      return link.client.call(command, ...args);
    },
    isRepeatable: true,
    place: '',
    size: sizeOf(args),
  };
}

/** The answer, or a rejection; what comes later is ignored. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const over = new AbortController();
  const timeout = delay(ms, undefined, { signal: over.signal, ref: false }).then(() => {
    throw timeoutError(ms);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    timeout.catch(() => undefined);
    over.abort();
  }
}

function sizeOf(args: readonly (string | number)[]): number {
  let size = 0;
  for (const arg of args) size += typeof arg === 'string' ? arg.length : 8;
  return size;
}
