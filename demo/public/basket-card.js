import { onPress } from './actions.js';
import { api } from './api.js';
import { card, h } from './dom.js';

const GOODS = ['tea', 'honey', 'bread', 'cheese'];

/** A basket that also visitors have: it comes along when they log in. */
export async function basketCard(signal) {
  const list = h('p', { class: 'basket', 'aria-live': 'polite' });

  function show({ items }) {
    if (signal.aborted) return;
    const counts = new Map(GOODS.map((item) => [item, items.filter((one) => one === item).length]));
    const chips = [...counts]
      .filter(([, count]) => count > 0)
      .map(([item, count]) => h('span', { class: 'chip' }, `${count} × ${item}`));
    list.replaceChildren(...(chips.length > 0 ? chips : [h('span', { class: 'hint' }, 'Empty')]));
  }

  const add = (item) => onPress(async () => show(await api('POST', '/basket', { item })));
  const empty = onPress(async () => {
    await api('DELETE', '/basket');
    show({ items: [] });
  });

  await api('GET', '/basket').then(show, () => undefined);
  return card(
    'Basket',
    h(
      'p',
      { class: 'hint' },
      'The first item of a visitor makes an anonymous session. This field alone crosses the login.',
    ),
    h(
      'div',
      { class: 'spread' },
      list,
      h('button', { class: 'plain', onclick: empty }, 'Empty it'),
    ),
    h(
      'div',
      { class: 'actions' },
      ...GOODS.map((item) => h('button', { onclick: add(item) }, `+ ${item}`)),
    ),
  );
}
