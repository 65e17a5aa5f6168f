import Sequencer from '@jest/test-sequencer';

/** Specs that run against servers take the longest; a clone that never ran them does not know. */
const SERVERS = /[/\\]test[/\\](?:contract|redis)[/\\]/;

/** Jest's own order, but with those first, so that no worker is left with a long one at the end. */
export default class ServersFirstSequencer extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const isLong = ({ path }) => SERVERS.test(path);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
