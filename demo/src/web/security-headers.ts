/**
 * Headers for every answer. The page needs no inline script, no inline style and nobody else's
 * server, so the policy allows none of them; it also may write no HTML, only text.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = new Map([
  // The page overrides this one; everything else here is somebody's own business.
  ['Cache-Control', 'no-store'],
  ['Content-Security-Policy', POLICY],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'same-origin'],
  ['X-Content-Type-Options', 'nosniff'],
]);

/** Middleware gets Node's own request and response on fastify, too. */
export function securityHeaders(
  _request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  response.setHeaders(HEADERS);
  next();
}
