import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';

import { OPTION_KEYS, OPTION_PATHS } from '../../../src/core/config-keys.js';
import { type SessionConfig, resolveOptions } from '../../../src/core/config.js';
import { SessionConfigError } from '../../../src/core/errors.js';

const seed = Number(process.env['TEST_SEED'] ?? 1);
const SECRET = 'q3Zk7xW1vB9mN4cJ8hG2dS6fL0pR5tYu';

/** Names an option, has no control character and no full stop at the end. */
const SENTENCE = /^[\w$.[\]-]+ [^\p{C}]+[^\p{C}.]$/u;

/** A configuration or the problems; whatever else is thrown fails the test. */
function outcomeOf(options: unknown, production = false): SessionConfig | readonly string[] {
  try {
    return resolveOptions(options, { production });
  } catch (error) {
    if (!(error instanceof SessionConfigError)) throw error;
    return error.problems;
  }
}

function problemsOf(options: unknown): readonly string[] {
  const outcome = outcomeOf(options);
  return 'ring' in outcome ? [] : outcome;
}

/** An object with this value at the path of an option. */
function optionsWith(path: string, value: unknown): Record<string, unknown> {
  const options: Record<string, unknown> = { secret: SECRET };
  const steps = path.replace('<name>', 'kiosk').split('.');
  const last = steps.pop() ?? '';
  let group = options;
  for (const step of steps) {
    const inner: Record<string, unknown> = {};
    group[step] = inner;
    group = inner;
  }
  group[last] = value;
  return options;
}

describe('garbage', () => {
  const value = fc.anything({
    maxDepth: 2,
    maxKeys: 3,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  });
  const plausible = fc.oneof(
    value,
    fc.constantFrom(0, 1, 500, 1e9, '30m', '1h', '0s', 'lax', 'none', 'global', true, false, '/'),
  );
  const groupOf = (keys: readonly string[]): fc.Arbitrary<unknown> =>
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record(Object.fromEntries(keys.map((key) => [key, plausible])), {
          requiredKeys: [],
        }),
      },
      { weight: 1, arbitrary: value },
    );
  const { root, limits, ...groups } = OPTION_KEYS;
  const anyOptions = fc.record(
    {
      ...Object.fromEntries(root.map((key) => [key, plausible])),
      ...Object.fromEntries(Object.entries(groups).map(([name, keys]) => [name, groupOf(keys)])),
      timeouts: fc.record(
        {
          idle: plausible,
          remembered: groupOf(limits),
          classes: fc.dictionary(fc.string(), groupOf(limits)),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );

  it('gives a frozen configuration or a SessionConfigError, never another error', () => {
    fc.assert(
      fc.property(fc.oneof(value, anyOptions), fc.boolean(), (options, production) => {
        const outcome = outcomeOf(options, production);
        const isGood =
          'ring' in outcome
            ? Object.isFrozen(outcome)
            : outcome.length > 0 && outcome.every((problem) => SENTENCE.test(problem));
        expect([isGood, outcome]).toEqual([true, outcome]);
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it('is met at every single option', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPTION_PATHS), plausible, (path, garbage) => {
        const group = path.replace('<name>', 'kiosk').replace(/\.\w+$/, '');
        const outcome = outcomeOf(optionsWith(path, garbage));
        if ('ring' in outcome) return;
        // Some sentences begin with the cookie's prefix; all of them name an option of the group.
        for (const problem of outcome) expect(problem).toContain(group.split('.')[0]);
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it('does not change the options', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const before = inspect(options, { depth: 9, showHidden: true });
        outcomeOf(options);
        expect(inspect(options, { depth: 9, showHidden: true })).toBe(before);
      }),
      { seed, numRuns: 200 },
    );
  });
});

describe('hostile objects', () => {
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  };
  const throwing = new Proxy(
    {},
    Object.fromEntries(
      ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'].map((trap) => [
        trap,
        () => {
          throw new Error(SECRET);
        },
      ]),
    ),
  );
  const fails = (): never => {
    throw new Error(SECRET);
  };

  it.each(OPTION_PATHS)('a getter that throws at %s is reported', (path) => {
    const options = optionsWith(path, undefined);
    const steps = path.replace('<name>', 'kiosk').split('.');
    const last = steps.pop() ?? '';
    const group = steps.reduce((object, step) => object[step] as Record<string, unknown>, options);
    Object.defineProperty(group, last, { get: fails, enumerable: true });
    const name = [...steps, last].join('.');
    expect(problemsOf(options)).toEqual([`${name} could not be read: its getter threw`]);
  });

  it('a getter under a key that is no name is reported without the key', () => {
    const classes = Object.defineProperty({}, `${SECRET}\n`, { get: fails, enumerable: true });
    expect(problemsOf({ secret: SECRET, timeouts: { classes } })[0]).toBe(
      'timeouts.classes could not be read: its getter threw',
    );
  });

  it.each([
    ['a revoked proxy', revoked()],
    ['a proxy that throws', throwing],
    ['a proxy that hides its keys', new Proxy({}, { ownKeys: fails })],
    ['an object with a strange tag', { [Symbol.toStringTag]: '\n'.repeat(99) }],
    ['an object whose tag throws', Object.defineProperty({}, Symbol.toStringTag, { get: fails })],
    ['a list whose items throw', Object.defineProperty([1], 0, { get: fails })],
    ['an object that cannot be made a text', { toString: fails, valueOf: fails, toJSON: fails }],
    ['a list that lies about its length', new Proxy([], { get: () => -1 })],
    ['bytes that are gone', structuredCloneAway(new Uint8Array(64))],
  ])('%s is reported at every option', (_, hostile) => {
    expect(problemsOf(hostile).length).toBeGreaterThan(0);
    const lists = ['data.keepOnLogin', 'data.encrypt', 'crossSite.trustedOrigins'];
    for (const path of OPTION_PATHS.filter((one) => !lists.includes(one))) {
      if (path === 'cleanup' && Object.keys(Object(hostile === throwing ? {} : {})).length > 0)
        continue;
      const problems = problemsOf(optionsWith(path, hostile));
      expect([path, problems.length]).not.toEqual([path, 0]);
      expect(problems.join()).not.toContain(SECRET);
    }
    // An empty list is a good one here, wherever it comes from.
    for (const path of lists) outcomeOf(optionsWith(path, hostile));
  });
});

/** Its buffer was handed to somebody else. */
function structuredCloneAway(bytes: Uint8Array): Uint8Array {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
  return bytes;
}

describe('secrets in messages', () => {
  // A secret ends up in the wrong option more easily than one thinks.
  const MISPLACED = [...OPTION_PATHS, 'timeouts.classes'].filter(
    (path) => !['secret', 'cookie.name'].includes(path),
  );

  it.each(MISPLACED)('a secret given as %s is not repeated', (path) => {
    for (const value of [SECRET, `redis://:${SECRET}@db:6379`, [SECRET], { [SECRET]: SECRET }]) {
      const shown = problemsOf(optionsWith(path, value)).join('\n');
      expect(shown).not.toContain(SECRET);
    }
  });

  it('one that is refused is not repeated, whatever is wrong with it', () => {
    for (const secret of [
      'changeme-Xq7',
      'hunter2-hunter2',
      `${SECRET}\uD800`,
      [SECRET, 'short-Wq9'],
    ]) {
      const problems = problemsOf({ secret });
      expect(problems).toHaveLength(1);
      for (const part of ['Xq7', 'hunter2', SECRET, 'Wq9']) expect(problems[0]).not.toContain(part);
    }
  });
});
