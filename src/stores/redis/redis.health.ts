/**
 * Whether a server is fit for sessions, from what it says in `INFO`. Sentences for operators: no
 * host, no key, no name.
 */
import type { PingReply } from '../../core/store.js';
import { type ServerInfo, numberIn, parseInfo, productOf } from './redis.connection-info.js';

export type Health = Pick<PingReply, 'issues' | 'details'>;

export interface HealthSource {
  /** The answer of every master to `INFO`; `undefined` for one that did not answer. */
  ask(): Promise<readonly (string | undefined)[]>;
  readonly waitReplicas: number;
  readonly mode: string;
  /** Whether somebody relies on the bus, and it is cut. */
  isBusCut(): boolean;
}

/** A health check may come every second from many places; the server is asked this often at most. */
const FRESH_FOR = 5_000;
/** Part of the memory from which on the server is about to refuse logins. */
const NEARLY_FULL = 0.9;
/** Seconds without a word from a replica. */
const LAGGING = 10;
/** After a key was evicted it is reported for so long. */
const EVICTION_TOLD = 10 * 60_000;

/** Asks the servers now and then. A session that was evicted is a user who was logged out. */
export class RedisHealth {
  readonly #source: HealthSource;
  #last: { readonly at: number; readonly health: Promise<Health> } | undefined;
  #evicted: number | undefined;
  #evictedAt = -Infinity;

  constructor(source: HealthSource) {
    this.#source = source;
  }

  /** Never rejects: a server that does not answer is an issue. */
  check(): Promise<Health> {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.at > FRESH_FOR) {
      const health = this.#source.ask().then(
        (answers) => this.#assess(answers, now),
        () => ({ issues: ['the servers cannot be asked about their state'], details: {} }),
      );
      this.#last = { at: now, health };
    }
    return this.#last.health.then(({ issues, details }) => ({
      // Known without asking, and too important to be told late.
      issues: this.#source.isBusCut() ? [...issues, BUS_CUT] : issues,
      details,
    }));
  }

  #assess(answers: readonly (string | undefined)[], now: number): Health {
    const infos = answers.flatMap((text) => (text === undefined ? [] : [parseInfo(text)]));
    const issues = new Map<string, number>();
    const add = (issue: string): void => void issues.set(issue, (issues.get(issue) ?? 0) + 1);
    for (const info of infos) this.#issuesOf(info).forEach(add);
    this.#noteEvictions(infos, now);
    const told = [...issues].map(([issue, count]) =>
      infos.length > 1 ? `${issue} (${count} of ${infos.length} masters)` : issue,
    );
    if (now - this.#evictedAt < EVICTION_TOLD) {
      told.push('the server has evicted keys: sessions may have been lost');
    }
    const silent = answers.length - infos.length;
    if (silent > 0) told.push(`${silent} of ${answers.length} masters do not answer`);
    return { issues: told, details: this.#detailsOf(infos, answers.length) };
  }

  #issuesOf(info: ServerInfo): readonly string[] {
    const issues: string[] = [];
    const policy = info.get('maxmemory_policy') ?? 'noeviction';
    if (policy !== 'noeviction') {
      issues.push(
        `the eviction policy is ${word(policy)}: sessions may be thrown away, set noeviction`,
      );
    }
    const [used, most] = [numberIn(info, 'used_memory'), numberIn(info, 'maxmemory')];
    if (policy === 'noeviction' && most > 0 && used > most * NEARLY_FULL) {
      issues.push('the memory is nearly full: logins will fail');
    }
    const disk = ['rdb_last_bgsave_status', 'aof_last_write_status'].map((name) => info.get(name));
    if (disk.includes('err')) issues.push('the server cannot write to its disk');
    if (persistenceOf(info) === 'rdb') {
      issues.push(
        'only snapshots are kept: a crash brings back sessions that were ended since, turn on appendonly',
      );
    }
    const { waitReplicas } = this.#source;
    if (info.get('role') === 'master' && liveReplicas(info) < waitReplicas) {
      issues.push('fewer replicas are connected than waitReplicas wants: logins will fail');
    }
    return issues;
  }

  #noteEvictions(infos: readonly ServerInfo[], now: number): void {
    const evicted = infos.reduce((sum, info) => sum + numberIn(info, 'evicted_keys'), 0);
    if (this.#evicted !== undefined && evicted > this.#evicted) this.#evictedAt = now;
    this.#evicted = evicted;
  }

  #detailsOf(infos: readonly ServerInfo[], masters: number): Health['details'] {
    const [first] = infos;
    if (first === undefined) return { mode: this.#source.mode, masters };
    const sum = (name: string): number =>
      infos.reduce((total, info) => total + numberIn(info, name), 0);
    const worst = infos
      .map(persistenceOf)
      .toSorted((a, b) => RANKS.indexOf(a) - RANKS.indexOf(b))[0];
    return {
      product: productOf(first).name,
      version: word(productOf(first).version),
      mode: this.#source.mode,
      masters,
      persistence: worst ?? 'none',
      evictionPolicy: word(first.get('maxmemory_policy') ?? ''),
      evictedKeys: sum('evicted_keys'),
      usedMemory: sum('used_memory'),
      maxMemory: sum('maxmemory'),
      replicas: infos.reduce((total, info) => total + liveReplicas(info), 0),
    };
  }
}

const BUS_CUT = 'the bus between the instances is cut: ends of sessions are noticed later';
const RANKS = ['none', 'rdb', 'aof'];

/**
 * `none` costs everybody their login at a restart, but brings nobody back; `rdb` does. Whether
 * snapshots are configured is not told: only whether there ever was one.
 */
function persistenceOf(info: ServerInfo): string {
  if (info.get('aof_enabled') === '1') return 'aof';
  // Who was a replica loaded its master's data, and who feeds a new replica is saving for it.
  const wasReplica = /[1-9a-f]/.test(info.get('master_replid2') ?? '');
  const isFeeding = [...info].some(
    ([name, value]) => /^slave\d+$/.test(name) && /state=(wait_bgsave|send_bulk)/.test(value),
  );
  const signs = [
    'rdb_saves',
    ...(wasReplica ? [] : ['rdb_last_load_keys_loaded']),
    ...(isFeeding ? [] : ['rdb_bgsave_in_progress']),
  ];
  return signs.some((name) => numberIn(info, name) > 0) ? 'rdb' : 'none';
}

function liveReplicas(info: ServerInfo): number {
  let live = 0;
  for (let i = 0; i < numberIn(info, 'connected_slaves'); i++) {
    const text = info.get(`slave${i}`) ?? '';
    const lag = Number(/\blag=(\d+)/.exec(text)?.[1] ?? Infinity);
    if (/\bstate=online\b/.test(text) && lag <= LAGGING) live += 1;
  }
  return live;
}

/** What a server says may be anything; only words pass. */
function word(text: string): string {
  return /^[\w.-]{1,32}$/.test(text) ? text : 'unknown';
}
