// The window's keyboard: one table for the list that people read, one function that carries it out.
import { useEffect } from 'react';
import { isDown } from '../model/appearance.ts';
import { currentLeader } from '../model/health.ts';
import type { Tab } from '../store/interface-store.ts';
import { type Panel, usePanel } from '../store/panel-context.tsx';

export const SHORTCUTS: readonly { keys: readonly string[]; does: string }[] = [
  { keys: ['Ctrl/⌘', 'K'], does: 'Command palette' },
  { keys: ['?'], does: 'This list' },
  { keys: ['/'], does: 'Write in the console' },
  { keys: ['1', '…', '7'], does: 'Select a node' },
  { keys: ['K'], does: 'Kill the selected node' },
  { keys: ['Shift', 'K'], does: 'Kill the leader' },
  { keys: ['P'], does: 'Pause or resume the selected node' },
  { keys: ['R'], does: 'Restart the selected node' },
  { keys: ['H'], does: 'Heal everything' },
  { keys: ['A'], does: 'Add a node' },
  { keys: ['L'], does: 'Start or stop the load' },
  { keys: ['C', 'G', 'E'], does: 'Console, charts, events' },
  { keys: ['T'], does: 'Dark, light or as the system' },
];

const TAB_KEYS: Record<string, Tab> = { c: 'console', g: 'charts', e: 'events' };

export function useShortcuts(): void {
  const panel = usePanel();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        const { overlay } = panel.ui.getState();
        panel.ui.setState({ overlay: overlay === 'palette' ? null : 'palette' });
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTaken(event)) return;
      if (panel.ui.getState().overlay !== null) return;
      if (press(panel, event.key)) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [panel]);
}

/** Someone is typing, or a menu or popover listens. */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target;
  return (
    event.defaultPrevented ||
    (target instanceof Element &&
      target.closest('input, textarea, select, [contenteditable], [role="menu"], [role="dialog"]') !== null)
  );
}

/** True when the key meant something. */
function press({ cluster, ui, actions }: Panel, key: string): boolean {
  const { view } = cluster.store.getState();
  const state = ui.getState();
  const node = view?.nodes.find(({ process }) => process.nodeId === state.selectedNode);
  const leader = view === null ? null : currentLeader(view);
  const tab = TAB_KEYS[key];
  if (tab !== undefined) {
    ui.setState({ tab });
    return true;
  }
  if (/^[1-7]$/.test(key) && view?.nodes.some(({ process }) => process.nodeId === Number(key))) {
    ui.setState({ selectedNode: Number(key) });
    return true;
  }
  switch (key) {
    case '?':
      ui.setState({ overlay: 'shortcuts' });
      return true;
    case '/':
      actions.focusConsole();
      return true;
    case 'h':
      void actions.healAll();
      return true;
    case 'a':
      void actions.addNode();
      return true;
    case 't':
      ui.setState({ theme: state.theme === 'system' ? 'dark' : state.theme === 'dark' ? 'light' : 'system' });
      return true;
    case 'l':
      void (view?.workload.running ? actions.stopLoad() : actions.startLoad(state.loadRequest));
      return true;
    case 'K':
      if (leader !== null) void actions.kill(leader.process.nodeId);
      return true;
  }
  if (node === undefined) return false;
  const { nodeId, state: process } = node.process;
  if (key === 'k' && !isDown(node)) void actions.kill(nodeId);
  else if (key === 'p') void (process === 'paused' ? actions.resume(nodeId) : actions.pause(nodeId));
  else if (key === 'r') void actions.restart(nodeId);
  else return false;
  return true;
}
