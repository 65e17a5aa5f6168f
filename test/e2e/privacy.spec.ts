/**
 * What the store keeps of whoever uses a session, and what users see of it.
 */
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describe, expect, it } from '@jest/globals';
import { type PrivacyOptions, type SessionDevice, memoryStore } from '../../src/index.js';
import { ADAPTERS, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0';
const HASH = expect.stringMatching(/^#[\w-]{11}$/);

async function deviceOf(
  adapter: (typeof ADAPTERS)[number],
  privacy: PrivacyOptions | undefined,
  headers: Record<string, string>,
): Promise<{ shown: SessionDevice | undefined; stored: SessionDevice | undefined }> {
  const store = memoryStore();
  const app = await startApp(adapter, {
    session: { store, ...(privacy && { privacy }) },
    prepare: (made) => {
      if (adapter === 'express') (made as NestExpressApplication).set('trust proxy', true);
    },
  });
  try {
    const client = new Client(app.url);
    await client.post('/login', { user: 'alice' }, headers);
    const [shown] = (await client.get('/devices', headers)).body as { device: SessionDevice }[];
    const [stored] = (await store.page({ limit: 1 })).sessions;
    return { shown: shown?.device, stored: stored?.device };
  } finally {
    await app.close();
  }
}

describe.each(ADAPTERS)('privacy on %s', (adapter) => {
  const label = { client: 'Firefox 131', platform: 'Linux' };

  it.each([
    [undefined, { ...label, address: '127.0.0.1' }],
    [{ address: 'truncated' }, { ...label, address: '127.0.0.0/24' }],
    [{ address: 'hash' }, { ...label, address: HASH }],
    [{ address: 'none' }, label],
    [{ userAgent: 'hash' }, { client: HASH, address: '127.0.0.1' }],
    [{ address: 'none', userAgent: 'none' }, {}],
  ] as const)('L-11: %j keeps and shows %j', async (privacy, expected) => {
    const { shown, stored } = await deviceOf(adapter, privacy, { 'user-agent': FIREFOX });
    expect(stored).toEqual(expected);
    expect(shown).toEqual(expected);
  });

  it('L-03: a hostile user agent is a harmless label', async () => {
    const hostile = `<script>x</script>=cmd|' /C calc'!A0 ${'x'.repeat(7_000)}`;
    const { stored } = await deviceOf(adapter, undefined, { 'user-agent': hostile });
    expect(stored?.client).toBeUndefined();
    const tool = await deviceOf(adapter, undefined, { 'user-agent': 'x'.repeat(8_000) });
    expect(Buffer.byteLength(tool.stored?.client ?? '')).toBeLessThanOrEqual(64);
  });
});

describe('privacy behind a proxy', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.0/24'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::/48'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ])('L-06, L-11: %s is kept as %s', async (forwarded, network) => {
    const { stored } = await deviceOf(
      'express',
      { address: 'truncated' },
      { 'x-forwarded-for': forwarded },
    );
    expect(stored?.address).toBe(network);
  });
});
