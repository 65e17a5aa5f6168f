/**
 * What happens to sessions, as typed events. Listeners never fail or delay a request: whatever
 * they throw is handed to `onListenerError`.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { SessionActor } from './claims.js';
import type { EndReason, SessionId } from './record.js';
import type { StoreChangeListener } from './store-access.js';

/** Part of every event. Instants in milliseconds since 1970 by the store's clock. @public */
export interface SessionEvent {
  /** The same for every delivery of one happening: what consumers deduplicate by. */
  readonly eventId: string;
  readonly at: number;
}

/** Every event and its payload. No payload holds a token, a secret or session data. @public */
export interface SessionEvents {
  /** A user logged in, or somebody began to act in their name. */
  'session.created': SessionEvent & {
    readonly sessionId: SessionId;
    readonly userId: string;
    readonly limitClass: string;
    /** The login still waits for a second factor; `session.elevated` tells when it came. */
    readonly isPending: boolean;
    /** Who really acts, if it is not the user. */
    readonly actor?: SessionActor;
  };
  /** The user of a session proved once more who they are. */
  'session.elevated': SessionEvent & {
    readonly sessionId: SessionId;
    readonly userId: string;
    /** How, this time. */
    readonly methods: readonly string[];
    /** The assurance level of the session from now on. */
    readonly level: number;
    /** Of the token that the session got with it; its `session.rotated` comes first. */
    readonly generation: number;
  };
  /** A user's session ended. At least once for each, with one event id. */
  'session.ended': SessionEvent & {
    readonly sessionId: SessionId;
    readonly userId: string;
    readonly reason: EndReason;
    /** Milliseconds from login to end. */
    readonly duration: number;
  };
  /** A session got a new token and kept its id. */
  'session.rotated': SessionEvent & { readonly sessionId: SessionId; readonly generation: number };
  /** A retired token was presented and let through, since `rotation.onReuse` only reports. */
  'session.reuse-detected': SessionEvent & { readonly sessionId: SessionId };
  /** A replaced token came within its grace, but from what looks like another client. */
  'session.suspicious': SessionEvent & { readonly sessionId: SessionId };
  /** A session is used from another network, or by another program, than at its login. */
  'session.client-changed': SessionEvent & {
    readonly sessionId: SessionId;
    readonly userId: string;
    readonly signal: 'address-changed' | 'client-changed';
    /** What was done about it. */
    readonly action: 'report' | 'step-up' | 'revoke';
    /** `signals.onRisk` gave no usable answer, so that the option decided. */
    readonly hookFailed: boolean;
  };
  /** Many forged tokens were presented to this process. */
  'session.forgery-burst': SessionEvent & {
    readonly count: number;
    /** Milliseconds in which they came, at most. */
    readonly window: number;
  };
  /** The application reported a failed login. */
  'session.login-failed': SessionEvent & { readonly userId?: string };
  /** A token newer than its record: the store was restored from an older state. */
  'session.store-rollback': SessionEvent & { readonly sessionId: SessionId };
  /** One request carried two different valid tokens. */
  'session.ambiguous': SessionEvent;
  /**
   * An unsafe request was refused as cross-site. `origin` is what the browser said: absent if it
   * said nothing, or nothing that is an origin, or if only the synchroniser token was wrong.
   */
  'session.cross-site-refused': SessionEvent & { readonly origin?: string };
  /** A stored field could not be read back; it reads as absent. */
  'session.field-unreadable': SessionEvent & { readonly sessionId: SessionId };
  /** A cleanup run is over. */
  'session.swept': SessionEvent & SweepReport;
}

/** What one cleanup run did. @public */
export interface SweepReport {
  readonly ended: number;
  readonly repairs: {
    readonly withoutExpiry: number;
    readonly danglingEntries: number;
    /** What the first 20 of them are called in the store, such as `nsk:{dlH}:s:<session id>`. */
    readonly names: readonly string[];
  };
  /** Milliseconds. */
  readonly took: number;
  /** `true`: the time budget ended the run before the work was done. */
  readonly unfinished: boolean;
}

/** Name of an event. @public */
export type SessionEventName = keyof SessionEvents;

const names: Readonly<Record<SessionEventName, true>> = {
  'session.created': true,
  'session.elevated': true,
  'session.ended': true,
  'session.rotated': true,
  'session.reuse-detected': true,
  'session.suspicious': true,
  'session.client-changed': true,
  'session.forgery-burst': true,
  'session.login-failed': true,
  'session.store-rollback': true,
  'session.ambiguous': true,
  'session.cross-site-refused': true,
  'session.field-unreadable': true,
  'session.swept': true,
};

/** All events there are. @public */
export const SESSION_EVENT_NAMES = Object.keys(names) as readonly SessionEventName[];

/**
 * Held for as long as the process lives. Node forgets a channel that nobody holds, and may give the
 * next two who ask for it one each (nodejs/node pull request 59910): then nobody hears what is published.
 */
const CHANNELS: ReadonlyMap<SessionEventName, Channel> = new Map(
  SESSION_EVENT_NAMES.map((name) => [name, channel(name.replace('.', ':'))]),
);

/** @public */
export type SessionEventListener<Name extends SessionEventName> = (
  event: SessionEvents[Name],
) => void | Promise<void>;

/** Delivers events to listeners and to `node:diagnostics_channel` under the event's own name. */
export class SessionEventBus {
  readonly #listeners = new Map<SessionEventName, Set<(event: never) => void | Promise<void>>>();
  readonly #onListenerError: (name: SessionEventName, error: unknown) => void;

  /** For the log of the process: it knows no session and no store time, so it is no event. */
  readonly onStoreChange: StoreChangeListener;

  constructor(
    onListenerError: (name: SessionEventName, error: unknown) => void = () => undefined,
    onStoreChange: StoreChangeListener = () => undefined,
  ) {
    this.#onListenerError = onListenerError;
    this.onStoreChange = onStoreChange;
  }

  /** Subscribes; the function that is returned ends the subscription. */
  on<Name extends SessionEventName>(name: Name, listener: SessionEventListener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<Name extends SessionEventName>(name: Name, event: SessionEvents[Name]): void {
    Object.freeze(event);
    for (const listener of this.#listeners.get(name) ?? []) {
      this.#deliver(name, listener as SessionEventListener<Name>, event);
    }
    CHANNELS.get(name)?.publish(event);
  }

  #deliver<Name extends SessionEventName>(
    name: Name,
    listener: SessionEventListener<Name>,
    event: SessionEvents[Name],
  ): void {
    try {
      const pending: unknown = listener(event);
      // `(event) => list.push(event)` is a listener, too, and gives back a number.
      if (typeof pending !== 'object' || pending === null) return;
      Promise.resolve(pending).catch((error: unknown) => this.#onListenerError(name, error));
    } catch (error) {
      this.#onListenerError(name, error);
    }
  }
}
