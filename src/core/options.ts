/**
 * Every option, what it does and its default. `resolveOptions` in `config.ts` is their only
 * reader.
 */
import type { Duration } from './duration.js';
import type { LoginFacts } from './login-facts.js';
import type { AtLimit } from './policy.js';
import type { SessionPreset } from './presets.js';
import type { AddressPrivacy, UserAgentPrivacy } from './privacy.js';
import type { RiskHook, SignalMode } from './signals.js';
import type { SessionStore } from './store.js';

/**
 * Options of `SessionModule.forRoot()`. All have safe defaults; in production `secret` and `store`
 * must be given.
 *
 * @public
 */
export interface SessionOptions {
  /**
   * Key of the tokens: at least 32 random bytes (`openssl rand -base64 32`). A list, newest first,
   * rotates it: put the new one first, drop the old one when its sessions are over.
   *
   * @defaultValue a random one that dies with the process, with a warning; an error in production
   */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;

  /**
   * Name of the application and its environment. Tokens of one audience are worthless in another,
   * even with the same secret and the same store. 1 to 128 bytes.
   *
   * @defaultValue `'default'`
   */
  readonly audience?: string;

  /**
   * Where sessions live.
   *
   * @defaultValue `memoryStore()`; in production the memory store must be asked for by name
   */
  readonly store?: SessionStore;

  /**
   * Defaults that follow a standard: `owasp`, `nist-aal2`, `nist-aal3` or `pci`. Options that are
   * given win; one that is weaker than the preset is an error.
   *
   * @defaultValue none
   */
  readonly preset?: SessionPreset;

  readonly timeouts?: TimeoutOptions;
  readonly concurrency?: ConcurrencyOptions;
  readonly rotation?: RotationOptions;
  readonly cookie?: CookieOptions;
  readonly crossSite?: CrossSiteOptions;

  /**
   * Also accept the token as `Authorization: Bearer …`, for clients without cookies.
   *
   * @defaultValue `false`
   */
  readonly bearer?: boolean;

  readonly data?: DataOptions;
  readonly privacy?: PrivacyOptions;
  readonly signals?: SignalOptions;

  /** The scheduled cleanup; `false` leaves it to another process. */
  readonly cleanup?: CleanupOptions | false;

  /**
   * `'global'` guards every route that is not marked `@Public()`.
   *
   * @defaultValue none: routes are guarded by `@UseGuards(SessionGuard)`
   */
  readonly guard?: 'global';

  /**
   * Total deadline of one store call, connecting and retries included. 50 ms to 30 s.
   *
   * @defaultValue `'1s'`
   */
  readonly storeDeadline?: Duration;

  /**
   * Whether a 401 says which check refused the request, in `explanation`: for development, since
   * it also tells a stranger.
   *
   * @defaultValue `true`, in production `false`
   */
  readonly explain?: boolean | undefined;

  /**
   * Whether production rules apply: unsafe defaults are errors instead of warnings.
   *
   * @defaultValue `process.env.NODE_ENV === 'production'`
   */
  readonly production?: boolean;
}

/** Timeouts of one limit class. @public */
export interface LimitOptions {
  /**
   * Ends a session that was not used for this long. At least 100 ms, at most the absolute timeout.
   * An inherited value gives way to a shorter absolute timeout. A plain number below 60,000 is
   * refused, since it is nearly always a count of seconds: write `'20s'`.
   */
  readonly idle?: Duration;
  /**
   * Ends a session this long after its login, whatever happens. 100 ms to 400 days. A plain number
   * below 900,000 is refused, since it is nearly always a count of seconds: write `'10m'`.
   */
  readonly absolute?: Duration;
}

/**
 * When sessions end. A tighter value applies to live sessions at once.
 *
 * @public
 */
