/**
 * Which combinations of cookie attributes browsers refuse or ignore. A cookie that breaks one of
 * these rules is dropped without a word, so the rules are checked when the application boots.
 *
 * The sections are those of draft-ietf-httpbis-rfc6265bis-22; the `__Http-` prefixes come from
 * draft-ietf-httpbis-layered-cookies.
 */

/** The attributes of the session cookie: fixed for the life of the process. @public */
export interface CookieAttributes {
  readonly name: string;
  readonly path: string;
  /** Absent: only the host that set the cookie gets it back. */
  readonly domain?: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: 'lax' | 'strict' | 'none';
  readonly partitioned: boolean;
}

/** What {@link checkCookieOptions} looks at. @internal */
export interface ResolvedCookie extends CookieAttributes {
  /** Longest life in ms that a persistent cookie is given; absent: until the browser closes. */
  readonly maxAge?: number;
  /** Longest value in bytes. @defaultValue 128, more than a token ever has */
  readonly valueLength?: number;
}

/** Longest life of a cookie in ms, 400 days: browsers cut it there (section 5.5). @internal */
export const MAX_COOKIE_AGE = 400 * 24 * 60 * 60 * 1000;

/** Most bytes of name and value together: browsers drop larger cookies (section 5.6). @internal */
export const MAX_COOKIE_BYTES = 4096;

/** Most bytes of one attribute value: browsers ignore longer ones (section 5.6). */
const MAX_ATTRIBUTE_BYTES = 1024;

/** A token of RFC 9110 section 5.6.2: no separators, no spaces, no control characters. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Visible ASCII and the space, without the `;` that would start another attribute. */
const PATH = /^\/[ -:<-~]*$/;

const DOMAIN = /^[0-9A-Za-z._-]+$/;

/** Longest first: `__Host-Http-` also begins with `__Host-`. */
const PREFIXES = [
  { prefix: '__Host-Http-', host: true, http: true },
  { prefix: '__Host-', host: true, http: false },
  { prefix: '__Http-', host: false, http: true },
  { prefix: '__Secure-', host: false, http: false },
] as const;

/**
 * Everything that keeps a cookie with these attributes from working (C-04): one sentence each, with
 * the name of the option and the remedy. Empty: the cookie is accepted by browsers.
 *
 * A wrong value is quoted only when it holds nothing but printable characters.
 *
 * @internal
 */
export function checkCookieOptions(options: ResolvedCookie): string[] {
  return [
    ...checkName(options),
    ...checkPrefix(options),
    ...checkScope(options),
    ...checkFlags(options),
    ...checkAge(options),
  ];
}

function checkName({ name, valueLength = 128 }: ResolvedCookie): string[] {
  if (name === '') return ['cookie.name must not be empty: use a name such as __Host-sid'];
  const problems: string[] = [];
  if (!TOKEN.test(name)) {
    problems.push(
      `cookie.name may hold only letters, digits and !#$%&'*+-.^_\`|~${got(name)}: use a name such as __Host-sid`,
    );
  }
  if (Buffer.byteLength(name) + valueLength > MAX_COOKIE_BYTES) {
    problems.push(
      `cookie.name and the value must not exceed ${MAX_COOKIE_BYTES} bytes together: use a shorter name`,
    );
  }
  return problems;
}

function checkPrefix({ name, path, domain, secure, httpOnly }: ResolvedCookie): string[] {
  // Browsers compare the prefix without regard to case (section 5.7).
  const lower = name.toLowerCase();
  const rule = PREFIXES.find(({ prefix }) => lower.startsWith(prefix.toLowerCase()));
  if (rule === undefined) return [];
  const { prefix } = rule;
  const remedy = (what: string): string => `${what} or use a cookie.name without ${prefix}`;
  const problems: string[] = [];
  if (!secure) {
    problems.push(
      `the prefix ${prefix} of cookie.name needs Secure: ${remedy('remove cookie.insecureDevCookies')}`,
    );
  }
  if (rule.host && path !== '/') {
    problems.push(
      `the prefix ${prefix} of cookie.name needs cookie.path /${got(path)}: ${remedy('remove cookie.path')}`,
    );
  }
  if (rule.host && domain !== undefined) {
    problems.push(
      `the prefix ${prefix} of cookie.name allows no cookie.domain: ${remedy('remove cookie.domain')}`,
    );
  }
  if (rule.http && !httpOnly) {
    problems.push(
      `the prefix ${prefix} of cookie.name needs HttpOnly: ${remedy('set cookie.httpOnly')}`,
    );
  }
  return problems;
}

function checkScope({ path, domain }: ResolvedCookie): string[] {
  const problems: string[] = [];
  if (!PATH.test(path)) {
    problems.push(
      `cookie.path must begin with / and hold only printable ASCII without a semicolon${got(path)}: use / or percent-encode it`,
    );
  }
  if (path.length > MAX_ATTRIBUTE_BYTES) {
    problems.push(`cookie.path must not exceed ${MAX_ATTRIBUTE_BYTES} bytes: use a shorter path`);
  }
  if (domain === undefined) return problems;
  if (!isDomain(domain)) {
    problems.push(
      `cookie.domain must be a host name without scheme and port${got(domain)}: use a name such as example.com, or leave it out`,
    );
  }
  if (domain.length > MAX_ATTRIBUTE_BYTES) {
    problems.push(`cookie.domain must not exceed ${MAX_ATTRIBUTE_BYTES} bytes: leave it out`);
  }
  return problems;
}

/** A leading dot is allowed: browsers skip it (section 5.6.3). */
function isDomain(domain: string): boolean {
  const name = domain.startsWith('.') ? domain.slice(1) : domain;
  return DOMAIN.test(name) && !name.startsWith('.') && !name.endsWith('.') && !name.includes('..');
}

function checkFlags({ secure, sameSite, partitioned }: ResolvedCookie): string[] {
  const problems: string[] = [];
  // Not covered by the type: options also come from JavaScript and from configuration files.
  if (!(['lax', 'strict', 'none'] as readonly string[]).includes(sameSite)) {
    problems.push(
      `cookie.sameSite must be lax, strict or none${got(sameSite)}: leave it out for lax`,
    );
  }
  if (sameSite === 'none' && !secure) {
    problems.push(
      'cookie.sameSite none needs Secure: remove cookie.insecureDevCookies or use cookie.sameSite lax',
    );
  }
  if (partitioned && !secure) {
    problems.push(
      'cookie.partitioned needs Secure: remove cookie.insecureDevCookies or cookie.partitioned',
    );
  }
  if (partitioned && sameSite !== 'none') {
    problems.push(
      'cookie.partitioned needs cookie.sameSite none: set it, or remove cookie.partitioned',
    );
  }
  return problems;
}

function checkAge({ maxAge }: ResolvedCookie): string[] {
  if (maxAge === undefined || (maxAge > 0 && maxAge <= MAX_COOKIE_AGE)) return [];
  return [
    'timeouts.remembered.absolute must be above 0 and at most 400 days, where browsers end every cookie: shorten it',
  ];
}

/** What was given, unless it could forge lines in a log or fill it. */
function got(value: unknown): string {
  return typeof value === 'string' && /^[ -~]{1,64}$/.test(value) ? ` (got ${value})` : '';
}
