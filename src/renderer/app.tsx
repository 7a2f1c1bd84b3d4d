// The window: top bar, topology, inspector and tabs, and what stands there before and when the cluster is lost.
import { LoaderCircle, Unplug } from 'lucide-react';
import { Tooltip } from 'radix-ui';
import { useEffect } from 'react';
import { Group, type Layout, Panel, Separator } from 'react-resizable-panels';
import { Toaster } from 'sonner';
import { BottomTabs } from './bottom-tabs.tsx';
import { Inspector } from './inspector/inspector.tsx';
import { duration } from './model/figures.ts';
import { EmptyState } from './parts/empty-state.tsx';
import { useNow } from './parts/use-now.ts';
import { useCluster, usePanel } from './store/panel-context.tsx';
import { recall, remember } from './store/remember.ts';
import { followWatches } from './store/watch-lines.ts';
import { CommandPalette } from './top-bar/command-palette.tsx';
import { ResetDialog, ShortcutsDialog } from './top-bar/dialogs.tsx';
import { useShortcuts } from './top-bar/shortcuts.ts';
import { useTheme } from './top-bar/theme.ts';
import { TopBar } from './top-bar/top-bar.tsx';
import { Topology } from './topology/topology.tsx';

export function App() {
  const theme = useTheme();
  const ready = useCluster(({ view }) => view !== null);
  useShortcuts();
  const { cluster, ui } = usePanel();
  useEffect(() => followWatches(cluster, ui), [cluster, ui]);
  return (
    <Tooltip.Provider delayDuration={350} skipDelayDuration={150}>
      {ready ? <Workspace /> : <Before />}
      <ResetDialog />
      <ShortcutsDialog />
      <CommandPalette />
      <Toaster
        theme={theme}
        position="bottom-right"
        visibleToasts={4}
        toastOptions={{ unstyled: true, classNames: { toast: 'toast' }, duration: 7000 }}
      />
    </Tooltip.Provider>
  );
}

function Workspace() {
  return (
    <div className="flex h-full flex-col">
      <TopBar />
      <LostNotice />
      <main className="min-h-0 flex-1">
        <Group {...remembered('columns')}>
          <Panel id="stage-panel" minSize={520}>
            <Group orientation="vertical" {...remembered('rows')}>
              <Panel id="topology-panel" defaultSize="58%" minSize={300}>
                <Topology />
              </Panel>
              <Separator className="handle" aria-label="Height of the topology" />
              <Panel id="tabs-panel" defaultSize="42%" minSize={150}>
                <BottomTabs />
              </Panel>
            </Group>
          </Panel>
          <Separator className="handle" aria-label="Width of the inspector" />
          <Panel
            id="inspector-panel"
            defaultSize={348}
            minSize={300}
            maxSize={560}
            groupResizeBehavior="preserve-pixel-size"
          >
            <Inspector />
          </Panel>
        </Group>
      </main>
    </div>
  );
}

function remembered(name: string) {
  const saved = recall<Layout | undefined>(`layout-${name}`, layoutIn, undefined);
  return {
    id: name,
    ...(saved === undefined ? {} : { defaultLayout: saved }),
    onLayoutChanged: (layout: Layout, { isUserInteraction }: { isUserInteraction: boolean }) => {
      if (isUserInteraction) remember(`layout-${name}`, layout);
    },
  };
}

function layoutIn(value: unknown): Layout | null {
  if (typeof value !== 'object' || value === null) return null;
  const sizes = Object.entries(value).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return sizes.length === 0 ? null : Object.fromEntries(sizes);
}

function Before() {
  const connection = useCluster((state) => state.connection);
  if (connection.state === 'lost') {
    return (
      <EmptyState icon={<Unplug size={24} />} title="The panel cannot be reached">
        {connection.message} It is tried again every second. If the program has ended, start it again.
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={<LoaderCircle size={24} className="animate-spin" />} title="Starting the cluster">
      The nodes open their logs and elect a leader.
    </EmptyState>
  );
}

/** The picture below is old, and says so. */
function LostNotice() {
  const connection = useCluster((state) => state.connection);
  const lost = connection.state === 'lost';
  const now = useNow(1000, lost);
  if (!lost) return null;
  return (
    <div
      role="alert"
      className="flex items-center gap-2 border-b border-line bg-bad/15 px-4 py-1.5 font-medium text-bad"
    >
      <Unplug size={14} aria-hidden="true" />
      The connection to the panel is lost. What you see is {duration(now - connection.since)} old; it is tried
      again every second.
    </div>
  );
}
