import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const PROGRAM = fileURLToPath(new URL('./programs/rotation-simulation.js', import.meta.url));
const SESSIONS = 1500;
const SEED = Number(process.env['TEST_SEED'] ?? 1) % 2 ** 31;

describe(`a simulation of periodic rotation (seed ${SEED})`, () => {
  it.each([
    { lost: 0.005, fewest: 1, most: 4 },
    { lost: 0.03, fewest: 1, most: 2 },
  ])(
    `ends none of ${SESSIONS} honest sessions of eight hours: $lost of the responses lost, $fewest to $most requests a page`,
    async ({ lost, fewest, most }) => {
      const args = [PROGRAM, SEED, SESSIONS, lost, fewest, most].map(String);
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const { ended, rotations } = JSON.parse(stdout) as { ended: string[]; rotations: number };
      expect(ended).toEqual([]);
      // About 32 in eight hours: the simulation has really rotated.
      expect(rotations / SESSIONS).toBeGreaterThan(20);
    },
    300_000,
  );
});
