/**
 * Processes that are killed while they rotate tokens.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { until } from '../support/until.js';
import { type Scene, openScene, plainStores } from '../unit/stores/redis.kit.js';
import type { RotatedSession } from '../unit/stores/programs/rotator.js';

/** A process costs half a second; `TEST_KILLS=200` lets the test go on for longer. */
const KILLS = Number(process.env['TEST_KILLS'] ?? 40);
/** Processes at a time. */
const LANES = 4;
/** Sessions that one process rotates at a time, in turn softly and for a change of privilege. */
const WIDTH = 10;
const PREFIX = 'killed:';
const PROGRAM = fileURLToPath(new URL('../unit/stores/programs/rotator.js', import.meta.url));

let server: RedisServer;
let client: Redis;
let scene: Scene;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url, { enableAutoPipelining: true });
  scene = await openScene(plainStores(() => client)(PREFIX));
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

type Token = Pick<RotatedSession, 'verifier' | 'generation'>;

/** Somebody with a session, who knows what reached them and nothing else. */
class Holder {
  readonly user = scene.user();
  readonly kind: RotatedSession['kind'];
  id = '';
  token: Token = { verifier: '', generation: 0 };
  /** The one that was asked for and has not been heard of. */
  pending: Token | undefined;

  constructor(kind: RotatedSession['kind']) {
    this.kind = kind;
  }

  async logIn(): Promise<void> {
    const { id, token } = await scene.login({ user: this.user });
    this.id = id;
    this.token = token;
    this.pending = undefined;
  }

  hear(words: readonly string[]): void {
    const [what, verifier = '', generation] = words;
    if (what === 'asks') this.pending = { verifier, generation: Number(generation) };
    else if (this.pending) [this.token, this.pending] = [this.pending, undefined];
  }

  /** What becomes of the last token that they have. */
  async goOn(): Promise<string> {
    const { id, kind, pending } = this;
    const verdict = async (token: Token) =>
      scene.resolve({ id, token: { ...token, traits: '' } }, { touch: false });
    const reply = await verdict(this.token);
    if (reply.status === 'active' && reply.match === 'current') return 'kept';
    if (pending === undefined) return `lost without a rotation: ${reply.status}`;
    const next = await verdict(pending);
    const isAlive = next.status === 'active' && next.match === 'current';
    if (!isAlive) return `lost: ${next.status}`;
    if (kind === 'soft') {
      if (reply.status !== 'active' || reply.successor?.verifier !== pending.verifier) {
        return `no way to the successor: ${reply.status}`;
      }
      this.token = pending;
      return 'followed';
    }
    // A change of privilege hands its token to nobody else: refused, and nothing worse.
    if (reply.status !== 'retired') return `refused in a wrong way: ${reply.status}`;
    await scene.revoke({ id });
    await this.logIn();
    return 'refused';
  }
}

/** Lets a process rotate the sessions of these people and kills it after it said so many lines. */
async function killed(name: string, holders: readonly Holder[], after: number): Promise<number> {
  const sessions = holders.map(({ id, kind, token }) => ({
    id,
    kind,
    verifier: token.verifier,
    generation: token.generation,
  }));
  const args = [PROGRAM, server.url, PREFIX, name, JSON.stringify(sessions)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const exited = once(child, 'close');
  const lines = createInterface({ input: child.stdio[3] as Readable });
  let rotations = 0;
  let left = after;
  lines.on('line', (line) => {
    const [position, ...words] = line.split(' ');
    holders[Number(position)]?.hear(words);
    if (words[0] === 'has') rotations += 1;
    if (left-- === 0) child.kill('SIGKILL');
  });
  expect(await exited).toEqual([null, 'SIGKILL']);
  // Whatever it had sent is done when the server has closed its connection.
  await until(
    async () => client.client('LIST'),
    (text) => !String(text).includes(`name=${name} `),
  );
  return rotations;
}

describe('processes that are killed while they rotate tokens', () => {
  it(`R-14: leave every session usable or cleanly refused, ${KILLS} times`, async () => {
    const outcomes: Record<string, number> = {};
    let rotations = 0;
    const lane = async (number: number): Promise<void> => {
      const holders = Array.from(
        { length: WIDTH },
        (_, index) => new Holder(index % 2 === 0 ? 'soft' : 'hard'),
      );
      for (const holder of holders) await holder.logIn();
      for (let kill = number; kill < KILLS; kill += LANES) {
        rotations += await killed(`rotator-${kill}`, holders, scene.random.below(200));
        for (const holder of holders) {
          const outcome = await holder.goOn();
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
          expect(await scene.liveIds(holder.user)).toEqual([holder.id]);
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    console.log(
      `${KILLS} processes killed, ${KILLS * WIDTH} rotations cut off, ${rotations} done:`,
      JSON.stringify(outcomes),
    );
    const { kept = 0, followed = 0, refused = 0, ...wrong } = outcomes;
    expect(wrong).toEqual({});
    expect(kept + followed + refused).toBe(KILLS * WIDTH);
    // Each of the three was really met.
    expect(Math.min(kept, followed, refused)).toBeGreaterThan(0);
    const people = LANES * WIDTH;
    expect(await scene.store.stats()).toMatchObject({
      active: people,
      ended: { revoked: refused, reused: 0 },
      sessionsPerUser: new Map([[1, people]]),
    });
  }, 300_000);
});
