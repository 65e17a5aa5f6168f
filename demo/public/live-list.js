// A list that is refreshed all the time.
import { h } from './dom.js';
import { ago, dateTime } from './format.js';

/**
 * Makes the list show these entries, each with an `id`. Changes only what is different, so that a
 * button keeps the focus.
 */
export function updateList(list, entries, create) {
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const items = entries.map((entry) => {
    const item = known.get(entry.id) ?? create(entry);
    item.dataset.id = entry.id;
    for (const element of item.querySelectorAll('time')) {
      const instant = entry[element.dataset.of];
      element.textContent = ago(instant);
      element.title = dateTime(instant);
    }
    known.delete(entry.id);
    return item;
  });
  for (const item of known.values()) item.remove();
  items.forEach((item, at) => {
    if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
  });
}

/** How long ago a property of the entry was; kept up to date. */
export function timeOf(property) {
  return h('time', { 'data-of': property });
}