export interface TimeoutOptions extends LimitOptions {
  /** @defaultValue `'30m'` */
  readonly idle?: Duration;
  /** @defaultValue `'24h'` */
  readonly absolute?: Duration;
  /**
   * Activity is recorded at most once per interval: a session may end up to one interval early,
   * never late. 0 records every request; more than a quarter of the shortest idle timeout is an
   * error, and so is a plain number from 1 to 99, which looks like seconds.
   *
   * @defaultValue the smaller of 30 s and a twentieth of the shortest idle timeout
   */
  readonly touchInterval?: Duration;
  /**
   * Timeouts of logins with `remember: true`, whose cookie also survives the end of the browser.
   *
   * @defaultValue idle 14 days, absolute 30 days
   */
  readonly remembered?: LimitOptions;
  /**
   * Timeouts of sessions without a user, such as a cart before the login.
   *
   * @defaultValue those of `idle` and `absolute`
   */
  readonly anonymous?: LimitOptions;
  /**
   * Timeouts of sessions in which somebody acts in another user's name.
   *
   * @defaultValue idle 15 minutes, absolute 1 hour, or the ordinary ones if these are shorter
   */
  readonly impersonation?: LimitOptions;
  /**
   * Limit classes of the application, chosen at login by `limitClass`; at most 32. What a class
   * does not say is taken from `idle` and `absolute`. Names have 1 to 24 letters, digits and hyphens
   * and begin with a small letter.
   */
  readonly classes?: Readonly<Record<string, LimitOptions>>;
  /**
   * Names the limit class of a login that names none itself, such as by role or tenant; with
   * `undefined` the login has the usual one. Asked at each such login, impersonation excepted.
   *
   * @defaultValue none: `default`, or `remembered` with `remember: true`
   */
  readonly classOf?: (login: LoginFacts) => string | undefined | Promise<string | undefined>;
}

/** How many sessions a user may have at once. @public */
export interface ConcurrencyOptions {
  /**
   * 1 to 1,000, or a function of the login, asked at each: by user, role or tenant.
   *
   * @defaultValue 100
   */
  readonly max?: number | ((login: LoginFacts) => number | Promise<number>);
  /**
   * What a login does at the limit: end the user's oldest session, end the one not used for the
   * longest time, or fail with `ERR_SESSION_LIMIT` (409). Or a function of the login.
   *
   * @defaultValue `'evict-least-recent'`
   */
  readonly atLimit?: AtLimit | ((login: LoginFacts) => AtLimit | Promise<AtLimit>);
}

/**
 * Periodic rotation: the token changes while the session goes on, so that a stolen one is found
 * out. Off by default, since a back-end that renders pages and drops `Set-Cookie` would log its
 * users out.
 *
 * @public
 */
export interface RotationOptions {
  /**
   * A token that is older than this is replaced by the next request that can carry a new one. At
   * least four times the grace.
   *
   * @defaultValue none: tokens change at a login and with privileges only
   */
  readonly interval?: Duration;
  /**
   * The replaced token is accepted this long after the new one arrived, for requests under way.
   * 1 s to 2 min.
   *
   * @defaultValue `'30s'`
   */
  readonly grace?: Duration;
  /**
   * What a retired token does: end the session (`revoke`), be refused (`reject`), or pass with an
   * event (`insecure-report`).
   *
   * @defaultValue `'revoke'`
   */
  readonly onReuse?: 'revoke' | 'reject' | 'insecure-report';
}

/** The session cookie. The defaults are the safest that browsers know. @public */
export interface CookieOptions {
  /** @defaultValue `'__Host-sid'` (`'sid'` with `insecureDevCookies`) */
  readonly name?: string;
  /** @defaultValue `'lax'` */
  readonly sameSite?: 'lax' | 'strict' | 'none';
  /** @defaultValue `'/'` */
  readonly path?: string;
  /** Needs a name without `__Host-`. @defaultValue none: only the host that set it */
  readonly domain?: string;
  /** Separate cookie jars per embedding site; needs `sameSite: 'none'`. @defaultValue `false` */
  readonly partitioned?: boolean;
  /**
   * Drops `Secure` and the `__Host-` prefix for development over plain HTTP in browsers that do
   * not accept a Secure cookie from localhost (Safari). Refused in production.
   *
   * @defaultValue `false`
   */
  readonly insecureDevCookies?: boolean;
}

/**
 * Which pages may act in a user's name. By default an unsafe request (any method but GET, HEAD and
 * OPTIONS) that a page of another site made is refused with 403 wherever it would use the session
 * cookie or set one. Requests with a bearer token alone are not concerned.
 *
 * @public
 */
