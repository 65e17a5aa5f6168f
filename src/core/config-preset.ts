/**
 * `preset`: a set of defaults that follows a standard. Options that are given win, unless they are
 * weaker: then the application must not say that it follows the standard.
 */
import type { ResolvedConcurrency } from './config-concurrency.js';
import type { ConfigReport, OptionGroup } from './config-reader.js';
import { grouped, human } from './config-text.js';
import { ANONYMOUS_CLASS, IMPERSONATION_CLASS, REMEMBERED_CLASS } from './config-timeouts.js';
import type { CookieAttributes } from './cookie-rules.js';
import { SessionConfigError } from './errors.js';
import type { LoginFacts } from './login-facts.js';
import type { LimitTable, Limits } from './policy.js';
import { PRESET_RULES, type PresetRules, SESSION_PRESETS, type SessionPreset } from './presets.js';
import type { RotationRules } from './rotation.js';

/** A preset by its name. */
export interface NamedPreset {
  readonly name: SessionPreset;
  readonly rules: PresetRules;
}

/** The options that a preset has a say in, resolved. */
export interface PresetScope {
  readonly limits: LimitTable;
  readonly concurrency: ResolvedConcurrency;
  readonly sameSite: CookieAttributes['sameSite'];
  readonly rotationInterval: number | undefined;
  readonly rotation: RotationRules;
  readonly isCrossSiteChecked: boolean;
}

/** Reads the option `preset`. */
export function readPreset(root: OptionGroup<'preset'>): NamedPreset | undefined {
  const name = root.choice('preset', SESSION_PRESETS);
  return name === undefined ? undefined : { name, rules: PRESET_RULES[name] };
}

/** Reports every option that is weaker than the preset. */
export function checkPreset(report: ConfigReport, preset: NamedPreset, scope: PresetScope): void {
  const { name, rules } = preset;
  const weaker = (option: string, got: string, own: string, remedy: string): void => {
    report.problem(
      `${option} must not be weaker than preset '${name}' (got ${got}, the preset has ${own}): ${remedy}`,
    );
  };
  const atMost = (option: string, got: number, most: number, show: (value: number) => string) => {
    if (got <= most) return;
    const remedy = `use at most ${show(most)}, or leave the option or the preset out`;
    weaker(option, show(got), show(most), remedy);
  };
  // Nobody is logged in in an anonymous session.
  const classes = limitClassesOf(scope.limits).filter((one) => one.name !== ANONYMOUS_CLASS);
  for (const { path, limits } of classes) {
    atMost(`${path}.idle`, limits.idle, rules.limits.idle, human);
    atMost(`${path}.absolute`, limits.absolute, rules.limits.absolute, human);
  }
  atMost('concurrency.max', scope.concurrency.fixedMax ?? 0, rules.maxSessions, grouped);
  atMost('rotation.interval', scope.rotationInterval ?? 0, rules.rotation.interval, human);
  atMost('rotation.grace', scope.rotation.grace, rules.rotation.grace, human);
  const leaveOut = 'leave the option or the preset out';
  if (scope.rotation.onReuse !== rules.rotation.onReuse) {
    const got = scope.rotation.onReuse === 'report' ? 'insecure-report' : scope.rotation.onReuse;
    weaker('rotation.onReuse', `'${got}'`, `'${rules.rotation.onReuse}'`, leaveOut);
  }
  if (!rules.sameSite.some((one) => one === scope.sameSite)) {
    const allowed = rules.sameSite.map((one) => `'${one}'`).join(' or ');
    weaker('cookie.sameSite', `'${scope.sameSite}'`, allowed, leaveOut);
  }
  if (!scope.isCrossSiteChecked) {
    const remedy = 'list the pages in crossSite.trustedOrigins, or leave the preset out';
    weaker('crossSite.insecureAllow', 'true', 'false', remedy);
  }
}

/** A function of the login is asked at each: what it answers is held to the preset, too. */
export function withinPreset(
  concurrency: ResolvedConcurrency,
  preset: NamedPreset | undefined,
): ResolvedConcurrency {
  if (preset === undefined || concurrency.fixedMax !== undefined) return concurrency;
  const { maxSessions } = preset.rules;
  const check = (max: number): number => {
    if (max <= maxSessions) return max;
    throw new SessionConfigError([
      `concurrency.max must not be weaker than preset '${preset.name}' (it returned ${grouped(max)}, ` +
        `the preset has ${grouped(maxSessions)}): return at most ${grouped(maxSessions)}, or leave the preset out`,
    ]);
  };
  const { max } = concurrency;
  return Object.freeze({
    ...concurrency,
    max: (login: LoginFacts) => {
      const answer = max(login);
      return typeof answer === 'number' ? check(answer) : answer.then(check);
    },
  });
}

/** The timeouts of a limit class as the options say them. */
export interface LimitClass {
  readonly name: string;
  /** Path of the options, such as `timeouts.remembered`. */
  readonly path: string;
  /** 0 where the timeout was merely inherited, so that one mistake is told once. */
  readonly limits: Limits;
}

/** All limit classes. */
export function limitClassesOf(table: LimitTable): readonly LimitClass[] {
  const base = table.default;
  return Object.entries(table).map(([name, { idle, absolute }]) => ({
    name,
    path: pathOf(name),
    limits:
      name === 'default'
        ? base
        : {
            idle: idle === base.idle ? 0 : idle,
            absolute: absolute === base.absolute ? 0 : absolute,
          },
  }));
}

function pathOf(limitClass: string): string {
  if (limitClass === 'default') return 'timeouts';
  const isBuiltIn = [REMEMBERED_CLASS, ANONYMOUS_CLASS, IMPERSONATION_CLASS].includes(limitClass);
  return isBuiltIn ? `timeouts.${limitClass}` : `timeouts.classes.${limitClass}`;
}
