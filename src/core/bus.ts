/**
 * News about sessions between the instances of an application, so that caches and open sockets
 * learn within milliseconds that a session ended.
 *
 * The bus is quick, not certain: a message can be lost, and then nobody is told. So whatever relies
 * on it must also be bounded in time, and must forget what it knows whenever the bus was cut.
 */
import type { EndReason, SessionId } from './record.js';

/**
 * What happened. The list is closed.
 *
 * - `ended`: one session is over
 * - `rotated`: a session has a newer token; tokens of earlier generations are not the current one
 * - `everyone`: all sessions created until a moment are over
 *
 * @public
 */
export type SessionNotice =
  | { readonly kind: 'ended'; readonly sessionId: SessionId; readonly reason: EndReason }
  | { readonly kind: 'rotated'; readonly sessionId: SessionId; readonly generation: number }
  | { readonly kind: 'everyone'; readonly until: number; readonly reason: EndReason };

/**
 * Hears of sessions. What a listener throws is ignored: it must not keep others from hearing.
 *
 * @public
 */
export interface SessionBusListener {
  /** Something happened, here or at another instance; at least once while connected. */
  onNotice?(notice: SessionNotice): void;
  /**
   * The bus is connected: from now on it is heard what happens. What happened before, while it was
   * not, was missed.
   */
  onConnected?(): void;
  /** The bus was cut, or said something unintelligible: forget everything that relies on it. */
  onCut?(): void;
}

/**
 * A way to tell other instances what happened to sessions.
 *
 * @public
 */
export interface SessionBus {
  /** Whether it is heard now what other instances tell. */
  readonly isConnected: boolean;
  /**
   * Tells everybody, this instance at once and the others as soon as it can. Returns immediately
   * and never throws; what cannot be told is dropped.
   */
  publish(notices: readonly SessionNotice[]): void;
  /** Hears from now on; the first subscriber makes the bus connect. The function ends it. */
  subscribe(listener: SessionBusListener): () => void;
}
