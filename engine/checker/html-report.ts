// A history and its verdict as one HTML file that needs nothing else: what shows a violation first, the whole
// history under it. The only script is its own, and it only filters by key.
import type { Verdict, Violation } from './check.ts';
import { describeCall, describeKey, type History, type Operation } from './history.ts';
import { REPORT_STYLE } from './html-style.ts';
import { escapeHtml, shorten } from './html-text.ts';
import { evenAxis, renderTimeline, timeAxis } from './html-timeline.ts';

/** More bars than this make no picture, and a file that no browser likes. */
const OPERATIONS_DRAWN_MAX = 12_000;
/** A minimized history that the budget left large is only drawn in the whole one. */
const EVIDENCE_DRAWN_MAX = 200;

const FILTER_SCRIPT = `
const select = document.getElementById('key');
const filter = () => {
  for (const bar of document.querySelectorAll('#all [data-k]')) {
    bar.style.display = select.value === '' || bar.dataset.k === select.value ? '' : 'none';
  }
};
select.addEventListener('change', filter);
filter();
`;

/** `verdict` is that of `history`. The result is a whole document. */
export function renderHistoryHtml(
  history: History,
  verdict: Verdict,
  options: { readonly title?: string } = {},
): string {
  const title = escapeHtml(options.title ?? 'History');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}: ${verdict.result}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="verdict ${verdict.result}"><strong>${verdict.result}</strong> ${escapeHtml(shorten(verdict.reason, 2000))}</p>
${renderCounts(history, verdict)}
</header>
<main>
${verdict.violation === null ? '' : renderEvidence(history, verdict.violation)}
${renderWhole(history, verdict)}
</main>
</body>
</html>
`;
}

function renderCounts(history: History, { counts }: Verdict): string {
  const items: readonly (readonly [string, number])[] = [
    ['operations', counts.operations],
    ['ok', counts.ok],
    ['failed', counts.failed],
    ['unknown', counts.unknown],
    ['processes', counts.processes],
    ['keys', counts.keys],
    ['faults', history.faults.length],
    ['steps of search', counts.steps],
  ];
  const cells = items.map(
    ([name, value]) => `<div><dt>${name}</dt><dd>${value.toLocaleString('en')}</dd></div>`,
  );
  return `<dl class="counts">${cells.join('')}</dl>`;
}

function renderEvidence(history: History, violation: Violation): string {
  const { key, operations, operationCountBefore, failing, partialOrder, partialState, struckElementCount } =
    violation;
  const struck =
    struckElementCount === 0 ? '' : ` ${struckElementCount} other elements are left out of the lists.`;
  const others =
    violation.otherKeys.length === 0
      ? ''
      : `<p>Also in violation: ${escapeHtml(shorten(violation.otherKeys.map(describeKey).join(', '), 500))}</p>`;
  const picture =
    operations.length > EVIDENCE_DRAWN_MAX
      ? `<p>${operations.length} operations are too many to draw here.</p>`
      : renderTimeline({
          label: `The operations of ${describeKey(key)} that show the violation`,
          operations,
          faults: faultsAmong(history, operations),
          orders: [partialOrder],
          failing: new Set([failing]),
          axis: evenAxis(history, operations),
          isLabelled: true,
          keyNumber: () => 0,
        });
  return `<section>
<h2>What shows it: ${escapeHtml(shorten(describeKey(key), 120))}</h2>
<p>${operations.length} of its ${operationCountBefore} operations cannot be put into one order.${struck}
The numbered dots are the longest order found; after it the value is <code>${escapeHtml(shorten(JSON.stringify(partialState), 300))}</code>.
The distances are even, not true to time.</p>
${others}
${picture === '' ? '' : `<div class="scroll" tabindex="0" role="region" aria-label="Timeline of the violation">${picture}</div>`}
${renderTable(violation)}
</section>`;
}

function faultsAmong(history: History, operations: readonly Operation[]): History['faults'] {
  const first = operations[0]?.callPosition ?? 0;
  const last = Math.max(
    ...operations.map(({ callPosition, returnPosition }) =>
      Number.isFinite(returnPosition) ? returnPosition : callPosition,
    ),
  );
  return history.faults.filter(({ position, untilPosition }) => {
    return position <= last + 1 && (untilPosition ?? position) >= first;
  });
}

function renderTable({ operations, partialOrder, failing }: Violation): string {
  const places = new Map(partialOrder.map((operation, index) => [operation, index + 1]));
  const rows = operations.slice(0, EVIDENCE_DRAWN_MAX).map((operation) => {
    const { process, outcome, callLine, returnLine } = operation;
    const place = places.get(operation);
    const text =
      place === undefined ? (outcome === 'unknown' ? 'need not have happened' : 'none') : String(place);
    return `<tr${operation === failing ? ' class="failing"' : ''}><td>${text}</td><td>${escapeHtml(process)}</td><td><code>${escapeHtml(shorten(describeCall(operation), 200))}</code></td><td>${outcome}</td><td>${callLine}</td><td>${returnLine ?? ''}</td></tr>`;
  });
  return `<table>
