/**
 * with a real browser: what it really says of where a request comes from, and which
 * cookies it really adds.
 */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ADAPTERS } from '../support/app.js';
import { launchBrowser } from '../support/browser.js';
import { until } from '../support/until.js';
import { type Target, startTarget } from './programs/cross-site.js';

/** Starting a browser takes its time on a busy machine. */
const TIMEOUT = 60_000;

let browser: Browser;
/** Other pages on this machine: another port of the same site, and another site. */
let other: Server;
let sibling: string;
let foreign: string;

beforeAll(async () => {
  browser = await launchBrowser();
  other = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>other</title>');
  });
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  sibling = `http://127.0.0.1:${port}`;
  foreign = `http://localhost:${port}`;
}, TIMEOUT);
afterAll(async () => {
  await browser.close();
  other.closeAllConnections();
  await new Promise((resolve) => void other.close(resolve));
});

describe.each(ADAPTERS)('pages in a browser, against %s', (adapter) => {
  let target: Target;
  let context: BrowserContext;
  let page: Page;
  /** Headers of what other pages sent, once it was answered. */
  let received: IncomingHttpHeaders[];
  beforeEach(async () => {
    // Production rules, since pages of this machine are trusted without.
    target = await startTarget(adapter, { production: true });
    received = [];
    const server = target.app.getHttpServer() as Server;
    server.on('request', ({ method, headers }, response) => {
      if (method !== 'POST' || headers['sec-fetch-site'] === 'same-origin') return;
      response.once('finish', () => received.push(headers));
    });
    context = await browser.newContext();
    page = await context.newPage();
  }, TIMEOUT);
  afterEach(async () => {
    await context.close();
    await target.close();
  });

  /** Runs a script in the page that finds a form with this action in `form`. */
  const inPage = (script: string, action: string): Promise<unknown> =>
    page.evaluate(`(() => {
      const form = document.createElement('form');
      form.method = 'POST';
      form.action = ${JSON.stringify(action)};
      ${script}
    })()`);
  /** Submits a form of this page, as a click would, and gives the status of the answer. */
  const submit = async (action: string): Promise<number | undefined> => {
    const [answer] = await Promise.all([
      page.waitForNavigation(),
      inPage(`document.body.append(form); form.submit();`, action),
    ]);
    return answer?.status();
  };
  /** A request by script that adds the cookies and may not read the answer. */
  const fetchBlindly = (url: string): Promise<void> =>
    page.evaluate(async (address) => {
      await fetch(address, { method: 'POST', mode: 'no-cors', credentials: 'include' });
    }, url);
  const logIn = async (): Promise<void> => {
    await page.goto(`${target.url}/hook`);
    const status = await page.evaluate(
      async () => (await fetch('/use/login', { method: 'POST' })).status,
    );
    expect(status).toBe(200);
    expect(await context.cookies(target.url)).toHaveLength(1);
  };

  it(
    'a page of ours may: by form and by script',
    async () => {
      await logIn();
      expect(await submit(`${target.url}/act`)).toBe(200);
      await page.goto(`${target.url}/hook`);
      await fetchBlindly(`${target.url}/act`);
      expect(target.controller.reached).toBe(2);
    },
    TIMEOUT,
  );

  it(
    'X-02: a sibling may not, although the browser adds the cookie',
    async () => {
      await logIn();
      await page.goto(sibling);
      await fetchBlindly(`${target.url}/act`);
      const [headers = {}] = received.splice(0);
      expect(headers['sec-fetch-site']).toBe('same-site');
      expect(headers.cookie?.startsWith('__Host-sid=')).toBe(true);
      expect(await submit(`${target.url}/act`)).toBe(403);
      expect(target.controller.reached).toBe(0);
    },
    TIMEOUT,
  );

  it(
    'X-03: a page of another site cannot log its visitors in or out',
    async () => {
      await page.goto(foreign);
      expect(await submit(`${target.url}/use/login`)).toBe(403);
      expect(await context.cookies(target.url)).toEqual([]);
      await logIn();
      await page.goto(foreign);
      expect(await submit(`${target.url}/use/logout`)).toBe(403);
      expect(await context.cookies(target.url)).toHaveLength(1);
    },
    TIMEOUT,
  );

  it(
    'a page that says nothing of itself cannot either',
    async () => {
      await logIn();
      await page.goto(sibling);
      await inPage(
        `const sandbox = document.createElement('iframe');
         sandbox.setAttribute('sandbox', 'allow-forms allow-scripts');
         sandbox.srcdoc = form.outerHTML + '<script>document.forms[0].submit()<' + '/script>';
         document.body.append(sandbox);`,
        `${target.url}/act`,
      );
      const [headers = {}] = await until(
        () => Promise.resolve(received),
        ({ length }) => length > 0,
      );
      expect(headers.origin).toBe('null');
      expect(target.controller.reached).toBe(0);
    },
    TIMEOUT,
  );
});
