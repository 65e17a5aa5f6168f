import { type Redis, Cluster } from 'ioredis';
import { SessionStoreError } from '../../../src/core/errors.js';
import type { RedisRunner, ScriptReply } from '../../../src/stores/redis/redis.runner.js';
import { SCRIPTS, type ScriptName } from '../../../src/stores/redis/scripts.gen.js';

/** The shortest way from the store to a server, for tests of the store alone. */
export class TestRunner implements RedisRunner {
  readonly client: Redis | Cluster;

  constructor(client: Redis | Cluster) {
    this.client = client;
  }

  async run(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<ScriptReply> {
    const { sha1, text } = SCRIPTS[script];
    const rest = [keys.length, ...keys, ...args] as const;
    try {
      return (await this.client.evalsha(sha1, ...rest).catch((error: unknown) => {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
        return this.client.eval(text, ...rest);
      })) as ScriptReply;
    } catch (error) {
      throw new SessionStoreError(`${script}: ${(error as Error).message}`);
    }
  }

  async unlink(keys: readonly string[]): Promise<void> {
    await this.client.unlink(...keys);
  }
}
