// Draws operations as SVG: a lane for each process, a bar from call to reply, a dot where the operation took
// effect, and faults behind them. Knows nothing of verdicts.
import { describeCall, describeKey, type FaultMark, type History, type Operation } from './history.ts';
import { escapeHtml, shorten } from './html-text.ts';

export interface Timeline {
  readonly label: string;
  readonly operations: readonly Operation[];
  readonly faults: readonly FaultMark[];
  /** Orders in which operations took effect, one for each key. */
  readonly orders: readonly (readonly Operation[])[];
  /** Drawn in the colour of failure. */
  readonly failing: ReadonlySet<Operation>;
  /** Positions to pixels. */
  readonly axis: Axis;
  /** Writes the call into each bar and the place in the order at each dot. */
  readonly isLabelled: boolean;
  /** Numbers keys for the page's filter. */
  readonly keyNumber: (key: string) => number;
}

/** `at` takes positions, also between two. */
export interface Axis {
  readonly width: number;
  readonly at: (position: number) => number;
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
}

/** Names of processes are a picture of their own, which stays in sight while the other one scrolls. */
const LANE_LABEL_WIDTH = 108;
const MARGIN_LEFT = 14;
const MARGIN_RIGHT = 28;
const TOP = 34;

/** Each call and reply of `operations` at the same distance from the next: for few operations, to be read. */
export function evenAxis(history: History, operations: readonly Operation[]): Axis {
  const marks = new Map<number, string>();
  for (const { callPosition, returnPosition, callTime, returnTime, callLine, returnLine } of operations) {
    marks.set(callPosition, history.isTimed ? String(callTime) : `line ${callLine}`);
    if (Number.isFinite(returnPosition)) {
      marks.set(returnPosition, history.isTimed ? String(returnTime) : `line ${returnLine}`);
    }
  }
  const positions = [...marks.keys()].sort((a, b) => a - b);
  const step = Math.max(96, Math.min(150, 1100 / Math.max(1, positions.length)));
  const at = (position: number) => {
    // Between two marks the way to the next one is divided; a moment without a mark of its own lies half-way.
    const mark = countBelow(positions, Math.floor(position) + 1) - 1;
    if (mark < 0) return MARGIN_LEFT;
    const isOnMark = positions[mark] === Math.floor(position);
    return MARGIN_LEFT + (mark + 0.3 + (isOnMark ? position - Math.floor(position) : 0.5)) * step;
  };
  const ticks = positions.map((position) => ({ x: at(position), label: marks.get(position) ?? '' }));
  return { width: MARGIN_LEFT + (positions.length + 0.3) * step + MARGIN_RIGHT, at, ticks };
}

/** True to time, or to the order of lines in a history without times: for the whole of it. */
export function timeAxis(history: History): Axis {
  const times = timesByPosition(history);
  const first = times[0] ?? 0;
  const span = Math.max((times.at(-1) ?? 0) - first, Number.MIN_VALUE);
  const lanes = Math.max(1, new Set(history.operations.map((operation) => operation.process)).size);
  const inner = Math.max(900, Math.min(24_000, (history.operations.length / lanes) * 30));
  const at = (position: number) => {
    const before = Math.max(0, Math.min(times.length - 1, Math.floor(position)));
    const from = times[before] ?? first;
    const to = times[Math.min(times.length - 1, before + 1)] ?? from;
    const time = from + (to - from) * Math.max(0, Math.min(1, position - before));
    return MARGIN_LEFT + ((time - first) / span) * inner;
  };
  const tickCount = Math.max(2, Math.floor(inner / 150));
  const ticks = Array.from({ length: tickCount + 1 }, (_, index) => {
    const time = first + (span * index) / tickCount;
    const label = history.isTimed ? formatTime(time, span) : `${Math.round(time) + 1}`;
    return { x: MARGIN_LEFT + (inner * index) / tickCount, label };
  });
  return { width: MARGIN_LEFT + inner + MARGIN_RIGHT, at, ticks };
}

