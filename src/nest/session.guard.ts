/**
 * Lets a request pass if it has a live session of a user, and enforces both timeouts.
 */
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FreshnessRule } from '../core/claims.js';
import type { SessionConfig } from '../core/config.js';
import { SessionError } from '../core/errors.js';
import type { RequestSession } from '../http/request-session.js';
import {
  ALLOW_PENDING,
  END_WITH_SESSION,
  FRESHNESS,
  PUBLIC,
  SKIP_TOUCH,
  STEP_UP,
  type StepUpRule,
} from './session.decorators.js';
import { SessionHttpException, codeOf, headersOf } from './session.exceptions.js';
import { CONFIG_TOKEN } from './session.module-definition.js';
import { SessionRequests } from './session-requests.js';

/** What Nest notes on the handler of an `@Sse()` route; from where to import it depends on its version. */
const SSE = '__sse__';

/** What the decorators of a route say. */
interface RouteRules {
  readonly isPublic: boolean;
  readonly skipsTouch: boolean;
  readonly allowsPending: boolean;
  readonly endsWithSession: boolean;
  readonly freshness: FreshnessRule | undefined;
  readonly stepUp: StepUpRule | undefined;
}

/**
 * Guards a controller, a route, or with `guard: 'global'` the whole application. A request passes
 * with a live session of a user, or if the route is `@Public()`; public routes read no store.
 *
 * Refusals: 401 with a `code` and `WWW-Authenticate`; 503 with `Retry-After` if the store does not
 * answer. Neither ever clears the cookie.
 *
 * @public
 */
@Injectable()
export class SessionGuard implements CanActivate {
  readonly #reflector: Reflector;
  readonly #requests: SessionRequests;
  readonly #bearer: boolean;
  readonly #explains: boolean;
  readonly #rules = new WeakMap<object, WeakMap<object, RouteRules>>();

  constructor(
    reflector: Reflector,
    requests: SessionRequests,
    @Inject(CONFIG_TOKEN) config: SessionConfig,
  ) {
    this.#reflector = reflector;
    this.#requests = requests;
    this.#bearer = config.bearer;
    this.#explains = config.explain;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rules = this.#rulesOf(context);
    // Needs no request, so it holds for every transport.
    if (rules.isPublic && !rules.skipsTouch) return true;
    const session = this.#requests.ofContext(context);
    if (rules.skipsTouch) session.skipTouch();
    if (rules.isPublic) return true;
    const refusal = await this.#check(context, session, rules).catch(asRefusal);
    if (refusal === undefined) {
      if (rules.endsWithSession) session.endWithSession();
      return true;
    }
    for (const [name, value] of headersOf(refusal, this.#bearer)) {
      session.setResponseHeader(name, value);
    }
    throw refusal;
  }

  /** Why the request is refused, if it is; the cheap checks first. */
  async #check(
    context: ExecutionContext,
    session: RequestSession,
    rules: RouteRules,
  ): Promise<SessionHttpException | undefined> {
    session.enter(rules.allowsPending);
    const verdict = await session.resolve();
    if (verdict.status !== 'active' || verdict.session.userId === undefined) {
      const explanation = this.#explains ? await session.explain() : undefined;
      return new SessionHttpException(codeOf(verdict), { explanation });
    }
    if (verdict.session.claims.isPending && !rules.allowsPending) {
      return new SessionHttpException('ERR_SESSION_PENDING', { stepUp: {} });
    }
    // The same routes as for a pending login: where the proof is given.
    if (verdict.stepUp && !rules.allowsPending) {
      return new SessionHttpException('ERR_SESSION_STEP_UP', { stepUp: {} });
    }
    const { freshness, stepUp } = rules;
    if (freshness && !(await session.isFresh(freshness))) return challenge(freshness);
    if (stepUp === undefined) return undefined;
    const request = context.switchToHttp().getRequest<never>();
    const action = typeof stepUp.action === 'string' ? stepUp.action : stepUp.action(request);
    // Last, because a confirmation is used up by looking at it.
    const isMet =
      (await session.isFresh(stepUp)) && (await session.useGrant(action, stepUp.maxAge));
    return isMet ? undefined : challenge(stepUp, action);
  }

  /** Decorators never change at run time, so each route is looked up once. */
  #rulesOf(context: ExecutionContext): RouteRules {
    const controller = context.getClass();
    const handler = context.getHandler();
    const known = this.#rules.get(controller)?.get(handler);
    if (known) return known;
    const places = [handler, controller];
    const says = (key: symbol | string): boolean =>
      this.#reflector.getAllAndOverride<boolean | undefined>(key, places) ?? false;
    // Whoever demands a proof is not public, unless only what is around it demands one.
    const near = this.#reflector.get(PUBLIC, handler) ? [handler] : places;
    const demands = [FRESHNESS, STEP_UP].some((key) =>
      this.#reflector.getAllAndOverride(key, near),
    );
    const rules: RouteRules = {
      isPublic: says(PUBLIC) && !demands,
      skipsTouch: says(SKIP_TOUCH),
      allowsPending: says(ALLOW_PENDING),
      endsWithSession: says(END_WITH_SESSION) || says(SSE),
      freshness: this.#reflector.getAllAndOverride<FreshnessRule | undefined>(FRESHNESS, places),
      stepUp: this.#reflector.getAllAndOverride<StepUpRule | undefined>(STEP_UP, places),
    };
    const ofController = this.#rules.get(controller) ?? new WeakMap<object, RouteRules>();
    this.#rules.set(controller, ofController.set(handler, rules));
    return rules;
  }
}

function challenge(rule: FreshnessRule, action?: string): SessionHttpException {
  const { methods, level } = rule;
  const stepUp = {
    maxAge: Math.floor(rule.maxAge / 1000),
    ...(methods && { methods }),
    ...(level !== undefined && { level }),
    ...(action !== undefined && { action }),
  };
  return new SessionHttpException('ERR_SESSION_STEP_UP', { stepUp });
}

/** Filters of the application see an HttpException, whatever went wrong. */
function asRefusal(cause: unknown): SessionHttpException {
  if (cause instanceof SessionError) return new SessionHttpException(cause.code, { cause });
  throw cause;
}
