/**
 * The names of all options, checked by the compiler against their types, and what to say to names
 * that are none.
 */
import type {
  CleanupOptions,
  ConcurrencyOptions,
  CookieOptions,
  CrossSiteOptions,
  DataOptions,
  LimitOptions,
  PrivacyOptions,
  RotationOptions,
  SessionOptions,
  SignalOptions,
  TimeoutOptions,
} from './options.js';
import { suggest } from './suggest.js';

type Names<Options> = Readonly<Record<keyof Options, true>>;

const root: Names<SessionOptions> = {
  secret: true,
  audience: true,
  store: true,
  preset: true,
  timeouts: true,
  concurrency: true,
  rotation: true,
  cookie: true,
  crossSite: true,
  bearer: true,
  data: true,
  privacy: true,
  signals: true,
  cleanup: true,
  guard: true,
  storeDeadline: true,
  explain: true,
  production: true,
};
const timeouts: Names<TimeoutOptions> = {
  idle: true,
  absolute: true,
  touchInterval: true,
  remembered: true,
  anonymous: true,
  impersonation: true,
  classes: true,
  classOf: true,
};
const limits: Names<LimitOptions> = { idle: true, absolute: true };
const concurrency: Names<ConcurrencyOptions> = { max: true, atLimit: true };
const rotation: Names<RotationOptions> = { interval: true, grace: true, onReuse: true };
const cookie: Names<CookieOptions> = {
  name: true,
  sameSite: true,
  path: true,
  domain: true,
  partitioned: true,
  insecureDevCookies: true,
};
const crossSite: Names<CrossSiteOptions> = {
  trustedOrigins: true,
  insecureAllow: true,
  token: true,
};
const data: Names<DataOptions> = {
  maxFieldBytes: true,
  maxSessionBytes: true,
  maxFields: true,
  keepOnLogin: true,
  encrypt: true,
};
const privacy: Names<PrivacyOptions> = { address: true, userAgent: true };
const signals: Names<SignalOptions> = {
  addressChange: true,
  clientChange: true,
  forgeryBurst: true,
  onRisk: true,
};
const cleanup: Names<CleanupOptions> = { cron: true, jitter: true, batch: true, budget: true };

/** Names of the options in each group; `root` are those at the top, `limits` those of a class. */
export const OPTION_KEYS = {
  root: namesOf(root),
  timeouts: namesOf(timeouts),
  limits: namesOf(limits),
  concurrency: namesOf(concurrency),
  rotation: namesOf(rotation),
  cookie: namesOf(cookie),
  crossSite: namesOf(crossSite),
  data: namesOf(data),
  privacy: namesOf(privacy),
  signals: namesOf(signals),
  cleanup: namesOf(cleanup),
} as const;

/** The path of every option that holds a value; `docs/reference/options.md` has a row for each. */
export const OPTION_PATHS: readonly string[] = Object.freeze([
  ...pathsOf('', OPTION_KEYS.root, [
    'timeouts',
    'concurrency',
    'rotation',
    'cookie',
    'crossSite',
    'data',
    'privacy',
    'signals',
    'cleanup',
  ]),
  ...pathsOf('timeouts.', OPTION_KEYS.timeouts, [
    'remembered',
    'anonymous',
    'impersonation',
    'classes',
  ]),
  ...pathsOf('timeouts.remembered.', OPTION_KEYS.limits),
  ...pathsOf('timeouts.anonymous.', OPTION_KEYS.limits),
  ...pathsOf('timeouts.impersonation.', OPTION_KEYS.limits),
  ...pathsOf('timeouts.classes.<name>.', OPTION_KEYS.limits),
  ...pathsOf('concurrency.', OPTION_KEYS.concurrency),
  ...pathsOf('rotation.', OPTION_KEYS.rotation),
  ...pathsOf('cookie.', OPTION_KEYS.cookie),
  ...pathsOf('crossSite.', OPTION_KEYS.crossSite),
  ...pathsOf('data.', OPTION_KEYS.data),
  ...pathsOf('privacy.', OPTION_KEYS.privacy),
  ...pathsOf('signals.', OPTION_KEYS.signals),
  'cleanup',
  ...pathsOf('cleanup.', OPTION_KEYS.cleanup),
]);

