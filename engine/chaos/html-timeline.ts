// The pictures of a chaos report: throughput and latency second by second, and a lane for each kind of fault, all on
// one axis of time.
import { escapeHtml } from '../checker/html-text.ts';
import { CHAOS_FAULT_KINDS, costOf } from './fault-kinds.ts';
import type { ChaosReport } from './report.ts';
import type { Second } from './tally.ts';

const LEFT = 150;
const RIGHT = 12;
const CHART_HEIGHT = 120;
const LANE_HEIGHT = 16;
/** Wide enough to see a second of a short run, and no wider than a browser likes for a long one. */
const PIXELS_A_SECOND = 12;
const WIDTH_MIN = 900;
const WIDTH_MAX = 16_000;
/** A fault that is over at once is still to be seen. */
const BAR_WIDTH_MIN = 2;

interface Axis {
  width: number;
  endMs: number;
  x: (ms: number) => number;
}

export function renderTimelines(report: ChaosReport): string {
  const endMs = Math.max(
    1000,
    report.seconds.length * 1000,
    ...report.marks.map((mark) => mark.untilMs ?? 0),
  );
  const wanted = LEFT + RIGHT + (endMs / 1000) * PIXELS_A_SECOND;
  const width = Math.round(Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, wanted)));
  const axis = { width, endMs, x: (ms: number) => LEFT + (ms / endMs) * (width - LEFT - RIGHT) };
  const { seconds } = report;
  const throughput = renderChart(report, axis, {
    label: 'operations/s',
    lines: [
      { name: 'ok', tone: 'good', values: seconds.map(({ ok }) => ok) },
      {
        name: 'unknown or failed',
        tone: 'bad',
        values: seconds.map(({ unknown, failed }) => unknown + failed),
      },
    ],
  });
  const latency = renderChart(report, axis, {
    label: 'latency, ms',
    lines: [
      { name: 'p99', tone: 'high', values: seconds.map((each: Second) => each.p99Ms) },
      { name: 'p50', tone: 'low', values: seconds.map((each: Second) => each.p50Ms) },
    ],
  });
  const pictures = throughput + latency + renderLanes(report, axis);
  return `<div class="scroll" tabindex="0" role="region" aria-label="Timeline of faults, throughput and latency">${pictures}</div>`;
}

interface Chart {
  label: string;
  lines: readonly { name: string; tone: string; values: readonly number[] }[];
}

function renderChart(report: ChaosReport, axis: Axis, { label, lines }: Chart): string {
  const top = Math.max(1, ...lines.flatMap(({ values }) => values));
  const y = (value: number): number => CHART_HEIGHT - 4 - (value / top) * (CHART_HEIGHT - 24);
  const paths = lines.map(({ name, tone, values }) => {
    const points = values.map((value, at) => `${axis.x(at * 1000 + 500).toFixed(1)},${y(value).toFixed(1)}`);
    return `<polyline class="line ${tone}" points="${points.join(' ')}"><title>${name}</title></polyline>`;
  });
  const legend = lines.map(
    ({ name, tone }, at) => `<text class="${tone} name" x="8" y="${42 + at * 16}">${escapeHtml(name)}</text>`,
  );
  const scale = [top, top / 2].map((value) => {
    const at = y(value).toFixed(1);
    return `<line class="grid" x1="${LEFT}" x2="${axis.width - RIGHT}" y1="${at}" y2="${at}"/><text class="tick" x="${LEFT - 6}" y="${Number(at) + 4}" text-anchor="end">${Math.round(value)}</text>`;
  });
  return `<svg width="${axis.width}" height="${CHART_HEIGHT}" role="img" aria-label="${escapeHtml(label)} over time">
<text class="label" x="8" y="22">${escapeHtml(label)}</text>${legend.join('')}
${scale.join('')}
${renderReigns(report, axis, CHART_HEIGHT)}
${paths.join('\n')}
</svg>`;
}

function renderReigns({ reigns }: ChaosReport, axis: Axis, height: number): string {
  return reigns
    .map(({ node, term, atMs }) => {
      const x = axis.x(atMs).toFixed(1);
      return `<line class="reign" x1="${x}" x2="${x}" y1="8" y2="${height}"><title>n${node} leads term ${term}</title></line>`;
    })
    .join('');
}

function renderLanes(report: ChaosReport, axis: Axis): string {
  const kinds = CHAOS_FAULT_KINDS.filter((kind) => report.marks.some((mark) => mark.kind === kind));
  const height = kinds.length * LANE_HEIGHT + 28;
  const lanes = kinds.map((kind, lane) => {
    const y = lane * LANE_HEIGHT;
    const bars = report.marks
      .filter((mark) => mark.kind === kind)
      .map((mark) => {
        const from = axis.x(mark.fromMs);
        const width = Math.max(BAR_WIDTH_MIN, axis.x(mark.untilMs ?? axis.endMs) - from);
        const length = ((mark.untilMs ?? axis.endMs) - mark.fromMs) / 1000;
        const told = `${kind} ${mark.target}, at ${(mark.fromMs / 1000).toFixed(1)} s for ${length.toFixed(2)} s ${mark.detail}`;
        return `<rect class="${costOf(kind)}" x="${from.toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="${LANE_HEIGHT - 6}"><title>${escapeHtml(told)}</title></rect>`;
      });
    return `<line class="grid" x1="${LEFT}" x2="${axis.width - RIGHT}" y1="${y + LANE_HEIGHT}" y2="${y + LANE_HEIGHT}"/><text class="lane" x="${LEFT - 6}" y="${y + 12}" text-anchor="end">${kind}</text>${bars.join('')}`;
  });
  return `<svg width="${axis.width}" height="${height}" role="img" aria-label="Faults over time">
${renderTicks(axis, kinds.length * LANE_HEIGHT)}
${lanes.join('\n')}
</svg>`;
}

function renderTicks(axis: Axis, y: number): string {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
  const room = (axis.width - LEFT - RIGHT) / (axis.endMs / 1000);
  const step = steps.find((each) => each * room >= 70) ?? 600;
  const ticks: string[] = [];
  for (let at = 0; at * 1000 <= axis.endMs; at += step) {
    const x = axis.x(at * 1000).toFixed(1);
    const text = at < 120 ? `${at} s` : `${Math.floor(at / 60)}:${String(at % 60).padStart(2, '0')}`;
    ticks.push(
      `<line class="grid" x1="${x}" x2="${x}" y1="0" y2="${y + 4}"/><text class="tick" x="${x}" y="${y + 18}" text-anchor="middle">${text}</text>`,
    );
  }
  return ticks.join('');
}
