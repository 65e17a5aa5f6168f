/**
 * HTTP/1.1 as bytes: keep-alive connections, pipelining, headers that no client library would send,
 * and answers exactly as they arrive.
 */
import { type Socket, connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case, in the order in which they arrived. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** All values of a header. */
export function valuesOf(answer: RawAnswer, name: string): string[] {
  return answer.headers.filter(([key]) => key === name).map(([, value]) => value);
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  /** @defaultValue `127.0.0.1` */
  readonly host?: string;
  /** Whole lines, sent as latin1. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** One keep-alive connection. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #waiting: {
    readonly method: string;
    readonly resolve: (answer: RawAnswer) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #buffered: Buffer = Buffer.alloc(0);

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Sends one request. */
  send(request: RawRequest): Promise<RawAnswer> {
    const [answer] = this.pipeline([request]);
    return answer as Promise<RawAnswer>;
  }

  /** Sends requests one behind the other without waiting. */
  pipeline(requests: readonly RawRequest[]): Promise<RawAnswer>[] {
    const answers = requests.map(
      ({ method = 'GET' }) =>
        new Promise<RawAnswer>((resolve, reject) => {
          this.#waiting.push({ method, resolve, reject });
        }),
    );
    this.#socket.write(requests.map(serialize).join(''), 'latin1');
    return answers;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    for (;;) {
      const [first] = this.#waiting;
      const parsed = first && parse(this.#buffered, first.method);
      if (first === undefined || parsed === undefined) return;
      this.#buffered = this.#buffered.subarray(parsed.length);
      if (parsed.answer.status < 200) continue;
      this.#waiting.shift();
      first.resolve(parsed.answer);
    }
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** One request on a connection of its own. */
export async function sendRaw(port: number, request: RawRequest): Promise<RawAnswer> {
  const connection = await RawConnection.open(port);
  try {
    return await connection.send(request);
  } finally {
    connection.close();
  }
}

function serialize(request: RawRequest): string {
  const { method = 'GET', path, host = '127.0.0.1', headers = [], body = '' } = request;
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`];
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...headers, ...length];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function parse(
  buffer: Buffer,
  method: string,
): { readonly answer: RawAnswer; readonly length: number } | undefined {
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const from = end + 4;
  const header = (name: string): string | undefined =>
    headers.find(([key]) => key === name)?.[1].toLowerCase();
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    return { answer: { status, headers, body: '' }, length: from };
  }
  if (header('transfer-encoding') === 'chunked') {
    const chunks = parseChunks(buffer, from);
    return chunks && { answer: { status, headers, body: chunks.body }, length: chunks.end };
  }
  const length = from + Number(header('content-length') ?? 0);
  if (buffer.length < length) return undefined;
  return { answer: { status, headers, body: buffer.toString('utf8', from, length) }, length };
}

function parseChunks(
  buffer: Buffer,
  from: number,
): { readonly body: string; readonly end: number } | undefined {
  let at = from;
  let body = '';
  for (;;) {
    const line = buffer.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(buffer.toString('latin1', at, line), 16);
    if (buffer.length < line + size + 4) return undefined;
    body += buffer.toString('utf8', line + 2, line + 2 + size);
    at = line + size + 4;
    if (size === 0) return { body, end: at };
  }
}
