// One chart over the last minutes: lines, the marks of what happened, and the newest figures in its head.
import { memo } from 'react';
import {
  CartesianGrid,
  Line,
  LineChart,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import type { ChartMark, ChartRow } from '../model/chart-data.ts';
import { clockTime, UNKNOWN } from '../model/figures.ts';
import { useStaggered } from '../parts/use-staggered.ts';

export interface Series {
  key: Exclude<keyof ChartRow, 'at'>;
  name: string;
  colour: string;
  /** An SVG dash array; lines differ by more than their colour. */
  dash: string;
}

export interface LiveChartProps {
  title: string;
  series: readonly Series[];
  rows: readonly ChartRow[];
  marks: readonly ChartMark[];
  /** Milliseconds since the epoch: the left and the right edge. */
  span: readonly [number, number];
  format: (value: number) => string;
  axisFormat: (value: number) => string;
  /** Among its siblings, from 0: they draw one after another, not in one frame. */
  position: number;
  /** Shown instead of lines while there is nothing to draw. */
  empty: string | null;
}

const MARK_COLOURS: Record<ChartMark['kind'], string> = {
  election: 'var(--leader)',
  kill: 'var(--dead)',
  fault: 'var(--warn)',
};

const MARK_DASHES: Record<ChartMark['kind'], string> = { election: '0', kill: '4 2', fault: '1 3' };

const BEAT_MS = 1000;
const TURN_MS = 250;

export function LiveChart(props: LiveChartProps) {
  const shown = useStaggered(props, { intervalMs: BEAT_MS, offsetMs: props.position * TURN_MS });
  return <Chart {...shown} />;
}

const Chart = memo(function Chart(props: LiveChartProps) {
  const { title, series, rows, empty } = props;
  const last = rows.at(-1);
  return (
    <figure
      className="flex min-h-33 min-w-0 flex-col rounded-lg border border-line bg-surface px-3 pt-2 pb-1"
      aria-label={title}
    >
      <figcaption className="flex flex-wrap items-baseline gap-x-3">
        <span className="mr-auto font-semibold">{title}</span>
        {series.map(({ key, name, colour, dash }) => {
          const value = last?.[key];
          return (
            <span key={key} className="inline-flex items-center gap-1.5 text-small text-dim">
              <svg width="14" height="6" aria-hidden="true">
                <line x1="0" x2="14" y1="3" y2="3" stroke={colour} strokeWidth="2" strokeDasharray={dash} />
              </svg>
              {name}
              <b className="font-semibold text-text">
                {typeof value === 'number' ? props.format(value) : UNKNOWN}
              </b>
            </span>
          );
        })}
      </figcaption>
      <div className="relative min-h-0 flex-1">
        {empty === null ? (
          <Plot {...props} />
        ) : (
          <p className="grid h-full place-items-center text-center text-dim">{empty}</p>
        )}
      </div>
    </figure>
  );
});

function Plot({ series, rows, marks, span, format, axisFormat }: LiveChartProps) {
  const axis = { tick: { fill: 'var(--faint)', fontSize: 11 }, tickLine: false, axisLine: false } as const;
  return (
    <ResponsiveContainer width="100%" height="100%" minWidth={10} minHeight={10}>
      <LineChart
        data={[...rows]}
        margin={{ top: 8, right: 4, bottom: 0, left: 0 }}
        accessibilityLayer={false}
      >
        <CartesianGrid stroke="var(--line)" vertical={false} />
        <XAxis
          {...axis}
          dataKey="at"
          type="number"
          domain={[span[0], span[1]]}
          allowDataOverflow
          ticks={ticksOf(span)}
          tickFormatter={(at: number) => agoWords(span[1] - at)}
          height={18}
        />
        <YAxis {...axis} width={46} domain={[0, 'auto']} tickCount={4} tickFormatter={axisFormat} />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: 'var(--line-strong)' }}
          content={({ active, payload, label }) =>
            active === true && payload.length > 0 ? (
              <div className="tooltip">
                <div className="text-faint">{clockTime(Number(label))}</div>
                {payload.map((item) => (
                  <div key={String(item.dataKey)} className="flex justify-between gap-4">
                    <span style={{ color: item.color }}>{item.name}</span>
                    <b>{typeof item.value === 'number' ? format(item.value) : UNKNOWN}</b>
                  </div>
                ))}
              </div>
            ) : null
          }
        />
        {marks.map(({ id, at, kind }) => (
          <ReferenceLine
            key={id}
            x={at}
            stroke={MARK_COLOURS[kind]}
            strokeDasharray={MARK_DASHES[kind]}
            strokeOpacity={0.75}
          />
        ))}
        {series.map(({ key, name, colour, dash }) => (
          <Line
            key={key}
            dataKey={key}
            name={name}
            stroke={colour}
            strokeDasharray={dash}
            strokeWidth={1.75}
            type="monotone"
            dot={false}
            activeDot={{ r: 3 }}
            isAnimationActive={false}
          />
        ))}
      </LineChart>
    </ResponsiveContainer>
  );
}

function ticksOf([from, to]: readonly [number, number]): number[] {
  return [0, 1, 2, 3, 4].map((part) => from + ((to - from) * part) / 4);
}

function agoWords(agoMs: number): string {
  const seconds = Math.round(agoMs / 1000);
  if (seconds === 0) return 'now';
  if (seconds % 60 === 0) return `−${seconds / 60} min`;
  return seconds < 60
    ? `−${seconds} s`
    : `−${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
