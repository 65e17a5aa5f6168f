import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** A cluster node listens on a second port, which is this much higher. */
export const BUS = 10_000;

/**
 * Finds a free port on the loopback interface whose bus port is free as well.
 *
 * Both lie below the range from which systems number outgoing connections. In that range a client
 * that reconnects to a stopped server can, by chance, be given the server's port for its own end
 * and find itself connected to itself.
 */
export async function findPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(11_000, 22_000);
    if ((await isFree(port)) && (await isFree(port + BUS))) return port;
  }
  throw new Error('no free port between 11000 and 22000');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => void probe.close(() => resolve(true)));
  });
}
