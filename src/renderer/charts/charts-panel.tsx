// The charts tab: throughput, write latency, replication lag and sync time, with what happened marked in each.
import { useMemo } from 'react';
import { nodeColour, nodeDash, nodeName } from '../model/appearance.ts';
import { chartMarks, chartRows, nodesOfSeries } from '../model/chart-data.ts';
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

const axisMs = (value: number) =>
  value >= 1000 ? `${value / 1000} s` : `${Math.round(value * 100) / 100} ms`;

export function ChartsPanel() {
  const samples = useView((view) => view.samples);
  const feed = useView((view) => view.feed);
  const minutes = useInterface((state) => state.chartMinutes);
  const to = samples.at(-1)?.at ?? 0;
  const from = to - minutes * 60_000;
  const rows = useMemo(() => chartRows(samples, from), [samples, from]);
  const marks = useMemo(() => chartMarks(feed, from), [feed, from]);
  const perNode = (series: 'lag' | 'sync'): Series[] =>
    nodesOfSeries(rows, series).map((nodeId) => ({
      key: `${series}${nodeId}`,
      name: nodeName(nodeId),
      colour: nodeColour(nodeId),
      dash: nodeDash(nodeId),
    }));
  const span = [from, to] as const;
  const shared = { rows, marks, span };
  const none = rows.length < 2 ? 'The first figures arrive within seconds.' : null;
  const wrote = rows.some(({ p50 }) => p50 !== null);
  const lag = perNode('lag');
  return (
    <div className="charts flex h-full flex-col bg-sunken">
      <ChartsHead />
      <ScrollRegion label="Charts" className="charts-grid">
        <LiveChart
          {...shared}
          title="Throughput, op/s"
          series={THROUGHPUT}
          format={shortCount}
          axisFormat={axisCount}
          empty={none}
        />
        <LiveChart
          {...shared}
          title="Write latency"
          series={LATENCY}
          format={milliseconds}
          axisFormat={axisMs}
          empty={none ?? (wrote ? null : 'No write in this time. Start the load or set a key.')}
        />
        <LiveChart
          {...shared}
          title="Replication lag, entries"
          series={lag}
          format={shortCount}
          axisFormat={axisCount}
          empty={none ?? (lag.length > 0 ? null : 'Nobody leads, so nobody lags.')}
        />
        <LiveChart
          {...shared}
          title="Sync time, p99"
          series={perNode('sync')}
          format={milliseconds}
          axisFormat={axisMs}
          empty={none}
        />
      </ScrollRegion>
    </div>
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
      <fieldset aria-label="Time shown" className="flex gap-0.5">
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
