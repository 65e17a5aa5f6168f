// Where the user is logged in, and what ended lately.
import { onPress } from './actions.js';
import { api } from './api.js';
import { card, every, h, icon } from './dom.js';
import { timeOf, updateList } from './live-list.js';

const REFRESH = 2_000;

const EXPLANATIONS = {
  idle: 'it was not used for too long',
  absolute: 'it reached its maximum age',
  logout: 'you logged out there',
  revoked: 'you or an administrator ended it',
  evicted: 'a newer login took its place',
  replaced: 'the same browser logged in again',
  reused: 'an old token of it was used',
};

export async function devicesCards(frame, signal) {
  const list = h('ul', { class: 'devices', 'aria-label': 'Your devices' });
  const ended = h('ul', { class: 'ended', 'aria-label': 'Ended lately' });

  async function refresh() {
    const [devices, tombstones] = await Promise.all([
      api('GET', '/devices'),
      api('GET', '/devices/ended'),
    ]);
    if (signal.aborted) return;
    updateList(list, devices, (device) => deviceItem(device, revoke));
    updateList(ended, tombstones.slice(0, 5), endedItem);
  }

  async function change(method, path, isEnd) {
    await api(method, path);
    await (isEnd ? frame.loggedOut() : refresh());
  }

  const revoke = ({ id, isCurrent }) => change('DELETE', `/devices/${id}`, isCurrent);
  const others = onPress(() => change('POST', '/devices/revoke-others', false));
  const all = onPress(() => change('POST', '/devices/revoke-all', true));

  await every(REFRESH, refresh, signal);
  return [
    card(
      'Your devices',
      list,
      h(
        'div',
        { class: 'actions' },
        h('button', { onclick: others }, 'Revoke all others'),
        h('button', { class: 'danger', onclick: all }, 'Revoke all'),
      ),
    ),
    card('Ended lately', ended),
  ];
}

function deviceItem(device, revoke) {
  const { client, platform, address } = device.device;
  const label = [client, platform].filter(Boolean).join(' · ') || 'Unknown device';
  const remembered = device.limitClass === 'remembered';
  return h(
    'li',
    { class: 'device' },
    icon(iconOf(client, platform)),
    h(
      'div',
      { class: 'device-text' },
      h(
        'p',
        { class: 'device-name' },
        label,
        device.isCurrent && h('span', { class: 'tag tag-good' }, 'this one'),
        remembered && h('span', { class: 'tag' }, 'remembered'),
      ),
      h(
        'p',
        { class: 'facts hint' },
        h('span', {}, address ?? 'address unknown'),
        h('span', {}, 'logged in ', timeOf('createdAt')),
        h('span', {}, 'last seen ', timeOf('seenAt')),
      ),
    ),
    h(
      'button',
      { 'aria-label': `Revoke ${label}`, onclick: onPress(() => revoke(device)) },
      'Revoke',
    ),
  );
}

function endedItem({ reason }) {
  return h(
    'li',
    {},
    h('span', { class: `dot fill-${reason}`, 'aria-hidden': 'true' }),
    h('span', {}, h('strong', {}, reason), `: ${EXPLANATIONS[reason] ?? ''}`),
    timeOf('endedAt'),
  );
}

function iconOf(client = '', platform = '') {
  if (platform === 'iOS' || platform === 'Android') return 'phone';
  return platform === '' || client.includes('/') ? 'terminal' : 'laptop';
}
