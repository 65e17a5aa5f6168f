// Builds elements. Everything that is shown passes through text nodes and attributes, so that
// nothing from outside can become markup.

/** `h('p', { class: 'hint', onclick: run }, 'text', otherElement)` */
export function h(tag, props = {}, ...children) {
  return build(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props = {}, ...children) {
  return build(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** A card with a heading. */
export function card(title, ...children) {
  const heading = typeof title === 'string' ? h('h2', {}, title) : title;
  return h('section', { class: 'card' }, heading, ...children);
}

const ICONS = {
  laptop: 'M5 6.5A1.5 1.5 0 0 1 6.5 5h11A1.5 1.5 0 0 1 19 6.5V15H5zM3 18.5h18',
  phone:
    'M8 3.5h8a1.5 1.5 0 0 1 1.5 1.5v14a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 19V5A1.5 1.5 0 0 1 8 3.5zM11 17.5h2',
  terminal:
    'M4 6.5A1.5 1.5 0 0 1 5.5 5h13A1.5 1.5 0 0 1 20 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5zM7.5 9.5l3 2.5-3 2.5M12.5 15h4',
};

/** A drawing for the eye only. */
export function icon(name) {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 24 24', width: 24, height: 24, 'aria-hidden': 'true' },
    svg('path', { d: ICONS[name] }),
  );
}

/**
 * Calls `action` now and again this long after it is done, until the signal says stop. Waits for
 * the first time; one that fails is tried again.
 */
export async function every(milliseconds, action, signal) {
  await action().catch(() => undefined);
  let timer;
  const again = () => {
    timer = setTimeout(
      () =>
        void action()
          .catch(() => undefined)
          .then(next),
      milliseconds,
    );
  };
  const next = () => {
    if (!signal.aborted) again();
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  next();
}
