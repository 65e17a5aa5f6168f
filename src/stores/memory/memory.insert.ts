import { SessionStoreError } from '../../core/errors.js';
import { fitsSession } from '../../core/field-changes.js';
import { chooseEvicted } from '../../core/policy.js';
import type { CreateReply, CreateRequest } from '../../core/store.js';
import { type LiveSession, takeFields } from './memory.entries.js';
import type { SessionTable } from './memory.table.js';

/**
 * Inserts a session that nothing speaks against but size, limit and room. Looks first and changes
 * afterwards, so that a refusal has ended nobody.
 */
export function insertSession(
  table: SessionTable,
  request: CreateRequest,
  now: number,
): CreateReply {
  const { session, concurrency, replaces, evicts } = request;
  const replaced = replaces && table.find(replaces.id);
  const fields = new Map([...takeFields(replaced, replaces?.take), ...session.fields]);
  if (!fitsSession(fields, table.rules)) return { status: 'too-large', now };

  const others = ownSessions(table, request, now).filter((other) => other !== replaced);
  const given = others.filter(({ id }) => id === evicts);
  const rivals = others.filter(({ id, isExempt }) => id !== evicts && !isExempt);
  const records = rivals.map(({ record }) => record);
  const isExempt = concurrency === 'exempt';
  const chosen = concurrency && !isExempt ? chooseEvicted(records, concurrency) : [];
  if (chosen === 'reject') return { status: 'limit', now };

  const evicted = [...given, ...rivals.filter(({ record }) => chosen.includes(record))];
  const remaining = table.size - evicted.length - (replaced === undefined ? 0 : 1);
  if (remaining >= table.maxSessions) throw storeIsFull(table.maxSessions);

  const ended = evicted.map((other) => table.end(other, 'evicted', now));
  if (replaced !== undefined) ended.unshift(table.end(replaced, 'replaced', now));
  const { record } = table.insert(session, fields, isExempt, now);
  return { status: 'created', now, record, ended };
}

/** The user's live sessions, as far as anything depends on them. */
function ownSessions(
  table: SessionTable,
  { session: { user }, concurrency, evicts }: CreateRequest,
  now: number,
): readonly LiveSession[] {
  const matter = concurrency !== undefined || evicts !== undefined;
  return matter && user !== undefined ? table.liveOf(user.userKey, now) : [];
}

function storeIsFull(max: number): SessionStoreError {
  return new SessionStoreError(`the memory store holds its maximum of ${max} sessions`, {
    code: 'ERR_SESSION_STORE_FULL',
  });
}