function timesByPosition(history: History): number[] {
  const times: number[] = Array.from({ length: history.positionCount }, (_, position) => position);
  if (!history.isTimed) return times;
  times.fill(Number.NaN);
  for (const { callPosition, returnPosition, callTime, returnTime } of history.operations) {
    times[callPosition] = callTime ?? Number.NaN;
    if (Number.isFinite(returnPosition)) times[returnPosition] = returnTime ?? Number.NaN;
  }
  // What is left are replies that said `info`: as good as the moment before.
  let before = history.operations[0]?.callTime ?? 0;
  for (let position = 0; position < times.length; position++) {
    const time = times[position] ?? before;
    if (Number.isNaN(time)) times[position] = before;
    else before = time;
  }
  return times;
}

function formatTime(time: number, span: number): string {
  const digits = Math.max(0, Math.min(6, 3 - Math.floor(Math.log10(span))));
  return String(Number(time.toFixed(digits)));
}

interface Bar {
  readonly operation: Operation;
  readonly from: number;
  readonly to: number;
  /** Row within the lane of its process. */
  readonly row: number;
}

interface Lane {
  readonly process: string;
  readonly bars: readonly Bar[];
  readonly rowCount: number;
}

export function renderTimeline(timeline: Timeline): string {
  const { axis, isLabelled } = timeline;
  const rowHeight = isLabelled ? 34 : 18;
  const lanes = layOutLanes(timeline);
  const points = placePoints(timeline);
  const parts: string[] = [];
  const labels: string[] = [];
  let y = TOP;
  for (const lane of lanes) {
    const height = lane.rowCount * rowHeight;
    parts.push(`<line class="grid" x1="0" y1="${y + height}" x2="${px(axis.width)}" y2="${y + height}"/>`);
    const name = escapeHtml(shorten(lane.process, 16));
    labels.push(`<text class="lane" x="${LANE_LABEL_WIDTH - 14}" y="${y + height / 2 + 4}">${name}</text>`);
    for (const bar of lane.bars) {
      parts.push(
        renderBar(timeline, bar, {
          y: y + bar.row * rowHeight,
          height: rowHeight,
          point: points.get(bar.operation),
        }),
      );
    }
    y += height;
  }
  const ticks = axis.ticks.map(({ x, label }) => {
    const line = `<line class="grid" x1="${px(x)}" y1="${TOP - 6}" x2="${px(x)}" y2="${y}"/>`;
    return `${line}<text class="tick" x="${px(x)}" y="${TOP - 12}">${escapeHtml(label)}</text>`;
  });
  const faults = timeline.faults.map((fault) => renderFault(fault, axis, y));
  const width = Math.ceil(axis.width);
  const height = y + 26;
  return [
    '<div class="timeline">',
    `<svg class="lanes" aria-hidden="true" width="${LANE_LABEL_WIDTH}" height="${height}">`,
    ...labels,
    '</svg>',
    `<svg role="img" aria-label="${escapeHtml(timeline.label)}" width="${width}" height="${height}">`,
    ...ticks,
    ...faults,
    ...parts,
    '</svg>',
    '</div>',
  ].join('\n');
}

/** Operations of unknown outcome last until the next call of their process, or to the end: they may still happen. */
function layOutLanes({ operations, axis, isLabelled }: Timeline): Lane[] {
  const byProcess = new Map<string, Operation[]>();
  for (const operation of operations) {
    const group = byProcess.get(operation.process);
    if (group === undefined) byProcess.set(operation.process, [operation]);
    else group.push(operation);
  }
  const end = axis.width - MARGIN_RIGHT / 2;
  const lanes = [...byProcess].map(([process, group]) => {
    const rowEnds: number[] = [];
    const bars = group.map((operation, index): Bar => {
      const from = axis.at(operation.callPosition);
      const next = isLabelled ? undefined : group[index + 1];
      const isOpen = operation.outcome === 'unknown';
      const until = isOpen
        ? next === undefined
          ? end
          : axis.at(next.callPosition)
        : axis.at(operation.returnPosition);
      const to = Math.max(until, from + 2);
      const free = rowEnds.findIndex((rowEnd) => rowEnd <= from + 0.5);
      const row = free !== -1 ? free : isLabelled || rowEnds.length === 0 ? rowEnds.length : 0;
      rowEnds[row] = to;
      return { operation, from, to, row };
    });
    return { process, bars, rowCount: rowEnds.length };
  });
  return lanes.sort((a, b) => a.process.localeCompare(b.process, 'en', { numeric: true }));
}

interface Point {
  readonly x: number;
  /** From 1. */
  readonly place: number;
}

