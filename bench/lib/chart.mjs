// Bars as SVG, without a library.
const WIDTH = 720;
const LABEL = 210;
const BAR = 18;
const GAP = 8;
const COLOURS = ['#8fb3d9', '#1f5f99'];

/**
 * Groups of horizontal bars, each group to its own scale.
 *
 * @param {string} title
 * @param {{ name: string, unit: string, bars: { label: string, value: number }[] }[]} groups
 */
export function barChart(title, groups) {
  const parts = [];
  let y = 40;
  for (const { name, unit, bars } of groups) {
    parts.push(text(16, y + 13, name, 'font-weight="600"'));
    y += 24;
    const most = Math.max(...bars.map(({ value }) => value));
    for (const [index, { label, value }] of bars.entries()) {
      const length = Math.max(2, (value / most) * (WIDTH - LABEL - 130));
      parts.push(
        text(LABEL - 10, y + 13, label, 'text-anchor="end"'),
        `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="3" fill="${COLOURS[index % 2]}"/>`,
        text(LABEL + length + 8, y + 13, `${value} ${unit}`),
      );
      y += BAR + GAP;
    }
    y += 14;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${title}">`,
    '<style>text { font: 13px system-ui, sans-serif; fill: #24313f; }</style>',
    `<rect width="${WIDTH}" height="${y}" rx="8" fill="#ffffff"/>`,
    text(16, 24, title, 'font-weight="700"'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x, y, content, attributes = '') {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}
