/**
 * G-01: whatever an application is less strict about than the defaults shows up by name.
 */
import { describe, expect, it } from '@jest/globals';

import { type AuditFinding, auditConfig } from '../../../src/core/config-audit.js';
import { OPTION_PATHS } from '../../../src/core/config-keys.js';
import { type ConfigEnvironment, resolveOptions } from '../../../src/core/config.js';
import { SessionConfigError } from '../../../src/core/errors.js';
import { memoryStore } from '../../../src/stores/memory/memory.store.js';

const SECRET = 'q3Zk7xW1vB9mN4cJ8hG2dS6fL0pR5tYu';

function audit(
  options: Readonly<Record<string, unknown>>,
  environment: ConfigEnvironment = { production: false },
): readonly AuditFinding[] {
  return auditConfig(resolveOptions({ secret: SECRET, ...options }, environment));
}

/** A finding in one line: what it says, in the order of its parts. */
function lineOf({ option, value, safeValue, why, requirement }: AuditFinding): string {
  return `${option}: ${value} (${safeValue}) ${why} ${requirement}`;
}

describe('G-01: auditConfig', () => {
  it('has nothing to say about the defaults, in development and in production', () => {
    expect(audit({})).toEqual([]);
    expect(auditConfig(resolveOptions({}, { production: false }))).toEqual([]);
    const store = Object.assign(memoryStore(), { name: 'lasting' });
    expect(audit({ store }, { production: true })).toEqual([]);
  });

  it('has nothing to say about stricter options', () => {
    const options = {
      timeouts: { idle: '5m', absolute: '1h', touchInterval: 0 },
      concurrency: { max: 1, atLimit: 'reject' },
      rotation: { interval: '10m', grace: '10s' },
      cookie: { sameSite: 'strict' },
      crossSite: { token: true },
      storeDeadline: '250ms',
      data: { maxFieldBytes: 100, maxSessionBytes: 1_000, maxFields: 3 },
      guard: 'global',
    };
    expect(audit(options)).toEqual([]);
  });

  it('tells everything about a finding, and cannot be changed', () => {
    const findings = audit({ crossSite: { insecureAllow: true } });
    expect(findings).toEqual([
      {
        option: 'crossSite.insecureAllow',
        value: 'true',
        safeValue: 'false',
        why: 'pages of other sites can act in the name of users',
        requirement: 'X-01',
      },
    ]);
    expect(Object.isFrozen(findings)).toBe(true);
    expect(Object.isFrozen(findings[0])).toBe(true);
  });

  const IDLE = 'whoever finds the browser open has longer to use it E-01';
  const ABSOLUTE = 'a stolen session that is kept in use lives longer E-02';
  const FILLS = 'one client can fill more of the store D-05';

  it.each<[Readonly<Record<string, unknown>>, string[]]>([
    [{ timeouts: { idle: '31m' } }, [`timeouts.idle: 31 m (30 m) ${IDLE}`]],
    [{ timeouts: { absolute: '25h' } }, [`timeouts.absolute: 25 h (24 h) ${ABSOLUTE}`]],
    [
      { timeouts: { remembered: { idle: '15d', absolute: '60d' } } },
      [
        `timeouts.remembered.idle: 15 d (14 d) ${IDLE}`,
        `timeouts.remembered.absolute: 60 d (30 d) ${ABSOLUTE}`,
      ],
    ],
    [
      { timeouts: { anonymous: { idle: '2h', absolute: '7d' } } },
      [
        `timeouts.anonymous.idle: 2 h (30 m) ${IDLE}`,
        `timeouts.anonymous.absolute: 7 d (24 h) ${ABSOLUTE}`,
      ],
    ],
    [
      { timeouts: { impersonation: { idle: '20m', absolute: '2h' } } },
      [
        `timeouts.impersonation.idle: 20 m (15 m) ${IDLE}`,
        `timeouts.impersonation.absolute: 2 h (1 h) ${ABSOLUTE}`,
      ],
    ],
    [
      { timeouts: { classes: { kiosk: { idle: '45m' } } } },
      [`timeouts.classes.kiosk.idle: 45 m (30 m) ${IDLE}`],
    ],
    // Classes that only inherit are not told again.
    [
      { timeouts: { idle: '2h', absolute: '48h', classes: { kiosk: {}, desk: { idle: '3h' } } } },
      [
        `timeouts.idle: 2 h (30 m) ${IDLE}`,
        `timeouts.absolute: 2 d (24 h) ${ABSOLUTE}`,
        `timeouts.classes.desk.idle: 3 h (30 m) ${IDLE}`,
      ],
    ],
    [
      { concurrency: { max: 101 } },
      ['concurrency.max: 101 (100) a stolen session is one among more K-02'],
    ],
    [
      { rotation: { grace: '1m' } },
      ['rotation.grace: 1 m (30 s) a stolen token that was replaced is good for longer R-09'],
    ],
    [
      { rotation: { onReuse: 'reject' } },
      ['rotation.onReuse: reject (revoke) a token that was copied does not end the session R-10'],
    ],
    [
      { rotation: { onReuse: 'insecure-report' } },
      [
        'rotation.onReuse: insecure-report (revoke) a token that was copied does not end the session R-10',
      ],
    ],
    [
      { storeDeadline: '2s' },
      ['storeDeadline: 2 s (1 s) requests pile up for longer while the store hangs Q-05'],
    ],
    [
      { data: { maxFieldBytes: 20_000, maxSessionBytes: 70_000, maxFields: 300 } },
      [
        `data.maxFieldBytes: 20,000 (16,384) ${FILLS}`,
        `data.maxSessionBytes: 70,000 (65,536) ${FILLS}`,
        `data.maxFields: 300 (256) ${FILLS}`,
      ],
    ],
    [
      { bearer: true },
      ['bearer: true (false) clients keep the token where scripts can read it T-09'],
    ],
    [
      { cookie: { insecureDevCookies: true } },
      [
        'cookie.insecureDevCookies: true (false) anybody on the network can read and set the cookie C-02',
      ],
    ],
    [
      { cookie: { name: 'shop', domain: 'shop.example', sameSite: 'none' } },
      [
        'cookie.name: shop (__Host-sid) without __Host- a sibling domain can set a cookie of this name C-03',
        'cookie.domain: shop.example (none) every host below it receives the token C-03',
        'cookie.sameSite: none (lax) browsers add the cookie to what pages of other sites ask for C-05',
      ],
    ],
    [
      { crossSite: { trustedOrigins: ['https://a.example', 'https://b.example:8443'] } },
      [
        'crossSite.trustedOrigins: https://a.example, https://b.example:8443 (none) pages of these origins can act in the name of users X-02',
      ],
    ],
    [
      { data: { keepOnLogin: ['cart', 'a "b"'] } },
      [
        'data.keepOnLogin: "cart", "a \\"b\\"" (none) what was planted before the login is there after it R-05',
      ],
    ],
    [
      { cleanup: false },
      [
        'cleanup: false (every 5 minutes) expired sessions keep their place unless another process runs the cleanup E-08',
      ],
    ],
  ])('%j', (options, lines) => {
    expect(audit(options).map(lineOf)).toEqual(lines);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string[]]>([
    [
      'the memory store',
      { store: memoryStore() },
      [
        'store: memoryStore() (a store that lasts) sessions end with the process, and so does what was revoked G-02',
      ],
    ],
    [
      'explanations',
      { store: Object.assign(memoryStore(), { name: 'lasting' }), explain: true },
      ['explain: true (false) a refusal tells strangers which check it failed L-05'],
    ],
    [
      'production rules that are off',
      { production: false },
      ['production: false (true, as NODE_ENV says) what production refuses is only warned of G-01'],
    ],
  ])('in production: %s', (_, options, lines) => {
    expect(audit(options, { production: true }).map(lineOf)).toEqual(lines);
  });

  it('compares with the preset if there is one', () => {
    expect(audit({ preset: 'nist-aal2' })).toEqual([]);
    // Within the preset, and nobody is logged in in an anonymous session.
    const timeouts = { idle: '50m', anonymous: { idle: '2h', absolute: '48h' } };
    expect(audit({ preset: 'nist-aal2', timeouts }).map(lineOf)).toEqual([
      `timeouts.anonymous.idle: 2 h (1 h) ${IDLE}`,
      `timeouts.anonymous.absolute: 2 d (24 h) ${ABSOLUTE}`,
    ]);
  });
});

describe('G-01: what weakens is named insecure', () => {
  /** Options that the audit looks at. */
  const AUDITED: readonly string[] = [
    'store',
    'production',
    'explain',
    'bearer',
    'timeouts.idle',
    'timeouts.absolute',
    'timeouts.remembered.idle',
    'timeouts.remembered.absolute',
    'timeouts.anonymous.idle',
    'timeouts.anonymous.absolute',
    'timeouts.impersonation.idle',
    'timeouts.impersonation.absolute',
    'timeouts.classes.<name>.idle',
    'timeouts.classes.<name>.absolute',
    'concurrency.max',
    'rotation.grace',
    'rotation.onReuse',
    'storeDeadline',
    'cookie.name',
    'cookie.domain',
    'cookie.sameSite',
    'cookie.insecureDevCookies',
    'crossSite.trustedOrigins',
    'crossSite.insecureAllow',
    'data.maxFieldBytes',
    'data.maxSessionBytes',
    'data.maxFields',
    'data.keepOnLogin',
    'cleanup',
  ];

  /** Options with no value that is weaker than the default. */
  const HARMLESS: readonly string[] = [
    // A weak one is refused, none at all in production too.
    'secret',
    'audience',
    'preset',
    'guard',
    // A session may end early by it, never late.
    'timeouts.touchInterval',
    'concurrency.atLimit',
    // Chooses among classes that are audited.
    'timeouts.classOf',
    // Off by default.
    'rotation.interval',
    'crossSite.token',
    'data.encrypt',
    // What is kept and told of a client lets nobody in.
    'privacy.address',
    'privacy.userAgent',
    'signals.addressChange',
    'signals.clientChange',
    'signals.forgeryBurst',
    'signals.onRisk',
    // Another one than / needs a name without __Host-, which the audit tells.
    'cookie.path',
    'cookie.partitioned',
    // No timeout depends on the cleanup.
    'cleanup.cron',
    'cleanup.jitter',
    'cleanup.batch',
    'cleanup.budget',
  ];

  it('knows every option: decide for a new one whether it can weaken anything', () => {
    const known = [...AUDITED, ...HARMLESS];
    expect(OPTION_PATHS.filter((path) => !known.includes(path))).toEqual([]);
  });

  /** Switches that give something up under another name, and why that name is right. */
  const ACCEPTED: Readonly<Record<string, string>> = {
    bearer: 'another carrier, no check less',
    explain: 'more words in a refusal, no check less',
    production: 'says what NODE_ENV says; a warning names the contradiction',
    cleanup: 'says who runs it; no timeout depends on it',
    'cookie.sameSite': 'the name and the value of the attribute itself',
    'rotation.onReuse': "'reject' refuses the copy all the same",
  };
  const CHOICES: Readonly<Record<string, readonly string[]>> = {
    'cookie.sameSite': ['lax', 'strict', 'none'],
    'rotation.onReuse': ['revoke', 'reject', 'insecure-report'],
    'concurrency.atLimit': ['evict-least-recent', 'evict-oldest', 'reject'],
    guard: ['global'],
    preset: ['owasp', 'nist-aal2', 'nist-aal3', 'pci'],
  };
  const switches = OPTION_PATHS.flatMap((path) =>
    [true, false, ...(CHOICES[path] ?? [])].map((value) => ({ path, value })),
  );

  it.each(switches)('$path: $value', ({ path, value }) => {
    const weakens = [false, true].some((production) => isReported(path, value, production));
    const isNamed = /(^|\.)insecure/.test(path) || String(value).startsWith('insecure');
    expect(!weakens || isNamed || path in ACCEPTED).toBe(true);
  });

  function isReported(path: string, value: unknown, production: boolean): boolean {
    const steps = path.replace('<name>', 'kiosk').split('.');
    const options = steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
    const store = Object.assign(memoryStore(), { name: 'lasting' });
    try {
      const findings = audit({ store, ...(options as object) }, { production });
      return findings.some(({ option }) => option === path);
    } catch (error) {
      // No value of this option.
      if (error instanceof SessionConfigError) return false;
      throw error;
    }
  }
});
