// Everything that can be done to one node, as menu entries: shared by its button, its right click and the palette.
import {
  Ban,
  HardDrive,
  Megaphone,
  Pause,
  Play,
  RotateCcw,
  Scissors,
  Skull,
  Square,
  UserMinus,
  Wand2,
} from 'lucide-react';
import { useMemo, useState } from 'react';
import type { NodeView } from '../../shared/cluster-view.ts';
import { NAMED_DISK_FAULTS, type NamedDiskFault } from '../../shared/console-commands.ts';
import { nodeName } from '../model/appearance.ts';
import { syncAlwaysFails, syncFailsOnce, syncTakes } from '../model/fault-words.ts';
import type { NumberQuestion } from '../parts/ask-number.tsx';
import type { MenuEntry } from '../parts/menu.tsx';
import type { Actions } from '../store/actions.ts';
import { useActions } from '../store/panel-context.tsx';

const ICON = 14;
const SYNC_DELAYS_MS = [20, 100, 500, 2000] as const;

/** Faults beyond the sync ones that the console knows by name, in the words of the menu. */
const MORE_DISK_FAULTS: readonly { name: NamedDiskFault; label: string; hint: string }[] = [
  { name: 'sync-hangs', label: 'Syncs hang', hint: 'until removed' },
  { name: 'sync-lies', label: 'Syncs lie', hint: 'report success' },
  { name: 'write-fails', label: 'Writes fail', hint: 'EIO' },
  { name: 'disk-full', label: 'Disk is full', hint: 'ENOSPC' },
  { name: 'torn-write', label: 'Next write is torn', hint: 'once' },
  { name: 'bit-flip', label: 'Next write turns a bit', hint: 'once' },
];

export interface NodeMenu {
  entries: readonly MenuEntry[];
  /** A question that an entry asked; the caller shows it. */
  question: NumberQuestion | null;
  closeQuestion: () => void;
}

export function useNodeMenu(node: NodeView, peers: readonly number[]): NodeMenu {
  const actions = useActions();
  const [question, setQuestion] = useState<NumberQuestion | null>(null);
  const { process, status, disk, links } = node;
  const role = status?.raft.role ?? null;
  const entries = useMemo(() => {
    const state = { nodeId: process.nodeId, peers, state: process.state, leads: role === 'leader' };
    return [
      ...lifeEntries(actions, state),
      { kind: 'separator', id: 'faults' } as const,
      diskEntry(actions, state, setQuestion),
      linkEntry(actions, state),
      {
        kind: 'item',
        label: `Remove all faults of ${nodeName(process.nodeId)}`,
        icon: <Wand2 size={ICON} />,
        disabled: disk.length + links.length === 0,
        onSelect: () => {
          for (const { id } of [...disk, ...links]) void actions.removeFault(process.nodeId, id);
        },
      } as const,
    ];
  }, [actions, process.nodeId, process.state, role, peers, disk, links]);
  return { entries, question, closeQuestion: () => setQuestion(null) };
}

interface NodeInMenu {
  nodeId: number;
  peers: readonly number[];
  state: NodeView['process']['state'];
  leads: boolean;
}

