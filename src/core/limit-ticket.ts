/**
 * Lets a user whose login met the concurrency limit choose which session makes room, without
 * proving their credentials again.
 *
 * The ticket is sealed (AES-256-GCM): its holder can neither read nor change it. It names the id
 * that the new session will have, so it is good for one session only, by the rule that `create`
 * never takes an id that was used; no store has to remember tickets.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SessionConfig } from './config.js';
import { SessionLimitError } from './errors.js';
import type { CreateOptions, LoginTicket } from './login-options.js';
import type { StoreAccess } from './store-access.js';
import type { UserPlace } from './store.js';
import { createSid } from './user-id.js';

/** Milliseconds in which the user can choose. */
const LIFETIME = 5 * 60_000;
const PREFIX = 'nskt_';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A login that only lacks room. */
export interface PausedLogin {
  readonly userId: string;
  /** 16 bytes, base64url: part of the id of the session to come. */
  readonly sid: string;
  readonly options: Pick<
    CreateOptions,
    'remember' | 'limitClass' | 'timeouts' | 'methods' | 'level' | 'pending' | 'tenant'
  >;
  readonly ticket: LoginTicket;
}

/** The refusal that says how to go on. */
export async function pauseLogin(
  config: SessionConfig,
  access: StoreAccess,
  user: UserPlace & { readonly userId: string },
  options: CreateOptions,
  max: number,
): Promise<SessionLimitError> {
  const { userId, bucket, userKey } = user;
  const place = { bucket, userKey };
  const { sessions, epoch, now } = await access.call((store) => store.list({ user: place }));
  const { remember, limitClass, timeouts, methods, level, pending, tenant } = options;
  const login = {
    userId,
    sid: Buffer.from(createSid(userKey)).toString('base64url'),
    // JSON drops what is undefined.
    options: { remember, limitClass, timeouts, methods, level, pending, tenant },
    ticket: options.ticket ?? { userId, epoch, at: now },
  };
  const choices = sessions.map(({ id, createdAt, seenAt, device }) => ({
    id,
    createdAt,
    seenAt,
    device,
  }));
  return new SessionLimitError(max, {
    ticket: sealLogin(config, login as PausedLogin, now),
    sessions: choices,
  });
}

/** The ticket for a login that only lacks room. `now` by the store's clock. */
function sealLogin(config: SessionConfig, login: PausedLogin, now: number): string {
  const { id, key } = keyOf(config.ring.current);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(config.audience));
  const text = JSON.stringify({ ...login, until: now + LIFETIME });
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const bytes = Buffer.concat([Buffer.of(id), nonce, cipher.getAuthTag(), sealed]);
  return PREFIX + bytes.toString('base64url');
}

/** `undefined` for anything but a genuine ticket that has not expired. */
export function openLogin(
  config: SessionConfig,
  ticket: unknown,
  now: number,
): PausedLogin | undefined {
  if (typeof ticket !== 'string' || !ticket.startsWith(PREFIX)) return undefined;
  const bytes = Buffer.from(ticket.slice(PREFIX.length), 'base64url');
  if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES) return undefined;
  for (const candidate of config.ring.find(bytes.readUInt8(0))) {
    const login = decrypt(keyOf(candidate).key, bytes, config.audience);
    if (login !== undefined) return now <= login.until ? login : undefined;
  }
  return undefined;
}

function keyOf(ringKey: SessionConfig['ring']['current']): {
  readonly id: number;
  readonly key: ReturnType<SessionConfig['ring']['current']['for']>;
} {
  return { id: ringKey.id, key: ringKey.for('ticket') };
}

function decrypt(
  key: ReturnType<SessionConfig['ring']['current']['for']>,
  bytes: Buffer,
  audience: string,
): (PausedLogin & { readonly until: number }) | undefined {
  const at = { nonce: 1, tag: 1 + NONCE_BYTES, sealed: 1 + NONCE_BYTES + TAG_BYTES };
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(at.nonce, at.tag))
      .setAAD(Buffer.from(audience))
      .setAuthTag(bytes.subarray(at.tag, at.sealed));
    const text = Buffer.concat([decipher.update(bytes.subarray(at.sealed)), decipher.final()]);
    // Only we can have written it.
    return JSON.parse(text.toString('utf8')) as PausedLogin & { readonly until: number };
  } catch {
    return undefined;
  }
}
