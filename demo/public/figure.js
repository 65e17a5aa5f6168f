// What the charts have in common: a heading, a drawing that knows its size, and a scale.
import { h, svg } from './dom.js';

export const HEIGHT = 182;
export const MARGIN = { top: 12, right: 6, bottom: 24, left: 34 };
let figures = 0;

/**
 * A figure with a heading and a drawing that knows its width in pixels. `draw(width)` gives the
 * shapes and a function that puts the data into them; `describe` says it to those who cannot see.
 */
export function figure(title, { height = HEIGHT, draw, describe = sayAll }, signal) {
  const id = `chart-${(figures += 1)}`;
  const name = svg('title', { id: `${id}-title` }, title);
  const description = svg('desc', { id: `${id}-text` });
  const drawing = svg('svg', {
    class: 'chart',
    role: 'img',
    height,
    'aria-labelledby': `${id}-title ${id}-text`,
  });
  const headline = h('span', { class: 'chart-value' });
  let put;
  let data;
  const resizing = new ResizeObserver(([{ contentRect }]) => {
    const { shapes, update } = draw(Math.max(220, Math.floor(contentRect.width)));
    drawing.replaceChildren(name, description, ...shapes);
    put = update;
    if (data) put(data);
  });
  const element = h(
    'figure',
    { class: 'card figure' },
    h('figcaption', {}, h('h2', {}, title), headline),
    h('div', { class: 'chart-box' }, drawing),
  );
  resizing.observe(element.lastChild);
  signal.addEventListener('abort', () => resizing.disconnect());
  return {
    element,
    update(next, value) {
      data = next;
      headline.textContent = value ?? '';
      description.textContent = describe(next);
      put?.(next);
    },
  };
}

function sayAll(entries) {
  const present = entries.filter(({ value }) => value > 0);
  return present.map(({ label, value }) => `${label}: ${value}`).join(', ') || 'nothing yet';
}

/** Three horizontal lines, with numbers that fit whatever is shown. */
export function axis(fullWidth) {
  const width = fullWidth - MARGIN.left - MARGIN.right;
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const lines = [0, 0.5, 1].map((part) => {
    const y = MARGIN.top + height * (1 - part);
    return {
      part,
      rule: svg('line', {
        class: 'rule',
        x1: MARGIN.left,
        x2: fullWidth - MARGIN.right,
        y1: y,
        y2: y,
      }),
      text: svg('text', {
        class: 'tick',
        x: MARGIN.left - 8,
        y,
        dy: '.35em',
        'text-anchor': 'end',
      }),
    };
  });
  return {
    width,
    height,
    shapes: lines.flatMap(({ rule, text }) => [rule, text]),
    update(highest) {
      const top = niceTop(highest);
      for (const { part, text } of lines) text.textContent = top * part;
      return top;
    },
  };
}

export function tickText(x, anchor = 'middle', text = '') {
  return svg('text', { class: 'tick', x, y: HEIGHT - 6, 'text-anchor': anchor }, text);
}

/** The next even number that is round: 2, 4, 10, 20, 40, 100… */
function niceTop(highest) {
  if (highest <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(highest));
  const factor = [1, 2, 4, 6, 10].find((candidate) => candidate * power >= highest) ?? 10;
  return Math.max(2, factor * power);
}