export interface CrossSiteOptions {
  /**
   * Other origins whose pages may: scheme, host and port as browsers send them, such as
   * `https://app.example.com`. Compared as a whole; 100 at most. In production they begin with
   * `https://`. Outside production pages of this machine are trusted, too.
   *
   * @defaultValue none
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * Lets every page act in a user's name. `cookie.sameSite` is the only thing that is left then,
   * and a sibling domain counts as the same site.
   *
   * @defaultValue `false`
   */
  readonly insecureAllow?: boolean;
  /**
   * Unsafe requests with a session cookie must also show `session.csrfToken()` in the header
   * `X-CSRF-Token`.
   *
   * @defaultValue `false`
   */
  readonly token?: boolean;
}

/** What sessions may hold. @public */
export interface DataOptions {
  /** Bytes of one encoded field: 1 to 1 MiB, at most `maxSessionBytes`. @defaultValue 16 KiB */
  readonly maxFieldBytes?: number;
  /** Bytes of all encoded fields of a session: 1 to 4 MiB. @defaultValue 64 KiB */
  readonly maxSessionBytes?: number;
  /** Fields of a session: 1 to 1,000. @defaultValue 256 */
  readonly maxFields?: number;
  /**
   * Fields of an anonymous session that its login takes along; all others are dropped, so that
   * nothing planted before the login is believed after it.
   *
   * @defaultValue none
   */
  readonly keepOnLogin?: readonly string[];
  /**
   * Fields that are encrypted before they reach the store (AES-256-GCM under a key made of
   * `secret`): `true` for all, or a list of at most 1,000 names. Names of fields and the session's
   * own facts are not. What was stored in plain text before reads as absent from then on.
   *
   * @defaultValue none
   */
  readonly encrypt?: boolean | readonly string[];
}

/** How much is kept of whoever uses a session; what is kept shows in `devices()`. @public */
export interface PrivacyOptions {
  /**
   * `full`; `truncated` to the network (IPv4 /24, IPv6 /48); `hash`, 12 characters under a key made
   * of `secret`, which tell networks apart and nothing else; `none`.
   *
   * @defaultValue `'full'`: users recognise a stranger in their list by it
   */
  readonly address?: AddressPrivacy;
  /**
   * `label`, such as `Firefox 131` and `Android`; `hash`, 12 characters; `none`. The text of the
   * header is never kept.
   *
   * @defaultValue `'label'`
   */
  readonly userAgent?: UserAgentPrivacy;
}

/**
 * Signs that somebody else uses a session. `report`: an event, once for each session and new value;
 * `enforce`: guarded routes ask for a further proof of identity, too (401, `ERR_SESSION_STEP_UP`).
 *
 * @public
 */
export interface SignalOptions {
  /** Another network than at the login: IPv4 /24, IPv6 /64. @defaultValue `'report'` */
  readonly addressChange?: SignalMode;
  /** Another browser or operating system; its version does not count. @defaultValue `'report'` */
  readonly clientChange?: SignalMode;
  /** 100 forged tokens within a minute in this process. @defaultValue `'report'` */
  readonly forgeryBurst?: 'off' | 'report';
  /**
   * Asked about a change instead, once for each session and new value. Where it fails or takes
   * longer than `storeDeadline`, `addressChange` and `clientChange` decide.
   */
  readonly onRisk?: RiskHook;
}

/** The scheduled cleanup of expired sessions (sweep). @public */
export interface CleanupOptions {
  /** Cron expression with 5 or 6 parts. @defaultValue every 5 minutes */
  readonly cron?: string;
  /**
   * The start is delayed by a random part of this, which is at most a quarter of the period.
   *
   * @defaultValue the smaller of 10 s and a quarter of the period
   */
  readonly jitter?: Duration;
  /** Sessions per store call: 1 to 5,000. @defaultValue 500 */
  readonly batch?: number;
  /** Longest time one run may take: 1 s to 10 minutes. @defaultValue `'30s'` */
  readonly budget?: Duration;
}