<thead><tr><th>place</th><th>process</th><th>operation</th><th>outcome</th><th>call line</th><th>reply line</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

function renderWhole(history: History, verdict: Verdict): string {
  if (history.operations.length === 0) return '';
  const drawn = chooseDrawn(history, verdict);
  const drawnSet = new Set(drawn);
  const keyNumbers = new Map(verdict.keys.map(({ key }, index) => [key, index]));
  const picture = renderTimeline({
    label: 'All operations of the history',
    operations: drawn,
    faults: history.faults,
    orders: verdict.keys.map(({ order }) => order.filter((operation) => drawnSet.has(operation))),
    failing: findFailing(history, verdict),
    axis: timeAxis(history),
    isLabelled: false,
    keyNumber: (key) => keyNumbers.get(key) ?? 0,
  });
  const optionsOfKeys = verdict.keys.map(({ key, result, operationCount }, index) => {
    const isShown = key === verdict.violation?.key;
    return `<option value="${index}"${isShown ? ' selected' : ''}>${escapeHtml(shorten(key, 60))}: ${result}, ${operationCount} operations</option>`;
  });
  const left = history.operations.length - drawn.length;
  const note = left === 0 ? '' : `<p>${left} operations of other keys are not drawn.</p>`;
  return `<section id="all">
<h2>The whole history</h2>
<div class="tools">
<label for="key">Key</label>
<select id="key"><option value="">all keys</option>${optionsOfKeys.join('')}</select>
<ul class="legend" aria-label="Legend">
<li><i class="read"></i>read</li><li><i class="write"></i>write</li><li><i class="cas"></i>cas</li><li><i class="append"></i>append</li>
<li><i class="fail"></i>failed</li><li><i class="unknown"></i>unknown</li><li><i class="failing"></i>no place</li><li><b></b>took effect</li>
</ul>
</div>
${note}
<div class="scroll" tabindex="0" role="region" aria-label="Timeline of the history, by ${history.isTimed ? 'time' : 'line'}">${picture}</div>
</section>
<script>${FILTER_SCRIPT}</script>`;
}

/** Keys in violation first, as many whole keys as there is room for. */
function chooseDrawn(history: History, verdict: Verdict): readonly Operation[] {
  if (history.operations.length <= OPERATIONS_DRAWN_MAX) return history.operations;
  const rank = { violation: 0, undecided: 1, ok: 2 } as const;
  const chosen = new Set<string>();
  let count = 0;
  const byInterest = verdict.keys.toSorted((a, b) => {
    if (a.key === verdict.violation?.key) return -1;
    if (b.key === verdict.violation?.key) return 1;
    return rank[a.result] - rank[b.result];
  });
  for (const { key, operationCount } of byInterest) {
    if (count + operationCount > OPERATIONS_DRAWN_MAX) continue;
    chosen.add(key);
    count += operationCount;
  }
  const drawn = history.operations.filter((operation) => chosen.has(operation.key));
  return drawn.length > 0 ? drawn : history.operations.slice(0, OPERATIONS_DRAWN_MAX);
}

/** Minimizing copies operations that it cuts or strikes elements from: found again by the line of their call. */
function findFailing(history: History, { violation }: Verdict): ReadonlySet<Operation> {
  const line = violation?.failing.callLine;
  return new Set(history.operations.filter((operation) => operation.callLine === line));
}
