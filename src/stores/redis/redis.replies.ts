/** From the replies of the scripts to those of the contract: status, time, then the rest. */
import type { SessionId } from '../../core/record.js';
import type {
  CreateReply,
  FieldChange,
  ListReply,
  PeekReply,
  ReadReply,
  ResolveReply,
  RevokeReply,
  RevokeUserReply,
  RotateReply,
  WriteReply,
} from '../../core/store.js';
import { decodeClass, decodeDevice } from './redis.keys.js';
import { ReplyReader, nonsense } from './redis.reader.js';
import type { ScriptReply } from './redis.runner.js';

/** A reply, and sessions that left keys behind which nothing refers to any more. */
export interface WithLeftovers<R> {
  readonly reply: R;
  readonly leftovers: readonly SessionId[];
}

export function readCreate(
  id: SessionId,
  replaced: SessionId | undefined,
  scriptReply: ScriptReply,
): WithLeftovers<CreateReply> {
  const reader = new ReplyReader(scriptReply);
  const status = reader.text();
  const now = reader.integer();
  switch (status) {
    case 'created': {
      const record = reader.record(id);
      const ended = reader.endedSessions();
      // The script itself has removed what the replaced session had.
      const leftovers = ended.map((each) => each.id).filter((each) => each !== replaced);
      return { reply: { status, now, record, ended }, leftovers };
    }
    case 'late':
    case 'taken':
    case 'superseded':
    case 'too-large':
    case 'limit':
      return { reply: { status, now }, leftovers: [] };
    default:
      throw nonsense();
  }
}

export function readResolve(id: SessionId, scriptReply: ScriptReply): WithLeftovers<ResolveReply> {
  if (typeof scriptReply === 'string') {
    return { reply: readUsual(id, scriptReply), leftovers: [] };
  }
  const reader = new ReplyReader(scriptReply);
  const status = reader.text();
  const now = reader.integer();
  switch (status) {
    case 'active':
      return { reply: readActive(id, now, reader), leftovers: [] };
    case 'ended':
      return readEnded(id, now, reader);
    case 'gone':
    case 'retired':
    case 'ahead':
      return { reply: { status, now }, leftovers: [] };
    default:
      throw nonsense();
  }
}

const MATCHES = ['current', 'predecessor', 'fork', 'reused'] as const;

function readActive(id: SessionId, now: number, reader: ReplyReader): ResolveReply {
  const word = reader.text();
  const match = MATCHES.find((each) => each === word);
  if (match === undefined) throw nonsense();
  const suspicious = reader.integer() === 1;
  const complete = reader.integer() === 1;
  const { keyId, rotatedAt } = readTokenState(reader.text());
  const record = reader.record(id);
  const salt = reader.text();
  const verifier = reader.text();
  const successor = { salt, generation: record.generation, keyId, verifier };
  return {
    status: 'active',
    now,
    record,
    fields: reader.fields(1),
    complete,
    rotatedAt,
    match,
    ...(salt !== '' && { successor }),
    suspicious,
  };
}

/** The usual case of `resolve` comes as one text: that is where most of the time goes. */
function readUsual(id: SessionId, text: string): ResolveReply {
  const parts = text.split('\0');
  const [generation, now, createdAt, authenticatedAt, seenAt, idleAt, absoluteAt] = parts;
  const [limitClass, state, userId, device, claims] = parts.slice(7);
  if (
    claims === undefined ||
    device === undefined ||
    state === undefined ||
    limitClass === undefined
  )
    throw nonsense();
  const fields = new Map<string, string>();
  for (let at = 12; at + 1 < parts.length; at += 2) {
    fields.set(parts[at]?.slice(1) ?? '', parts[at + 1] ?? '');
  }
  return {
    status: 'active',
    now: Number(now),
    record: {
      id,
      ...(userId && { userId, authenticatedAt: Number(authenticatedAt) }),
      createdAt: Number(createdAt),
      seenAt: Number(seenAt),
      idleAt: Number(idleAt),
      absoluteAt: Number(absoluteAt),
      limitClass: decodeClass(limitClass),
      device: decodeDevice(device),
      ...(claims !== '' && { claims }),
      generation: Number(generation),
    },
    fields,
    complete: true,
    rotatedAt: readTokenState(state).rotatedAt,
    match: 'current',
    suspicious: false,
  };
}

/** `c17 1764000000000 0`: confirmed or not, key id, when it was rotated, forks; see `_tokens.lua`. */
function readTokenState(text: string): { readonly keyId: number; readonly rotatedAt: number } {
  const [keyId = '', rotatedAt] = text.split(' ');
  return { keyId: Number(keyId.slice(1)), rotatedAt: Number(rotatedAt) };
}

