import { describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../src/index.js';
import {
  type StoreCapabilities,
  type StoreContents,
  describeStoreContract,
  manualClock,
} from '../../src/testing/index.js';

const seed = Number(process.env['TEST_SEED'] ?? 1);
const severalInstances = { missing: 'it lives in one process' };
const capabilities: StoreCapabilities = { movableClock: true, severalInstances, inspection: true };

describeStoreContract(
  'memory',
  { describe, expect, it },
  {
    seed,
    capabilities,
    create: async (settings) => {
      const clock = manualClock();
      const store = memoryStore({ clock: clock.now });
      const advance = async (ms: number): Promise<void> => clock.advance(ms);
      return { store, settings, advance, inspect: () => inspect(store), close: async () => {} };
    },
  },
);

// As a store with a clock of its own is tested: with short timeouts that really pass.
describeStoreContract(
  'memory with the real clock',
  { describe, expect, it },
  {
    seed,
    effort: 0.2,
    capabilities: { ...capabilities, movableClock: { missing: 'it is the real one' } },
    create: async (settings) => {
      const store = memoryStore();
      return { store, settings, inspect: () => inspect(store), close: async () => {} };
    },
  },
);

async function inspect(store: ReturnType<typeof memoryStore>): Promise<StoreContents> {
  const { sessions, tombstones, indexEntries } = store.inspect();
  return { sessions, tombstones, indexEntries };
}