const FIXED = 'its behaviour is fixed here: remove it';
const ALWAYS_ON = 'it is always on: remove it';
const LIFETIME = 'set timeouts.idle and timeouts.absolute';
const COOKIE_LIFETIME =
  'the timeouts decide: set timeouts.remembered and log in with remember: true';

/** What options of other session libraries are called here; lower case. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ['resave', FIXED],
  ['saveuninitialized', FIXED],
  ['rolling', FIXED],
  ['unset', FIXED],
  ['genid', FIXED],
  ['httponly', ALWAYS_ON],
  ['secure', `${ALWAYS_ON} (for plain HTTP in development see cookie.insecureDevCookies)`],
  ['maxage', LIFETIME],
  ['ttl', LIFETIME],
  ['expiresin', LIFETIME],
  ['cookie.maxage', COOKIE_LIFETIME],
  ['cookie.expires', COOKIE_LIFETIME],
  ['cookiename', 'did you mean cookie.name?'],
  ['cookieoptions', 'did you mean cookie?'],
  ['keys', 'did you mean secret?'],
  ['password', 'did you mean secret?'],
  ['csrf', 'did you mean crossSite?'],
  ['cors', 'did you mean crossSite.trustedOrigins?'],
  ['touchafter', 'did you mean timeouts.touchInterval?'],
  ['limitclass', 'did you mean timeouts.classOf?'],
  ['limit', 'did you mean concurrency.max?'],
  ['maxsessions', 'did you mean concurrency.max?'],
  ['redis', 'did you mean store: redisStore(…)?'],
]);

/** The sentence about an unknown key of a group; it quotes the key only if that is short. */
export function unknownKeyProblem(group: string, key: string, known: readonly string[]): string {
  const path = group === '' ? key : `${group}.${key}`;
  if (!isPrintableKey(key)) {
    const where = group === '' ? 'the options' : group;
    return `${where} must not have a key of ${key.length} characters that is no name; known are ${known.join(', ')}`;
  }
  return `${path} is not an option; ${remedy(path, key, group, known)}`;
}

/** Whether a key can stand in a message: a longer or stranger one may be a secret. */
export function isPrintableKey(key: string): boolean {
  return /^[\w$-]{1,24}$/.test(key);
}

function remedy(path: string, key: string, group: string, known: readonly string[]): string {
  const foreign = FOREIGN.get(path.toLowerCase()) ?? FOREIGN.get(key.toLowerCase());
  const near = suggest(key, known);
  if (near?.toLowerCase() === key.toLowerCase()) return `did you mean ${inGroup(group, near)}?`;
  if (foreign !== undefined) return foreign;
  // The right name at the wrong level is a mistake as common as a wrong name.
  const elsewhere = OPTION_PATHS.find((other) => other.split('.').at(-1) === key);
  if (elsewhere !== undefined) return `did you mean ${elsewhere}?`;
  if (near !== undefined) return `did you mean ${inGroup(group, near)}?`;
  const nearForeign = FOREIGN.get(suggest(key, [...FOREIGN.keys()]) ?? '');
  if (nearForeign !== undefined) return nearForeign;
  return `known ${group === '' ? 'options' : `options of ${group}`} are ${known.join(', ')}`;
}

function inGroup(group: string, key: string): string {
  return group === '' ? key : `${group}.${key}`;
}

function namesOf<Name extends string>(names: Readonly<Record<Name, true>>): readonly Name[] {
  return Object.freeze(Object.keys(names) as Name[]);
}

function pathsOf(
  prefix: string,
  keys: readonly string[],
  groups: readonly string[] = [],
): readonly string[] {
  return keys.filter((key) => !groups.includes(key)).map((key) => prefix + key);
}
