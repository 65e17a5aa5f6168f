/**
 * Functions among the options that are asked at each login.
 */
import type { LoginFacts } from './login-facts.js';

/** What a function of the application says about a login, checked; or what an option fixes. */
export type OfLogin<Value> = (login: LoginFacts) => Value | Promise<Value>;

/** The function with its answers checked, those that come at once and those that come later. */
export function asked<Value>(
  ask: (...args: never) => unknown,
  checked: (answer: unknown) => Value,
): OfLogin<Value> {
  return (login) => {
    const answer: unknown = Reflect.apply(ask, undefined, [login]);
    return isThenable(answer) ? Promise.resolve(answer).then(checked) : checked(answer);
  };
}

/** Whether an option that was given is such a function. */
export function isFunction(value: unknown): value is (...args: never) => unknown {
  return typeof value === 'function';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
