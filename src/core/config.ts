/**
 * From the options of an application to the configuration of the library: defaults filled in,
 * everything checked, nothing left to change.
 */
import type { FieldLimits } from './codec/limits.js';
import { type ResolvedCleanup, readCleanup } from './config-cleanup.js';
import { type ResolvedConcurrency, readConcurrency } from './config-concurrency.js';
import { readCookie } from './config-cookie.js';
import { type ResolvedCrossSite, readCrossSite } from './config-cross-site.js';
import { readData } from './config-data.js';
import { OPTION_KEYS } from './config-keys.js';
import type { OfLogin } from './config-login.js';
import { type NamedPreset, checkPreset, readPreset, withinPreset } from './config-preset.js';
import { readPrivacy } from './config-privacy.js';
import { type ConfigWarning, ConfigReport, OptionGroup } from './config-reader.js';
import { readRotation } from './config-rotation.js';
import { readSecrets } from './config-secret.js';
import { readSignals } from './config-signals.js';
import { readStore } from './config-store.js';
import { show } from './config-text.js';
import { REMEMBERED_CLASS, readTimeouts } from './config-timeouts.js';
import type { CookieAttributes } from './cookie-rules.js';
import { SessionConfigError } from './errors.js';
import type { EncryptedFields } from './field-cipher.js';
import { frozenSet } from './frozen-set.js';
import { KeyRing, generateSecret } from './key-ring.js';
import type { PrivacyRules } from './privacy.js';
import type { SignalRules } from './signals.js';
import type { SessionStore, StoreSettings } from './store.js';

export type { ConfigWarning } from './config-reader.js';

/** The options after `resolveOptions`: complete, checked and frozen. Milliseconds throughout. */
export interface SessionConfig {
  readonly ring: KeyRing;
  readonly audience: string;
  /** `undefined`: the default memory store, which this layer cannot make. */
  readonly store: SessionStore | undefined;
  /** The options are at least as strict as it, which `resolveOptions` has checked. */
  readonly preset: NamedPreset | undefined;
  readonly settings: StoreSettings;
  /** Limit classes whose cookie outlives the browser. */
  readonly persistentClasses: ReadonlySet<string>;
  /** The limit class of a login that names none; `undefined`: the usual one. */
  readonly classOf: OfLogin<string | undefined>;
  readonly concurrency: ResolvedConcurrency;
  /** Milliseconds between periodic rotations; `undefined`: none. */
  readonly rotationInterval: number | undefined;
  readonly cookie: CookieAttributes;
  readonly insecureDevCookies: boolean;
  readonly crossSite: ResolvedCrossSite;
  readonly bearer: boolean;
  readonly fieldLimits: FieldLimits;
  readonly keepOnLogin: readonly string[];
  /** Fields that the store cannot read. */
  readonly encrypted: EncryptedFields;
  readonly privacy: PrivacyRules;
  readonly signals: SignalRules;
  readonly cleanup: ResolvedCleanup | false;
  readonly guard: 'global' | undefined;
  /** Whether a 401 says which check refused the request. */
  readonly explain: boolean;
  readonly production: boolean;
  /** For the log, once at boot. */
  readonly warnings: readonly ConfigWarning[];
}

/** What the options do not say themselves. */
export interface ConfigEnvironment {
  /** @defaultValue `process.env.NODE_ENV === 'production'`, which is read nowhere else */
  readonly production?: boolean;
  /** Whether something can run the cleanup. @defaultValue `true` */
  readonly hasScheduler?: boolean;
}

const MAX_AUDIENCE_BYTES = 128;
const DEADLINE = { min: 50, max: 30_000, hintBelow: 0 };
const DEFAULT_DEADLINE = 1_000;
const MAX_TOMBSTONES = 100;
const BUCKETS = 256;
const MIN_MARGIN = 600_000;
/** For a cleanup that another process runs, in a rhythm that is not known here. */
const ELSEWHERE_MARGIN = 3_600_000;

/**
 * The configuration that the options describe. Reads every own property once, changes nothing of
 * the caller's and quotes no secret.
 *
 * @param raw - `SessionOptions`; anything else is answered with an error that says so
 * @throws SessionConfigError with all mistakes at once; never another error
 */
