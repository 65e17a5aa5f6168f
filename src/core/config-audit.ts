/**
 * What an application has chosen to be less strict about than the defaults are.
 */
import { limitClassesOf } from './config-preset.js';
import { grouped, human } from './config-text.js';
import { type SessionConfig, resolveOptions } from './config.js';
import { generateSecret } from './key-ring.js';

/** One option that is weaker than its safe default. @public */
export interface AuditFinding {
  /** Its path, such as `timeouts.idle`. */
  readonly option: string;
  /** What it is, for people. */
  readonly value: string;
  /** What it would be by default, or by the preset. */
  readonly safeValue: string;
  /** What that costs. */
  readonly why: string;
  /** Requirement of the security guide that the default meets. */
  readonly requirement: string;
}

/** An option that is worse the larger it is. */
interface Figure {
  readonly option: string;
  readonly of: (config: SessionConfig) => number;
  readonly show: (value: number) => string;
  readonly why: string;
  readonly requirement: string;
}

/** An option that gives something up; `undefined`: it does not. */
interface Choice {
  readonly option: string;
  readonly weakness: (config: SessionConfig) => string | undefined;
  readonly safeValue: string;
  readonly why: string;
  readonly requirement: string;
}

const FIGURES: readonly Figure[] = [
  {
    option: 'concurrency.max',
    of: ({ concurrency }) => concurrency.fixedMax ?? 0,
    show: grouped,
    why: 'a stolen session is one among more',
    requirement: 'K-02',
  },
  {
    option: 'rotation.grace',
    of: ({ settings }) => settings.rotation.grace,
    show: human,
    why: 'a stolen token that was replaced is good for longer',
    requirement: 'R-09',
  },
  {
    option: 'storeDeadline',
    of: ({ settings }) => settings.deadline,
    show: human,
    why: 'requests pile up for longer while the store hangs',
    requirement: 'Q-05',
  },
  {
    option: 'data.maxFieldBytes',
    of: ({ fieldLimits }) => fieldLimits.maxFieldBytes,
    show: grouped,
    why: 'one client can fill more of the store',
    requirement: 'D-05',
  },
  {
    option: 'data.maxSessionBytes',
    of: ({ settings }) => settings.maxSessionBytes,
    show: grouped,
    why: 'one client can fill more of the store',
    requirement: 'D-05',
  },
  {
    option: 'data.maxFields',
    of: ({ settings }) => settings.maxFields,
    show: grouped,
    why: 'one client can fill more of the store',
    requirement: 'D-05',
  },
];

