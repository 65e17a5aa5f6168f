import { api } from './api.js';
import { activityCard } from './activity-card.js';
import { createCharts } from './admin-charts.js';
import { card, every, h } from './dom.js';
import { sessionsCard } from './sessions-card.js';

const REFRESH = 2_000;

export async function adminView(frame, signal) {
  if (frame.me.role !== 'admin') return [await refusal()];
  const charts = createCharts(signal);
  const activity = activityCard();

  async function refresh() {
    const [stats, latest] = await Promise.all([
      api('GET', '/admin/stats'),
      api('GET', '/admin/activity'),
    ]);
    if (signal.aborted) return;
    charts.update(stats);
    activity.update(latest);
  }

  const [sessions] = await Promise.all([sessionsCard(signal), every(REFRESH, refresh, signal)]);
  return [
    h('p', { class: 'lead' }, 'What all sessions are doing, read every 2 seconds.'),
    ...charts.elements,
    h(
      'div',
      { class: 'columns columns-wide' },
      h('div', {}, sessions),
      h('div', {}, activity.element),
    ),
  ];
}

/** There is no link that leads here; who types the address is told what the server says. */
async function refusal() {
  const answer = await api('GET', '/admin/stats').catch((error) => error);
  return card('Not for you', h('p', { class: 'hint' }, `${answer.status}: ${answer.message}`));
}
