// The charts tab: throughput, write latency, replication lag and sync time, with what happened marked in each.
import { useMemo, useRef } from 'react';
import { nodeColour, nodeDash, nodeName } from '../model/appearance.ts';
import {
  type ChartMark,
  type ChartRow,
  chartMarks,
  chartRows,
  nodesOfSeries,
  thinned,
} from '../model/chart-data.ts';
import { axisCount, milliseconds, shortCount } from '../model/figures.ts';
import { Button } from '../parts/button.tsx';
import { ScrollRegion } from '../parts/scroll-region.tsx';
import { CHART_MINUTES } from '../store/interface-store.ts';
import { useActions, useInterface, usePanel, useView } from '../store/panel-context.tsx';
import { LiveChart, type Series } from './live-chart.tsx';

const THROUGHPUT: readonly Series[] = [
  { key: 'writes', name: 'writes', colour: 'var(--series-write)', dash: '0' },
  { key: 'reads', name: 'reads', colour: 'var(--series-read)', dash: '0' },
];

const LATENCY: readonly Series[] = [
  { key: 'p50', name: 'p50', colour: 'var(--series-p50)', dash: '0' },
  { key: 'p99', name: 'p99', colour: 'var(--series-p99)', dash: '0' },
];

/** More points than this cost time and cannot be told apart on half of a window. */
const ROWS_MAX = 120;

const axisMs = (value: number) =>
  value >= 1000 ? `${value / 1000} s` : `${Math.round(value * 100) / 100} ms`;

export function ChartsPanel() {
  const samples = useView((view) => view.samples);
  const minutes = useInterface((state) => state.chartMinutes);
  const to = samples.at(-1)?.at ?? 0;
  const span = useMemo(() => [to - minutes * 60_000, to] as const, [to, minutes]);
  const rows = useMemo(
    () => thinned(chartRows(samples, span[0]), (span[1] - span[0]) / ROWS_MAX),
    [samples, span],
  );
  const marks = useMarks(span[0]);
  const lag = useNodeSeries(rows, 'lag');
  const sync = useNodeSeries(rows, 'sync');
  const shared = { rows, marks, span };
  const none = rows.length < 2 ? 'The first figures arrive within seconds.' : null;
  const wrote = rows.some(({ p50 }) => p50 !== null);
  return (
    <div className="charts flex h-full flex-col bg-sunken">
      <ChartsHead />
      <ScrollRegion label="Charts" className="charts-grid">
        <LiveChart
          key={`throughput ${minutes}`}
          {...shared}
          title="Throughput, op/s"
          position={0}
          series={THROUGHPUT}
          format={shortCount}
          axisFormat={axisCount}
          empty={none}
        />
        <LiveChart
          key={`latency ${minutes}`}
          {...shared}
          title="Write latency"
          position={1}
          series={LATENCY}
          format={milliseconds}
          axisFormat={axisMs}
          empty={none ?? (wrote ? null : 'No write in this time. Start the load or set a key.')}
        />
        <LiveChart
          key={`lag ${minutes}`}
          {...shared}
          title="Replication lag, entries"
          position={2}
          series={lag}
          format={shortCount}
          axisFormat={axisCount}
          empty={none ?? (lag.length > 0 ? null : 'Nobody leads, so nobody lags.')}
        />
        <LiveChart
          key={`sync ${minutes}`}
          {...shared}
          title="Sync time, p99"
          position={3}
          series={sync}
          format={milliseconds}
          axisFormat={axisMs}
          empty={none}
        />
      </ScrollRegion>
    </div>
  );
}

/** The feed grows with every event; the charts are drawn anew only when one of them is a mark. */
function useMarks(since: number): readonly ChartMark[] {
  const feed = useView((view) => view.feed);
  const previous = useRef<readonly ChartMark[]>([]);
  return useMemo(() => {
    const next = chartMarks(feed, since);
    const idsOf = (marks: readonly ChartMark[]) => marks.map(({ id, at }) => `${id}@${at}`).join(' ');
    if (idsOf(next) !== idsOf(previous.current)) previous.current = next;
    return previous.current;
  }, [feed, since]);
}

function useNodeSeries(rows: readonly ChartRow[], series: 'lag' | 'sync'): readonly Series[] {
  const ids = nodesOfSeries(rows, series).join(' ');
  return useMemo(
    () =>
      (ids === '' ? [] : ids.split(' ').map(Number)).map((nodeId) => ({
        key: `${series}${nodeId}` as const,
        name: nodeName(nodeId),
        colour: nodeColour(nodeId),
        dash: nodeDash(nodeId),
      })),
    [ids, series],
  );
}

function ChartsHead() {
  const { ui } = usePanel();
  const actions = useActions();
  const minutes = useInterface((state) => state.chartMinutes);
  const request = useInterface((state) => state.loadRequest);
  const running = useView((view) => view.workload.running);
  return (
    <div className="flex h-9 shrink-0 items-center gap-3 px-3 text-small text-dim">
      <fieldset aria-label="Time shown">
        <div className="flex gap-0.5">
          {CHART_MINUTES.map((value) => (
            <button
              key={value}
              type="button"
              aria-pressed={value === minutes}
              className={`h-6 rounded-sm px-2 ${value === minutes ? 'bg-hover font-semibold text-text' : 'hover:text-text'}`}
              onClick={() => ui.setState({ chartMinutes: value })}
            >
              {value} min
            </button>
          ))}
        </div>{' '}
      </fieldset>
      <Mark colour="var(--leader)" dash="0" words="election" />
      <Mark colour="var(--dead)" dash="4 2" words="death" />
      <Mark colour="var(--warn)" dash="1 3" words="fault" />
      {running ? null : (
        <Button size="small" className="ml-auto" onClick={() => void actions.startLoad(request)}>
          Start load
        </Button>
      )}
    </div>
  );
}

function Mark({ colour, dash, words }: { colour: string; dash: string; words: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <svg width="4" height="14" aria-hidden="true">
        <line x1="2" x2="2" y1="0" y2="14" stroke={colour} strokeWidth="1.5" strokeDasharray={dash} />
      </svg>
      {words}
    </span>
  );
}
