/**
 * Applications whose store can be slowed down and stopped, beside the cookie plugins that
 * applications use.
 */
import type { ServerResponse } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import fastifyCookie from '@fastify/cookie';
import cookieParser from 'cookie-parser';
import { SessionService, memoryStore } from '../../src/index.js';
import { type FaultyStore, withFaults } from '../../src/testing/index.js';
import { type Adapter, type TestApp, type TestAppOptions, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { useClosing, useReleasing } from './applications.kit.js';

export const NAME = '__Host-sid';

/** What the two adapters' replies have in common here. */
export interface AnyReply {
  readonly raw?: ServerResponse;
  readonly setCookie?: (name: string, value: string, options?: object) => unknown;
  readonly cookie: (name: string, value: string, options?: object) => unknown;
  readonly header: (name: string, value: string) => unknown;
}

export const rawOf = (reply: AnyReply): ServerResponse =>
  reply.raw ?? (reply as unknown as ServerResponse);

/** The names of the cookies that are set. */
export const namesIn = (lines: readonly string[]): string[] =>
  lines.map((line) => line.slice(0, line.indexOf('='))).toSorted();

interface CookieApp extends TestApp {
  readonly port: number;
  readonly store: FaultyStore;
  readonly client: Client;
  readonly service: SessionService;
}

/** Lets all stores go on and closes all applications after each test of the block. */
export function useCookieApps(
  adapter: Adapter,
  module: TestAppOptions['module'] = {},
): (prepare?: TestAppOptions['prepare'], logger?: TestAppOptions['logger']) => Promise<CookieApp> {
  const release = useReleasing();
  const keep = useClosing();
  return async (prepare, logger = false) => {
    const store = release(withFaults(memoryStore()));
    const app = await startApp(adapter, {
      logger,
      session: { store },
      module,
      prepare: async (nest) => {
        await withCookiePlugin(nest, adapter);
        await prepare?.(nest);
      },
    });
    keep(app);
    const port = Number(new URL(app.url).port);
    const client = new Client(app.url);
    return { ...app, port, store, client, service: app.app.get(SessionService) };
  };
}

async function withCookiePlugin(app: INestApplication, adapter: Adapter): Promise<void> {
  if (adapter === 'fastify') {
    const { register } = app as unknown as { register(plugin: unknown): Promise<unknown> };
    await register.call(app, fastifyCookie);
  } else {
    app.use(cookieParser());
  }
}
