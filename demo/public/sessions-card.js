// All live sessions, page by page.
import { onPress } from './actions.js';
import { api } from './api.js';
import { card, h } from './dom.js';
import { agoShort, dateTime } from './format.js';

const COLUMNS = ['User', 'Device', 'Logged in', 'Last seen', ''];

export async function sessionsCard(signal) {
  const body = h('tbody');
  const next = h('button', { onclick: onPress(() => turn(page + 1, nextCursor)) }, 'Next page');
  const first = h('button', { onclick: onPress(() => turn(1, undefined)) }, 'First page');
  const place = h('span', { class: 'hint', role: 'status' });
  let page = 1;
  let cursor;
  let nextCursor;

  async function load() {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await api('GET', `/admin/sessions?limit=8${query}`);
    if (signal.aborted) return;
    nextCursor = answer.cursor;
    next.disabled = nextCursor === undefined;
    first.disabled = page === 1;
    place.textContent = `Page ${page}`;
    body.replaceChildren(...answer.sessions.map((session) => row(session, change)));
  }

  function turn(pageNumber, to) {
    page = pageNumber;
    cursor = to;
    return load();
  }

  async function change(method, path) {
    await api(method, path);
    await load();
  }

  await load().catch(() => undefined);
  return card(
    'All sessions',
    h(
      'table',
      { class: 'sessions' },
      h('thead', {}, h('tr', {}, ...COLUMNS.map((name) => h('th', { scope: 'col' }, name)))),
      body,
    ),
    h(
      'div',
      { class: 'actions' },
      first,
      next,
      h('button', { onclick: onPress(load) }, 'Refresh'),
      place,
    ),
  );
}

function row({ id, userId, userName, device, createdAt, seenAt }, change) {
  const label = [device.client, device.platform].filter(Boolean).join(' · ') || 'Unknown device';
  const name = userName ?? 'Anonymous';
  const revoke = onPress(() => change('DELETE', `/admin/sessions/${id}`));
  const revokeUser = onPress(() =>
    change('POST', `/admin/users/${encodeURIComponent(userId)}/revoke`),
  );
  return h(
    'tr',
    {},
    cell('User', h('strong', {}, name)),
    cell('Device', label, h('small', {}, device.address ?? '')),
    cell('Logged in', h('time', { title: dateTime(createdAt) }, agoShort(createdAt))),
    cell('Last seen', h('time', { title: dateTime(seenAt) }, agoShort(seenAt))),
    h(
      'td',
      { class: 'row-actions' },
      h('button', { 'aria-label': `Revoke ${label} of ${name}`, onclick: revoke }, 'Revoke'),
      userId !== undefined &&
        h(
          'button',
          { class: 'plain', 'aria-label': `Revoke all of ${name}`, onclick: revokeUser },
          'All of user',
        ),
    ),
  );
}

/** The label stands in front of the value where the table has no room for columns. */
function cell(label, ...content) {
  return h('td', { 'data-label': label }, ...content);
}
