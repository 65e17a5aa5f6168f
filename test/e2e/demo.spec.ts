/**
 * The demo as people meet it: built and run like `npm start` does, and used in a real browser.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Locator,
  Page,
} from 'playwright-core';
import { ADAPTERS } from '../support/app.js';
import { launchBrowser } from '../support/browser.js';
import { type Demo, PASSWORDS, type UserName, buildDemo, startDemo } from '../support/demo.js';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
const PHONE = { width: 360, height: 740 };
const SLOW = 60_000;

let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([launchBrowser(), buildDemo()]);
}, 2 * SLOW);

afterAll(() => browser?.close(), SLOW);

describe.each(ADAPTERS)('the demo on %s', (adapter) => {
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  let demo: Demo;
  /** Ends sessions that are not used, soon; but later than a page polls. */
  let hasty: Demo;
  /** Logged in there, and left alone while other tests run. */
  let idle: Page;

  beforeAll(async () => {
    [demo, hasty] = await Promise.all([
      startDemo({ DEMO_ADAPTER: adapter, DEMO_MAX_SESSIONS: '2' }),
      startDemo({ DEMO_ADAPTER: adapter, DEMO_IDLE: '5s' }),
    ]);
    idle = await open({ baseURL: hasty.url });
    await logIn(idle, 'alice');
    // The first tests must not close it.
    contexts.pop();
  }, 2 * SLOW);

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });

  afterAll(() => Promise.all([demo?.stop(), hasty?.stop()]), SLOW);

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: demo.url, ...options });
    contexts.push(context);
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text());
    });
    await page.goto('/');
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }

  async function logIn(page: Page, username: UserName): Promise<void> {
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password').fill(PASSWORDS[username]);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Your account' }).waitFor();
  }

  async function openAs(username: UserName, options?: BrowserContextOptions): Promise<Page> {
    const page = await open(options);
    await logIn(page, username);
    return page;
  }

  const devicesOf = (page: Page): Locator =>
    page.getByRole('list', { name: 'Your devices' }).getByRole('listitem');

  /** Waits for the list to have so many; it refreshes itself. */
  async function waitForDevices(page: Page, count: number): Promise<void> {
    await devicesOf(page)
      .nth(count - 1)
      .waitFor();
    await devicesOf(page).nth(count).waitFor({ state: 'detached' });
  }

  /** Of all that can be scrolled to. */
  const widthOf = (page: Page): Promise<unknown> =>
    page.evaluate('document.documentElement.scrollWidth');

  /** Waits until the page is back at the login; the code that it shows. */
  async function endOf(page: Page): Promise<string | null> {
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    return page.getByRole('alert').locator('code').textContent();
  }

  it(
    'lists the devices of a user, and tells the one that is revoked why',
    async () => {
      const [first, second] = await Promise.all([
        openAs('alice', { userAgent: FIREFOX }),
        openAs('alice'),
      ]);
      await waitForDevices(first, 2);
      await waitForDevices(second, 2);
      const current = devicesOf(first).filter({ hasText: 'this one' });
      expect(await current.textContent()).toContain('Firefox 145 · Windows');
      expect(await first.getByRole('timer').allTextContents()).toEqual([
        expect.stringMatching(/^(30:00|29:\d\d)$/),
        expect.stringMatching(/^(24:00:00|23:59:\d\d)$/),
      ]);

      await second.getByRole('button', { name: 'Revoke Firefox 145 · Windows' }).click();
      expect(await endOf(first)).toBe('ERR_SESSION_REVOKED');
      await waitForDevices(second, 1);

      await second.getByRole('button', { name: 'Log out' }).click();
      await second.getByRole('heading', { name: 'Log in' }).waitFor();
      expect(await second.getByRole('alert').filter({ hasText: 'ERR_' }).count()).toBe(0);
      expect(await second.context().cookies()).toEqual([]);
    },
    SLOW,
  );

  it(
    'evicts the session that was not used for the longest time, and says so',
    async () => {
      const first = await openAs('bob');
      const second = await openAs('bob');
      const third = await openAs('bob');
      expect(await endOf(first)).toBe('ERR_SESSION_EVICTED');
      await waitForDevices(second, 2);
      await waitForDevices(third, 2);
    },
    SLOW,
  );

  it(
    'ends an idle session in spite of its polling page, which says why',
    async () => {
      expect(await endOf(idle)).toBe('ERR_SESSION_IDLE');
      await idle.context().close();
    },
    SLOW,
  );

  it('refuses a wrong password, for known and unknown names alike', async () => {
    const page = await open();
    for (const username of ['alice', 'nobody']) {
      await page.getByLabel('User name').fill(username);
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText('Wrong user name or password').waitFor();
    }
    expect(await page.context().cookies()).toEqual([]);
  });

  it(
    'takes the basket of a visitor through the login, and keeps data per session',
    async () => {
      const page = await open();
      await page.getByRole('button', { name: '+ tea' }).click();
      await page.getByText('1 × tea').waitFor();
      await logIn(page, 'alice');
      await page.getByText('1 × tea').waitFor();

      await page.getByLabel('A note').fill('<b>milk</b>');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved').waitFor();
      await page.reload();
      await page.getByText('Visits to this page2').waitFor();
      expect(await page.getByLabel('A note').inputValue()).toBe('<b>milk</b>');
    },
    SLOW,
  );

  it(
    'keeps users out of the administration, which shows live numbers, fits a phone and revokes',
    async () => {
      const [user, admin] = await Promise.all([openAs('bob'), open({ viewport: PHONE })]);
      const widths = [await widthOf(admin)];
      await logIn(admin, 'ada');
      widths.push(await widthOf(admin));
      expect(await user.getByRole('link', { name: 'Administration' }).count()).toBe(0);
      await user.goto('/#/admin');
      await user.getByText('403: For administrators only').waitFor();
      for (const path of ['/admin/stats', '/admin/activity', '/admin/sessions']) {
        expect((await user.request.get(path)).status()).toBe(403);
      }

      await admin.getByRole('link', { name: 'Administration' }).click();
      for (const chart of [
        /^Active sessions now \d+/,
        /^Logins per minute .*: \d+/,
        /^Ends by reason .*evicted: [1-9]/,
        /^How long sessions lasted up to 1 min: \d+/,
        /^Sessions per user users with 1: \d+/,
        /^Failed logins per minute .*: [12]/,
      ]) {
        await admin.getByRole('img', { name: chart }).waitFor();
      }
      widths.push(await widthOf(admin));
      expect(widths).toEqual([PHONE.width, PHONE.width, PHONE.width]);
      const session = admin.getByRole('row').filter({ hasText: 'Bob Lindqvist' }).first();
      await session.getByRole('button', { name: 'Revoke all of Bob Lindqvist' }).click();
      expect(await endOf(user)).toBe('ERR_SESSION_REVOKED');
    },
    SLOW,
  );

  it('answers JSON: health, and what is wrong with a request', async () => {
    const health = await fetch(`${demo.url}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'ok' });

    const post = (body: string, type = 'application/json'): Promise<Response> =>
      fetch(`${demo.url}/login`, { method: 'POST', body, headers: { 'Content-Type': type } });
    const refused = await post('{"username":1,"password":""}');
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ message: expect.stringContaining('"username"') });
    expect((await post('{"username"')).status).toBe(400);
    expect((await post('[]')).status).toBe(400);
    const form = await post('username=alice', 'application/x-www-form-urlencoded');
    expect([400, 415]).toContain(form.status);
  });

  it('has met no broken script, no breach of the page policy and no token in the log', () => {
    expect(complaints).toEqual([]);
    expect(demo.output()).toContain(`${adapter} serves the demo`);
    expect(demo.output()).not.toMatch(/nsk_[\w-]{96}/);
  });
});
