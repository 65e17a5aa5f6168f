/**
 * Lets a request pass if it has a live session of a user, and enforces both timeouts.
 */
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FreshnessRule } from '../core/claims.js';
import type { SessionConfig } from '../core/config.js';
import { SessionError } from '../core/errors.js';
import type { RequestSession, RequestVerdict } from '../http/request-session.js';
import {
  ALLOW_PENDING,
  FRESHNESS,
  PUBLIC,
  SKIP_TOUCH,
  STEP_UP,
  type StepUpRule,
} from './session.decorators.js';
import { SessionHttpException, codeOf, headersOf } from './session.exceptions.js';
import { CONFIG_TOKEN } from './session.module-definition.js';
import { SessionRequests } from './session-requests.js';

/** What the decorators of a route say. */
interface RouteRules {
  readonly isPublic: boolean;
  readonly skipsTouch: boolean;
  readonly allowsPending: boolean;
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
  readonly #rules = new WeakMap<object, WeakMap<object, RouteRules>>();

  constructor(
    reflector: Reflector,
    requests: SessionRequests,
    @Inject(CONFIG_TOKEN) config: SessionConfig,
  ) {
    this.#reflector = reflector;
    this.#requests = requests;
    this.#bearer = config.bearer;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const session = this.#requests.ofContext(context);
    const rules = this.#rulesOf(context);
    if (rules.skipsTouch) session.skipTouch();
    if (rules.isPublic) return true;
    const verdict = await this.#resolve(session);
    if (verdict.status !== 'active' || verdict.session.userId === undefined) {
      throw this.#refusal(session, new SessionHttpException(codeOf(verdict)));
    }
    const { claims } = verdict.session;
    if (claims.isPending) {
      if (rules.allowsPending) return true;
      throw this.#refusal(session, new SessionHttpException('ERR_SESSION_PENDING', { stepUp: {} }));
    }
    if (rules.freshness) await this.#requireFresh(session, rules.freshness);
    if (rules.stepUp) await this.#requireConfirmation(context, session, rules.stepUp);
    return true;
  }

  async #requireFresh(session: RequestSession, rule: FreshnessRule): Promise<void> {
    if (!(await session.isFresh(rule))) throw this.#challenge(session, rule);
  }

  async #requireConfirmation(
    context: ExecutionContext,
    session: RequestSession,
    rule: StepUpRule,
  ): Promise<void> {
    const request = context.switchToHttp().getRequest<never>();
    const action = typeof rule.action === 'string' ? rule.action : rule.action(request);
    // Cheap checks first: a confirmation is used up by looking at it.
    const isMet = (await session.isFresh(rule)) && (await session.useGrant(action, rule.maxAge));
    if (!isMet) throw this.#challenge(session, rule, action);
  }

  #challenge(session: RequestSession, rule: FreshnessRule, action?: string): SessionHttpException {
    const { methods, level } = rule;
    const stepUp = {
      maxAge: Math.floor(rule.maxAge / 1000),
      ...(methods && { methods }),
      ...(level !== undefined && { level }),
      ...(action !== undefined && { action }),
    };
    return this.#refusal(session, new SessionHttpException('ERR_SESSION_STEP_UP', { stepUp }));
  }

  async #resolve(session: RequestSession): Promise<RequestVerdict> {
    try {
      return await session.resolve();
    } catch (cause) {
      if (!(cause instanceof SessionError)) throw cause;
      throw this.#refusal(session, new SessionHttpException(cause.code, { cause }));
    }
  }

  #refusal(session: RequestSession, exception: SessionHttpException): SessionHttpException {
    for (const [name, value] of headersOf(exception, this.#bearer))
      session.setResponseHeader(name, value);
    return exception;
  }

  /** Decorators never change at run time, so each route is looked up once. */
  #rulesOf(context: ExecutionContext): RouteRules {
    const controller = context.getClass();
    const handler = context.getHandler();
    const known = this.#rules.get(controller)?.get(handler);
    if (known) return known;
    const places = [handler, controller];
    const says = (key: symbol): boolean =>
      this.#reflector.getAllAndOverride<boolean | undefined>(key, places) ?? false;
    const rules: RouteRules = {
      isPublic: says(PUBLIC),
      skipsTouch: says(SKIP_TOUCH),
      allowsPending: says(ALLOW_PENDING),
      freshness: this.#reflector.getAllAndOverride<FreshnessRule | undefined>(FRESHNESS, places),
      stepUp: this.#reflector.getAllAndOverride<StepUpRule | undefined>(STEP_UP, places),
    };
    const ofController = this.#rules.get(controller) ?? new WeakMap<object, RouteRules>();
    this.#rules.set(controller, ofController.set(handler, rules));
    return rules;
  }
}
