// The user of the store on a server, with the rights that it needs and no others (row S-06).
import { type RedisAclOptions, redisAclRules } from '../../../src/stores/redis/index.js';
import { type Address, ask } from './ask.js';

export const USER_NAME = 'sessions';
const PASSWORD = 'tests-only-7f3a';

/** Adds the user to all of the servers; what `urlOf` gives logs in as that user. */
export async function addMinimalUser(
  servers: readonly Address[],
  options: RedisAclOptions,
): Promise<void> {
  const rules = redisAclRules(options).split(' ');
  const set = ['SETUSER', USER_NAME, 'on', `>${PASSWORD}`, ...rules];
  await Promise.all(servers.map((server) => ask(server, 'ACL', ...set)));
  await Promise.all(servers.map((server) => ask(server, 'ACL', 'LOG', 'RESET')));
}

export function asMinimalUser(url: string): string {
  return url.replace('redis://', `redis://${USER_NAME}:${PASSWORD}@`);
}

/** What the servers refused because somebody lacks a right: command, key or channel, and user. */
export async function denials(servers: readonly Address[]): Promise<string[]> {
  const logs = await Promise.all(servers.map((server) => ask(server, 'ACL', 'LOG', 100)));
  return (logs as unknown[][][]).flat().map((entry) => {
    const read = (name: string): string => String(entry[entry.indexOf(name) + 1]);
    return `${read('reason')} ${read('object')} (${read('username')})`;
  });
}

/** The users of the connections of a server that are not the test's own. */
export async function usersOn(server: Address): Promise<string[]> {
  const list = String(await ask(server, 'CLIENT', 'LIST', 'TYPE', 'normal'));
  return [...new Set([...list.matchAll(/ user=(\S+)/g)].map(([, user = '']) => user))].toSorted();
}
