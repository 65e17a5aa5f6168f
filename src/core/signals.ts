/**
 * Signs that somebody else uses a session: another network, another program, a burst of forged
 * tokens (row L-07). They are signals and no proof: phones change networks all day, so by default
 * they are reported and nobody is logged out.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { BoundedMap } from './bounded-map.js';
import type { SessionEventBus } from './events.js';
import type { DevicePrivacy } from './privacy.js';
import type { SessionDevice, SessionId } from './record.js';
import type { Session } from './session.js';
import { looksLikeToken } from './token.js';

/** What is done about a signal. @public */
export type SignalMode = 'off' | 'report' | 'enforce';

/** What has changed since the login. @public */
export type SignalKind = 'address-changed' | 'client-changed';

/** One signal, for the risk hook. @public */
export interface SessionSignal {
  readonly kind: SignalKind;
  readonly sessionId: SessionId;
  readonly userId: string;
  /** As it was kept at the login. */
  readonly before: SessionDevice;
  /** Of this request, as much as the option `privacy` allows. */
  readonly after: SessionDevice;
}

/**
 * - `allow`: nothing happens, and nobody is told
 * - `report`: an event
 * - `step-up`: a further proof of identity is required before the session goes on
 * - `revoke`: the session ends
 *
 * @public
 */
export type RiskAnswer = 'allow' | 'report' | 'step-up' | 'revoke';

/** Decides about a signal. @public */
export type RiskHook = (signal: SessionSignal) => RiskAnswer | Promise<RiskAnswer>;

export interface SignalRules {
  readonly addressChange: SignalMode;
  readonly clientChange: SignalMode;
  readonly forgeryBurst: 'off' | 'report';
  readonly onRisk: RiskHook | undefined;
}

/** What a request has to put up with; `undefined`: nothing. */
export type Review = 'step-up' | 'revoke' | undefined;

interface Decision {
  readonly answer: RiskAnswer;
  /** Until then; milliseconds of the monotonic clock. */
  readonly until: number;
}

const ANSWERS: ReadonlySet<unknown> = new Set<RiskAnswer>(['allow', 'report', 'step-up', 'revoke']);
/** Sessions whose decisions are remembered; the one not asked about for the longest time goes. */
const MAX_SESSIONS = 10_000;
/** Different values in one session; those beyond share one decision, and one event. */
const MAX_VALUES = 8;
/** Milliseconds until a hook that failed is asked again. */
const RETRY = 10_000;
const BURST_WINDOW = 60_000;
/** Far above what damaged cookies and a dropped secret of a few users come to. */
const BURST_SIZE = 100;

/** What the signals need of their surroundings. */
export interface SignalContext {
  readonly privacy: DevicePrivacy;
  readonly events: SessionEventBus;
  /** The store's time; milliseconds since 1970. */
  readonly now: () => number;
  /** Longest time that the hook may take; milliseconds. */
  readonly deadline: number;
}

