// @ts-check

const width = 760;
const left = 210;
const rowHeight = 26;
const top = 56;

/**
 * Returns a section's rows as an SVG: a bar to p50, a line to p95 and a dot at p99, on a logarithmic scale.
 * @param {import('./report.mjs').Section} section
 * @returns {string}
 */
export function plotOf({ title, rows }) {
  const timed = rows.flatMap((row) => ('p50' in row ? [row] : []));
  const most = Math.max(...timed.map(({ p99 }) => p99));
  const least = 10 ** Math.floor(Math.log10(Math.min(...timed.map(({ p50 }) => p50))));
  const decades = Math.log10(most / least);
  const x = (/** @type {number} */ us) => Math.round(left + (Math.log10(us / least) / decades) * (width - left - 70));
  const height = top + timed.length * rowHeight + 30;
  const ticks = Array.from({ length: Math.ceil(decades) + 1 }, (_, at) => least * 10 ** at).filter((us) => us <= most);
  const grid = ticks.map(
    (us) =>
      `<line x1="${x(us)}" y1="${top - 8}" x2="${x(us)}" y2="${height - 24}" class="grid"/>` +
      `<text x="${x(us)}" y="${height - 8}" text-anchor="middle">${us / 1_000} ms</text>`,
  );
  const bars = timed.map(({ name, p50, p95, p99 }, at) => {
    const y = top + at * rowHeight;
    const ours = /component|Extism|handler|compiled|TypeScript/u.test(name) ? 'ours' : 'rival';
    return [
      `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escape(name)}</text>`,
      `<rect x="${left}" y="${y}" width="${Math.max(1, x(p50) - left)}" height="16" class="${ours}"/>`,
      `<line x1="${x(p50)}" y1="${y + 8}" x2="${x(p95)}" y2="${y + 8}" class="spread"/>`,
      `<circle cx="${x(p99)}" cy="${y + 8}" r="3" class="spread"/>`,
      `<text x="${x(p99) + 8}" y="${y + 12}">${(p50 / 1_000).toFixed(2)}</text>`,
    ].join('');
  });
  const style =
    'text{font:12px sans-serif;fill:#333}.title{font-size:15px;font-weight:bold}.grid{stroke:#ddd}' +
    '.ours{fill:#2a7f62}.rival{fill:#9aa5b1}.spread{stroke:#333;fill:#333}svg{background:#fff}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<style>${style}</style><rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="22" class="title">${escape(title)}</text>`,
    `<text x="12" y="40">bar and number: p50, line: p95, dot: p99</text>`,
    ...grid,
    ...bars,
    '</svg>\n',
  ].join('\n');
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