function readEnded(id: SessionId, now: number, reader: ReplyReader): WithLeftovers<ResolveReply> {
  const reason = reader.reason();
  const reply = { status: 'ended', now, reason } as const;
  if (reader.isDone) return { reply, leftovers: [] };
  const large = reader.optionalInteger();
  if (large === undefined) return { reply: { ...reply, rejected: true }, leftovers: [] };
  const userId = reader.text();
  const createdAt = reader.integer();
  const endedAt = reader.integer();
  const ended = { id, ...(userId !== '' && { userId }), reason, createdAt, endedAt };
  return { reply: { ...reply, ended }, leftovers: large === 1 ? [id] : [] };
}

export function readPeek(id: SessionId, scriptReply: ScriptReply): PeekReply {
  const reader = new ReplyReader(scriptReply);
  const status = reader.text();
  const now = reader.integer();
  if (status === 'active') return { status, now, record: reader.record(id) };
  if (status !== 'ended') return { status: 'gone', now };
  const reason = reader.reason();
  return { status, now, reason, ...(!reader.isDone && { endedAt: reader.integer() }) };
}

export function readRead(scriptReply: ScriptReply): ReadReply {
  const reader = new ReplyReader(scriptReply);
  const status = reader.text();
  const now = reader.integer();
  return status === 'read' ? { status, now, fields: reader.fields() } : { status: 'gone', now };
}

export function readWrite(changes: readonly FieldChange[], scriptReply: ScriptReply): WriteReply {
  const reader = new ReplyReader(scriptReply);
  const status = reader.text();
  const now = reader.integer();
  switch (status) {
    case 'late':
    case 'gone':
    case 'too-large':
      return { status, now };
    case 'written': {
      const fields = new Map<string, string | undefined>();
      for (const { name } of changes) fields.set(name, reader.optionalText());
      return { status, now, fields };
    }
    case 'conflict':
      return readConflict(reader, changes, now);
    default:
      throw nonsense();
  }
}

const CONFLICTS = ['changed', 'not-an-integer', 'not-an-array', 'out-of-range'] as const;

function readConflict(
  reader: ReplyReader,
  changes: readonly FieldChange[],
  now: number,
): WriteReply {
  const name = changes[reader.integer()]?.name;
  const word = reader.text();
  const why = CONFLICTS.find((each) => each === word);
  if (name === undefined || why === undefined) throw nonsense();
  return { status: 'conflict', now, name, why, current: reader.optionalText() };
}

export function readRotate(id: SessionId, scriptReply: ScriptReply): RotateReply {
  const reader = new ReplyReader(scriptReply);
  const status = reader.text();
  const now = reader.integer();
  switch (status) {
    case 'late':
    case 'gone':
      return { status, now };
    case 'rotated':
      return { status, now, record: reader.record(id) };
    case 'lost': {
      const salt = reader.text();
      const generation = reader.integer();
      const keyId = reader.integer();
      const verifier = reader.text();
      if (salt === '') return { status, now };
      return { status, now, successor: { salt, generation, keyId, verifier } };
    }
    default:
      throw nonsense();
  }
}

export function readRevoke(scriptReply: ScriptReply): RevokeReply {
  const reader = new ReplyReader(scriptReply);
  const status = reader.text();
  const now = reader.integer();
  if (status !== 'revoked') return { status: 'gone', now };
  return { status, now, ended: reader.endedSession(), fields: reader.fields() };
}

export function readRevokeUser(scriptReply: ScriptReply): WithLeftovers<RevokeUserReply> {
  const reader = new ReplyReader(scriptReply);
  if (reader.text() !== 'revoked') throw nonsense();
  const now = reader.integer();
  const epoch = reader.integer();
  const expired = Array.from({ length: reader.integer() }, () => reader.text());
  const ended = reader.endedSessions();
  const leftovers = [...expired, ...ended.map(({ id }) => id)];
  return { reply: { status: 'revoked', now, ended, epoch }, leftovers };
}

export function readList(maxTombstones: number, scriptReply: ScriptReply): ListReply {
  const reader = new ReplyReader(scriptReply);
  if (reader.text() !== 'listed') throw nonsense();
  const now = reader.integer();
  const epoch = reader.integer();
  const userId = reader.text();
  const sessions = Array.from({ length: reader.integer() }, () =>
    reader.recordOf(reader.text(), userId),
  );
  const tombstones = [];
  while (!reader.isDone) {
    tombstones.push({ id: reader.text(), reason: reader.reason(), endedAt: reader.integer() });
  }
  // Sorting keeps the order of those of the same millisecond, which is the script's.
  return {
    status: 'listed',
    now,
    sessions: sessions.toSorted((a, b) => b.createdAt - a.createdAt),
    tombstones: tombstones.toSorted((a, b) => b.endedAt - a.endedAt).slice(0, maxTombstones),
    epoch,
  };
}
