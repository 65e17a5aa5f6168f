import { card, h } from './dom.js';
import { agoShort, dateTime } from './format.js';

const TEXTS = {
  login: 'logged in',
  'login-failed': 'failed to log in',
  logout: 'logged out',
  revoked: 'was revoked',
  evicted: 'was evicted by a newer login',
  replaced: 'was replaced in the same browser',
  idle: 'expired: idle timeout',
  absolute: 'expired: absolute timeout',
  reused: 'ended: an old token was used',
};

/** The latest events of the library, newest first. */
export function activityCard() {
  const list = h('ul', { class: 'activity', 'aria-label': 'Latest events' });
  return {
    element: card('Latest events', list),
    update(latest) {
      list.replaceChildren(...latest.slice(0, 12).map(item));
    },
  };
}

function item({ at, what, userName }) {
  return h(
    'li',
    {},
    h('span', { class: `dot fill-${what}`, 'aria-hidden': 'true' }),
    h('span', {}, h('strong', {}, userName ?? 'Somebody'), ` ${TEXTS[what] ?? what}`),
    h('time', { title: dateTime(at) }, agoShort(at)),
  );
}
