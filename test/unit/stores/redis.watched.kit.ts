import type { Redis } from 'ioredis';
import { resolveOptions } from '../../../src/core/config.js';
import { SessionService } from '../../../src/core/service.js';
import type { ScriptReply } from '../../../src/stores/redis/redis.runner.js';
import { RedisSessionStore } from '../../../src/stores/redis/redis.store.js';
import { TestRunner } from './redis.runner.kit.js';

/** A service over Redis, and what the server answers to `resolve`. */
export function watchedService(client: Redis): {
  readonly service: SessionService;
  readonly replies: readonly ScriptReply[];
} {
  const replies: ScriptReply[] = [];
  const backend = new TestRunner(client);
  const run = backend.run.bind(backend);
  backend.run = async (script, keys, args) => {
    const reply = await run(script, keys, args);
    if (script === 'resolve') replies.push(reply);
    return reply;
  };
  const config = resolveOptions({ secret: 'tests-only-8f0d1a2b3c4d5e6f708192a3b4c5d6e7' });
  return { service: new SessionService(config, new RedisSessionStore(backend)), replies };
}
