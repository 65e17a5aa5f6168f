/**
 * What a login says about itself, as the application's functions see it and as it is kept.
 */
import { type SessionActor, encodeClaims } from './claims.js';
import type { LoginFacts } from './login-facts.js';
import type { CreateOptions } from './login-options.js';
import { MAX_HARD_DEADLINE } from './token.js';

/** What is said about a login, with what goes without saying. */
export function factsOf(userId: string, options: CreateOptions): LoginFacts {
  const { remember = false, methods = ['login'], level = 0, pending = false, tenant } = options;
  const facts = { userId, remember, methods, level, isPending: pending };
  return Object.freeze({ ...facts, ...(tenant !== undefined && { tenant }) });
}

/** Claims that begin at a moment; those that cannot be any are refused at once. */
export function claimsOf(
  login: LoginFacts,
  actor: SessionActor | undefined,
): (now: number) => string {
  const { methods, level, isPending, tenant } = login;
  const encode = (now: number): string =>
    encodeClaims({
      methods: methods.map((method) => ({ method, at: now })),
      level,
      isPending,
      ...(tenant !== undefined && { tenant }),
      ...(actor !== undefined && { actor }),
    });
  encode(MAX_HARD_DEADLINE);
  return encode;
}
