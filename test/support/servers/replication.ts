// Questions to several servers that belong together.
import { until } from '../until.js';
import { type Address, ask } from './ask.js';

/** Those that answer. */
export async function living<Server extends Address>(
  servers: readonly Server[],
): Promise<Server[]> {
  const answers = await Promise.allSettled(servers.map((server) => ask(server, 'PING')));
  return servers.filter((_, i) => answers[i]?.status === 'fulfilled');
}

/** Waits until a replica has its master's data and follows it. */
export async function waitForReplica(replica: Address): Promise<void> {
  await until(
    () => ask(replica, 'ROLE').catch(() => []) as Promise<unknown[]>,
    (role) => role[0] === 'slave' && role[3] === 'connected',
  );
}
