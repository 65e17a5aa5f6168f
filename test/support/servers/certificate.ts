// A certificate for servers on this machine, made for the run: one in the repository would expire,
// and its private key would alarm everybody's scanners. Node reads certificates but writes none.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM; the certificate vouches for itself, so it is the authority to trust as well. */
  readonly certificate: string;
  readonly key: string;
}

// DER, the notation of X.509: a tag, a length, the content.
const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const EXPLICIT_0 = 0xa0;
const EXPLICIT_3 = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const ALTERNATIVE_NAMES = Buffer.from('0603551d11', 'hex');
const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');

const DAY = 86_400_000;

/** Makes a certificate for `localhost` and 127.0.0.1 that is valid for a week. */
export function createCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from('localhost')))),
  );
  const alternatives = der(
    SEQUENCE,
    der(DNS_NAME, Buffer.from('localhost')),
    der(IP_ADDRESS, Buffer.from([127, 0, 0, 1])),
  );
  const serial = randomBytes(8);
  // A positive number without leading zeros.
  serial[0] = 0x40;
  const content = der(
    SEQUENCE,
    der(EXPLICIT_0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serial),
    ECDSA_SHA256,
    name,
    der(SEQUENCE, utcTime(Date.now() - DAY), utcTime(Date.now() + 7 * DAY)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      EXPLICIT_3,
      der(SEQUENCE, der(SEQUENCE, ALTERNATIVE_NAMES, der(OCTET_STRING, alternatives))),
    ),
  );
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', content, privateKey));
  const lines = der(SEQUENCE, content, ECDSA_SHA256, signature)
    .toString('base64')
    .replace(/.{64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function utcTime(time: number): Buffer {
  // 2026-11-23T19:19:00.000Z → 261123191900Z
  const text = new Date(time)
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .slice(2);
  return der(UTC_TIME, Buffer.from(text));
}
