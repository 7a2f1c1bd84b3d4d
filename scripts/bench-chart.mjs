// `node scripts/bench-chart.mjs FIGURES.json CHART.svg`: the picture of `npm run bench -- … --out FIGURES.json` for the
// README. One scale a row: rows differ by a hundred times, and within a row the ratio is what counts.
import { readFileSync, writeFileSync } from 'node:fs';
import { PlainError, runMain, say } from './lib/terminal.mjs';

const WIDTH = 880;
const LABEL_WIDTH = 250;
const BAR_HEIGHT = 13;
const BAR_GAP = 3;
const ROW_GAP = 14;
const HEAD_HEIGHT = 44;
const VALUE_WIDTH = 150;
/** Drawn in this order. */
const STORES = [
  { name: 'ours', title: 'Quorumlab, 3 nodes', light: '#3457d5', dark: '#7d9bff' },
  { name: 'etcd', title: 'etcd, 3 nodes', light: '#8a6d1d', dark: '#d9b44a' },
  { name: 'redis', title: 'Redis, 1 process, appendfsync always', light: '#9a9aa5', dark: '#6f7080' },
];

/** @param {number} perSecond */
function figure(perSecond) {
  if (perSecond < 1000) return perSecond.toFixed(0);
  return `${(perSecond / 1000).toFixed(perSecond < 10_000 ? 1 : 0)}k`;
}

/** @typedef {{ shape: string, figures: Record<string, { perSecond: number } | undefined> }} Row */

/** @param {Row} row @param {number} top */
function drawRow({ shape, figures }, top) {
  const present = STORES.filter(({ name }) => figures[name] !== undefined);
  const most = Math.max(...present.map(({ name }) => figures[name]?.perSecond ?? 0));
  const ours = figures.ours?.perSecond;
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const bars = present.map(({ name }, position) => {
    const perSecond = figures[name]?.perSecond ?? 0;
    const y = top + position * (BAR_HEIGHT + BAR_GAP);
    const width = Math.max(2, Math.round((perSecond / most) * room));
    const ratio =
      name === 'ours' || ours === undefined ? '' : ` · ours is ${(ours / perSecond).toFixed(2)} ×`;
    return [
      `<rect class="${name}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
      `<text class="value" x="${LABEL_WIDTH + width + 6}" y="${y + BAR_HEIGHT - 3}">${figure(perSecond)}/s${ratio}</text>`,
    ].join('');
  });
  const height = present.length * (BAR_HEIGHT + BAR_GAP);
  const label = `<text class="label" x="${LABEL_WIDTH - 12}" y="${top + height / 2 + 3}" text-anchor="end">${shape}</text>`;
  return { svg: label + bars.join(''), height: height + ROW_GAP };
}

/** @param {readonly Row[]} rows */
function draw(rows) {
  let top = HEAD_HEIGHT;
  const parts = [];
  for (const row of rows) {
    const { svg, height } = drawRow(row, top);
    parts.push(svg);
    top += height;
  }
  let x = LABEL_WIDTH;
  const legend = STORES.map(({ name, title }) => {
    const mark = `<rect class="${name}" x="${x}" y="12" width="12" height="12" rx="2"/><text class="label" x="${x + 18}" y="22">${title}</text>`;
    x += 40 + title.length * 6.4;
    return mark;
  });
  const fills = (/** @type {'light' | 'dark'} */ mode) =>
    STORES.map((store) => `.${store.name}{fill:${store[mode]}}`).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="Operations a second: Quorumlab, etcd and Redis">
<style>text{font:12px system-ui,sans-serif}.label{fill:#2b2d36}.value{fill:#5b5e6b}${fills('light')}
@media (prefers-color-scheme:dark){.label{fill:#e6e7ee}.value{fill:#a2a5b4}${fills('dark')}}</style>
${[...legend, ...parts].join('\n')}
</svg>
`;
}

runMain(async () => {
  const [from, to] = process.argv.slice(2);
  if (from === undefined || to === undefined) {
    throw new PlainError('Usage: node scripts/bench-chart.mjs FIGURES.json CHART.svg');
  }
  const { comparison } = JSON.parse(readFileSync(from, 'utf8'));
  if (comparison === undefined) throw new PlainError(`${from} compares no stores: run the bench with "all".`);
  writeFileSync(to, draw(comparison.rows));
  say(`${to}: ${comparison.rows.length} rows`);
  return 0;
});
