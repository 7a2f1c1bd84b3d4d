// The tabs at the foot of the window. Which one is open is remembered.
import { ChartSpline, ScrollText, SquareTerminal } from 'lucide-react';
import { Tabs } from 'radix-ui';
import type { ReactNode } from 'react';
import { ChartsPanel } from './charts/charts-panel.tsx';
import { ConsolePanel } from './console/console-panel.tsx';
import { EventsPanel } from './events/events-panel.tsx';
import type { Tab } from './store/interface-store.ts';
import { useInterface, usePanel } from './store/panel-context.tsx';

const TABS: readonly { id: Tab; label: string; icon: ReactNode; body: () => ReactNode }[] = [
  { id: 'console', label: 'Console', icon: <SquareTerminal size={14} />, body: ConsolePanel },
  { id: 'charts', label: 'Charts', icon: <ChartSpline size={14} />, body: ChartsPanel },
  { id: 'events', label: 'Events', icon: <ScrollText size={14} />, body: EventsPanel },
];

export function BottomTabs() {
  const { ui } = usePanel();
  const tab = useInterface((state) => state.tab);
  const open = (value: string) => {
    const found = TABS.find(({ id }) => id === value);
    if (found !== undefined) ui.setState({ tab: found.id });
  };
  return (
    <Tabs.Root value={tab} onValueChange={open} className="flex h-full flex-col bg-surface">
      <Tabs.List aria-label="Panels" className="flex h-9 shrink-0 items-stretch border-b border-line px-2">
        {TABS.map(({ id, label, icon }) => (
          <Tabs.Trigger key={id} value={id} className="tab">
            {icon} {label}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {TABS.map(({ id, body: Body }) => (
        <Tabs.Content key={id} value={id} className="relative min-h-0 flex-1" tabIndex={-1}>
          <Body />
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}
