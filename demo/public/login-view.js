import { onSubmit } from './actions.js';
import { api } from './api.js';
import { basketCard } from './basket-card.js';
import { card, h } from './dom.js';
import { initials } from './format.js';

const ACCOUNTS = [
  { name: 'Alice Moreau', role: 'user', username: 'alice', password: 'green-teapot' },
  { name: 'Bob Lindqvist', role: 'user', username: 'bob', password: 'paper-lantern' },
  { name: 'Ada Okafor', role: 'administrator', username: 'ada', password: 'admin-lighthouse' },
];

export async function loginView(frame, signal) {
  const form = loginForm(frame);
  return [
    h('p', { class: 'lead' }, 'Sessions that are safe by default, visible and revocable.'),
    h(
      'div',
      { class: 'columns' },
      h('div', {}, card('With name and password', form)),
      h('div', {}, card('Accounts to try', accountList(form)), await basketCard(signal)),
    ),
  ];
}

function loginForm(frame) {
  const problem = h('p', { class: 'field-error', role: 'alert' });
  const logIn = onSubmit(async ({ elements: { username, password, remember } }) => {
    problem.textContent = '';
    const body = {
      username: username.value,
      password: password.value,
      remember: remember.checked,
    };
    try {
      frame.loggedIn(await api('POST', '/login', body));
    } catch (error) {
      problem.textContent = error.message;
      password.select();
    }
  });

  return h(
    'form',
    { class: 'form', onsubmit: logIn },
    field('User name', { name: 'username', autocomplete: 'username', autocapitalize: 'none' }),
    field('Password', { name: 'password', type: 'password', autocomplete: 'current-password' }),
    h(
      'label',
      { class: 'check' },
      h('input', { type: 'checkbox', name: 'remember' }),
      h(
        'span',
        {},
        'Remember me',
        h('small', {}, 'The cookie survives the end of the browser; longer time limits apply.'),
      ),
    ),
    h('button', { class: 'primary', type: 'submit' }, 'Log in'),
    problem,
  );
}

function field(label, attributes) {
  const input = h('input', {
    id: attributes.name,
    required: true,
    spellcheck: 'false',
    ...attributes,
  });
  return h('div', { class: 'field' }, h('label', { for: attributes.name }, label), input);
}

/** Choosing one fills the form. */
function accountList(form) {
  const choose = ({ username, password }) => {
    form.elements.username.value = username;
    form.elements.password.value = password;
    form.querySelector('button').focus();
  };
  const items = ACCOUNTS.map((account) =>
    h(
      'li',
      {},
      h(
        'button',
        { class: 'account', type: 'button', onclick: () => choose(account) },
        h('span', { class: 'avatar', 'aria-hidden': 'true' }, initials(account.name)),
        h('span', { class: 'account-name' }, account.name, h('small', {}, account.role)),
        h('code', {}, `${account.username} / ${account.password}`),
      ),
    ),
  );
  return h('ul', { class: 'accounts' }, ...items);
}