export class SessionSignals {
  readonly #rules: SignalRules;
  readonly #context: SignalContext;
  readonly #monotonic: () => number;
  readonly #decisions = new BoundedMap<SessionId, Map<string, Decision | Promise<Decision>>>(
    MAX_SESSIONS,
  );
  #burst = { since: -Infinity, count: 0 };

  constructor(rules: SignalRules, context: SignalContext, monotonic = () => performance.now()) {
    this.#rules = rules;
    this.#context = context;
    this.#monotonic = monotonic;
  }

  /** Compares a request with the login. Waits for nobody unless a hook has to be asked. */
  review(session: Session, device: SessionDevice): Review | Promise<Review> {
    const kinds = this.#changes(session, device);
    if (kinds.length === 0) return undefined;
    const { userId, claims } = session;
    if (userId === undefined || this.#context.privacy.isPlaceOf(claims.place, device)) {
      return undefined;
    }
    const decisions = kinds.map((kind) => this.#decide(kind, session, userId, device));
    return decisions.some((decision) => decision instanceof Promise)
      ? Promise.all(decisions.map(async (decision) => decision)).then(strictest)
      : strictest(decisions as Decision[]);
  }

  /** What a proof of identity from here is remembered by; `undefined` where nothing has changed. */
  acceptance(session: Session, device: SessionDevice): string | undefined {
    const hasChanged = this.#changes(session, device).length > 0;
    return hasChanged ? this.#context.privacy.placeOf(device) : undefined;
  }

  /** Something was presented that is no genuine token. Only counted: it is never kept or shown. */
  countForgery(text: unknown): void {
    if (this.#rules.forgeryBurst === 'off' || !looksLikeToken(text)) return;
    const now = this.#monotonic();
    if (now - this.#burst.since >= BURST_WINDOW) this.#burst = { since: now, count: 0 };
    this.#burst.count += 1;
    if (this.#burst.count !== BURST_SIZE) return;
    const eventId = `forgery-burst:${randomUUID()}`;
    const event = { eventId, at: this.#context.now(), count: BURST_SIZE, window: BURST_WINDOW };
    this.#context.events.emit('session.forgery-burst', event);
  }

  #changes(session: Session, device: SessionDevice): readonly SignalKind[] {
    const { addressChange, clientChange } = this.#rules;
    const { privacy } = this.#context;
    const kept = session.device;
    const isMoved = addressChange !== 'off' && !privacy.isSameNetwork(kept.address, device.address);
    const isOther = clientChange !== 'off' && !privacy.isSameClient(kept, device);
    if (!isMoved && !isOther) return NONE;
    return [
      ...(isMoved ? (['address-changed'] as const) : []),
      ...(isOther ? (['client-changed'] as const) : []),
    ];
  }

  #decide(
    kind: SignalKind,
    session: Session,
    userId: string,
    device: SessionDevice,
  ): Decision | Promise<Decision> {
    const { id } = session;
    const known = this.#decisions.get(id) ?? new Map<string, Decision | Promise<Decision>>();
    this.#decisions.set(id, known);
    const part = kind === 'address-changed' ? { address: device.address ?? '' } : without(device);
    const value = `${kind}:${this.#context.privacy.placeOf(part)}`;
    const key = known.has(value) || known.size < MAX_VALUES ? value : `${kind}:many`;
    const before = known.get(key);
    if (before instanceof Promise) return before;
    if (before !== undefined && this.#monotonic() < before.until) return before;
    const { privacy } = this.#context;
    const after = privacy.kept(device);
    const signal = { kind, sessionId: id, userId, before: session.device, after };
    const decision = this.#judge(Object.freeze(signal), `${id}:${key}`);
    known.set(key, decision);
    if (decision instanceof Promise) void decision.then((done) => known.set(key, done));
    return decision;
  }

  #judge(signal: SessionSignal, eventId: string): Decision | Promise<Decision> {
    const { onRisk, addressChange, clientChange } = this.#rules;
    const mode = signal.kind === 'address-changed' ? addressChange : clientChange;
    const usual: RiskAnswer = mode === 'enforce' ? 'step-up' : 'report';
    if (onRisk === undefined) return this.#settle(signal, eventId, usual);
    return ask(onRisk, signal, this.#context.deadline).then(
      (answer) => this.#settle(signal, eventId, answer),
      // Neither lets anybody in nor locks anybody out: what would hold without a hook.
      () => this.#settle(signal, eventId, usual, true),
    );
  }

  #settle(
    { kind, sessionId, userId }: SessionSignal,
    eventId: string,
    answer: RiskAnswer,
    hookFailed = false,
  ): Decision {
    if (answer !== 'allow') {
      const at = this.#context.now();
      const event = { eventId, at, sessionId, userId, signal: kind, action: answer, hookFailed };
      this.#context.events.emit('session.client-changed', event);
    }
    return { answer, until: hookFailed ? this.#monotonic() + RETRY : Infinity };
  }
}

const NONE: readonly SignalKind[] = Object.freeze([]);

function without({ client, platform }: SessionDevice): SessionDevice {
  return { ...(client !== undefined && { client }), ...(platform !== undefined && { platform }) };
}

function strictest(decisions: readonly Decision[]): Review {
  const answers = decisions.map(({ answer }) => answer);
  if (answers.includes('revoke')) return 'revoke';
  return answers.includes('step-up') ? 'step-up' : undefined;
}

/** The hook's answer; rejects if it fails, takes too long, or answers something else. */
async function ask(hook: RiskHook, signal: SessionSignal, deadline: number): Promise<RiskAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the risk hook did not answer in time')), deadline);
  });
  try {
    const answer: unknown = await Promise.race([hook(signal), tooSlow]);
    if (ANSWERS.has(answer)) return answer as RiskAnswer;
    throw new TypeError('the risk hook gave no answer that is known');
  } finally {
    clearTimeout(timer);
  }
}