/**
 * A point between call and reply for each placed operation, in the order: after the latest call of those before
 * it and its own, which is before each of their replies. Those after the same call share the way to the next one.
 */
function placePoints({ orders, axis }: Timeline): Map<Operation, Point> {
  const points = new Map<Operation, Point>();
  for (const order of orders) {
    let latestCall = -1;
    const bases = order.map((operation) => {
      latestCall = Math.max(latestCall, operation.callPosition);
      return latestCall;
    });
    const counts = new Map<number, number>();
    for (const base of bases) counts.set(base, (counts.get(base) ?? 0) + 1);
    const used = new Map<number, number>();
    for (const [index, operation] of order.entries()) {
      const base = bases[index] ?? 0;
      const rank = (used.get(base) ?? 0) + 1;
      used.set(base, rank);
      points.set(operation, { x: axis.at(base + rank / ((counts.get(base) ?? 1) + 1)), place: index + 1 });
    }
  }
  return points;
}

function renderBar(
  { failing, isLabelled, keyNumber }: Timeline,
  { operation, from, to }: Bar,
  at: { readonly y: number; readonly height: number; readonly point: Point | undefined },
): string {
  const { y, height, point } = at;
  const kind = failing.has(operation) ? 'failing' : operation.f;
  const inset = isLabelled ? 5 : 3;
  const rect = `<rect x="${px(from)}" y="${y + inset}" width="${px(to - from)}" height="${height - 2 * inset}" rx="3"/>`;
  const title = `<title>${escapeHtml(describeBar(operation, point))}</title>`;
  let inner = rect + title;
  if (isLabelled) {
    const room = Math.max(3, Math.floor((to - from - 12) / 7));
    const text = escapeHtml(shorten(describeCall(operation), room));
    inner += `<text class="call" x="${px(from + 6)}" y="${y + height / 2 + 4}">${text}</text>`;
  }
  if (point !== undefined) {
    const radius = isLabelled ? 8 : 3;
    // A labelled dot sits on the lower edge of its bar, so that it does not hide the label.
    const dotY = isLabelled ? y + height - 3 : y + height / 2;
    if (point.x > to) {
      inner += `<line class="late" x1="${px(to)}" y1="${dotY}" x2="${px(point.x)}" y2="${dotY}"/>`;
    }
    inner += `<circle class="point" cx="${px(point.x)}" cy="${dotY}" r="${radius}"/>`;
    if (isLabelled) inner += `<text class="place" x="${px(point.x)}" y="${dotY + 3.5}">${point.place}</text>`;
  }
  return `<g class="op ${kind} ${operation.outcome}" data-k="${keyNumber(operation.key)}">${inner}</g>`;
}

function describeBar(operation: Operation, point: Point | undefined): string {
  const { process, key, outcome, callLine, returnLine, callTime, returnTime } = operation;
  const parts = [`process ${process}, ${describeKey(key)}`, `${describeCall(operation)}: ${outcome}`];
  parts.push(returnLine === null ? `line ${callLine}, no reply` : `lines ${callLine} to ${returnLine}`);
  if (callTime !== null) parts.push(`time ${callTime} to ${returnTime ?? '?'}`);
  if (point !== undefined) parts.push(`place ${point.place} in the order of its key`);
  return shorten(parts.join('\n'), 2000);
}

function renderFault(
  { name, target, position, untilPosition, time, line }: FaultMark,
  axis: Axis,
  bottom: number,
): string {
  // Just before the call or reply at its position.
  const x = axis.at(position - 0.5);
  const label = escapeHtml(shorten(target === null ? name : `${name} ${target}`, 40));
  const title = `<title>${label} (line ${line}${time === null ? '' : `, time ${time}`})</title>`;
  const band =
    untilPosition === null
      ? ''
      : `<rect class="band" x="${px(x)}" y="${TOP}" width="${px(Math.max(2, axis.at(untilPosition - 0.5) - x))}" height="${bottom - TOP}"/>`;
  return `<g class="fault">${band}<line x1="${px(x)}" y1="${TOP}" x2="${px(x)}" y2="${bottom + 6}"/>${title}<text x="${px(x + 3)}" y="${bottom + 18}">${label}</text></g>`;
}

function countBelow(positions: readonly number[], position: number): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((positions[middle] ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Pixels with one digit: a large history has many of them. */
function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
