/**
 * What the store needs of a connection: scripts by name, a few plain commands, the bus. The
 * connection behind it keeps the deadline and strips errors of everything that may not leave.
 */
import type { ScriptName } from './scripts.gen.js';

/** What a script gives back: integers, texts, and lists of them. */
export type ScriptReply = number | string | null | readonly ScriptReply[];

export interface RedisRunner {
  /**
   * Runs a script on the slot of its keys, one command. Rejects with `SessionStoreError` when the
   * deadline is over or the server failed, never with a driver's error.
   */
  run(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<ScriptReply>;

  /** Removes keys of one slot that nothing refers to any more. Best effort: their TTL does it too. */
  unlink(keys: readonly string[]): Promise<void>;
}
