// Ctrl/⌘ K: every action of the window by name.
import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import type { ClusterView } from '../../shared/cluster-view.ts';
import { NODES_MAX } from '../../shared/membership.ts';
import { isDown, nodeName } from '../model/appearance.ts';
import { currentLeader } from '../model/health.ts';
import { type Panel, useCluster, useInterface, usePanel } from '../store/panel-context.tsx';

interface PaletteItem {
  group: string;
  label: string;
  hint?: string;
  run: () => void;
}

export function CommandPalette() {
  const panel = usePanel();
  const open = useInterface((state) => state.overlay === 'palette');
  const close = () => panel.ui.setState({ overlay: null });
  return (
    <Dialog.Root open={open} onOpenChange={(next) => (next ? undefined : close())}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="dialog palette floating" aria-describedby={undefined}>
          <Dialog.Title className="sr-only">Command palette</Dialog.Title>
          <PaletteList close={close} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function PaletteList({ close }: { close: () => void }) {
  const panel = usePanel();
  const view = useCluster((state) => state.view);
  const items =
    view === null ? [] : [...clusterItems(panel, view), ...nodeItems(panel, view), ...windowItems(panel)];
  const groups = [...new Set(items.map(({ group }) => group))];
  return (
    <Command label="Command palette" loop>
      <Command.Input placeholder="What shall happen?" autoFocus />
      <Command.List>
        <Command.Empty>
          Nothing is called that. The console knows more commands: press / and type help.
        </Command.Empty>
        {groups.map((group) => (
          <Command.Group key={group} heading={group}>
            {items
              .filter((item) => item.group === group)
              .map((item) => (
                <Command.Item
                  key={item.label}
                  value={item.label}
                  className="menu-item"
                  onSelect={() => {
                    close();
                    item.run();
                  }}
                >
                  {item.label}
                  {item.hint === undefined ? null : <span className="menu-hint">{item.hint}</span>}
                </Command.Item>
              ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  );
}

function clusterItems({ actions, ui }: Panel, view: ClusterView): PaletteItem[] {
  const group = 'Cluster';
  const leader = currentLeader(view);
  const items: PaletteItem[] = [];
  if (leader !== null) {
    const { nodeId } = leader.process;
    items.push(
      { group, label: 'Kill the leader', hint: nodeName(nodeId), run: () => void actions.kill(nodeId) },
      { group, label: 'Pause the leader', hint: nodeName(nodeId), run: () => void actions.pause(nodeId) },
      { group, label: 'Leader: step down', hint: nodeName(nodeId), run: () => void actions.stepDown(nodeId) },
      {
        group,
        label: 'Isolate the leader',
        hint: 'cut all its links',
        run: () => isolate(actions, view, nodeId),
      },
    );
  }
  items.push({
    group,
    label: 'Cut the power of all nodes',
    hint: 'unsynced is lost',
    run: () => void actions.powerCutAll(),
  });
  items.push({ group, label: 'Heal all', hint: 'H', run: () => void actions.healAll() });
  if (view.workload.running) {
    items.push({ group, label: 'Stop load', hint: 'L', run: () => void actions.stopLoad() });
  } else {
    const run = () => void actions.startLoad(ui.getState().loadRequest);
    items.push({ group, label: 'Start load', hint: 'L', run });
  }
  if (view.nodes.length < NODES_MAX) {
    items.push({ group, label: 'Add a node', hint: 'A', run: () => void actions.addNode() });
  }
  items.push({ group, label: 'Reset cluster…', run: () => ui.setState({ overlay: 'reset' }) });
  return items;
}

function isolate(actions: Panel['actions'], view: ClusterView, nodeId: number): void {
  for (const { process } of view.nodes) {
    if (process.nodeId !== nodeId) void actions.cutLink(nodeId, process.nodeId, 'both');
  }
}

function nodeItems({ actions, ui }: Panel, view: ClusterView): PaletteItem[] {
  return view.nodes.flatMap((node) => {
    const { nodeId, state } = node.process;
    const name = nodeName(nodeId);
    const group = `Node ${name}`;
    const items: PaletteItem[] = [];
    if (!isDown(node))
      items.push({ group, label: `Kill ${name}`, hint: 'SIGKILL', run: () => void actions.kill(nodeId) });
    if (state === 'running') {
      items.push(
        { group, label: `Snapshot ${name} now`, run: () => void actions.snapshot(nodeId) },
        { group, label: `Cut the power of ${name}`, run: () => void actions.powerCut(nodeId) },
      );
    }
    items.push({
      group,
      label: `Corrupt a log record of ${name}`,
      run: () => void actions.corruptRecord(nodeId),
    });
    if (state === 'running')
      items.push({ group, label: `Pause ${name}`, run: () => void actions.pause(nodeId) });
    if (state === 'paused')
      items.push({ group, label: `Resume ${name}`, run: () => void actions.resume(nodeId) });
    items.push(
      {
        group,
        label: `${isDown(node) ? 'Start' : 'Restart'} ${name}`,
        run: () => void actions.restart(nodeId),
      },
      {
        group,
        label: `Campaign ${name}`,
        hint: 'start an election',
        run: () => void actions.campaign(nodeId),
      },
      {
        group,
        label: `Inspect ${name}`,
        hint: String(nodeId),
        run: () => ui.setState({ selectedNode: nodeId }),
      },
    );
    return items;
  });
}

function windowItems({ actions, ui }: Panel): PaletteItem[] {
  const group = 'Window';
  return [
    { group, label: 'Write in the console', hint: '/', run: actions.focusConsole },
    { group, label: 'Clear the console', run: actions.clearConsole },
    { group, label: 'Show charts', hint: 'G', run: () => ui.setState({ tab: 'charts' }) },
    { group, label: 'Show events', hint: 'E', run: () => ui.setState({ tab: 'events' }) },
    { group, label: 'Theme: dark', run: () => ui.setState({ theme: 'dark' }) },
    { group, label: 'Theme: light', run: () => ui.setState({ theme: 'light' }) },
    { group, label: 'Theme: as the system', run: () => ui.setState({ theme: 'system' }) },
    { group, label: 'Keyboard shortcuts', hint: '?', run: () => ui.setState({ overlay: 'shortcuts' }) },
  ];
}
