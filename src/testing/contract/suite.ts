import { Contract } from './contract.js';
import { describeCreate } from './create.js';
import { describeEveryone } from './everyone.js';
import { describeFields } from './fields.js';
import { describeHistory } from './history.js';
import { describeHostileInput } from './hostile.js';
import { describeLate } from './late.js';
import { describeList } from './list.js';
import { describePage } from './page.js';
import { describeRaces } from './races.js';
import { describeReuse } from './reuse.js';
import { describeRevoke } from './revoke.js';
import { describeOldTokens } from './old-tokens.js';
import { describeRotation } from './rotation.js';
import { describeStatistics } from './statistics.js';
import { describeSweep } from './sweep.js';
import type { ContractRunner, StoreHarness } from './harness.js';
import { describeLayout } from './layout.js';
import { describeLimit } from './limit.js';
import { describeTimeouts } from './timeouts.js';
import { describeTouch } from './touch.js';

export type {
  Capability,
  ContractMatchers,
  ContractRunner,
  ContractTest,
  StoreCapabilities,
  StoreContents,
  StoreHarness,
  StoreUnderTest,
} from './harness.js';

/**
 * The tests that every session store has to pass: hands them to the runner.
 *
 * @example
 * ```ts
 * import { describe, expect, it } from '@jest/globals';
 *
 * describeStoreContract('my store', { describe, expect, it }, {
 *   capabilities: {
 *     movableClock: { missing: 'the server has a clock of its own' },
 *     severalInstances: true,
 *     inspection: { missing: 'not written yet' },
 *   },
 *   create: async (settings) => ({
 *     store: new MyStore(),
 *     settings,
 *     connect: async () => new MyStore(),
 *     close: async () => {},
 *   }),
 * });
 * ```
 *
 * @public
 */
export function describeStoreContract(
  name: string,
  runner: ContractRunner,
  harness: StoreHarness,
): void {
  const contract = new Contract(runner, harness);
  runner.describe(`${name} as a session store`, () => {
    describeLayout(contract);
    describeCreate(contract);
    describeLimit(contract);
    describeTimeouts(contract);
    describeTouch(contract);
    describeFields(contract);
    describeRotation(contract);
    describeOldTokens(contract);
    describeReuse(contract);
    describeRevoke(contract);
    describeEveryone(contract);
    describeList(contract);
    describePage(contract);
    describeSweep(contract);
    describeStatistics(contract);
    describeLate(contract);
    describeHostileInput(contract);
    describeRaces(contract);
    describeHistory(contract);
  });
}
