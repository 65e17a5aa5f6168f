/**
 * What a response with a session really sends, whatever the application does to its headers before
 * and after: ours are merged with all others when the head is written.
 */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import {
  addCookies,
  forbidStoring,
  isStorageControl,
  mergeCookies,
  varyOnCookie,
  withoutCookies,
  withVary,
} from './cookie-merge.js';
import type { HeaderValue } from './cookie-merge.js';

/** The response of Node itself: on fastify `reply.raw`, under `inject` its stand-in. @internal */
export type RawResponse = ServerResponse | Http2ServerResponse;

/** Headers as `writeHead` takes them. */
type Given = Readonly<Record<string, HeaderValue>>;

type Call = (...args: unknown[]) => unknown;

/** What both kinds of response have in common. */
interface Raw {
  readonly headersSent: boolean;
  /** HTTP/2 only. */
  readonly stream?: { respond?: Call };
  getHeader(name: string): HeaderValue | undefined;
  getHeaderNames(): string[];
  setHeader(name: string, value: HeaderValue): unknown;
  appendHeader(name: string, value: HeaderValue): unknown;
  removeHeader(name: string): void;
  writeHead: Call;
  _storeHeader?: Call;
}

/**
 * The session's headers on one raw response.
 *
 * `writeHead` is the one public place that every head passes, also those of `write`, `end`, `pipe`
 * and `flushHeaders`, and its arguments are what overrides headers set before: fastify hands its own
 * reply headers over there. It is wrapped once, when first needed.
 *
 * @internal
 */
export class ResponseHeaders {
  readonly #raw: Raw;
  #cookies: Map<string, string> | undefined;
  #isWrapped = false;
  #isSealed = false;
  #isInformational = false;
  #isSecret = false;

  constructor(raw: RawResponse) {
    // The overloads of the two classes differ where it does not matter here.
    this.#raw = raw as unknown as Raw;
  }

  /**
   * Makes the response carry exactly this Set-Cookie for the name; the last call wins (C-08). The
   * cookies of everybody else stay, and no cache may store the response (C-12). Visible on the raw
   * response at once. An informational response (1xx) never carries it (C-16).
   *
   * @param serialized - the whole header value, as `serializeCookie` returns it
   * @returns `false`, and nothing has changed, if the head was already sent
   */
  setCookie(name: string, serialized: string): boolean {
    const raw = this.#raw;
    if (raw.headersSent) return false;
    const cookies = new Map(this.#cookies).set(name, serialized);
    // Node refuses a value that is no header: nothing has changed then.
    raw.setHeader('Set-Cookie', mergeCookies(raw.getHeader('set-cookie'), cookies));
    this.#cookies = cookies;
    this.#settle();
    this.#wrapWriteHead();
    return true;
  }

  /**
   * Tells caches that the response depends on the session: it leaves with `Vary: Cookie`, also when
   * the session was only read (C-12). Costs nothing when repeated.
   *
   * @returns `false`, and nothing has changed, if the head was already sent
   */
  dependOnCookie(): boolean {
    if (this.#raw.headersSent) return false;
    // Not set here: fastify answers without raw headers, and the first one makes Node slower by
    // more than all of this (see withVary).
    this.#wrapWriteHead();
    return true;
  }

  /**
   * Sets another header, such as WWW-Authenticate or Retry-After. What the application itself sends
   * under this name afterwards replaces it.
   *
   * @returns `false`, and nothing has changed, if the head was already sent
   */
  setHeader(name: string, value: HeaderValue): boolean {
    if (this.#raw.headersSent) return false;
    this.#raw.setHeader(name, value);
    return true;
  }

  /**
   * Sets a header that nobody but this client may see: no cache may store the response, either.
   *
   * @returns `false`, and nothing has changed, if the head was already sent
   */
  setSecretHeader(name: string, value: string): boolean {
    if (!this.setHeader(name, value)) return false;
    this.#isSecret = true;
    this.#settle();
    this.#wrapWriteHead();
    return true;
  }

  #wrapWriteHead(): void {
    if (this.#isWrapped) return;
    this.#isWrapped = true;
    const raw = this.#raw;
    if (Object.hasOwn(raw, 'writeHead')) this.#seal();
    const { writeHead } = raw;
    raw.writeHead = (...args) => {
      // For Node to refuse.
      if (raw.headersSent) return writeHead.apply(raw, args);
      if ((args[0] as number) < 200) return this.#writeInformational(writeHead, args);
      this.#merge(args);
      return writeHead.apply(raw, args);
    };
  }

  /** Merges the arguments of `writeHead` (status, reason?, headers?) with the raw headers. */
  #merge(args: unknown[]): void {
    // Node looks for the headers in the second place when the third is empty.
    const at = args[2] == null ? 1 : 2;
    const given = args[at];
    if (Array.isArray(given)) {
      args[at] = this.#absorbList(given);
    } else if (typeof given === 'object' && given !== null) {
      if (!this.#mustNotBeStored && !this.#isSealed && this.#raw.getHeaderNames().length === 0) {
        args[at] = withVary(given as Given);
        return;
      }
      args[at] = this.#absorb(given as Given);
    }
    this.#settle();
  }

  /** Moves the headers that we have a say in to the raw response; returns the others. */
  #absorb(given: Given): Given {
    if (!Object.keys(given).some((name) => this.#isOurs(name.toLowerCase()))) return given;
    const others: Record<string, HeaderValue> = {};
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(given)) {
      if (this.#isOurs(name.toLowerCase())) this.#put(name, value, seen);
      else others[name] = value;
    }
    return others;
  }

  /**
   * Moves all headers of an array to the raw response: each name replaces what was there before, and
   * a name that comes twice stays twice. Node 20 keeps only the last one as soon as the response has
   * raw headers, and it has, because of ours.
   */
  #absorbList(given: unknown[]): unknown {
    const isNested = Array.isArray(given[0]);
    // For Node to refuse.
    if (!isNested && given.length % 2 !== 0) return given;
    const flat = isNested ? given.flat() : given;
    const seen = new Set<string>();
    for (let at = 0; at < flat.length; at += 2) {
      this.#put(String(flat[at]), flat[at + 1] as HeaderValue, seen);
    }
    return undefined;
  }

  #put(name: string, value: HeaderValue, seen: Set<string>): void {
    const raw = this.#raw;
    const key = name.toLowerCase();
    if (key === 'set-cookie' && this.#cookies !== undefined) {
      raw.setHeader(name, addCookies(raw.getHeader(key), value));
    } else if (seen.has(key)) {
      raw.appendHeader(name, value);
    } else {
      // A copy, because appendHeader would add to the array of the application.
      raw.setHeader(name, Array.isArray(value) ? [...(value as string[])] : value);
    }
    seen.add(key);
  }

  get #mustNotBeStored(): boolean {
    return this.#isSecret || this.#cookies !== undefined;
  }

