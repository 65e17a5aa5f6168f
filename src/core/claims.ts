/**
 * How a user logged in: which methods they used and when, how sure that makes us, and who is
 * really behind the session. Kept by the store as one opaque text that changes with the token.
 */
import { SessionError } from './errors.js';
import type { SessionId } from './record.js';
import { MAX_CLAIMS_BYTES } from './store-messages.js';

/** One proof of identity. @public */
export interface AuthenticationMethod {
  /** Short name, best from RFC 8176: `pwd`, `otp`, `hwk`, `fpt`… 1 to 32 characters. */
  readonly method: string;
  /** When it was given; milliseconds since 1970 by the store's clock. */
  readonly at: number;
}

/** Who acts in somebody else's name. @public */
export interface SessionActor {
  readonly userId: string;
  /** Their own session; the impersonation ends with it. */
  readonly sessionId: SessionId;
}

/** What is known of a login. @public */
export interface SessionClaims {
  /** The proofs, newest last; one entry per method. */
  readonly methods: readonly AuthenticationMethod[];
  /** Assurance level, such as 1 to 3 for NIST's AAL; 0: none is claimed. */
  readonly level: number;
  /** The user has still to prove more, such as a second factor: no ordinary guard lets them in. */
  readonly isPending: boolean;
  readonly tenant?: string;
  readonly actor?: SessionActor;
  /** Keyed digest of where the last proof came from, if not from where the login did. */
  readonly place?: string;
}

export const NO_CLAIMS: SessionClaims = Object.freeze({
  methods: Object.freeze([]),
  level: 0,
  isPending: false,
});

/** Short keys, since they lie in every record. */
interface Packed {
  readonly m?: readonly (readonly [method: string, at: number])[];
  readonly l?: number;
  readonly p?: 1;
  readonly t?: string;
  readonly a?: readonly [userId: string, sessionId: SessionId];
  readonly c?: string;
}

const METHOD = /^[A-Za-z0-9._:-]{1,32}$/;
const MAX_LEVEL = 9;
const MAX_TENANT_BYTES = 128;

/** @throws SessionError `ERR_SESSION_VALUE` for what cannot be a claim */
export function encodeClaims(claims: SessionClaims): string {
  const { methods, level, isPending, tenant, actor, place } = claims;
  if (!methods.every(({ method }) => METHOD.test(method))) {
    throw refused(
      'an authentication method is a name of 1 to 32 letters, digits, ".", "_", ":" or "-"',
    );
  }
  if (!Number.isInteger(level) || level < 0 || level > MAX_LEVEL) {
    throw refused(`an assurance level is a whole number from 0 to ${MAX_LEVEL}`);
  }
  if (tenant !== undefined && (tenant === '' || Buffer.byteLength(tenant) > MAX_TENANT_BYTES)) {
    throw refused(`a tenant is a text of 1 to ${MAX_TENANT_BYTES} bytes`);
  }
  const packed: Packed = {
    ...(methods.length > 0 && { m: methods.map(({ method, at }) => [method, at] as const) }),
    ...(level > 0 && { l: level }),
    ...(isPending && { p: 1 }),
    ...(tenant !== undefined && { t: tenant }),
    ...(actor !== undefined && { a: [actor.userId, actor.sessionId] as const }),
    ...(place !== undefined && { c: place }),
  };
  const text = JSON.stringify(packed);
  if (Buffer.byteLength(text) > MAX_CLAIMS_BYTES) throw refused('too many authentication methods');
  return text;
}

/** What a record says; nothing that cannot be read is believed. */
export function decodeClaims(text: string | undefined): SessionClaims {
  if (text === undefined || text === '') return NO_CLAIMS;
  const packed = parse(text);
  // A pending login that became unreadable must not turn into a complete one.
  if (packed === undefined) return { ...NO_CLAIMS, isPending: true };
  const [userId, sessionId] = packed.a ?? [];
  return {
    methods: (packed.m ?? []).map(([method, at]) => ({ method, at })),
    level: packed.l ?? 0,
    isPending: packed.p === 1,
    ...(packed.t !== undefined && { tenant: packed.t }),
    ...(userId !== undefined && sessionId !== undefined && { actor: { userId, sessionId } }),
    ...(packed.c !== undefined && { place: packed.c }),
  };
}

/** Adds proofs; a method that was used before counts from now. */
export function withMethods(
  claims: SessionClaims,
  methods: readonly string[],
  at: number,
  level: number | undefined,
): SessionClaims {
  const kept = claims.methods.filter(({ method }) => !methods.includes(method));
  const added = [...new Set(methods)].map((method) => ({ method, at }));
  return {
    ...claims,
    methods: [...kept, ...added],
    level: Math.max(claims.level, level ?? 0),
    isPending: false,
  };
}

/** What a route asks of a login. */
export interface FreshnessRule {
  /** Milliseconds since the last proof of identity. */
  readonly maxAge: number;
  /** One of these methods must be the proof. */
  readonly methods?: readonly string[];
  readonly level?: number;
}

/** Whether the last fitting proof is recent enough; rotation, touch and writes do not renew it. */
export function isFresh(claims: SessionClaims, rule: FreshnessRule, now: number): boolean {
  if (claims.isPending || claims.level < (rule.level ?? 0)) return false;
  return claims.methods.some(
    ({ method, at }) =>
      now - at <= rule.maxAge && (rule.methods === undefined || rule.methods.includes(method)),
  );
}

function parse(text: string): Packed | undefined {
  try {
    const packed: unknown = JSON.parse(text);
    return isPacked(packed) ? packed : undefined;
  } catch {
    return undefined;
  }
}

function isPacked(value: unknown): value is Packed {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { m = [], l = 0, t = '', a = ['', ''], c = '' } = value as Record<string, unknown>;
  return (
    Array.isArray(m) &&
    m.every((pair) => isPair(pair, 'number')) &&
    Number.isInteger(l) &&
    typeof t === 'string' &&
    typeof c === 'string' &&
    isPair(a, 'string')
  );
}

function isPair(pair: unknown, second: 'number' | 'string'): boolean {
  return (
    Array.isArray(pair) &&
    pair.length === 2 &&
    typeof pair[0] === 'string' &&
    typeof pair[1] === second
  );
}

function refused(rule: string): SessionError {
  return new SessionError('ERR_SESSION_VALUE', rule);
}
