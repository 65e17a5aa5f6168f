/**
 * What the store keeps of whoever uses a session, and what users see of it.
 */
import { expect } from '@jest/globals';
import type { PrivacyOptions, SessionDevice } from '../../src/index.js';
import { Client } from '../support/client.js';
import { type Scenario, type Scene, describeScenarios } from '../support/scenarios.js';
import type { Stage } from '../support/stores.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0';
const HASH = expect.stringMatching(/^#[\w-]{11}$/) as unknown;
const LABEL = { client: 'Firefox 131', platform: 'Linux' };

const KEPT: readonly (readonly [privacy: PrivacyOptions | undefined, kept: object])[] = [
  [undefined, { ...LABEL, address: '127.0.0.1' }],
  [{ address: 'truncated' }, { ...LABEL, address: '127.0.0.0/24' }],
  [{ address: 'hash' }, { ...LABEL, address: HASH }],
  [{ address: 'none' }, LABEL],
  [{ userAgent: 'hash' }, { client: HASH, address: '127.0.0.1' }],
  [{ address: 'none', userAgent: 'none' }, {}],
];

const NETWORKS = [
  ['203.0.113.7', '203.0.113.0/24'],
  ['::ffff:203.0.113.7', '203.0.113.0/24'],
  ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::/48'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
] as const;

export function describePrivacy(stage: Stage): void {
  describeScenarios('privacy', stage, describeAll, { trustProxy: true });
}

async function deviceOf(
  { connect, start }: Scene,
  privacy: PrivacyOptions | undefined,
  headers: Record<string, string>,
): Promise<{ shown: SessionDevice | undefined; stored: SessionDevice | undefined }> {
  const store = connect();
  const { url } = await start({ store, ...(privacy && { privacy }) });
  const client = new Client(url);
  await client.post('/login', { user: 'alice' }, headers);
  const [shown] = (await client.get('/devices', headers)).body as { device: SessionDevice }[];
  const [stored] = (await store.page({ limit: 1 })).sessions;
  // The next one finds an empty place.
  await client.post('/logout', {}, headers);
  return { shown: shown?.device, stored: stored?.device };
}

function describeAll(scenario: Scenario): void {
  scenario('L-11: what of a client is kept, and shown, is up to the options', async (scene) => {
    for (const [privacy, expected] of KEPT) {
      const { shown, stored } = await deviceOf(scene, privacy, { 'user-agent': FIREFOX });
      expect({ privacy, stored, shown }).toEqual({ privacy, stored: expected, shown: expected });
    }
  });

  scenario('L-03: a hostile user agent is a harmless label', async (scene) => {
    const hostile = `<script>x</script>=cmd|' /C calc'!A0 ${'x'.repeat(7_000)}`;
    const { stored } = await deviceOf(scene, undefined, { 'user-agent': hostile });
    expect(stored).toBeDefined();
    expect(stored?.client).toBeUndefined();
    const tool = await deviceOf(scene, undefined, { 'user-agent': 'x'.repeat(8_000) });
    expect(tool.stored).toBeDefined();
    expect(Buffer.byteLength(tool.stored?.client ?? '')).toBeLessThanOrEqual(64);
  });

  scenario('L-06, L-11: of an address behind a proxy its network can be kept', async (scene) => {
    const privacy = { address: 'truncated' } as const;
    for (const [forwarded, network] of NETWORKS) {
      const headers = { 'x-forwarded-for': forwarded };
      const { stored } = await deviceOf(scene, privacy, headers);
      expect([forwarded, stored?.address]).toEqual([forwarded, network]);
    }
  });
}
