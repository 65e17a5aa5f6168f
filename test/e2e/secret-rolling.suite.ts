/**
 * The secret is replaced as `docs/guides/rotation.md` says, while users go on working.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { SessionModuleOptions } from '../../src/index.js';
import { Client } from '../support/client.js';
import type { Scenario } from '../support/scenarios.js';
import { until } from '../support/until.js';

export function describeSecretRolling(scenario: Scenario, grace: number): void {
  scenario(
    'T-11: rolls secrets on two instances under load and logs nobody out; dropping one ends exactly its sessions',
    async ({ start, passTime }) => {
      const [old = '', next = ''] = ['old', 'new'].map(
        (name) => `${name}-8f2d7c1be94a4f0d9a6c53e1b07f2d84`,
      );
      const instances: string[] = [];
      // One after the other; the one that is replaced still answers what it has begun.
      const deploy = async (secret: SessionModuleOptions['secret']): Promise<void> => {
        const rotation = { interval: '1h', grace } as const;
        for (const i of [0, 1]) instances[i] = (await start({ secret, rotation })).url;
      };
      await deploy(old);
      const users = Array.from({ length: 5 }, (_, i) => new User(instances, `user-${i}`));
      const sleeper = new User(instances, 'sleeper');
      for (const user of [...users, sleeper]) await user.logIn();
      const before = users.map(({ cookies }) => cookies);

      for (const user of users) user.beginWork();
      try {
        const work = (): Promise<unknown> => Promise.all(users.map((user) => user.answers(10)));
        await deploy([old, next]);
        await work();
        expect(users.map(({ cookies }) => cookies)).toEqual(before);
        await deploy([next, old]);
        await passTime(4 * grace);
        const isRenewed = (): boolean => users.every(({ cookies }, i) => cookies !== before[i]);
        await until(async () => isRenewed(), Boolean);
        await work();
      } finally {
        for (const user of users) await user.endWork();
      }
      expect(users.map(({ statuses }) => [...new Set(statuses)])).toEqual(users.map(() => [200]));

      await deploy(next);
      expect(await Promise.all(users.map((user) => user.ask()))).toEqual(users.map(() => 200));
      expect(await sleeper.ask()).toBe(401);
    },
  );
}

/** A browser with two tabs, whose requests go to one instance or the other. */
class User {
  cookies = '';
  readonly #instances: readonly string[];
  readonly #name: string;
  readonly statuses: number[] = [];
  readonly #over = new AbortController();
  #work: Promise<unknown> = Promise.resolve();
  #turn = 0;

  constructor(instances: readonly string[], name: string) {
    this.#instances = instances;
    this.#name = name;
  }

  async logIn(): Promise<void> {
    const client = this.#client();
    await client.login(this.#name);
    this.cookies = client.cookies;
  }

  /** The status of one answer; a new cookie is kept. */
  async ask(): Promise<number> {
    const client = this.#client();
    const { status, setCookies } = await client.get('/me');
    if (setCookies.length > 0) this.cookies = client.cookies;
    return status;
  }

  beginWork(): void {
    const tab = async (): Promise<void> => {
      for (; !this.#over.signal.aborted; await sleep(5)) this.statuses.push(await this.ask());
    };
    this.#work = Promise.all([tab(), tab()]);
  }

  /** Waits for so many more. */
  async answers(count: number): Promise<void> {
    const enough = this.statuses.length + count;
    await until(async () => this.statuses.length >= enough, Boolean);
  }

  async endWork(): Promise<void> {
    this.#over.abort();
    await this.#work;
  }

  #client(): Client {
    const url = this.#instances[this.#turn++ % this.#instances.length] ?? '';
    const client = new Client(url);
    client.cookies = this.cookies;
    return client;
  }
}
