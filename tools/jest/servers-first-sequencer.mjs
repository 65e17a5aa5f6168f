import Sequencer from '@jest/test-sequencer';

/** Specs that run against servers take the longest; a clone that never ran them does not know. */
const isLong = ({ path }) => /[/\\]test[/\\](?:contract|redis)[/\\]/.test(path);

/** Jest's own order, but with those first, so that no worker is left with a long one at the end. */
export default class ServersFirstSequencer extends Sequencer {
  async sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- not the method of arrays
    const sorted = await super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
