/**
 * A process that gives sessions one new token after the other until it is killed. The argument is a
 * list of the sessions as JSON.
 *
 * On file descriptor 3 it says, at once, which token it is about to ask for and when it has it: what
 * a client has received is what was said before the kill.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Redis } from 'ioredis';
import { RedisSessionStore } from '../../../../src/stores/redis/redis.store.js';
import { DEFAULTS } from '../redis.settings.kit.js';
import { TestRunner } from '../redis.runner.kit.js';

export interface RotatedSession {
  readonly id: string;
  readonly kind: 'soft' | 'hard';
  readonly verifier: string;
  readonly generation: number;
}

const [, , url = '', prefix = '', name = '', list = '[]'] = process.argv;
const client = new Redis(url, { connectionName: name, retryStrategy: () => null });
const store = new RedisSessionStore(new TestRunner(client), { prefix });
await store.open(DEFAULTS);

async function rotate(position: number, { id, kind, ...first }: RotatedSession): Promise<never> {
  let token = { ...first, traits: '' };
  for (;;) {
    const { now } = await store.resolve({ id, token, touch: true });
    const next = {
      verifier: randomBytes(32).toString('base64url'),
      generation: token.generation + 1,
      keyId: 1,
      ...(kind === 'soft' && { salt: randomBytes(32).toString('base64url') }),
    };
    writeSync(3, `${position} asks ${next.verifier} ${next.generation}\n`);
    const reply = await store.rotate({ id, token, kind, next, notAfter: now + 10_000 });
    if (reply.status !== 'rotated') throw new Error(`rotate answered ${reply.status}`);
    const { verifier, generation } = next;
    token = { verifier, generation, traits: '' };
    writeSync(3, `${position} has\n`);
  }
}

const sessions = JSON.parse(list) as readonly RotatedSession[];
await Promise.all(sessions.map((session, position) => rotate(position, session)));
