import { basketCard } from './basket-card.js';
import { devicesCards } from './devices-cards.js';
import { h } from './dom.js';
import { noteCard } from './note-card.js';
import { timeCard } from './time-card.js';

export async function accountView(frame, signal) {
  const [devices, note, basket] = await Promise.all([
    devicesCards(frame, signal),
    noteCard(signal),
    basketCard(signal),
  ]);
  return [
    h(
      'p',
      { class: 'lead' },
      'Open this page in a second browser, or a private window, and log in there.',
    ),
    h(
      'div',
      { class: 'columns columns-wide' },
      h('div', {}, ...devices),
      h('div', {}, timeCard(frame.status, signal), note, basket),
    ),
  ];
}
