/**
 * The demo as people meet it: built from a copy of the sources like `npm start` does, run as a
 * process of its own, and used in a real browser.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
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

const PROJECT = process.cwd();
/** Not the project itself: its dist may be somebody else's, and a fresh clone has none. */
const COPY = join(resolve(process.env['BUILD_DIR'] || 'build'), 'demo');
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
const SLOW = 60_000;

const PASSWORDS = { alice: 'green-teapot', bob: 'paper-lantern', ada: 'admin-lighthouse' };

async function buildCopy(): Promise<void> {
  await rm(COPY, { recursive: true, force: true });
  await mkdir(COPY, { recursive: true });
  const notCopied = /^(?:node_modules|\.git|build.*|dist|coverage)$/;
  for (const part of await readdir(PROJECT)) {
    if (notCopied.test(part)) continue;
    const filter = (path: string): boolean => basename(path) !== 'dist';
    await cp(join(PROJECT, part), join(COPY, part), { recursive: true, filter });
  }
  await symlink(join(PROJECT, 'node_modules'), join(COPY, 'node_modules'), 'junction');
  for (const args of [['tools/build.mjs'], ['tools/start.mjs', '--build-only']]) {
    await runNode(args);
  }
}

function runNode(args: readonly string[]): Promise<void> {
  return new Promise((done, failed) => {
    execFile(process.execPath, args, { cwd: COPY }, (error, stdout, stderr) => {
      if (error) failed(new Error(`${args[0]} failed:\n${stdout}${stderr}`));
      else done();
    });
  });
}

class Demo {
  output = '';
  readonly #process: ChildProcess;

  private constructor(env: NodeJS.ProcessEnv) {
    this.#process = spawn(process.execPath, ['demo/dist/main.js'], {
      cwd: COPY,
      env: { ...process.env, PORT: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  static start(env: NodeJS.ProcessEnv): Promise<{ demo: Demo; url: string }> {
    const demo = new Demo(env);
    const { stdout, stderr } = demo.#process;
    return new Promise((started, failed) => {
      for (const stream of [stdout, stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          demo.output += text;
          const url = /http:\/\/localhost:\d+/.exec(demo.output)?.[0];
          if (url) started({ demo, url });
        });
      }
      demo.#process.once('exit', () => failed(new Error(`the demo stopped:\n${demo.output}`)));
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
  }
}

beforeAll(buildCopy, 2 * SLOW);

describe.each(ADAPTERS)('the demo on %s', (adapter) => {
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  let browser: Browser;
  let demo: Demo;
  let url: string;

  beforeAll(async () => {
    ({ demo, url } = await Demo.start({ DEMO_ADAPTER: adapter, DEMO_MAX_SESSIONS: '2' }));
    browser = await launchBrowser();
  }, SLOW);

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  }, SLOW);

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: url, ...options });
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

  async function logIn(page: Page, username: keyof typeof PASSWORDS): Promise<void> {
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password').fill(PASSWORDS[username]);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Your account' }).waitFor();
  }

  async function openAs(username: keyof typeof PASSWORDS, userAgent?: string): Promise<Page> {
    const page = await open({ ...(userAgent && { userAgent }) });
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

  /** Waits until the page is back at the login; the code that it shows. */
  async function endOf(page: Page): Promise<string | null> {
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    return page.getByRole('alert').locator('code').textContent();
  }

  it(
    'lists the devices of a user, and tells the one that is revoked why',
    async () => {
      const first = await openAs('alice', FIREFOX);
      const second = await openAs('alice');
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
      const fourth = await openAs('bob');
      expect(await endOf(second)).toBe('ERR_SESSION_EVICTED');
      await waitForDevices(third, 2);
      await waitForDevices(fourth, 2);
    },
    SLOW,
  );

  it('fits a narrow screen', async () => {
    const page = await open({ viewport: { width: 360, height: 740 } });
    const widths: number[] = [];
    const measure = async (): Promise<void> => {
      widths.push(await page.evaluate('document.documentElement.scrollWidth'));
    };
    await measure();
    await logIn(page, 'ada');
    await measure();
    await page.getByRole('link', { name: 'Administration' }).click();
    await page.getByRole('heading', { name: 'Administration' }).waitFor();
    await measure();
    expect(widths).toEqual([360, 360, 360]);
  });

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
    'shows an administrator live numbers and lets them revoke',
    async () => {
      const page = await openAs('bob');
      const admin = await openAs('ada');
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
      const session = admin.getByRole('row').filter({ hasText: 'Bob Lindqvist' }).first();
      await session.getByRole('button', { name: 'Revoke all of Bob Lindqvist' }).click();
      expect(await endOf(page)).toBe('ERR_SESSION_REVOKED');
    },
    SLOW,
  );

  it('shows an ordinary user no administration', async () => {
    const page = await openAs('alice');
    expect(await page.getByRole('link', { name: 'Administration' }).count()).toBe(0);
    await page.goto('/#/admin');
    await page.getByText('403: For administrators only').waitFor();
    for (const path of ['/admin/stats', '/admin/activity', '/admin/sessions']) {
      expect((await page.request.get(path)).status()).toBe(403);
    }
  });

  it(
    'ends an idle session in spite of its polling page, which says why',
    async () => {
      // More than the page waits between two polls.
      const short = await Demo.start({ DEMO_ADAPTER: adapter, DEMO_IDLE: '5s' });
      try {
        const page = await open({ baseURL: short.url });
        await logIn(page, 'alice');
        expect(await endOf(page)).toBe('ERR_SESSION_IDLE');
      } finally {
        await short.demo.stop();
      }
    },
    SLOW,
  );

  it('answers JSON: health, and what is wrong with a request', async () => {
    const health = await fetch(`${url}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'ok' });

    const post = (body: string, type = 'application/json'): Promise<Response> =>
      fetch(`${url}/login`, { method: 'POST', body, headers: { 'Content-Type': type } });
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
    expect(demo.output).toContain(`${adapter} serves the demo`);
    expect(demo.output).not.toMatch(/nsk_[\w-]{96}/);
  });
});
