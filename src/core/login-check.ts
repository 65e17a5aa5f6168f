/**
 * What can be known of a login before anything ends for it.
 */
import { decodeClaims } from './claims.js';
import { type ConcurrencyRule, chooseEvicted } from './policy.js';
import type { SessionId, SessionRecord } from './record.js';
import type { StoreAccess } from './store-access.js';
import type { UserPlace } from './store.js';

/** Whether the concurrency limit counts a session: not if somebody acts in the user's name in it. */
export function isCounted({ claims }: SessionRecord): boolean {
  return decodeClaims(claims).actor === undefined;
}

/**
 * Why the store would refuse a login now. The store has the last word: what changes until then is
 * seen there.
 */
export async function foreseeRefusal(
  access: StoreAccess,
  user: UserPlace,
  rule: ConcurrencyRule | undefined,
  evicts: SessionId | undefined,
  epoch: number | undefined,
): Promise<'limit' | 'superseded' | undefined> {
  if (rule?.atLimit !== 'reject' && epoch === undefined) return undefined;
  const stands = await access.call((store) => store.list({ user }));
  if (epoch !== undefined && epoch < stands.epoch) return 'superseded';
  const rivals = stands.sessions.filter((one) => isCounted(one) && one.id !== evicts);
  return rule && chooseEvicted(rivals, rule) === 'reject' ? 'limit' : undefined;
}
