// The frame of the page: who is logged in, which view is shown, and what happens when a session ends.
import { accountView } from './account-view.js';
import { adminView } from './admin-view.js';
import { onPress } from './actions.js';
import { ApiError, api, sessionEvents } from './api.js';
import { h } from './dom.js';
import { initials } from './format.js';
import { loginView } from './login-view.js';
import { clearNotice, showEnd, showError } from './notices.js';
import { SessionStatus } from './session-status.js';

const VIEWS = {
  '#/login': { title: 'Log in', show: loginView },
  '#/account': { title: 'Your account', show: accountView },
  '#/admin': { title: 'Administration', show: adminView },
};

const status = new SessionStatus();
const main = document.querySelector('#main');
let me;
let leaveView = new AbortController();

/** What views may do with the frame. */
const frame = {
  status,
  get me() {
    return me;
  },
  loggedIn(account) {
    clearNotice();
    me = account;
    void status.refresh().catch(() => undefined);
    go('#/account');
  },
  loggedOut() {
    clearNotice();
    me = undefined;
    go('#/login');
  },
};

function go(hash) {
  if (location.hash === hash) void render();
  else location.hash = hash;
}

async function render() {
  leaveView.abort();
  leaveView = new AbortController();
  const { signal } = leaveView;
  const shown = whatToShow();
  const { title, show } = VIEWS[shown];
  // A view comes with its data, so that nothing moves after it is there.
  const content = await show(frame, signal);
  if (signal.aborted) return;
  document.title = `${title} · nestjs-session-kit demo`;
  renderTopbar(shown);
  const heading = h('h1', { tabindex: '-1' }, title);
  main.className = `view view-${shown.slice(2)}`;
  main.replaceChildren(heading, ...content);
  // Tells screen readers that this is another page now.
  heading.focus({ preventScroll: true });
}

function whatToShow() {
  if (!me) return '#/login';
  return location.hash in VIEWS && location.hash !== '#/login' ? location.hash : '#/account';
}

function renderTopbar(shown) {
  const link = (hash, text) =>
    h('a', { href: hash, 'aria-current': shown === hash ? 'page' : undefined }, text);
  const links =
    me?.role === 'admin'
      ? [link('#/account', 'Your account'), link('#/admin', 'Administration')]
      : [];
  document.querySelector('#nav').replaceChildren(...links);
  const logout = onPress(async () => {
    await api('POST', '/logout');
    frame.loggedOut();
  });
  document
    .querySelector('#user')
    .replaceChildren(
      ...(me
        ? [
            h('span', { class: 'avatar', 'aria-hidden': 'true' }, initials(me.name)),
            h('span', { class: 'user-name' }, me.name),
            h('button', { onclick: logout }, 'Log out'),
          ]
        : []),
    );
}

/** The server refused: back to the login, with the reason. */
function sessionLost(code) {
  if (!me) return;
  me = undefined;
  go('#/login');
  showEnd(code);
}

/** Another tab may have logged out, or logged somebody else in. */
async function followStatus() {
  const { state, userId } = status.current;
  if (!me || (state === 'active' && userId === me.id)) return;
  // Either answers 401, whose body says why, or tells who is logged in now.
  const account = await api('GET', '/me');
  if (account.id === me?.id) return;
  me = account;
  await render();
}

async function start() {
  await status.refresh();
  const { state, userId } = status.current;
  // A cookie of a session that has ended is still there; the answer to it says why.
  if (userId !== undefined || state === 'ended') {
    me = await api('GET', '/me').catch((error) => {
      if (!(error instanceof ApiError && error.isSessionLost)) throw error;
      showEnd(error.code);
      return undefined;
    });
  }
  await render();
}

sessionEvents.addEventListener('lost', ({ detail: code }) => sessionLost(code));
status.addEventListener('poll', () => void followStatus().catch(() => undefined));
window.addEventListener('hashchange', () => void render());
await start().catch(async (error) => {
  await render();
  showError(error.message);
});
status.start(new AbortController().signal);
