/**
 * What the tests of the security requirements do to real servers: listen to every command, look at
 * every byte that is kept, and search both for a secret however it may be spelled.
 */
import { type Socket, connect } from 'node:net';
import { tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Cluster, type Redis } from 'ioredis';

/** Where a server listens. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/** Hears every command that servers run, those inside of scripts too, as bytes. */
export class Wiretap {
  readonly #sockets: readonly Socket[];
  readonly #chunks: Buffer[] = [];

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    for (const socket of sockets) socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  static async on(servers: readonly Address[]): Promise<Wiretap> {
    const sockets = servers.map(({ host, port }) => connect(port, host));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const tap = new Wiretap(sockets);
    for (const socket of sockets) socket.write('MONITOR\r\n');
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    return tap;
  }

  /** All that was heard, with its escapes undone. */
  get heard(): Buffer {
    const text = Buffer.concat(this.#chunks).toString('latin1');
    const plain: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };
    const unescaped = text.replace(/\\(x[\da-f]{2}|.)/gs, (_, code: string) =>
      code.length === 3
        ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
        : (plain[code] ?? code),
    );
    return Buffer.from(unescaped, 'latin1');
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Hears what the driver tells whoever traces it: commands, their arguments, results, errors. */
export function listenToTraces(): { readonly heard: () => Buffer; readonly end: () => void } {
  const messages = new Set<object>();
  const listener = (message: unknown): void => void messages.add(message as object);
  const handlers = {
    start: listener,
    end: listener,
    asyncStart: listener,
    asyncEnd: listener,
    error: listener,
  };
  const channels = ['ioredis:command', 'ioredis:batch'].map((name) => tracingChannel(name));
  for (const one of channels) one.subscribe(handlers);
  return {
    heard: () => Buffer.from([...messages].map((message) => flatten(message)).join('\n'), 'latin1'),
    end: () => {
      for (const one of channels) one.unsubscribe(handlers);
    },
  };
}

/** Every text and buffer in a value, also in what is not enumerable, such as an error's message. */
export function flatten(value: unknown, seen = new Set<unknown>()): string {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (typeof value !== 'object' || value === null)
    return Buffer.from(String(value)).toString('latin1');
  if (seen.has(value)) return '';
  seen.add(value);
  const own = Reflect.ownKeys(value).map((key) => [
    String(key),
    Reflect.get(value, key) as unknown,
  ]);
  const entries = value instanceof Map ? [...value, ...own] : own;
  return entries
    .flat()
    .map((part) => flatten(part, seen))
    .join('\n');
}

export interface Kept {
  readonly key: string;
  /** Names and values in it. */
  readonly parts: readonly Buffer[];
}

/** All that lies on the masters, key by key. */
export async function dumpAll(client: Redis | Cluster): Promise<Kept[]> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  const keys = (await Promise.all(nodes.map((node) => node.keys('*')))).flat();
  return Promise.all(
    keys.toSorted().map(async (key) => ({ key, parts: await partsOf(client, key) })),
  );
}

async function partsOf(client: Redis | Cluster, key: string): Promise<Buffer[]> {
  const type = await client.type(key);
  if (type === 'hash') {
    const hash = await client.hgetallBuffer(key);
    return Object.entries(hash).flatMap(([name, value]) => [Buffer.from(name), value]);
  }
  if (type === 'zset')
    return (await client.zrange(key, '0', '-1')).map((name) => Buffer.from(name));
  if (type === 'string') return [(await client.getBuffer(key)) ?? Buffer.alloc(0)];
  throw new Error(`${key} is of a kind that nobody writes`);
}

/** How bytes may stand in something else: raw, in hex, or in base64 at any alignment. */
export function spellings(bytes: Buffer): Buffer[] {
  const hex = bytes.toString('hex');
  const texts = [hex, hex.toUpperCase()];
  for (const shift of [0, 1, 2]) {
    // The characters at both ends also depend on the neighbours.
    const padded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64url');
    const core = padded.slice(shift === 0 ? 0 : shift + 1, -2);
    texts.push(core, core.replaceAll('-', '+').replaceAll('_', '/'));
  }
  return [bytes, ...texts.map((text) => Buffer.from(text, 'latin1'))];
}

/** The secret part of a token. */
export function secretOf(token: string): Buffer {
  return Buffer.from(token.slice('nsk_'.length), 'base64url').subarray(24, 56);
}

/** Which tokens can be found in what was heard or kept, whole or only by their secret. */
export function tokensIn(haystack: Buffer, tokens: Iterable<string>): string[] {
  return [...tokens].filter((token) => {
    const whole = Buffer.from(token.slice('nsk_'.length), 'base64url');
    return [...spellings(whole), ...spellings(secretOf(token))].some((each) =>
      haystack.includes(each),
    );
  });
}
