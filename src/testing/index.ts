/**
 * nestjs-session-kit/testing: for the tests of applications, and of session stores.
 */
export { type SessionTestingOptions, SessionTestingModule } from './testing.module.js';
export { type ActingAs, type BrowserCookie, actingAs } from './acting-as.js';
export { type ManualClock, manualClock } from './clock.js';
export {
  type FaultPlan,
  type FaultyStore,
  type StoreFault,
  type StoreOperation,
  withFaults,
} from './faults.js';
export {
  type Capability,
  type ContractMatchers,
  type ContractRunner,
  type ContractTest,
  type StoreCapabilities,
  type StoreContents,
  type StoreHarness,
  type StoreUnderTest,
  describeStoreContract,
} from './contract/suite.js';
