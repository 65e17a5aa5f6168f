import { onSubmit } from './actions.js';
import { api } from './api.js';
import { card, h } from './dom.js';

/** Data of this one session: other devices of the same user do not see it. */
export async function noteCard(signal) {
  const visits = h('strong', { class: 'number' }, '–');
  const note = h('textarea', { id: 'note', name: 'note', rows: 3, maxlength: 200 });
  const saved = h('span', { class: 'hint', role: 'status' });
  const save = onSubmit(async () => {
    await api('PUT', '/note', { text: note.value });
    saved.textContent = 'Saved';
  });

  async function load() {
    const [visit, { text }] = await Promise.all([api('POST', '/visits'), api('GET', '/note')]);
    if (signal.aborted) return;
    visits.textContent = visit.visits;
    note.value = text;
  }

  await load().catch(() => undefined);
  note.addEventListener('input', () => (saved.textContent = ''));
  return card(
    'Session data',
    h('p', { class: 'spread' }, h('span', {}, 'Visits to this page'), visits),
    h(
      'form',
      { class: 'form', onsubmit: save },
      h('div', { class: 'field' }, h('label', { for: 'note' }, 'A note'), note),
      h('div', { class: 'actions' }, h('button', { type: 'submit' }, 'Save'), saved),
    ),
  );
}
