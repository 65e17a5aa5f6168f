import { findServer } from './servers/locate.js';

/** What is read here of the configuration that Jest hands over. */
interface GlobalConfig {
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

/**
 * Before a run of everything, has the servers brought onto a machine that has none: it may take
 * longer than a test is given. A run of selected files brings what it needs when it needs it.
 */
export default async function bringServers({ testPathPatterns }: GlobalConfig): Promise<void> {
  if (testPathPatterns.patterns.length > 0) return;
  for (const name of ['redis', 'valkey'] as const) {
    // Without one, the tests that need it fail and say why; the others can run all the same.
    await findServer(name).catch(() => {});
  }
}
