/**
 * From the requests of the contract to the commands of Redis: which script, over which keys, with
 * which arguments. The header of each script in `lua/` says what stands where.
 */
import { SessionStoreError } from '../../core/errors.js';
import type {
  CreateRequest,
  EncodedFields,
  FieldChange,
  FieldNames,
  ListRequest,
  PeekRequest,
  ReadRequest,
  ResolveRequest,
  RevokeRequest,
  RevokeUserRequest,
  RotateRequest,
  WriteRequest,
} from '../../core/store.js';
import {
  OWN_PART,
  type RedisKeys,
  type SessionKeys,
  encodeClass,
  encodeDevice,
  encodeOwnLimits,
} from './redis.keys.js';
import { letterOf } from './redis.reader.js';
import type { RedisRules } from './redis.rules.js';
import type { ScriptName } from './scripts.gen.js';

type Argument = string | number;

/** One call of a script. */
export interface RedisCommand {
  readonly script: ScriptName;
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
}

export function createCommand(
  { session, concurrency, replaces, epoch, verifiedAt, evicts, notAfter }: CreateRequest,
  at: SessionKeys,
  old: SessionKeys | undefined,
  rules: RedisRules,
): RedisCommand {
  const { bucket } = at;
  const rule = concurrency === 'exempt' ? undefined : concurrency;
  const keys = [at.index, at.hash, at.large, at.deadlines, bucket.counters, bucket.outbox];
  const oldKeys = old ? [old.index, old.hash, old.large, old.deadlines] : [];
  const args = [
    notAfter,
    session.id,
    session.user?.userId ?? '',
    session.token.verifier,
    session.token.generation,
    session.token.keyId,
    encodeClass(session.limitClass),
    encodeOwnLimits(session.ownLimits),
    encodeDevice(session.device),
    rules.limits,
    rules.margin,
    rules.maxTombstones,
    rules.maxSessionBytes,
    rules.maxFields,
    rule?.max ?? (concurrency === 'exempt' ? -1 : 0),
    rule?.atLimit ?? '',
    epoch ?? '',
    verifiedAt ?? '',
    evicts ?? '',
    old?.id ?? '',
    isOfUser(old),
    session.claims ?? '',
  ];
  return {
    script: 'create',
    keys: [...keys, ...oldKeys],
    args: [...args, ...namesOf(replaces?.take ?? []), ...pairsOf(session.fields)],
  };
}

export function resolveCommand(
  { id, token, touch }: ResolveRequest,
  at: SessionKeys,
  rules: RedisRules,
): RedisCommand {
  return {
    script: 'resolve',
    keys: [at.index, at.hash, at.deadlines, at.bucket.counters],
    args: [
      id,
      token.verifier,
      token.generation,
      token.traits,
      touch ? rules.touchInterval : -1,
      rules.limits,
      rules.idle,
      rules.absolute,
      rules.margin,
      rules.rarelyNeeded,
    ],
  };
}

export function peekCommand(
  { id, touch }: PeekRequest,
  at: SessionKeys,
  rules: RedisRules,
): RedisCommand {
  return {
    script: 'peek',
    keys: [at.index, at.hash, at.deadlines, at.bucket.counters],
    args: [id, rules.limits, touch ? rules.touchInterval : -1, rules.margin],
  };
}

export function readCommand(
  { id, names }: ReadRequest,
  at: SessionKeys,
  rules: RedisRules,
): RedisCommand {
  const args = [id, rules.limits, ...namesOf(names ?? 'all')];
  return { script: 'read', keys: fieldKeys(at), args };
}

export function writeCommand(
  { id, changes, notAfter }: WriteRequest,
  at: SessionKeys,
  rules: RedisRules,
): RedisCommand {
  const { limits, margin, maxSessionBytes, maxFields } = rules;
  const args = [id, limits, margin, notAfter, maxSessionBytes, maxFields];
  return { script: 'write', keys: fieldKeys(at), args: [...args, ...changes.flatMap(changeArgs)] };
}

export function rotateCommand(
  { id, token, kind, next, authenticated, claims, notAfter }: RotateRequest,
  at: SessionKeys,
  rules: RedisRules,
): RedisCommand {
  return {
    script: 'rotate',
    keys: [at.index, at.hash, at.deadlines, at.bucket.counters],
    args: [
      id,
      rules.limits,
      notAfter,
      token.verifier,
      token.generation,
      token.traits,
      kind,
      next.verifier,
      next.generation,
      next.keyId,
      next.salt ?? '',
      authenticated === true ? 1 : 0,
      rules.grace,
      rules.maxForks,
      claims ?? '',
    ],
  };
}

export function revokeCommand(
  { id, reason, take }: RevokeRequest,
  at: SessionKeys,
  rules: RedisRules,
): RedisCommand {
  const { index, hash, large, deadlines, bucket } = at;
  const args = [id, rules.limits, letterOf(reason), rules.maxTombstones, isOfUser(at)];
  return {
    script: 'revoke',
    keys: [index, hash, large, deadlines, bucket.counters],
    args: [...args, ...namesOf(take ?? [])],
  };
}

export function revokeUserCommand(
  { user, except, reason }: RevokeUserRequest,
  erase: boolean,
  keys: RedisKeys,
  rules: RedisRules,
): RedisCommand {
  const { index, bucket, idPrefix } = keys.user(user);
  const spared = except === undefined ? undefined : keys.session(except);
  const own = spared?.index === index ? spared.id.slice(OWN_PART) : '';
  return {
    script: 'revoke-user',
    keys: [index, bucket.users, bucket.counters, bucket.outbox],
    args: [
      idPrefix,
      own,
      letterOf(reason),
      rules.limits,
      erase ? 0 : rules.maxTombstones,
      rules.margin,
      erase ? 1 : 0,
    ],
  };
}

export function listCommand(
  { user }: ListRequest,
  keys: RedisKeys,
  rules: RedisRules,
): RedisCommand {
  const { index, bucket, idPrefix } = keys.user(user);
  const all = [index, bucket.users, bucket.counters];
  return { script: 'list', keys: all, args: [idPrefix, rules.limits] };
}

function fieldKeys({ index, hash, large, deadlines, bucket }: SessionKeys): readonly string[] {
  return [index, hash, large, deadlines, bucket.counters];
}

function isOfUser(session: SessionKeys | undefined): number {
  return session === undefined || session.isAnonymous ? 0 : 1;
}

/** How many names follow, or -1 for all. */
function namesOf(names: FieldNames): readonly Argument[] {
  return names === 'all' ? [-1] : [names.length, ...names];
}

function pairsOf(fields: EncodedFields): readonly string[] {
  return [...fields].flatMap(([name, value]) => [checkText(name), checkText(value)]);
}

/** The field codec escapes it in values and refuses it in names; here it would end the field. */
function checkText(text: string): string {
  if (!text.includes('\0')) return text;
  throw new SessionStoreError('a session field has a NUL character, which no field may have');
}

function changeArgs(change: FieldChange): readonly Argument[] {
  const { kind } = change;
  const name = checkText(change.name);
  switch (kind) {
    case 'set':
      return [kind, name, checkText(change.value), ''];
    case 'delete':
      return [kind, name, '', ''];
    case 'increment':
      return [kind, name, change.by, ''];
    case 'append':
      return [kind, name, checkText(change.item), ''];
    case 'replace':
      return change.expected === undefined
        ? ['add', name, checkText(change.value), '']
        : [kind, name, checkText(change.value), change.expected];
  }
}
