/**
 * The option group `crossSite`: what the application must not say by mistake.
 */
import { describe, expect, it } from '@jest/globals';

import { type SessionConfig, resolveOptions } from '../../../src/core/config.js';
import { memoryStore } from '../../../src/stores/memory/memory.store.js';
import { SECRET, problemsIn } from '../core/config.kit.js';

function resolve(crossSite: unknown, production = false, more: object = {}): SessionConfig {
  const store = production ? { store: memoryStore() } : {};
  return resolveOptions({ secret: SECRET, ...store, crossSite, ...more }, { production });
}

function problemsOf(crossSite: unknown, production = false, more: object = {}): readonly string[] {
  return problemsIn(() => resolve(crossSite, production, more));
}

const PATH = 'must not hold a path, not even a slash at the end';
const AS_SENT =
  'must be written as browsers send it, in lower case, without a default port, and in punycode';
const SCHEME = "must be an origin with its scheme, such as 'https://app.example.com'";
const PATTERN =
  'must not be a pattern: list each origin, since any host that matches could act in the name of your users';

describe('crossSite', () => {
  it('is on by default, and trusts this machine in development alone', () => {
    const defaults = { isChecked: true, trustedOrigins: new Set(), token: false };
    expect(resolve(undefined).crossSite).toEqual({ ...defaults, trustsLoopback: true });
    expect(resolve({}, true).crossSite).toEqual({ ...defaults, trustsLoopback: false });
  });

  it('takes over what is given, and cannot be changed', () => {
    const trustedOrigins = ['https://a.example', 'https://b.example:8443', 'https://a.example'];
    const { crossSite } = resolve({ trustedOrigins, token: true }, true);
    expect([...crossSite.trustedOrigins]).toEqual(trustedOrigins.slice(0, 2));
    expect(crossSite.token).toBe(true);
    expect(Object.isFrozen(crossSite)).toBe(true);
    expect(() => (crossSite.trustedOrigins as Set<string>).add('null')).toThrow(TypeError);
    expect(resolve({ insecureAllow: true }).crossSite.isChecked).toBe(false);
  });

  it.each([
    'https://app.example.com',
    'https://app.example.com:8443',
    'https://xn--bcher-kva.example',
    'https://192.0.2.1',
    'https://[2001:db8::1]:8443',
    'https://my_app.internal',
    'http://localhost:5173',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
  ])('X-02: accepts %s, in production too', (origin) => {
    expect(problemsOf({ trustedOrigins: [origin] })).toEqual([]);
    expect(problemsOf({ trustedOrigins: [origin] }, true)).toEqual([]);
  });

  it.each<[unknown, string]>([
    ['https://app.example.com/', `${PATH}: write 'https://app.example.com'`],
    ['https://app.example.com/login', `${PATH}: write 'https://app.example.com'`],
    ['https://app.example.com?a=1', `${PATH}: write 'https://app.example.com'`],
    ['https://app.example.com#a', `${PATH}: write 'https://app.example.com'`],
    ['https://app.example.com\\a', `${PATH}: write 'https://app.example.com'`],
    ['*', PATTERN],
    ['https://*.example.com', PATTERN],
    ['https://*', PATTERN],
    ['null', 'must not be null, which is what any page can send: name the origin'],
    ['', SCHEME],
    ['app.example.com', SCHEME],
    ['//app.example.com', SCHEME],
    ['javascript:alert(1)', SCHEME],
    ['file:///etc', SCHEME],
    ['wss://app.example.com', SCHEME],
    ['https://', SCHEME],
    ['https://a b', SCHEME],
    [
      'https://user:hunter2@app.example.com',
      "must not hold a user name or password: write 'https://app.example.com'",
    ],
    ['https://app.example.com.', 'must not end in a dot: browsers hold that for another origin'],
    ['https://App.Example.com', `${AS_SENT}: 'https://app.example.com'`],
    ['HTTPS://app.example.com', `${AS_SENT}: 'https://app.example.com'`],
    ['https://app.example.com:443', `${AS_SENT}: 'https://app.example.com'`],
    ['https://app.example.com:08443', `${AS_SENT}: 'https://app.example.com:8443'`],
    ['https://bücher.example', `${AS_SENT}: 'https://xn--bcher-kva.example'`],
    ['https://0x7f.1', `${AS_SENT}: 'https://127.0.0.1'`],
    [' https://app.example.com', SCHEME],
    ['https://app.example.com ', `${AS_SENT}: 'https://app.example.com'`],
    [
      `https://${'a'.repeat(300)}.example`,
      'must be an origin, which has at most 267 characters (got 316)',
    ],
    [7, "must be a text such as 'https://app.example.com' (got a number)"],
    [/example/, "must be a text such as 'https://app.example.com' (got a RegExp)"],
    [undefined, "must be a text such as 'https://app.example.com' (got undefined)"],
  ])('X-02: refuses %j', (origin, problem) => {
    const problems = problemsOf({ trustedOrigins: ['https://good.example', origin] });
    expect(problems).toEqual([`crossSite.trustedOrigins[1] ${problem}`]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('X-02: refuses plain HTTP in production, where anybody on the network can answer for it', () => {
    const crossSite = { trustedOrigins: ['http://app.example.com:8080'] };
    expect(problemsOf(crossSite)).toEqual([]);
    expect(problemsOf(crossSite, true)).toEqual([
      'crossSite.trustedOrigins[0] must begin with https:// in production, since anybody on the ' +
        "network can answer for http://: write 'https://app.example.com:8080'",
    ]);
  });

  it.each<[unknown, string]>([
    ['https://app.example.com', 'a string'],
    [new Set(['https://app.example.com']), 'a Set'],
    [true, 'a boolean'],
    [Array.from({ length: 101 }, () => 'https://app.example.com'), '101 of them'],
  ])('refuses what is no list of origins: %p', (trustedOrigins, got) => {
    expect(problemsOf({ trustedOrigins })).toEqual([
      `crossSite.trustedOrigins must be a list of at most 100 origins such as 'https://app.example.com' (got ${got})`,
    ]);
  });

  it('refuses a list beside insecureAllow, which makes it meaningless', () => {
    const crossSite = { insecureAllow: true, trustedOrigins: ['https://a.example'] };
    expect(problemsOf(crossSite)).toEqual([
      'crossSite.insecureAllow must not be combined with crossSite.trustedOrigins, which it makes ' +
        'meaningless: remove one of them',
    ]);
  });

  it('refuses insecureAllow with a cookie that travels everywhere, unless there is a token', () => {
    const more = { cookie: { sameSite: 'none' } };
    expect(problemsOf({ insecureAllow: true }, false, more)).toEqual([
      "crossSite.insecureAllow must not be combined with cookie.sameSite 'none' (any page could act " +
        'in the name of your users): list the pages in crossSite.trustedOrigins instead, or set ' +
        'crossSite.token too',
    ]);
    expect(problemsOf({ insecureAllow: true, token: true }, false, more)).toEqual([]);
    expect(problemsOf({}, false, more)).toEqual([]);
  });

  it.each([
    [{ csrf: true }, 'csrf is not an option; did you mean crossSite?'],
    [{ cors: true }, 'cors is not an option; did you mean crossSite.trustedOrigins?'],
    [
      { trustedOrigins: [] },
      'trustedOrigins is not an option; did you mean crossSite.trustedOrigins?',
    ],
    [
      { crossSite: { allow: true } },
      'crossSite.allow is not an option; known options of crossSite are trustedOrigins, insecureAllow, token',
    ],
    [{ crossSite: false }, 'crossSite must be a plain object (got a boolean)'],
    [{ crossSite: { token: 'yes' } }, "crossSite.token must be true or false (got 'yes')"],
  ])('answers %j', (options, problem) => {
    expect(problemsOf({}, false, options)).toEqual([problem]);
  });
});
