/**
 * What is let go and closed after each test: stores with faults, and applications of which a spec
 * decides more than `startApp` lets it.
 */
import { afterEach } from '@jest/globals';
import type { ModuleMetadata } from '@nestjs/common';
import { type SessionModuleOptions, memoryStore } from '../../src/index.js';
import type { FaultyStore } from '../../src/testing/index.js';
import { type Adapter, SECRET } from '../support/app.js';
import { Client } from '../support/client.js';
import { type Application, type ApplicationOptions, listen } from './programs/application.js';

/** Takes what is to be closed after a test of this block, and gives it back. */
export function useClosing(): <T extends { close(): unknown }>(thing: T) => T {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((thing) => thing.close()));
  });
  return (thing) => {
    open.push(thing);
    return thing;
  };
}

/** Takes a store that is to go on after a test of this block, and gives it back. */
export function useReleasing(): (store: FaultyStore) => FaultyStore {
  const stores: FaultyStore[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) {
      store.plan({});
      store.release();
    }
  });
  return (store) => {
    stores.push(store);
    return store;
  };
}

/** Starts one with a client of its own. */
export function useApplications(
  adapter: Adapter,
): (
  metadata: ModuleMetadata,
  options?: ApplicationOptions,
) => Promise<Application & { readonly client: Client }> {
  const keep = useClosing();
  return async (metadata, options) => {
    const app = keep(await listen(adapter, metadata, options));
    return { ...app, client: new Client(app.url) };
  };
}

/** Options of which nothing is missing. */
export const quiet = (options: SessionModuleOptions = {}): SessionModuleOptions => ({
  secret: SECRET,
  store: memoryStore(),
  cleanup: false,
  ...options,
});
