/**
 * `secret`: required in production, made up elsewhere, and never shown.
 */
import { types } from 'node:util';
import { type OptionGroup, listOf } from './config-reader.js';
import { kindOf } from './config-text.js';
import { type Secret, checkSecret } from './key-ring.js';

/** More secrets than anybody rotates through; each costs time at every boot. */
const MAX_SECRETS = 16;

/** The secrets, newest first; `undefined` if there is none or a bad one, which is reported. */
export function readSecrets(
  group: OptionGroup<'secret'>,
  production: boolean,
): readonly Secret[] | undefined {
  const raw = group.get('secret');
  if (raw === undefined) {
    // One that could not be read is reported already.
    if (group.has('secret')) return undefined;
    if (production) {
      group.problem(
        'secret',
        'is required in production: put the output of `openssl rand -base64 32` into the ' +
          'environment and pass it, as in secret: process.env.SESSION_SECRET',
      );
    } else {
      group.report.warn(
        'ephemeral-secret',
        'secret is not set: sessions use a random one that ends with this process, so that they ' +
          'do not survive a restart and no other process knows them; production needs a secret',
      );
    }
    return undefined;
  }
  if (raw === '') {
    group.problem('secret', 'is empty: set the environment variable it is read from');
    return undefined;
  }
  const list = listOf(raw, MAX_SECRETS);
  if (list === undefined) return secretOf(group, 'secret', raw);
  if (typeof list === 'string' || list.length === 0) {
    const got = typeof list === 'string' ? list : 'none';
    group.problem('secret', `must be 1 to ${MAX_SECRETS} secrets, newest first (got ${got})`);
    return undefined;
  }
  const secrets = list.map((one, index) => secretOf(group, `secret[${index}]`, one));
  return secrets.every((one) => one !== undefined) ? secrets.flat() : undefined;
}

function secretOf(
  group: OptionGroup<'secret'>,
  path: string,
  raw: unknown,
): readonly Secret[] | undefined {
  const secret = typeof raw === 'string' ? raw : bytesOf(raw);
  const problem =
    secret === undefined
      ? `must be a text or a Uint8Array of at least 32 bytes (got ${kindOf(raw)})`
      : checkSecret(secret);
  if (problem === undefined && secret !== undefined) return [secret];
  group.report.problem(`${path} ${problem}`);
  return undefined;
}

/** A copy, which a later change of the caller's bytes does not reach. */
function bytesOf(value: unknown): Uint8Array | undefined {
  try {
    // Not `instanceof`: the bytes may come from another realm, such as a test runner's.
    return types.isUint8Array(value) ? Buffer.from(new Uint8Array(value)) : undefined;
  } catch {
    return undefined;
  }
}
