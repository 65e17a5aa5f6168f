/**
 * A write that was under way while its browser got a newer token.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../src/index.js';
import { manualClock } from '../../src/testing/index.js';
import { ADAPTERS, type TestApp, startApp } from '../support/app.js';
import { Client } from '../support/client.js';

describe.each(ADAPTERS)('a late write of a visitor on %s', (adapter) => {
  const clock = manualClock();
  let running: TestApp | undefined;
  const start = async (): Promise<string> => {
    running = await startApp(adapter, {
      session: { store: memoryStore({ clock: () => clock.now() }) },
    });
    return running.url;
  };
  const write = async (client: Client) => client.post('/data/page', { value: '/shop' });
  afterEach(() => running?.close());

  it('C-14: does not take the place of the login that was faster', async () => {
    const url = await start();
    for (let attempt = 0; attempt < 3; attempt++) {
      const browser = new Client(url);
      expect((await write(browser)).setCookies).toHaveLength(1);
      const late = browser.clone();
      await browser.login('alice');
      const answer = await write(late);
      expect(answer.body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
      expect(answer.setCookies).toEqual([]);
      // Whoever never got the answer to their login is a visitor again soon.
      clock.advance(31_000);
      expect((await write(late)).setCookies).toHaveLength(1);
    }
  });

  it('C-14: does not take the place of a new token either', async () => {
    const browser = new Client(await start());
    await browser.login('alice');
    const late = browser.clone();
    await browser.post('/rotate');
    expect(await write(late)).toMatchObject({ status: 401, setCookies: [] });
    expect((await browser.get('/me')).status).toBe(200);
  });

  it('begins a session after a logout as before', async () => {
    const browser = new Client(await start());
    await browser.login('alice');
    const late = browser.clone();
    await browser.post('/logout');
    expect((await write(late)).setCookies).toHaveLength(1);
  });
});
