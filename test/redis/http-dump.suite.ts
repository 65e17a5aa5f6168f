/**
 * What somebody sees who looks at the whole server.
 */
import { expect } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from '../support/client.js';
import { describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';

export function describeDump(stage: Stage, url: () => string): void {
  describeScenarios('a dump of the whole server', stage, (scenario) => {
    scenario('S-10, S-12: contains nothing of what is encrypted', async ({ adapter, start }) => {
      const secret = `secret-of-the-dump-${adapter}`;
      const browser = new Client((await start({ data: { encrypt: ['card'] } })).url);
      await browser.login('alice');
      await browser.post('/data/card', { value: secret });
      await browser.post('/data/theme', { value: `found-by-the-search-${adapter}` });
      expect((await browser.get('/data')).body).toMatchObject({ card: secret });
      const dump = await dumpOf(url());
      expect(dump.some((text) => text.includes(`found-by-the-search-${adapter}`))).toBe(true);
      expect(dump.some((text) => text.includes(secret))).toBe(false);
    });
  });
}

async function dumpOf(url: string): Promise<string[]> {
  const client = new Redis(url);
  try {
    const contents: string[] = [];
    for (const key of await client.keys('*')) {
      const kind = await client.type(key);
      if (kind === 'hash') contents.push(...Object.entries(await client.hgetall(key)).flat());
      if (kind === 'string') contents.push((await client.get(key)) ?? '');
    }
    return contents;
  } finally {
    client.disconnect();
  }
}
