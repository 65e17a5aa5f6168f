// Ports for servers that keep them across a restart, while other test processes look for ports too.
// Each process takes a block of ports for itself: it listens on the first one as long as it uses
// any of the others, which also ends with the process, however that ends.
//
// The blocks lie below the range from which systems number outgoing connections. In that range a
// client that reconnects to a stopped server can, by chance, be given the server's port for its own
// end and find itself connected to itself.
import { randomInt } from 'node:crypto';
import { type Server, createServer } from 'node:net';

interface Block {
  readonly first: number;
  readonly guard: Server;
  readonly used: Set<number>;
  next: number;
}

const LOWEST = 11_000;
const BLOCKS = 200;
const SIZE = 50;
/** A cluster node listens on a second port, which is this much higher. */
const BUS = 10_000;

let block: Promise<Block> | undefined;

/** Returns a free port on the loopback interface; whoever takes it gives it back. */
export async function takePort(): Promise<number> {
  block ??= takeBlock();
  const own = await block;
  for (let attempt = 1; attempt < SIZE; attempt += 1) {
    // In turn: a client of an ended server must not soon find another one under its address.
    const port = own.first + 1 + own.next;
    own.next = (own.next + 1) % (SIZE - 1);
    if (own.used.has(port)) continue;
    own.used.add(port);
    if ((await isFree(port)) && (await isFree(port + BUS))) return port;
    own.used.delete(port);
  }
  throw new Error(`all ${SIZE} ports from ${own.first} on are in use`);
}

export async function returnPort(port: number): Promise<void> {
  const own = await block;
  own?.used.delete(port);
  if (!own || own.used.size > 0) return;
  block = undefined;
  own.guard.close();
}

async function takeBlock(): Promise<Block> {
  for (let attempt = 0; attempt < 3 * BLOCKS; attempt += 1) {
    const first = LOWEST + SIZE * randomInt(BLOCKS);
    const guard = await listen(first);
    if (!guard) continue;
    guard.unref();
    return { first, guard, used: new Set(), next: randomInt(SIZE - 1) };
  }
  throw new Error(`no free ports from ${LOWEST} on`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = await listen(port);
  await new Promise((resolve) => (probe ? probe.close(resolve) : resolve(undefined)));
  return probe !== undefined;
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
