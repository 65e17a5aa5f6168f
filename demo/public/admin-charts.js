// What `SessionService.stats()` tells, as figures and charts.
import { barChart, lineChart, rowChart } from './charts.js';
import { h } from './dom.js';
import { round, span } from './format.js';

/** Five minutes, one reading every two seconds. */
const READINGS = 150;
const REASONS = ['logout', 'revoked', 'evicted', 'replaced', 'idle', 'absolute', 'reused'];
const DURATIONS = 11;
const MOST_PER_USER = 10;

export function createCharts(signal) {
  const tiles = createTiles();
  const active = lineChart('Active sessions', READINGS, ['5 min ago', 'now'], signal);
  const created = barChart('Logins per minute', 60, signal);
  const ended = rowChart('Ends by reason', REASONS.length, signal);
  const durations = barChart('How long sessions lasted', DURATIONS, signal);
  const perUser = barChart('Sessions per user', MOST_PER_USER, signal);
  const failures = barChart('Failed logins per minute', 60, signal);
  const readings = [];

  function update(stats) {
    tiles.update(stats);
    readings.push({ label: new Date(stats.at).toLocaleTimeString('en'), value: stats.active });
    if (readings.length > READINGS) readings.shift();
    active.update(readings, stats.active);
    created.update(perMinute(stats, 'created'), `${round(stats.creationRate.last5)} / min`);
    ended.update(
      REASONS.map((reason) => ({ label: reason, value: stats.ended[reason], kind: reason })),
      sum(Object.values(stats.ended)),
    );
    durations.update(durationClasses(stats), `average ${span(stats.duration.average)}`);
    perUser.update(usersBySessions(stats), `average ${round(stats.users.average)}`);
    failures.update(perMinute(stats, 'loginFailures'), stats.loginFailures);
  }

  const charts = [active, created, ended, durations, perUser, failures];
  const grid = h('div', { class: 'charts' }, ...charts.map(({ element }) => element));
  return { elements: [tiles.element, grid], update };
}

const TILES = [
  ['active now', (stats) => stats.active],
  ['users online', (stats) => stats.users.active],
  ['anonymous', (stats) => stats.anonymous],
  ['logins so far', (stats) => stats.created],
  ['failed logins', (stats) => stats.loginFailures],
];

function createTiles() {
  const tiles = TILES.map(([label, read]) => {
    const value = h('dd', { class: 'number' }, '–');
    return { read, value, element: h('div', {}, h('dt', {}, label), value) };
  });
  return {
    element: h('dl', { class: 'tiles card' }, ...tiles.map(({ element }) => element)),
    update(stats) {
      for (const { read, value } of tiles) value.textContent = read(stats);
    },
  };
}

function perMinute({ minutes }, counter) {
  return minutes.map((minute, at) => {
    const before = minutes.length - 1 - at;
    const label = before === 0 ? 'this minute' : `${before} min ago`;
    return { label, value: minute[counter], tick: TICKS.get(before) };
  });
}

const TICKS = new Map([
  [45, '45 min ago'],
  [30, '30'],
  [15, '15'],
  [0, ''],
]);

/** JSON has no infinity: the class without an upper end comes as `null`. */
function durationClasses({ duration }) {
  return duration.classes.map(({ upTo, count }, at) => {
    const longest = upTo === null ? 'more' : span(upTo);
    const tick = upTo === null ? 'more' : at % 2 === 0 ? `≤ ${longest}` : '';
    return { label: upTo === null ? longest : `up to ${longest}`, value: count, tick };
  });
}

/** The last bar stands for all who have more. */
function usersBySessions({ users }) {
  return Array.from({ length: MOST_PER_USER }, (_, at) => {
    const isLast = at === MOST_PER_USER - 1;
    const fitting = users.distribution.filter(({ sessions }) =>
      isLast ? sessions > at : sessions === at + 1,
    );
    const tick = `${at + 1}${isLast ? '+' : ''}`;
    return { label: `users with ${tick}`, value: sum(fitting.map((one) => one.users)), tick };
  });
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