  #isOurs(key: string): boolean {
    return (
      key === 'vary' ||
      (this.#cookies !== undefined && key === 'set-cookie') ||
      (this.#mustNotBeStored && isStorageControl(key))
    );
  }

  /** Makes the raw headers say what has to leave; changes nothing when they already do. */
  #settle(): void {
    const raw = this.#raw;
    const cookies = this.#cookies;
    const vary = raw.getHeader('vary');
    if (vary !== 'Cookie') raw.setHeader('Vary', varyOnCookie(vary));
    if (cookies !== undefined) {
      raw.setHeader('Set-Cookie', mergeCookies(raw.getHeader('set-cookie'), cookies));
    }
    if (!this.#mustNotBeStored) return;
    raw.setHeader('Cache-Control', forbidStoring(raw.getHeader('cache-control')));
    for (const name of raw.getHeaderNames()) {
      if (isStorageControl(name)) raw.setHeader(name, forbidStoring(raw.getHeader(name)));
    }
  }

  /** Writes a head without our cookies; if Node refuses it, the next one has them again. */
  #writeInformational(writeHead: Call, args: unknown[]): unknown {
    const raw = this.#raw;
    if (this.#cookies === undefined) return writeHead.apply(raw, args);
    const others = withoutCookies(raw.getHeader('set-cookie'), this.#cookies);
    if (others.length > 0) raw.setHeader('Set-Cookie', others);
    else raw.removeHeader('Set-Cookie');
    this.#isInformational = true;
    try {
      return writeHead.apply(raw, args);
    } finally {
      this.#isInformational = false;
    }
  }

  /**
   * Somebody wrapped `writeHead` before us and so acts after us, like the listeners of `on-headers`.
   * The last word is then one level deeper: `respond` of the HTTP/2 stream, and for HTTP/1 a method
   * that Node does not document. Without it only what those overwrite would be lost.
   */
  #seal(): void {
    this.#isSealed = true;
    const { stream } = this.#raw;
    const method = stream === undefined ? '_storeHeader' : 'respond';
    const holder = (stream ?? this.#raw) as Record<typeof method, Call | undefined>;
    const last = holder[method];
    if (last === undefined) return;
    holder[method] = (...args) => {
      if (!this.#isInformational) this.#settle();
      return last.apply(holder, args);
    };
  }
}
