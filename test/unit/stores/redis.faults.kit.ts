import { monitorEventLoopDelay } from 'node:perf_hooks';
import { inspect } from 'node:util';
import { Cluster, Redis } from 'ioredis';
import type { Address } from '../../support/servers/ask.js';
import type { Scene } from './redis.scene.kit.js';

/** Every operation of the contract that asks the server, on sessions of its own. */
export type Operations = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * Prepares one session for each kind of operation; those that change something would do it in vain
 * after `patience` milliseconds.
 */
export async function operationsOn(scene: Scene, patience: number): Promise<Operations> {
  const { store } = scene;
  const user = scene.user();
  const login = await scene.login({ user });
  const [written, rotated] = [await scene.login({ user }), await scene.login({ user })];
  const notAfter = (): number => Date.now() + patience;
  return {
    create: () => store.create(scene.request({ user, notAfter: notAfter() })),
    resolve: () => store.resolve({ id: login.id, token: login.token, touch: true }),
    read: () => store.read({ id: login.id }),
    write: () =>
      store.write({
        id: written.id,
        changes: [{ kind: 'increment', name: 'n', by: 1 }],
        notAfter: notAfter(),
      }),
    rotate: () =>
      store.rotate({
        id: rotated.id,
        token: rotated.token,
        kind: 'hard',
        next: scene.newToken(1),
        notAfter: notAfter(),
      }),
    peek: () => store.peek({ id: login.id, touch: true }),
    list: () => store.list({ user }),
    page: () => store.page({ limit: 10 }),
    sweep: () => store.sweep({ limit: 10, notAfter: notAfter() }),
    stats: () => store.stats(),
    countLoginFailure: () => store.countLoginFailure(),
    ping: () => store.ping(),
  };
}

/** The operations that end sessions; they may take effect late. */
export async function endingsOn(scene: Scene): Promise<Operations> {
  const { store } = scene;
  const login = await scene.login();
  const user = scene.user();
  await scene.login({ user });
  const erased = scene.user();
  await scene.login({ user: erased });
  return {
    revoke: () => store.revoke({ id: login.id, reason: 'revoked' }),
    revokeUser: () => store.revokeUser({ user, reason: 'revoked' }),
    eraseUser: () => store.eraseUser({ user: erased }),
  };
}

export interface Outcome {
  readonly operation: string;
  readonly error: (Error & { readonly code?: string }) | undefined;
  /** Milliseconds, without those for which this process itself stood still. */
  readonly took: number;
}

/** Runs all operations at once and says how each ended. */
export async function outcomesOf(operations: Operations): Promise<readonly Outcome[]> {
  const stalls = monitorEventLoopDelay({ resolution: 10 });
  stalls.enable();
  const outcomes = await Promise.all(
    Object.entries(operations).map(async ([operation, run]) => {
      const start = performance.now();
      const error = await run().then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      return { operation, error, took: performance.now() - start };
    }),
  );
  stalls.disable();
  const stall = Math.max(0, stalls.max / 1e6 - 10);
  return outcomes.map((outcome) => ({ ...outcome, took: outcome.took - stall }));
}

/** All that can be found in an error, by whatever means. */
export function everythingIn(error: unknown): string {
  const seen = new Set<unknown>();
  const parts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'function') return;
    if (typeof value !== 'object' || value === null) {
      parts.push(String(value));
      return;
    }
    if (seen.has(value)) return;
    seen.add(value);
    if (value instanceof Map) for (const entry of value) visit(entry);
    for (const key of Reflect.ownKeys(value)) {
      parts.push(String(key));
      visit(Reflect.get(value, key));
    }
  };
  visit(error);
  const options = { depth: Infinity, showHidden: true, getters: true };
  return [inspect(error, options), String(error), JSON.stringify(error), ...parts].join('\n');
}

/** A client of the tests' own, which must not be in the way of anything. */
export function adminOf({ host, port, password }: Address): Redis {
  return new Redis({ host, port, ...(password === undefined ? {} : { password }) });
}

export function adminOfCluster(urls: readonly string[]): Cluster {
  return new Cluster([...urls]);
}

/** How often a command was called on a server. */
export async function callsOf(admin: Redis, command: string): Promise<number> {
  const info = await admin.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}
