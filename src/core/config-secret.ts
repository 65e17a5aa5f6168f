/**
 * `secret` and `store`: the two options that production does not do without. Neither value is ever
 * shown: both may be or hold a credential.
 */
import { types } from 'node:util';
import { type OptionGroup, kindOf } from './config-reader.js';
import { type Secret, checkSecret } from './key-ring.js';
import type { SessionStore } from './store.js';

/** More secrets than anybody rotates through; each costs time at every boot. */
const MAX_SECRETS = 16;

const STORE_METHODS = Object.keys({
  open: true,
  create: true,
  resolve: true,
  read: true,
  write: true,
  rotate: true,
  revoke: true,
  revokeUser: true,
  list: true,
  page: true,
  sweep: true,
  stats: true,
  countLoginFailure: true,
  ping: true,
  close: true,
} satisfies Record<Exclude<keyof SessionStore, 'name'>, true>);

/** The secrets, newest first; `undefined` if there is none or a bad one, which is reported. */
export function readSecrets(
  group: OptionGroup<'secret'>,
  production: boolean,
): readonly Secret[] | undefined {
  const raw = group.get('secret');
  if (raw === undefined) {
    if (production) {
      group.problem(
        'secret',
        'is required in production: put the output of `openssl rand -base64 32` into the ' +
          'environment and pass it, as in secret: process.env.SESSION_SECRET',
      );
    } else if (!group.has('secret')) {
      group.report.warn(
        'ephemeral-secret',
        'secret is not set: sessions use a random one that ends with this process, so that they ' +
          'do not survive a restart and no other process knows them; production needs a secret',
      );
    }
    return undefined;
  }
  if (raw === '') {
    group.problem('secret', 'is empty: set the environment variable it is read from');
    return undefined;
  }
  const list = listOf(raw, MAX_SECRETS);
  if (list === undefined) return secretOf(group, 'secret', raw);
  if (typeof list === 'string' || list.length === 0) {
    const got = typeof list === 'string' ? list : 'none';
    group.problem('secret', `must be 1 to ${MAX_SECRETS} secrets, newest first (got ${got})`);
    return undefined;
  }
  const secrets = list.map((one, index) => secretOf(group, `secret[${index}]`, one));
  return secrets.every((one) => one !== undefined) ? secrets.flat() : undefined;
}

function secretOf(
  group: OptionGroup<'secret'>,
  path: string,
  raw: unknown,
): readonly Secret[] | undefined {
  const secret = typeof raw === 'string' ? raw : bytesOf(raw);
  const problem =
    secret === undefined
      ? `must be a text or a Uint8Array of at least 32 bytes (got ${kindOf(raw)})`
      : checkSecret(secret);
  if (problem === undefined && secret !== undefined) return [secret];
  group.report.problem(`${path} ${problem}`);
  return undefined;
}

/** A copy, which a later change of the caller's bytes does not reach. */
function bytesOf(value: unknown): Uint8Array | undefined {
  try {
    // Not `instanceof`: the bytes may come from another realm, such as a test runner's.
    return types.isUint8Array(value) ? Buffer.from(new Uint8Array(value)) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A copy of a list; its size as text if that is above `max`, `undefined` if it is no list. A list
 * that cannot be read has items that are `undefined`.
 */
export function listOf(value: unknown, max: number): readonly unknown[] | string | undefined {
  try {
    if (!Array.isArray(value)) return undefined;
    if (value.length > max) return value.length.toLocaleString('en-US');
    return Array.from({ length: value.length }, (_, index): unknown => value[index]);
  } catch {
    return [undefined];
  }
}

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
