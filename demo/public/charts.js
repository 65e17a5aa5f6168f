// Three charts, drawn by hand in SVG. Each is drawn once per size, and then only the numbers
// change, so that a tooltip or a transition is never cut off by the next refresh.
import { svg } from './dom.js';
import { MARGIN, axis, figure, tickText } from './figure.js';

/** Upright bars. `entries`: `{ label, value, tick? }`; ticks are written below. */
export function barChart(title, count, signal) {
  return figure(title, { draw: (width) => bars(width, count) }, signal);
}

function bars(width, count) {
  const scale = axis(width);
  const step = scale.width / count;
  const gap = count > 30 ? 1 : Math.min(10, step * 0.25);
  const columns = Array.from({ length: count }, (_, at) => ({
    bar: svg('rect', {
      class: 'bar',
      x: MARGIN.left + at * step + gap / 2,
      width: step - gap,
      rx: 2,
    }),
    tip: svg('title'),
    tick: tickText(MARGIN.left + (at + 0.5) * step),
  }));
  for (const { bar, tip } of columns) bar.append(tip);
  return {
    shapes: [...scale.shapes, ...columns.flatMap(({ bar, tick }) => [bar, tick])],
    update(entries) {
      const top = scale.update(Math.max(...entries.map(({ value }) => value)));
      columns.forEach(({ bar, tip, tick }, at) => {
        const { label = '', value = 0, tick: text = '' } = entries[at] ?? {};
        const height = (value / top) * scale.height;
        bar.setAttribute('height', height);
        bar.setAttribute('y', MARGIN.top + scale.height - height);
        tip.textContent = `${label}: ${value}`;
        tick.textContent = text;
      });
    },
  };
}

/** A line over time. `entries`: `{ label, value }`, oldest first; room for `count` of them. */
export function lineChart(title, count, ticks, signal) {
  const draw = (width) => line(width, count, ticks);
  return figure(title, { draw, describe: (entries) => `now ${entries.at(-1).value}` }, signal);
}

function line(width, count, [first, last]) {
  const scale = axis(width);
  const area = svg('path', { class: 'area' });
  const stroke = svg('path', { class: 'line' });
  const end = svg('circle', { class: 'line-end', r: 3.5 });
  const left = tickText(MARGIN.left, 'start', first);
  const right = tickText(width - MARGIN.right, 'end', last);
  return {
    shapes: [...scale.shapes, area, stroke, end, left, right],
    update(entries) {
      const top = scale.update(Math.max(...entries.map(({ value }) => value)));
      const bottom = MARGIN.top + scale.height;
      const points = entries.map(({ value }, at) => [
        width - MARGIN.right - ((entries.length - 1 - at) / (count - 1)) * scale.width,
        bottom - (value / top) * scale.height,
      ]);
      const path = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
      const [endX, endY] = points.at(-1);
      stroke.setAttribute('d', `M${path}`);
      area.setAttribute('d', `M${points[0][0]} ${bottom}L${path}L${endX} ${bottom}Z`);
      end.setAttribute('cx', endX);
      end.setAttribute('cy', endY);
    },
  };
}

const ROW = 26;

/** Lying bars with their names in front. `entries`: `{ label, value, kind }`. */
export function rowChart(title, count, signal) {
  return figure(title, { height: count * ROW, draw: (width) => rows(width, count) }, signal);
}

function rows(width, count) {
  const start = 78;
  const room = width - start - 40;
  const parts = Array.from({ length: count }, (_, at) => {
    const middle = at * ROW + ROW / 2;
    return {
      name: svg('text', { class: 'row-name', x: 0, y: middle, dy: '.35em' }),
      bar: svg('rect', { x: start, y: middle - 6, height: 12, rx: 3 }),
      value: svg('text', { class: 'row-value', y: middle, dy: '.35em' }),
    };
  });
  return {
    shapes: parts.flatMap(({ name, bar, value }) => [name, bar, value]),
    update(entries) {
      const top = Math.max(1, ...entries.map(({ value }) => value));
      parts.forEach(({ name, bar, value: text }, at) => {
        const { label, value, kind } = entries[at];
        const length = Math.max(2, (value / top) * room);
        name.textContent = label;
        bar.setAttribute('class', `row-bar fill-${kind}`);
        bar.setAttribute('width', length);
        text.setAttribute('x', start + length + 8);
        text.textContent = value;
      });
    },
  };
}
