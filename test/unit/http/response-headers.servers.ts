/** Real servers, and a client that shows every header line as it was sent. */
import { once } from 'node:events';
import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { jest } from '@jest/globals';
import * as cookie from 'cookie';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { ResponseHeaders } from '../../../src/http/response-headers.js';
import type { RawResponse } from '../../../src/http/response-headers.js';

// `inject` requires this ES module, which Jest cannot do before Node 24.9: here it is, imported.
jest.doMock('cookie', () => cookie);

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The values of all lines with this name, in order. */
  all(name: string): string[];
  /** The only value, if there is exactly one. */
  one(name: string): string | undefined;
}

export interface Question {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

export interface TestServer {
  readonly port: number;
  ask(question?: Question): Promise<Answer>;
  close(): Promise<void>;
}

export type Handler = (request: Readable, response: AnyResponse) => unknown;

/** What handlers use of both kinds of raw response. */
export interface AnyResponse {
  statusCode: number;
  readonly headersSent: boolean;
  getHeader(name: string): unknown;
  getHeaders(): Record<string, unknown>;
  setHeader(name: string, value: number | string | readonly string[]): unknown;
  appendHeader(name: string, value: string | readonly string[]): unknown;
  setHeaders?(headers: Map<string, string>): unknown;
  removeHeader(name: string): void;
  writeHead(status: number, ...rest: unknown[]): unknown;
  flushHeaders(): void;
  write(chunk: string): boolean;
  end(chunk?: string): unknown;
}

function asAny(response: unknown): AnyResponse {
  return response as AnyResponse;
}

export function asRaw(response: unknown): RawResponse {
  return response as RawResponse;
}

export function answerOf(
  status: number,
  lines: Iterable<readonly [string, string]>,
  body: string,
): Answer {
  const pairs = [...lines].map(([name, value]) => [name.toLowerCase(), value] as const);
  const all = (name: string): string[] =>
    pairs.flatMap(([key, value]) => (key === name ? [value] : []));
  const one = (name: string): string | undefined =>
    all(name).length === 1 ? all(name)[0] : undefined;
  return { status, body, all, one };
}

/** Starts listening and asks over HTTP/1.1. */
export async function overHttp1(server: Server): Promise<TestServer> {
  const port = await listen(server);
  const ask = async ({
    path = '/',
    method = 'GET',
    headers = {},
  }: Question = {}): Promise<Answer> => {
    const request = http.request({ port, host: '127.0.0.1', path, method, headers, agent: false });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await textOf(response);
    return answerOf(response.statusCode ?? 0, inPairs(response.rawHeaders), body);
  };
  return { port, ask, close: () => stop(server) };
}

/** Starts listening and asks over HTTP/2 without TLS. */
export async function overHttp2(server: Server): Promise<TestServer> {
  const port = await listen(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const ask = async ({
    path = '/',
    method = 'GET',
    headers = {},
  }: Question = {}): Promise<Answer> => {
    const stream = client.request({ ':path': path, ':method': method, ...headers });
    const first = await Promise.race([once(stream, 'response'), once(stream, 'close')]);
    const received = (first[0] ?? {}) as http2.IncomingHttpHeaders;
    const lines = Object.entries(received).flatMap(([name, value]) =>
      [value ?? []].flat().map((line) => [name, line] as const),
    );
    return answerOf(Number(received[':status']), lines, await textOf(stream));
  };
  const close = async (): Promise<void> => {
    client.destroy();
    await stop(server);
  };
  return { port, ask, close };
}

/** Everything the server sends on one connection, as text. */
export function rawText(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  return textOf(socket);
}

/** The kinds of raw response there are, each with a server that gives it to the handler. */
export const kinds: readonly (readonly [string, (handler: Handler) => Promise<TestServer>])[] = [
  [
    'node:http',
    (handler) =>
      overHttp1(http.createServer((request, response) => void handler(request, asAny(response)))),
  ],
  [
    'node:http2',
    (handler) =>
      overHttp2(http2.createServer((request, response) => void handler(request, asAny(response)))),
  ],
  [
    'fastify inject',
    async (handler) => {
      const app = fastify();
      app.all('/', (request, reply) => {
        reply.hijack();
        void handler(request.raw, asAny(reply.raw));
      });
      await app.ready();
      return injected(app);
    },
  ],
];

/** One request to a server of its own whose handler is this; what it throws fails the test. */
export async function answerFrom(
  start: (handler: Handler) => Promise<TestServer>,
  handle: (response: AnyResponse, headers: ResponseHeaders) => unknown,
  question?: Question,
): Promise<Answer> {
  let thrown: unknown;
  const server = await start((_request, response) => {
    try {
      handle(response, new ResponseHeaders(asRaw(response)));
    } catch (error) {
      thrown = error;
      response.end();
    }
  });
  try {
    const answer = await server.ask(question);
    if (thrown !== undefined) throw thrown;
    return answer;
  } finally {
    await server.close();
  }
}

/** Asks a fastify application without a connection. */
export function injected(app: Pick<FastifyInstance, 'inject' | 'close'>): TestServer {
  const ask = async ({
    path = '/',
    method = 'GET',
    headers = {},
  }: Question = {}): Promise<Answer> => {
    const response = await app.inject({ url: path, method: method as 'GET', headers });
    const lines = Object.entries(response.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((line) => [name, String(line)] as const),
    );
    return answerOf(response.statusCode, lines, response.body);
  };
  return { port: 0, ask, close: async () => app.close() };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  if (server instanceof http.Server) server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

function* inPairs(raw: readonly string[]): Iterable<readonly [string, string]> {
  for (let at = 0; at < raw.length; at += 2) yield [raw[at] ?? '', raw[at + 1] ?? ''];
}
