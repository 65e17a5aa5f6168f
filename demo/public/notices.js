// The line at the top of the page that says what happened, above all why a session ended.
import { h } from './dom.js';

const REASONS = {
  ERR_SESSION_IDLE: ['Logged out: no activity', 'This session was not used for too long.'],
  ERR_SESSION_ABSOLUTE: [
    'Logged out: time is up',
    'This session reached its maximum age, however active it was.',
  ],
  ERR_SESSION_EVICTED: [
    'Logged out: too many sessions',
    'A newer login took the place of this one, which was not used for the longest time.',
  ],
  ERR_SESSION_REVOKED: [
    'Logged out: revoked',
    'Somebody ended this session: you on another device, or an administrator.',
  ],
  ERR_SESSION_REUSED: [
    'Logged out: copied session',
    'An old copy of its token was used, which means that somebody may have stolen it.',
  ],
  ERR_SESSION_ENDED: ['Logged out', 'This session was ended in another tab of this browser.'],
  ERR_SESSION_REQUIRED: ['Logged out', 'There is no session in this browser any more.'],
};

const area = document.querySelector('#notice');

/** Says why the session is over, and gives the code that the server sent. */
export function showEnd(code) {
  const [title, text] = REASONS[code] ?? ['Logged out', 'The session is over.'];
  show('warning', title, text, code);
}

export function showError(message) {
  show('error', 'That did not work', message);
}

export function clearNotice() {
  area.replaceChildren();
}

function show(kind, title, text, code) {
  area.replaceChildren(
    h(
      'div',
      { class: `notice notice-${kind}`, role: 'alert' },
      h(
        'div',
        {},
        h('strong', {}, title),
        h('p', {}, text, code && ' ', code && h('code', {}, code)),
      ),
      h('button', { class: 'plain', 'aria-label': 'Close the message', onclick: clearNotice }, '✕'),
    ),
  );
}
