// The state of the window itself: what is selected, open and typed. Nothing here comes from the cluster.
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { NodeId } from '../../../engine/raft/types.ts';
import { LOAD_DEFAULTS } from '../../shared/console-commands.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import type { ConsoleReply, WorkloadRequest } from '../../shared/contract.ts';
import { HISTORY_MAX } from '../model/console-history.ts';
import type { EventKind } from '../model/event-sentences.ts';
import { recall, remember } from './remember.ts';

export type Tab = 'console' | 'charts' | 'events';
export type Theme = 'system' | 'dark' | 'light';
export type Overlay = 'palette' | 'shortcuts' | 'reset' | null;

export interface ConsoleEntry {
  id: number;
  line: string;
  /** Null while the answer is under way. */
  reply: ConsoleReply | null;
  /** Of a watch: what it has seen, the newest last, bounded by WATCH_LINES_MAX. */
  watched: readonly ConsoleLine[];
  /** Lines that are not kept any more. */
  forgotten: number;
}

export interface InterfaceState {
  selectedNode: NodeId;
  tab: Tab;
  theme: Theme;
  overlay: Overlay;
  consoleEntries: readonly ConsoleEntry[];
  consoleLines: readonly string[];
  /** Rises when something wants the console's prompt to take the keyboard. */
  consoleFocus: number;
  hiddenKinds: readonly EventKind[];
  loadRequest: WorkloadRequest;
  chartMinutes: number;
}

export const CONSOLE_ENTRIES_MAX = 400;
export const WATCH_LINES_MAX = 200;
/** Up to what SAMPLES_MAX holds at two samples a second. */
export const CHART_MINUTES = [1, 2, 5] as const;

const THEMES: readonly Theme[] = ['system', 'dark', 'light'];
const TABS: readonly Tab[] = ['console', 'charts', 'events'];
const KINDS: readonly EventKind[] = [
  'election',
  'members',
  'vote',
  'message',
  'log',
  'process',
  'fault',
  'you',
];

export type InterfaceStore = StoreApi<InterfaceState>;

/** Recalls the last session's window and writes down what changes. */
export function createInterfaceStore(): InterfaceStore {
  const store = createStore<InterfaceState>(() => ({
    selectedNode: 1,
    tab: recall('tab', oneOf(TABS), 'console'),
    theme: recall('theme', oneOf(THEMES), 'system'),
    overlay: null,
    consoleEntries: [],
    consoleLines: recall('console-history', linesIn, []),
    consoleFocus: 0,
    hiddenKinds: recall('hidden-kinds', listOf(KINDS), ['message']),
    loadRequest: recall<WorkloadRequest>('load', requestIn, { ...LOAD_DEFAULTS }),
    chartMinutes: recall('chart-minutes', oneOf(CHART_MINUTES), 2),
  }));
  store.subscribe((state, before) => {
    if (state.tab !== before.tab) remember('tab', state.tab);
    if (state.theme !== before.theme) remember('theme', state.theme);
    if (state.consoleLines !== before.consoleLines) remember('console-history', state.consoleLines);
    if (state.hiddenKinds !== before.hiddenKinds) remember('hidden-kinds', state.hiddenKinds);
    if (state.loadRequest !== before.loadRequest) remember('load', state.loadRequest);
    if (state.chartMinutes !== before.chartMinutes) remember('chart-minutes', state.chartMinutes);
  });
  return store;
}

function oneOf<T>(values: readonly T[]): (value: unknown) => T | null {
  return (value) => values.find((known) => known === value) ?? null;
}

function listOf<T>(values: readonly T[]): (value: unknown) => readonly T[] | null {
  return (value) =>
    Array.isArray(value) ? values.filter((known) => value.some((item) => item === known)) : null;
}

function linesIn(value: unknown): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter((line): line is string => typeof line === 'string').slice(-HISTORY_MAX);
}

function requestIn(value: unknown): WorkloadRequest | null {
  if (typeof value !== 'object' || value === null) return null;
  const numbers = { ...LOAD_DEFAULTS } as Record<keyof WorkloadRequest, number>;
  for (const name of ['ratePerSecond', 'valueBytes', 'clients', 'writeRatio'] as const) {
    const given: unknown = Reflect.get(value, name);
    if (typeof given !== 'number' || !Number.isFinite(given) || given < 0) return null;
    numbers[name] = given;
  }
  return numbers;
}