export function resolveOptions(
  raw: unknown = {},
  environment: ConfigEnvironment = {},
): SessionConfig {
  const report = new ConfigReport();
  const root = new OptionGroup(report, '', raw, OPTION_KEYS.root);
  const group = <
    Name extends
      | 'timeouts'
      | 'concurrency'
      | 'rotation'
      | 'cookie'
      | 'crossSite'
      | 'data'
      | 'privacy'
      | 'signals',
  >(
    name: Name,
  ): OptionGroup<(typeof OPTION_KEYS)[Name][number]> =>
    new OptionGroup(report, name, root.get(name), OPTION_KEYS[name]);

  const production = readProduction(root, environment);
  const secrets = readSecrets(root, production);
  const store = readStore(root, production);
  const preset = readPreset(root);
  const { limits, touchInterval, classOf, persistentAge } = readTimeouts(
    group('timeouts'),
    preset?.rules.limits,
  );
  const data = readData(group('data'));
  const rotation = readRotation(group('rotation'), preset?.rules.rotation.interval);
  const concurrency = readConcurrency(group('concurrency'), preset?.rules.maxSessions);
  const cookie = readCookie(group('cookie'), production, persistentAge);
  const { sameSite } = cookie.cookie;
  const crossSite = readCrossSite(group('crossSite'), production, sameSite);
  const cleanup = readCleanup(root, production, environment.hasScheduler ?? true);
  const settings: StoreSettings = Object.freeze({
    limits,
    touchInterval,
    rotation: rotation.rules,
    maxSessionBytes: data.maxSessionBytes,
    maxFields: data.maxFields,
    maxTombstones: MAX_TOMBSTONES,
    buckets: BUCKETS,
    deadline: root.duration('storeDeadline', DEADLINE) ?? DEFAULT_DEADLINE,
    margin: cleanup === false ? ELSEWHERE_MARGIN : Math.max(MIN_MARGIN, 2 * cleanup.longestGap),
  });
  const checked = {
    audience: readAudience(root),
    store,
    settings,
    preset,
    // "Session secrets SHOULD NOT be persistent" (NIST SP 800-63B-4 section 5.1).
    persistentClasses: frozenSet(preset ? [] : [REMEMBERED_CLASS]),
    classOf,
    concurrency: withinPreset(concurrency, preset),
    rotationInterval: rotation.interval,
    ...cookie,
    crossSite,
    bearer: root.boolean('bearer') ?? false,
    fieldLimits: data.fieldLimits,
    keepOnLogin: data.keepOnLogin,
    encrypted: data.encrypted,
    privacy: readPrivacy(group('privacy')),
    signals: readSignals(group('signals')),
    cleanup,
    guard: root.choice('guard', ['global']),
    explain: root.boolean('explain') ?? !production,
    production,
    warnings: report.warnings,
  };
  if (preset) {
    checkPreset(report, preset, {
      limits,
      concurrency,
      sameSite,
      rotationInterval: rotation.interval,
      rotation: rotation.rules,
      isCrossSiteChecked: crossSite.isChecked,
    });
  }
  if (report.problems.length > 0) throw new SessionConfigError(report.problems);
  const ring = new KeyRing(secrets ?? [generateSecret()]);
  Object.freeze(ring);
  return Object.freeze({ ring, ...checked });
}

function readProduction(root: OptionGroup<'production'>, environment: ConfigEnvironment): boolean {
  const usual = environment.production ?? process.env['NODE_ENV'] === 'production';
  const production = root.boolean('production') ?? usual;
  if (!production && usual) {
    root.report.warn(
      'production-rules-off',
      'production: false switches the production rules off although NODE_ENV is production',
    );
  }
  return production;
}

function readAudience(root: OptionGroup<'audience'>): string {
  const audience = root.get('audience');
  if (audience === undefined) return 'default';
  const expected = `a text of 1 to ${MAX_AUDIENCE_BYTES} bytes`;
  if (typeof audience !== 'string') {
    root.problem('audience', `must be ${expected} (got ${show(audience)})`);
  } else if (/\p{Surrogate}/u.test(audience)) {
    // Encoders turn every lone surrogate into the same bytes: two audiences would become one.
    root.problem('audience', 'must be well-formed Unicode: it has a lone surrogate');
  } else {
    const bytes = Buffer.byteLength(audience);
    if (bytes >= 1 && bytes <= MAX_AUDIENCE_BYTES) return audience;
    root.problem('audience', `must be ${expected} (got ${show(bytes)} bytes)`);
  }
  return 'default';
}
