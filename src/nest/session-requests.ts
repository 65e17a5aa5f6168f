/**
 * Finds the session of a request: one per request, whoever asks first and however often.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import type { SessionConfig } from '../core/config.js';
import { SessionService } from '../core/service.js';
import { HttpExchange } from '../http/exchange.js';
import { RequestSession } from '../http/request-session.js';
import {
  type AdapterRequest,
  type AdapterResponse,
  AdapterPeer,
  httpPairOf,
  rawRequestOf,
} from './execution-context.js';
import { CONFIG_TOKEN } from './session.module-definition.js';

/**
 * Gives the session of a request where no decorator can: in middleware, interceptors and hooks.
 *
 * @public
 */
@Injectable()
export class SessionRequests {
  readonly #service: SessionService;
  readonly #config: SessionConfig;
  /** Keyed by the Node request, so that nothing of ours hangs on it for others to print. */
  readonly #sessions = new WeakMap<IncomingMessage, RequestSession>();
  readonly #logger = new Logger('SessionModule');
  #warnedOfPlainRequest = false;

  constructor(service: SessionService, @Inject(CONFIG_TOKEN) config: SessionConfig) {
    this.#service = service;
    this.#config = config;
  }

  /** The session behind an execution context, as guards and interceptors have it. */
  ofContext(context: ExecutionContext): RequestSession {
    const { request, response } = httpPairOf(context);
    return this.of(request, response);
  }

  /** The session of an express or fastify request (or of the Node pair in a middleware). */
  of(
    request: AdapterRequest | IncomingMessage,
    response: AdapterResponse | ServerResponse,
  ): RequestSession {
    const pair = { request: request as AdapterRequest, response: response as AdapterResponse };
    const key = rawRequestOf(pair.request);
    const known = this.#sessions.get(key);
    if (known) return known;
    const exchange = new HttpExchange(
      this.#config,
      new AdapterPeer(pair.request, pair.response),
      () => this.#warnOfPlainRequest(),
    );
    const session = new RequestSession(this.#service, this.#config, exchange);
    this.#sessions.set(key, session);
    return session;
  }

  /** TLS usually ends at a proxy, so the cookie is sent all the same; but once we ask. */
  #warnOfPlainRequest(): void {
    if (this.#warnedOfPlainRequest) return;
    this.#warnedOfPlainRequest = true;
    const { preset } = this.#config;
    const what = preset
      ? `a request that looks like plain HTTP was refused, since preset '${preset.name}' is on`
      : 'a request that looks like plain HTTP got a Secure cookie, which a browser drops unless the ' +
        'connection is encrypted';
    this.#logger.warn(
      `${what}; ` +
        'behind a TLS proxy in a private network say so: ' +
        "app.set('trust proxy', 'uniquelocal') on express, " +
        "new FastifyAdapter({ trustProxy: 'uniquelocal' }) on fastify, or the address of the proxy " +
        'itself (fastify does not trust a mere number of hops)',
    );
  }
}
