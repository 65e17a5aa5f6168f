/**
 * A short label of the client for the user's own list of devices. A label, not an identification:
 * user agents lie, and nothing is decided by it.
 */
import { remembered } from '../core/bounded-map.js';
import type { SessionDevice } from '../core/record.js';

/** Every part is cut to this many bytes, so that a stored session stays small. */
const MAX_PART_BYTES = 64;
const MAX_USER_AGENT = 512;
/** Different user agents whose labels are kept at hand: reading one takes 1 to 3 µs. */
const REMEMBERED = 1_000;

/** The first that matches wins: browsers name the ones they descend from, too. */
const CLIENTS: readonly (readonly [label: string, pattern: RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /\bOPR\/(\d+)/],
  ['Samsung Internet', /\bSamsungBrowser\/(\d+)/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /\b(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/],
  ['Safari', /\bVersion\/(\d+)[.\d]* (?:Mobile\/\w+ )?Safari\//],
];

const PLATFORMS: readonly (readonly [label: string, pattern: RegExp])[] = [
  ['iOS', /\b(?:iPhone|iPad|iPod)\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac(?:intosh| OS X)\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
];

export function describeDevice(
  userAgent: string | undefined,
  address: string | undefined,
): SessionDevice {
  const labels = labelsOf(userAgent?.slice(0, MAX_USER_AGENT) ?? '');
  return address === undefined ? labels : { ...labels, address: clean(address) };
}

const labelsOf = remembered(REMEMBERED, (userAgent): SessionDevice => {
  const client = clientOf(userAgent);
  const platform = PLATFORMS.find(([, pattern]) => pattern.test(userAgent))?.[0];
  return Object.freeze({
    ...(client !== undefined && { client }),
    ...(platform !== undefined && { platform }),
  });
});

function clientOf(userAgent: string): string | undefined {
  for (const [label, pattern] of CLIENTS) {
    const match = pattern.exec(userAgent);
    if (match) return `${label} ${match[1]}`;
  }
  // curl/8.5.0, okhttp/4.12: programs that just say who they are. Nobody begins with "+" or "-", as
  // formulas do (CWE-1236).
  const product = /^\w[\w.+-]{0,39}(?:\/[\w.+-]{1,20})?/.exec(userAgent)?.[0];
  return product === undefined ? undefined : clean(product);
}

/** Printable ASCII only, so that a label can break neither a log line nor a page (CWE-117). */
function clean(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, MAX_PART_BYTES);
}
