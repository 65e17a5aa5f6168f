// How long this session still lives, by both of its timeouts.
import { onPress } from './actions.js';
import { api } from './api.js';
import { card, h } from './dom.js';
import { clock } from './format.js';

/** Seconds; from here on the page says it aloud. */
const LAST_CALL = 30;

export function timeCard(status, signal) {
  const idle = meter('Idle timeout', 'without activity');
  const absolute = meter('Absolute timeout', 'whatever happens');
  const lastCall = h('p', { class: 'last-call', role: 'status' });

  function show() {
    const { state, limits } = status.current;
    if (state !== 'active') return;
    const left = status.timeLeft;
    idle.update(left.idle, limits.idle);
    absolute.update(left.absolute, limits.absolute);
    const soonest = Math.min(left.idle, left.absolute);
    const text = soonest < LAST_CALL ? `Ends in less than ${LAST_CALL} seconds` : '';
    if (lastCall.textContent !== text) lastCall.textContent = text;
  }

  /** Any request but the polling counts as activity. */
  const stay = onPress(async () => {
    await api('GET', '/me');
    await status.refresh();
  });

  status.addEventListener('tick', show, { signal });
  status.addEventListener('poll', show, { signal });
  show();
  return card(
    'Time left',
    idle.element,
    absolute.element,
    h('div', { class: 'actions' }, h('button', { onclick: stay }, 'I am still here'), lastCall),
  );
}

function meter(title, explanation) {
  const value = h('span', { class: 'clock', role: 'timer', 'aria-label': `${title} in` });
  const bar = h('progress', { max: 1, value: 1, 'aria-label': `${title}: part that is left` });
  const element = h(
    'div',
    { class: 'meter' },
    h('p', {}, h('span', {}, title, h('small', {}, explanation)), value),
    bar,
  );
  return {
    element,
    update(left, whole) {
      value.textContent = clock(left);
      bar.value = Math.min(1, left / whole);
      bar.classList.toggle('is-low', left / whole < 0.2);
    },
  };
}
