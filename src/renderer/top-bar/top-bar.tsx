// The top bar: how the cluster is in words and four figures, and the actions on all of it.
import {
  CircleAlert,
  CircleCheck,
  CircleQuestionMark,
  Command,
  LoaderCircle,
  Moon,
  RotateCcw,
  Sun,
  SunMoon,
  TriangleAlert,
  Wand2,
} from 'lucide-react';
import type { ReactNode } from 'react';
import type { ClusterView } from '../../shared/cluster-view.ts';
import { nodeName } from '../model/appearance.ts';
import { count, milliseconds, shortCount, UNKNOWN } from '../model/figures.ts';
import { currentLeader, type Health, healthOf } from '../model/health.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { Hint } from '../parts/hint.tsx';
import { useNow } from '../parts/use-now.ts';
import type { Theme } from '../store/interface-store.ts';
import { useActions, useInterface, usePanel, useView } from '../store/panel-context.tsx';
import { LoadPopover } from './load-popover.tsx';

export function TopBar() {
  const { ui } = usePanel();
  const actions = useActions();
  return (
    <header className="flex h-12 shrink-0 items-center gap-4 border-b border-line bg-surface px-3">
      <Mark />
      <HealthWords />
      <div className="flex min-w-0 flex-1 items-center gap-5">
        <LeaderFigure />
        <RateFigure />
        <GapFigure />
      </div>
      <div className="flex items-center gap-1.5">
        <LoadPopover />
        <Hint text="Remove every fault, resume paused nodes and start dead ones (H)">
          <Button onClick={() => void actions.healAll()}>
            <Wand2 size={14} /> Heal all
          </Button>
        </Hint>
        <IconButton
          kind="danger"
          className="border-transparent bg-transparent"
          name="Reset cluster"
          hint="Reset cluster: empty all folders and start anew"
          icon={<RotateCcw size={14} />}
          onClick={() => ui.setState({ overlay: 'reset' })}
        />
        <IconButton
          kind="quiet"
          name="Command palette"
          hint="Command palette (Ctrl K or ⌘ K)"
          icon={<Command size={14} />}
          onClick={() => ui.setState({ overlay: 'palette' })}
        />
        <IconButton
          kind="quiet"
          name="Keyboard shortcuts"
          hint="Keyboard shortcuts (?)"
          icon={<CircleQuestionMark size={15} />}
          onClick={() => ui.setState({ overlay: 'shortcuts' })}
        />
        <ThemeButton />
      </div>
    </header>
  );
}

function Mark() {
  return (
    <div className="flex items-center gap-2">
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
        <path d="M10 4.5 4 14.5h12z" fill="none" stroke="var(--line-strong)" strokeWidth="1.4" />
        <circle cx="10" cy="4.8" r="3.3" fill="var(--leader)" />
        <circle cx="4.2" cy="14.6" r="2.7" fill="var(--follower)" />
        <circle cx="15.8" cy="14.6" r="2.7" fill="var(--follower)" />
      </svg>
      <h1 className="text-title font-semibold max-[1180px]:sr-only">Quorumlab</h1>
    </div>
  );
}

const HEALTH_ICONS: Record<Health['level'], ReactNode> = {
  good: <CircleCheck size={15} />,
  warn: <TriangleAlert size={15} />,
  bad: <CircleAlert size={15} />,
  waiting: <LoaderCircle size={15} className="animate-spin" />,
};

const HEALTH_COLOURS: Record<Health['level'], string> = {
  good: 'text-good',
  warn: 'text-warn',
  bad: 'text-bad',
  waiting: 'text-dim',
};

function HealthWords() {
  const words = useView((view) => healthOf(view).words);
  const level = useView((view) => healthOf(view).level);
  return (
    <output
      data-testid="health"
      data-level={level}
      aria-live="polite"
      className={`flex h-7 max-w-105 min-w-0 items-center gap-1.5 rounded-full bg-sunken px-3 font-semibold ring-1 ring-line ring-inset ${HEALTH_COLOURS[level]}`}
      title={words}
    >
      <span className="shrink-0" aria-hidden="true">
        {HEALTH_ICONS[level]}
      </span>
      <span className="truncate">{words}</span>
    </output>
  );
}

function Figure(props: { label: string; testId?: string; title?: string; children: ReactNode }) {
  return (
    <div className="min-w-0" title={props.title}>
      <div className="text-small leading-3.5 whitespace-nowrap text-faint">{props.label}</div>
      <div className="text-title leading-4.5 font-semibold whitespace-nowrap" data-testid={props.testId}>
        {props.children}
      </div>
    </div>
  );
}

function LeaderFigure() {
  const words = useView((view) => {
    const leader = currentLeader(view);
    const term = leader?.status?.raft.currentTerm;
    return leader === null || term === undefined
      ? UNKNOWN
      : `${nodeName(leader.process.nodeId)}, term ${count(term)}`;
  });
  return (
    <Figure label="Leader" testId="leader">
      {words}
    </Figure>
  );
}

function RateFigure() {
  const words = useView((view) => {
    const sample = view.samples.at(-1);
    if (sample === undefined || view.at - sample.at > 3000) return '0';
    return shortCount(Math.round(sample.writesPerSecond + sample.readsPerSecond));
  });
  return (
    <Figure label="Operations/s" testId="operations">
      {words}
    </Figure>
  );
}

function GapFigure() {
  const last = useView((view) => view.failovers.at(-1) ?? null);
  const open = last !== null && last.gapMs === null;
  const now = useNow(100, open);
  if (last === null) {
    return (
      <Figure
        label="Last failover gap"
        testId="failover-gap"
        title="From the last write acknowledged before to the first after"
      >
        {UNKNOWN}
      </Figure>
    );
  }
  const gapMs = last.gapMs ?? Math.max(0, now - last.lastAcknowledgedAt);
  return (
    <Figure label={open ? 'No writes for' : 'Last failover gap'} testId="failover-gap" title={gapTitle(last)}>
      <span className={open ? 'text-bad' : ''}>{milliseconds(gapMs)}</span>
    </Figure>
  );
}

function gapTitle(last: ClusterView['failovers'][number]): string {
  const to = last.toLeader === null ? '' : ` to ${nodeName(last.toLeader)}, term ${last.toTerm}`;
  const from =
    last.measuredFrom === 'loss'
      ? 'No client was writing, so it is measured from the loss of the leader.'
      : 'From the last write acknowledged before to the first after.';
  return `From ${nodeName(last.fromLeader)}, term ${last.fromTerm}${to}: ${last.cause}. ${from}`;
}

const NEXT_THEME: Record<Theme, Theme> = { system: 'dark', dark: 'light', light: 'system' };
const THEME_ICONS: Record<Theme, ReactNode> = {
  system: <SunMoon size={14} />,
  dark: <Moon size={14} />,
  light: <Sun size={14} />,
};

function ThemeButton() {
  const { ui } = usePanel();
  const theme = useInterface((state) => state.theme);
  return (
    <IconButton
      kind="quiet"
      name={`Theme: ${theme}`}
      hint={`Theme: ${theme === 'system' ? 'as the system' : theme}. Click for ${NEXT_THEME[theme]} (T)`}
      icon={THEME_ICONS[theme]}
      onClick={() => ui.setState({ theme: NEXT_THEME[theme] })}
    />
  );
}
