/**
 * An application on a bench for hostile clients, and what they make of a genuine token.
 */
import {
  type SessionEvents,
  type SessionModuleOptions,
  SessionService,
  memoryStore,
} from '../../src/index.js';
import { type FaultyStore, withFaults } from '../../src/testing/index.js';
import { type Adapter, type TestAppOptions, startApp } from '../support/app.js';
import { Client } from '../support/client.js';
import { useClosing } from './applications.kit.js';
import { type RawRequest, sendRaw } from './programs/raw-http.js';

export const NAME = '__Host-sid';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export interface Bench {
  readonly port: number;
  readonly url: string;
  readonly store: FaultyStore;
  readonly service: SessionService;
  readonly ambiguous: SessionEvents['session.ambiguous'][];
  /** Logs a user in and gives the bare token. */
  tokenOf(user: string): Promise<string>;
  send(request: RawRequest): ReturnType<typeof sendRaw>;
  /** Number of store calls that something caused. */
  callsDuring(something: () => Promise<unknown>): Promise<number>;
}

/** Closes what it started after each test of the block. */
export function useBench(
  adapter: Adapter,
  module: TestAppOptions['module'] = {},
): (session?: SessionModuleOptions) => Promise<Bench> {
  const keep = useClosing();
  return async (session = {}) => {
    const store = withFaults(memoryStore());
    const app = keep(await startApp(adapter, { session: { store, ...session }, module }));
    const service = app.app.get(SessionService);
    const ambiguous: SessionEvents['session.ambiguous'][] = [];
    service.on('session.ambiguous', (event) => void ambiguous.push(event));
    const port = Number(new URL(app.url).port);
    return {
      port,
      url: app.url,
      store,
      service,
      ambiguous,
      tokenOf: async (user) => {
        const client = new Client(app.url);
        await client.login(user);
        return client.cookies.slice(NAME.length + 1);
      },
      send: (request) => sendRaw(port, request),
      callsDuring: async (something) => {
        const before = sum(store.calls);
        await something();
        return sum(store.calls) - before;
      },
    };
  };
}

function sum(calls: FaultyStore['calls']): number {
  return Object.values(calls).reduce((total, count) => total + count, 0);
}

/** Well-formed, with the key id of a genuine token, and a tag that is wrong. */
export function forge(genuine: string, i: number): string {
  // Behind prefix, version and key id: bucket, sid, generation, deadline, secret or tag.
  const at = 6 + (i % 94);
  const old = BASE64URL.indexOf(genuine[at] ?? '');
  const other = BASE64URL[(old + 1 + (i % 63)) % 64] ?? '';
  return genuine.slice(0, at) + other + genuine.slice(at + 1);
}
