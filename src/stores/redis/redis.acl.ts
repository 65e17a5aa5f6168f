/**
 * The rights that the store needs on the server, and not one more.
 */
import { SessionConfigError } from '../../core/errors.js';
import { checkPrefix } from './redis.keys.js';
import { SCRIPTS } from './scripts.gen.js';

/** How the user is written. @public */
export interface RedisAclOptions {
  /** The prefix of the store. @defaultValue `'nsk:'` */
  readonly prefix?: string;
  /** Also what a cluster needs. @defaultValue `false` */
  readonly cluster?: boolean;
  /** Also what `waitReplicas` needs. @defaultValue `false` */
  readonly waitReplicas?: boolean;
}

/** Sent by the store and its connection. */
const SENT = 'auth client|setname eval evalsha info ping publish select subscribe unlink'.split(
  ' ',
);
/** The driver tells replicas that it would read from them, though it is never asked to. */
const CLUSTER = ['asking', 'cluster|info', 'cluster|slots', 'readonly'];
const WAITING = ['set', 'wait'];

/** The server checks these too. */
function commandsInScripts(): readonly string[] {
  return Object.values(SCRIPTS).flatMap(({ text }) =>
    [...text.matchAll(/(?:call|read_key)\('([A-Z]+)'/g)].map(([, name = '']) => name.toLowerCase()),
  );
}

/**
 * Rules of a server user for the store, to be put behind `ACL SETUSER name on >password`.
 *
 * @public
 */
export function redisAclRules({
  prefix = 'nsk:',
  cluster = false,
  waitReplicas = false,
}: RedisAclOptions = {}): string {
  checkPrefix(prefix);
  if (/[*?[\]\\]/.test(prefix)) {
    throw new SessionConfigError([
      'redisAclRules: prefix must not contain * ? [ ] or \\, which are patterns in rules',
    ]);
  }
  const commands = new Set([
    ...SENT,
    ...(cluster ? CLUSTER : []),
    ...(waitReplicas ? WAITING : []),
    ...commandsInScripts(),
  ]);
  return [
    'resetkeys',
    'resetchannels',
    '-@all',
    `~${prefix}*`,
    `&${prefix}*`,
    ...[...commands].toSorted().map((command) => `+${command}`),
  ].join(' ');
}
