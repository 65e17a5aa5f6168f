/**
 * `store`: required in production. What was given is never shown: it may be a connection string.
 */
import { types } from 'node:util';
import type { OptionGroup } from './config-reader.js';
import { kindOf } from './config-text.js';
import type { SessionStore } from './store.js';

const STORE_METHODS = Object.keys({
  open: true,
  create: true,
  resolve: true,
  read: true,
  write: true,
  rotate: true,
  revoke: true,
  revokeUser: true,
  revokeEveryone: true,
  eraseUser: true,
  peek: true,
  list: true,
  page: true,
  sweep: true,
  stats: true,
  countLoginFailure: true,
  ping: true,
  close: true,
} satisfies Record<Exclude<keyof SessionStore, 'name' | 'bus'>, true>);

/** The store as it was given; `undefined` if there is none or it is no store. */
export function readStore(
  group: OptionGroup<'store'>,
  production: boolean,
): SessionStore | undefined {
  const raw = group.get('store');
  if (raw === undefined) {
    if (production && !group.has('store')) {
      group.problem(
        'store',
        'is required in production: pass a lasting one, as in store: redisStore({ url: ' +
          'process.env.REDIS_URL }), or store: memoryStore() if a single process that forgets ' +
          'its sessions on every restart is enough',
      );
    }
    return undefined;
  }
  if (isStore(raw)) return raw;
  group.problem('store', storeProblem(raw));
  return undefined;
}

function isStore(value: unknown): value is SessionStore {
  return typeof value === 'object' && missingIn(value).length === 0;
}

function storeProblem(raw: unknown): string {
  if (typeof raw === 'function') {
    return 'must be a store, not the function or class that makes one: call it, as in memoryStore()';
  }
  if (typeof raw !== 'object' || raw === null) {
    return `must be a store, as in redisStore({ url: … }) (got ${kindOf(raw)})`;
  }
  if (types.isPromise(raw)) {
    return 'must be a store, not the promise of one: await it in useFactory of forRootAsync()';
  }
  if (isExpressStore(raw)) {
    return (
      'is a store of express-session, which can neither enforce limits nor revoke reliably: use ' +
      'redisStore(), postgresStore(), mongoStore() or memoryStore()'
    );
  }
  const missing = missingIn(raw);
  const shown = missing.slice(0, 4).join(', ') + (missing.length > 4 ? '…' : '');
  return `must implement the whole store contract (missing: ${shown}): pass what redisStore() or memoryStore() returns`;
}

function missingIn(value: object | null): readonly string[] {
  const named = typeof memberOf(value, 'name') === 'string' && memberOf(value, 'name') !== '';
  const missing = STORE_METHODS.filter((name) => typeof memberOf(value, name) !== 'function');
  return named ? missing : ['name', ...missing];
}

function isExpressStore(value: object): boolean {
  return ['get', 'set', 'destroy'].every((name) => typeof memberOf(value, name) === 'function');
}

/** Inherited ones too: a store is a class instance as a rule. */
function memberOf(value: object | null, name: string): unknown {
  try {
    return value === null ? undefined : Reflect.get(value, name);
  } catch {
    return undefined;
  }
}