const CHOICES: readonly Choice[] = [
  {
    option: 'production',
    weakness: ({ warnings }) =>
      warnings.some(({ code }) => code === 'production-rules-off') ? 'false' : undefined,
    safeValue: 'true, as NODE_ENV says',
    why: 'what production refuses is only warned of',
    requirement: 'G-01',
  },
  {
    option: 'store',
    weakness: ({ store, production }) =>
      production && store?.name === 'memory' ? 'memoryStore()' : undefined,
    safeValue: 'a store that lasts',
    why: 'sessions end with the process, and so does what was revoked',
    requirement: 'G-02',
  },
  {
    option: 'explain',
    weakness: ({ explain, production }) => (production && explain ? 'true' : undefined),
    safeValue: 'false',
    why: 'a refusal tells strangers which check it failed',
    requirement: 'L-05',
  },
  {
    option: 'bearer',
    weakness: ({ bearer }) => (bearer ? 'true' : undefined),
    safeValue: 'false',
    why: 'clients keep the token where scripts can read it',
    requirement: 'T-09',
  },
  {
    option: 'rotation.onReuse',
    weakness: ({ settings: { rotation } }) => {
      if (rotation.onReuse === 'revoke') return undefined;
      return rotation.onReuse === 'report' ? 'insecure-report' : rotation.onReuse;
    },
    safeValue: 'revoke',
    why: 'a token that was copied does not end the session',
    requirement: 'R-10',
  },
  {
    option: 'cookie.insecureDevCookies',
    weakness: ({ insecureDevCookies }) => (insecureDevCookies ? 'true' : undefined),
    safeValue: 'false',
    why: 'anybody on the network can read and set the cookie',
    requirement: 'C-02',
  },
  {
    option: 'cookie.name',
    weakness: ({ cookie, insecureDevCookies }) =>
      insecureDevCookies || /^__Host-/i.test(cookie.name) ? undefined : cookie.name,
    safeValue: '__Host-sid',
    why: 'without __Host- a sibling domain can set a cookie of this name',
    requirement: 'C-03',
  },
  {
    option: 'cookie.domain',
    weakness: ({ cookie }) => cookie.domain,
    safeValue: 'none',
    why: 'every host below it receives the token',
    requirement: 'C-03',
  },
  {
    option: 'cookie.sameSite',
    weakness: ({ cookie }) => (cookie.sameSite === 'none' ? 'none' : undefined),
    safeValue: 'lax',
    why: 'browsers add the cookie to what pages of other sites ask for',
    requirement: 'C-05',
  },
  {
    option: 'crossSite.insecureAllow',
    weakness: ({ crossSite }) => (crossSite.isChecked ? undefined : 'true'),
    safeValue: 'false',
    why: 'pages of other sites can act in the name of users',
    requirement: 'X-01',
  },
  {
    option: 'crossSite.trustedOrigins',
    weakness: ({ crossSite }) => [...crossSite.trustedOrigins].join(', ') || undefined,
    safeValue: 'none',
    why: 'pages of these origins can act in the name of users',
    requirement: 'X-02',
  },
  {
    option: 'data.keepOnLogin',
    weakness: ({ keepOnLogin }) =>
      keepOnLogin.map((name) => JSON.stringify(name)).join(', ') || undefined,
    safeValue: 'none',
    why: 'what was planted before the login is there after it',
    requirement: 'R-05',
  },
  {
    option: 'cleanup',
    weakness: ({ cleanup }) => (cleanup === false ? 'false' : undefined),
    safeValue: 'every 5 minutes',
    why: 'expired sessions keep their place unless another process runs the cleanup',
    requirement: 'E-08',
  },
];

/**
 * Every option that is weaker than its safe default, or than the preset has it; empty if none is.
 * `SessionService.audit()` gives it for a running application, which also logs it once at boot.
 *
 * @public
 */
export function auditConfig(config: SessionConfig): readonly AuditFinding[] {
  const safe = resolveOptions(
    { secret: generateSecret(), preset: config.preset?.name },
    { production: false },
  );
  const findings = [
    ...auditLimits(config, safe),
    ...FIGURES.flatMap(({ of, show, ...rest }) => weaker(rest, of(config), of(safe), show)),
    ...CHOICES.flatMap(({ weakness, ...rest }) => {
      const value = weakness(config);
      return value === undefined ? [] : [{ ...rest, value }];
    }),
  ];
  return Object.freeze(findings.map((finding) => Object.freeze(finding)));
}

function weaker(
  about: Pick<AuditFinding, 'option' | 'why' | 'requirement'>,
  value: number,
  most: number,
  show: (value: number) => string,
): AuditFinding[] {
  return value <= most ? [] : [{ ...about, value: show(value), safeValue: show(most) }];
}

/** The timeouts of each class, unless they are merely inherited. */
function auditLimits(config: SessionConfig, safe: SessionConfig): AuditFinding[] {
  const table = safe.settings.limits;
  return limitClassesOf(config.settings.limits).flatMap(({ name, path, limits }) => {
    const { idle, absolute } = table[name] ?? table.default;
    const own = {
      idle: {
        option: `${path}.idle`,
        why: 'whoever finds the browser open has longer to use it',
        requirement: 'E-01',
      },
      absolute: {
        option: `${path}.absolute`,
        why: 'a stolen session that is kept in use lives longer',
        requirement: 'E-02',
      },
    };
    return [
      ...weaker(own.idle, limits.idle, idle, human),
      ...weaker(own.absolute, limits.absolute, absolute, human),
    ];
  });
}
