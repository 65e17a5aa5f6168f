// Times and numbers in words.

const inWords = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const inShort = new Intl.RelativeTimeFormat('en', { style: 'narrow' });
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** "5 minutes ago" */
export function ago(instant) {
  return since(instant, inWords);
}

/** "5m ago" */
export function agoShort(instant) {
  return since(instant, inShort);
}

function since(instant, words) {
  const seconds = Math.max(0, Math.round((Date.now() - instant) / 1000));
  if (seconds < 5) return 'just now';
  const [unit, length] = UNITS.find((candidate) => seconds >= candidate[1]);
  return words.format(-Math.floor(seconds / length), unit);
}

/** "Nov 23, 2026, 7:05:12 PM" */
export function dateTime(instant) {
  return exact.format(instant);
}

/** A time left, as on a clock: "1:05", "23:59:01", "29 d 23:59:01" */
export function clock(totalSeconds) {
  const days = Math.floor(totalSeconds / 86_400);
  const hours = Math.floor((totalSeconds % 86_400) / 3_600);
  const minutes = Math.floor((totalSeconds % 3_600) / 60);
  const seconds = twoDigits(Math.floor(totalSeconds % 60));
  if (days === 0 && hours === 0) return `${minutes}:${seconds}`;
  return `${days > 0 ? `${days} d ` : ''}${hours}:${twoDigits(minutes)}:${seconds}`;
}

function twoDigits(count) {
  return String(count).padStart(2, '0');
}

/** A length of time in its largest unit: "90 s" → "2 min". */
export function span(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) return `${round(seconds / 3_600)} h`;
  return `${round(seconds / 86_400)} d`;
}

/** One decimal place, if there is any. */
export function round(value) {
  return String(Math.round(value * 10) / 10);
}

/** "AM" for "Alice Moreau" */
export function initials(name) {
  const words = name.split(/[\s-]+/);
  return words
    .slice(0, 2)
    .map((word) => word[0]?.toUpperCase() ?? '')
    .join('');
}
