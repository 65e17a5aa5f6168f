/**
 * What standards ask of sessions, as figures. `docs/guides/presets.md` shows them as a table, and
 * a test compares the two.
 */
import type { Limits } from './policy.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** All presets there are. @public */
export const SESSION_PRESETS = ['owasp', 'nist-aal2', 'nist-aal3', 'pci'] as const;

/** One of {@link SESSION_PRESETS}. @public */
export type SessionPreset = (typeof SESSION_PRESETS)[number];

/** Defaults that a preset sets, and which no option may weaken. Milliseconds. */
export interface PresetRules {
  /** Longest timeouts of sessions of a user, in every limit class. */
  readonly limits: Limits;
  /** Most sessions of one user. */
  readonly maxSessions: number;
  /** Values of `cookie.sameSite` that are good enough. */
  readonly sameSite: readonly ('lax' | 'strict')[];
  /** Periodic rotation; always on. */
  readonly rotation: {
    /** Longest time between two rotations. */
    readonly interval: number;
    /** Longest time that a replaced token is accepted. */
    readonly grace: number;
    readonly onReuse: 'revoke';
  };
}

/**
 * OWASP Session Management Cheat Sheet, "Renewal Timeout", asks for a rotation by the clock and
 * leaves the figure open: 15 minutes of use are ours. The grace is that of SuperTokens; RFC 9700
 * section 4.14.2 and ASVS 5.0 10.4.5 ask to end what was replayed.
 */
const rotation = { interval: 15 * MINUTE, grace: 30_000, onReuse: 'revoke' } as const;

/** Strict or Lax: NIST SP 800-63B-4 section 5.1.1, ASVS 5.0 3.3.2. */
const sameSite = ['lax', 'strict'] as const;

// ASVS 5.0 7.1.2 asks for a limit on parallel sessions; no standard names one, so the numbers of
// sessions are ours.
const rules: Readonly<Record<SessionPreset, PresetRules>> = {
  /** OWASP Session Management Cheat Sheet, "Session Expiration": 15 to 30 min idle, 4 to 8 h. */
  owasp: {
    limits: { idle: 30 * MINUTE, absolute: 8 * HOUR },
    maxSessions: 10,
    sameSite,
    rotation,
  },
  /** NIST SP 800-63B-4 section 2.2.3: 1 h idle, 24 h overall. */
  'nist-aal2': {
    limits: { idle: HOUR, absolute: 24 * HOUR },
    maxSessions: 5,
    sameSite,
    rotation,
  },
  /** NIST SP 800-63B-4 section 2.3.3: 15 min idle, 12 h overall. */
  'nist-aal3': {
    limits: { idle: 15 * MINUTE, absolute: 12 * HOUR },
    maxSessions: 3,
    sameSite,
    rotation,
  },
  /** PCI DSS 4.0.1 requirement 8.2.8: 15 min idle. It names no overall time: a working day is ours. */
  pci: {
    limits: { idle: 15 * MINUTE, absolute: 12 * HOUR },
    maxSessions: 3,
    sameSite,
    rotation,
  },
};

/** The figures of every preset. */
export const PRESET_RULES: Readonly<Record<SessionPreset, PresetRules>> = Object.freeze(rules);
