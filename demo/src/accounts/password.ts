/**
 * Passwords are kept as scrypt hashes, with the cost that OWASP recommends.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** Salt and derived key in base64url. */
export interface PasswordHash {
  readonly salt: string;
  readonly key: string;
}

const KEY_BYTES = 32;
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 2 ** 20 };

const derive = promisify<string, Buffer, number, typeof COST, Buffer>(scrypt);

/**
 * Whether it is the password of this hash. Without a hash (nobody has that name) the answer is no,
 * after the same amount of work: the time must not tell which names exist.
 */
export async function isPassword(
  password: string,
  hash: PasswordHash | undefined,
): Promise<boolean> {
  const salt = hash ? Buffer.from(hash.salt, 'base64url') : randomBytes(16);
  const key = hash ? Buffer.from(hash.key, 'base64url') : randomBytes(KEY_BYTES);
  return timingSafeEqual(await derive(password.normalize('NFC'), salt, KEY_BYTES, COST), key);
}