function lifeEntries(actions: Actions, { nodeId, peers, state, leads }: NodeInMenu): MenuEntry[] {
  const down = state === 'crashed' || state === 'stopped';
  const running = state === 'running';
  const item = (entry: Omit<Extract<MenuEntry, { kind: 'item' }>, 'kind'>): MenuEntry => ({
    kind: 'item',
    ...entry,
  });
  return [
    item({
      label: 'Kill',
      hint: 'SIGKILL',
      icon: <Skull size={ICON} />,
      tone: 'danger',
      disabled: down,
      onSelect: () => void actions.kill(nodeId),
    }),
    state === 'paused'
      ? item({
          label: 'Resume',
          hint: 'SIGCONT',
          icon: <Play size={ICON} />,
          onSelect: () => void actions.resume(nodeId),
        })
      : item({
          label: 'Pause',
          hint: 'SIGSTOP',
          icon: <Pause size={ICON} />,
          disabled: !running,
          onSelect: () => void actions.pause(nodeId),
        }),
    item({
      label: 'Stop gracefully',
      icon: <Square size={ICON} />,
      disabled: !running,
      onSelect: () => void actions.stop(nodeId),
    }),
    item({
      label: down ? 'Start again' : 'Restart',
      icon: <RotateCcw size={ICON} />,
      disabled: state === 'starting',
      onSelect: () => void actions.restart(nodeId),
    }),
    { kind: 'separator', id: 'leadership' },
    {
      kind: 'sub',
      label: 'Step down',
      icon: <UserMinus size={ICON} />,
      entries: [
        item({
          label: 'To the most up-to-date',
          disabled: !leads,
          onSelect: () => void actions.stepDown(nodeId),
        }),
        ...peers.map((peer) =>
          item({
            label: `To ${nodeName(peer)}`,
            disabled: !leads,
            onSelect: () => void actions.stepDown(nodeId, peer),
          }),
        ),
      ],
    },
    item({
      label: 'Campaign',
      hint: 'start an election',
      icon: <Megaphone size={ICON} />,
      disabled: !running || leads,
      onSelect: () => void actions.campaign(nodeId),
    }),
  ];
}

function diskEntry(
  actions: Actions,
  { nodeId, state }: NodeInMenu,
  ask: (question: NumberQuestion) => void,
): MenuEntry {
  const disabled = state !== 'running';
  const name = nodeName(nodeId);
  const delayed = (delayMs: number) => void actions.applyDisk(nodeId, 'sync-delay', syncTakes('', delayMs));
  const question: NumberQuestion = {
    title: `How much longer shall ${name}'s syncs take?`,
    description: 'Each sync of its log and hard state then waits this long before it succeeds.',
    unit: 'ms',
    initial: 200,
    min: 1,
    max: 60_000,
    confirm: 'Slow the disk',
    onAnswer: delayed,
  };
  return {
    kind: 'sub',
    label: 'Disk',
    icon: <HardDrive size={ICON} />,
    entries: [
      {
        kind: 'item',
        label: 'Next sync fails',
        hint: 'EIO, once',
        disabled,
        onSelect: () => void actions.applyDisk(nodeId, 'sync-fails', syncFailsOnce('')),
      },
      {
        kind: 'item',
        label: 'Every sync fails',
        hint: 'EIO',
        disabled,
        onSelect: () => void actions.applyDisk(nodeId, 'sync-fails', syncAlwaysFails('')),
      },
      { kind: 'separator', id: 'delays' },
      ...SYNC_DELAYS_MS.map(
        (delayMs): MenuEntry => ({
          kind: 'item',
          label: `Syncs take ${delayMs} ms longer`,
          disabled,
          onSelect: () => delayed(delayMs),
        }),
      ),
      { kind: 'item', label: 'Syncs take longer by…', disabled, onSelect: () => ask(question) },
      { kind: 'separator', id: 'more' },
      ...MORE_DISK_FAULTS.map(
        ({ name: fault, label, hint }): MenuEntry => ({
          kind: 'item',
          label,
          hint,
          disabled,
          onSelect: () => void actions.applyDisk(nodeId, fault, NAMED_DISK_FAULTS[fault]),
        }),
      ),
    ],
  };
}

function linkEntry(actions: Actions, { nodeId, peers, state }: NodeInMenu): MenuEntry {
  const disabled = state !== 'running' && state !== 'paused';
  return {
    kind: 'sub',
    label: 'Cut link',
    icon: <Scissors size={ICON} />,
    entries: [
      ...peers.map(
        (peer): MenuEntry => ({
          kind: 'item',
          label: `To ${nodeName(peer)}`,
          disabled,
          onSelect: () => void actions.cutLink(nodeId, peer, 'both'),
        }),
      ),
      { kind: 'separator', id: 'isolate' },
      {
        kind: 'item',
        label: 'To everyone',
        hint: 'isolate',
        icon: <Ban size={ICON} />,
        disabled,
        onSelect: () => {
          for (const peer of peers) void actions.cutLink(nodeId, peer, 'both');
        },
      },
    ],
  };
}
