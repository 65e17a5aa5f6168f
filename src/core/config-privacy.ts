/**
 * `privacy`: how much is kept of whoever uses a session.
 */
import type { OPTION_KEYS } from './config-keys.js';
import type { OptionGroup } from './config-reader.js';
import type { PrivacyRules } from './privacy.js';

/** Reads the group `privacy`. */
export function readPrivacy(
  group: OptionGroup<(typeof OPTION_KEYS.privacy)[number]>,
): PrivacyRules {
  return Object.freeze({
    address: group.choice('address', ['full', 'truncated', 'hash', 'none']) ?? 'full',
    userAgent: group.choice('userAgent', ['label', 'hash', 'none']) ?? 'label',
  });
}
