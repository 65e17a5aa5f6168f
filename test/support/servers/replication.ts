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

export async function isMaster(server: Address): Promise<boolean> {
  const [role] = await readRole(server);
  return role === 'master';
}

/** Waits until a replica has its master's data and follows it. */
export async function waitForReplica(replica: Address): Promise<void> {
  await until(
    () => readRole(replica),
    ([role, , , state]) => role === 'slave' && state === 'connected',
  );
}

async function readRole(server: Address): Promise<unknown[]> {
  return (await ask(server, 'ROLE').catch(() => [])) as unknown[];
}
