// Knows how much time is left. Asks the server every few seconds, which does not count as activity
// there, and counts down by itself in between.
import { api } from './api.js';
import { every } from './dom.js';

const POLL = 3_000;
const TICK = 250;

export class SessionStatus extends EventTarget {
  /** The last answer, and the deadlines by this page's clock in milliseconds. */
  current = { state: 'none' };
  #deadlines = { idle: 0, absolute: 0 };
  #overdue = false;

  /** Emits `poll` with each answer and `tick` with the time left. */
  start(signal) {
    void every(POLL, () => this.refresh(), signal);
    const timer = setInterval(() => this.#tick(), TICK);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  async refresh() {
    this.current = await api('GET', '/session/status');
    const { timeLeft } = this.current;
    const now = performance.now();
    this.#deadlines = {
      idle: now + (timeLeft?.idle ?? 0) * 1000,
      absolute: now + (timeLeft?.absolute ?? 0) * 1000,
    };
    this.#overdue = false;
    this.dispatchEvent(new Event('poll'));
  }

  /** Seconds. */
  get timeLeft() {
    const now = performance.now();
    const { idle, absolute } = this.#deadlines;
    return { idle: Math.max(0, idle - now) / 1000, absolute: Math.max(0, absolute - now) / 1000 };
  }

  #tick() {
    if (this.current.state !== 'active') return;
    this.dispatchEvent(new Event('tick'));
    const { idle, absolute } = this.timeLeft;
    if (idle > 0 && absolute > 0) return;
    // Only the server knows whether it is over; ask it once, now.
    if (!this.#overdue) void this.refresh().catch(() => undefined);
    this.#overdue = true;
  }
}
