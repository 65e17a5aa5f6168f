/**
 * The HTTP request behind an execution context, on express and on fastify. The only file that
 * knows how the two differ.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { ExecutionContext } from '@nestjs/common';
import { canonicalAddress } from '../http/client-address.js';
import type { HttpPeer } from '../http/exchange.js';

/** What express and fastify requests have in common. */
export interface AdapterRequest {
  /** Fastify keeps the Node request here; express extends it. */
  readonly raw?: IncomingMessage | undefined;
  readonly ip?: string | undefined;
  readonly protocol?: string | undefined;
  /** With the port; from X-Forwarded-Host only if the adapter trusts the peer. */
  readonly host?: string | undefined;
}

export interface AdapterResponse {
  readonly raw?: ServerResponse | undefined;
}

/** Request and response of an HTTP handler; other transports have none. */
export function httpPairOf(context: ExecutionContext): {
  readonly request: AdapterRequest;
  readonly response: AdapterResponse;
} {
  if (context.getType() !== 'http') {
    // Deny is the default for a transport that is not known, never "let it pass".
    throw new TypeError(`sessions are not available in a ${context.getType()} context`);
  }
  const http = context.switchToHttp();
  return {
    request: http.getRequest<AdapterRequest>(),
    response: http.getResponse<AdapterResponse>(),
  };
}

/** The Node request, which middleware and handlers share on both adapters. */
export function rawRequestOf(request: AdapterRequest): IncomingMessage {
  return request.raw ?? (request as IncomingMessage);
}

export class AdapterPeer implements HttpPeer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #adapterRequest: AdapterRequest;

  constructor(request: AdapterRequest, response: AdapterResponse) {
    this.#adapterRequest = request;
    this.request = rawRequestOf(request);
    this.response = response.raw ?? (response as ServerResponse);
  }

  /** What a trusted proxy forwarded may still be junk: then the proxy's own address counts (L-06). */
  get address(): string | undefined {
    const { remoteAddress } = this.request.socket;
    return canonicalAddress(this.#adapterRequest.ip) ?? canonicalAddress(remoteAddress);
  }

  get isSecure(): boolean {
    const socket = this.request.socket as Partial<TLSSocket>;
    return this.#adapterRequest.protocol === 'https' || socket.encrypted === true;
  }

  /** HTTP/2 has another name for it (RFC 9113 8.3.1). */
  get host(): string | undefined {
    const { host, ':authority': authority } = this.request.headers;
    return this.#adapterRequest.host ?? host ?? authority?.toString();
  }
}
