import type { SessionBus, SessionBusListener, SessionNotice } from '../../src/index.js';

/** A bus between the instances of one process, which a test cuts and counts on. */
export class Wire implements SessionBus {
  readonly #listeners = new Set<SessionBusListener>();
  isConnected = true;

  get listeners(): number {
    return this.#listeners.size;
  }

  publish(notices: readonly SessionNotice[]): void {
    for (const notice of notices) this.#tell((listener) => listener.onNotice?.(notice));
  }

  subscribe(listener: SessionBusListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  cut(): void {
    this.isConnected = false;
    this.#tell((listener) => listener.onCut?.());
  }

  connect(): void {
    this.isConnected = true;
    this.#tell((listener) => listener.onConnected?.());
  }

  #tell(what: (listener: SessionBusListener) => void): void {
    for (const listener of this.#listeners) what(listener);
  }
}
