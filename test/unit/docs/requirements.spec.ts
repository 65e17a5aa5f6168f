/**
 * The table of security requirements is complete, and claims no test that does not exist.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** How many requirements there are of each kind; ids count from 01. */
const KINDS = {
  T: 14, // token
  C: 16, // cookie
  R: 16, // fixation, rotation, reuse
  E: 12, // timeouts and clock
  V: 13, // ends and revocation
  K: 7, // concurrency
  X: 7, // cross-site and other channels
  S: 14, // stores
  D: 6, // session data
  Q: 7, // abuse and load
  F: 5, // failing closed
  L: 11, // logs, privacy, administration
  G: 4, // configuration and supply
};
const OPTIONAL = ['V-13', 'S-13', 'G-04'];
const SHOULD = 'T-14 C-16 R-07 E-09 E-12 V-10 S-07 S-12 Q-02 Q-07 L-07 L-10 L-11 X-04 G-03'.split(
  ' ',
);
const WITH_TEST = ['tested', 'partly tested'];
const WITHOUT_TEST = ['no named test', 'not yet', 'does not apply'];

/** A title begins with its ids and a colon; other marks, such as P1, may stand among them. */
const TITLE = /['"`]((?:[A-Z]-?\d{1,3}[a-z]?, )*[A-Z]-?\d{1,3}): /g;
const ID = /\b[A-Z]-\d{2}\b/g;

const files = ['test', 'src/testing'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path).replaceAll('\\', '/')),
);
const idsByFile = new Map(
  files.map((path) => {
    const titles = [...readFileSync(path, 'utf8').matchAll(TITLE)];
    return [path, new Set(titles.flatMap(([, ids = '']) => ids.match(ID) ?? []))];
  }),
);

const rows = readFileSync('docs/security/requirements.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-Z]-\d{2} /.test(line))
  .map((line) => {
    // A bar inside of a cell is written with a backslash.
    const [, id = '', priority = '', requirement = '', how = '', state = '', proof = ''] = line
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    const tests = [...proof.matchAll(/\]\(\.\.\/\.\.\/([^)]+)\)/g)].map(([, path = '']) => path);
    return { id, priority: Number(priority), requirement, how, state, proof, tests };
  });
const ids = rows.map(({ id }) => id);

describe('docs/security/requirements.md', () => {
  it('has every requirement once', () => {
    const known = Object.entries(KINDS).flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, i) => `${kind}-${String(i + 1).padStart(2, '0')}`),
    );
    expect(ids).toEqual(known);
  });

  it('has the priorities', () => {
    const expected = ids.map((id) => {
      if (OPTIONAL.includes(id)) return 3;
      return SHOULD.includes(id) ? 2 : 1;
    });
    expect(rows.map(({ priority }) => priority)).toEqual(expected);
  });

  it('lists every id that stands in a title', () => {
    const named = new Set([...idsByFile.values()].flatMap((all) => [...all]));
    expect(named.size).toBeGreaterThan(80);
    expect([...named].filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('calls tested only what a test in the linked file names', () => {
    const claims = rows.flatMap(({ id, tests }) => tests.map((path) => ({ id, path })));
    expect(claims.length).toBeGreaterThan(80);
    expect(claims.filter(({ id, path }) => !idsByFile.get(path)?.has(id))).toEqual([]);
  });

  it('has a test or a reason in every row, and never both a test and none', () => {
    const wrong = rows.filter(({ requirement, how, state, proof, tests }) => {
      if (requirement === '' || how === '' || proof === '') return true;
      if (tests.length > 0) return !WITH_TEST.includes(state);
      return !WITHOUT_TEST.includes(state);
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  it('says of what is partly tested which part is missing', () => {
    const silent = rows.filter(
      ({ state, proof }) => state === 'partly tested' && !proof.endsWith('.'),
    );
    expect(silent.map(({ id }) => id)).toEqual([]);
  });
});
