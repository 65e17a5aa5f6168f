import type { LoginFacts } from '../../../src/core/login-facts.js';

/** An ordinary login. */
export function loginOf(userId: string): LoginFacts {
  return { userId, remember: false, methods: ['login'], level: 0, isPending: false };
}
