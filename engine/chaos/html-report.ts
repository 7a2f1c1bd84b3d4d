// The report of a chaos run as one HTML file that needs nothing else: the verdict first, then the figures, the
// timeline of faults over throughput and latency, the gaps, and the operations by kind and outcome.
import { escapeHtml, shorten } from '../checker/html-text.ts';
import { CHAOS_FAULTS, costOf } from './fault-kinds.ts';
import { CHAOS_STYLE } from './html-style.ts';
import { renderTimelines } from './html-timeline.ts';
import { type ChaosReport, faultCounts, figuresOf, grouped, headlineOf, seconds } from './report.ts';
import type { Pause } from './tally.ts';

const GAPS_SHOWN_MAX = 30;

/** A whole document. */
export function renderReport(report: ChaosReport): string {
  const title = `Chaos, seed ${report.seed}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}: ${report.verdict}</title>
<style>${CHAOS_STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="verdict ${report.verdict}"><strong>${report.verdict}</strong> ${escapeHtml(shorten(headlineOf(report), 1500))}</p>
${renderReasons(report)}
<p class="muted">${report.nodes} nodes, ${report.clients} clients, began ${escapeHtml(report.startedAt)}.
Replay: <code>npm run chaos -- --seed ${report.seed} --minutes ${Number((report.faultsMs / 60_000).toFixed(2))}</code></p>
${renderFigures(report)}
</header>
<main>
<h2>Timeline</h2>
<p class="muted">Operations a second, their latency, and under them every fault from its begin to its end. Vertical lines are elections won.</p>
${renderTimelines(report)}
<div class="tables">
${renderOperations(report)}
${renderFaults(report)}
${renderGaps(report)}
${renderEvents(report)}
</div>
</main>
</body>
</html>
`;
}

function renderReasons({ reasons }: ChaosReport): string {
  if (reasons.length === 0) return '';
  const items = reasons.map((reason) => `<li>${escapeHtml(shorten(reason, 1000))}</li>`);
  return `<ul class="reasons">${items.join('')}</ul>`;
}

function renderFigures(report: ChaosReport): string {
  const cells = figuresOf(report).map(
    ([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return `<dl class="figures">${cells.join('')}</dl>`;
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`);
  return `<section>
<h2>${title}</h2>
<table>
<thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table>
</section>`;
}

function renderOperations({ operations }: ChaosReport): string {
  const rows = operations.map(({ kind, counts }) => [
    kind,
    grouped(counts.ok),
    grouped(counts.failed),
    grouped(counts.unknown),
  ]);
  return table('Operations', ['kind', 'ok', 'failed', 'unknown'], rows);
}

function renderFaults(report: ChaosReport): string {
  const withheld = new Map(report.withheld.map(({ kind, count }) => [kind, count]));
  const rows = faultCounts(report).map(({ kind, count }) => [
    kind,
    grouped(count),
    grouped(withheld.get(kind) ?? 0),
    CHAOS_FAULTS[kind].what,
  ]);
  return table('Faults', ['kind', 'times', 'withheld', 'what'], rows);
}

/** Every pause of the writes, the longest first, with what was wrong meanwhile. */
function renderGaps(report: ChaosReport): string {
  const longest = report.pauses.toSorted((a, b) => lengthOf(b) - lengthOf(a)).slice(0, GAPS_SHOWN_MAX);
  const rows = longest.map((pause) => [
    seconds(pause.fromMs),
    seconds(lengthOf(pause)),
    seconds(pause.wellMs),
    faultsDuring(report, pause).join(', ') || 'none',
  ]);
  const title = `Gaps between acknowledged writes: the longest of ${report.pauses.length}`;
  return table(title, ['at', 'length', 'with a majority well', 'faults'], rows);
}

function lengthOf({ fromMs, untilMs }: Pause): number {
  return untilMs - fromMs;
}

function faultsDuring({ marks }: ChaosReport, { fromMs, untilMs }: Pause): string[] {
  return marks
    .filter((mark) => costOf(mark.kind) !== 'nuisance')
    .filter((mark) => mark.fromMs < untilMs && (mark.untilMs ?? Number.POSITIVE_INFINITY) > fromMs)
    .map(({ kind, target }) => `${kind} ${target}`);
}

function renderEvents({ events }: ChaosReport): string {
  const rows = events.map(({ type, count }) => [type, grouped(count)]);
  return table('What the nodes told', ['event', 'times'], rows);
}
