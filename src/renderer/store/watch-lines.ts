// Lines of watches on their way into the console: they belong to the entry that began the watch, and may come a
// moment before its reply does.
import type { ClusterItem } from '../../shared/cluster-view.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import type { ClusterFeed } from './cluster-store.ts';
import { type ConsoleEntry, type InterfaceStore, WATCH_LINES_MAX } from './interface-store.ts';

/** Returns the unsubscribe. */
export function followWatches(cluster: ClusterFeed, ui: InterfaceStore): () => void {
  /** Lines whose entry has no reply yet. */
  const early = new Map<number, ConsoleLine[]>();
  const stopItems = cluster.onItems((items) => {
    const watched = items.filter(
      (item): item is Extract<ClusterItem, { type: 'watch' }> => item.type === 'watch',
    );
    if (watched.length === 0) return;
    const entries = ui.getState().consoleEntries;
    for (const { watchId, lines } of watched) {
      const isKnown = entries.some(({ reply }) => reply?.watchId === watchId);
      if (!isKnown && !early.has(watchId) && entries.every(({ reply }) => reply !== null)) continue;
      early.set(watchId, [...(early.get(watchId) ?? []), ...lines].slice(-WATCH_LINES_MAX));
    }
    hand(ui, early);
  });
  const stopEntries = ui.subscribe((state, before) => {
    if (state.consoleEntries !== before.consoleEntries && early.size > 0) hand(ui, early);
  });
  return () => {
    stopItems();
    stopEntries();
  };
}

function hand(ui: InterfaceStore, early: Map<number, ConsoleLine[]>): void {
  const ready = new Map<number, ConsoleLine[]>();
  for (const { reply } of ui.getState().consoleEntries) {
    const lines = reply?.watchId === undefined ? undefined : early.get(reply.watchId);
    if (reply?.watchId === undefined || lines === undefined) continue;
    ready.set(reply.watchId, lines);
    early.delete(reply.watchId);
  }
  if (ready.size === 0) return;
  ui.setState(({ consoleEntries }) => ({
    consoleEntries: consoleEntries.map((entry) => withLines(entry, ready.get(entry.reply?.watchId ?? 0))),
  }));
}

function withLines(entry: ConsoleEntry, lines: readonly ConsoleLine[] | undefined): ConsoleEntry {
  if (lines === undefined) return entry;
  const all = [...entry.watched, ...lines];
  const watched = all.slice(-WATCH_LINES_MAX);
  return { ...entry, watched, forgotten: entry.forgotten + all.length - watched.length };
}
