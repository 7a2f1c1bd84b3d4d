// The disk's part of a node's menu: every fault that it can be given, what it can lose, and what must be asked
// before it happens.
import { Database, HardDrive, Zap } from 'lucide-react';
import { NAMED_DISK_FAULTS, type NamedDiskFault } from '../../shared/console-commands.ts';
import { nodeName } from '../model/appearance.ts';
import { syncAlwaysFails, syncFailsOnce, syncTakes } from '../model/fault-words.ts';
import type { NumberQuestion } from '../parts/ask-number.tsx';
import type { Confirmation } from '../parts/confirm.tsx';
import type { MenuEntry } from '../parts/menu.tsx';
import type { Actions } from '../store/actions.ts';

const ICON = 14;
const SYNC_DELAYS_MS = [20, 100, 500, 2000] as const;

const SYNC_FAULTS: readonly { name: NamedDiskFault; label: string; hint: string }[] = [
  { name: 'sync-hangs', label: 'Syncs hang', hint: 'until removed' },
  { name: 'sync-lies', label: 'Syncs lie', hint: 'report success' },
];

const WRITE_FAULTS: readonly { name: NamedDiskFault; label: string; hint: string }[] = [
  { name: 'disk-full', label: 'Fill the disk', hint: 'ENOSPC until healed' },
  { name: 'write-fails', label: 'Writes fail', hint: 'EIO' },
  { name: 'torn-write', label: 'Next write is torn', hint: 'once' },
  { name: 'bit-flip', label: 'Next write turns a bit', hint: 'once' },
];

/** What an entry wants to know before it does anything. */
export type Question =
  | { kind: 'number'; question: NumberQuestion }
  | { kind: 'confirm'; confirmation: Confirmation }
  | { kind: 'fault' }
  | { kind: 'removal' };

export interface DiskInMenu {
  nodeId: number;
  running: boolean;
  alive: boolean;
  ask: (question: Question) => void;
}

type Item = Extract<MenuEntry, { kind: 'item' }>;

const item = (entry: Omit<Item, 'kind'>): MenuEntry => ({ kind: 'item', ...entry });

export function snapshotEntry(actions: Actions, { nodeId, running }: DiskInMenu): MenuEntry {
  return item({
    label: 'Snapshot now',
    hint: 'and cut the log',
    icon: <Database size={ICON} />,
    disabled: !running,
    onSelect: () => void actions.snapshot(nodeId),
  });
}

export function powerCutEntry(actions: Actions, { nodeId, running }: DiskInMenu): MenuEntry {
  return item({
    label: 'Power cut',
    hint: 'unsynced is lost',
    icon: <Zap size={ICON} />,
    tone: 'danger',
    disabled: !running,
    onSelect: () => void actions.powerCut(nodeId),
  });
}

export function diskEntry(actions: Actions, disk: DiskInMenu): MenuEntry {
  return {
    kind: 'sub',
    label: 'Disk',
    icon: <HardDrive size={ICON} />,
    entries: [
      ...syncEntries(actions, disk),
      { kind: 'separator', id: 'writes' },
      ...named(actions, disk, WRITE_FAULTS),
      item({ label: 'Another fault…', disabled: !disk.running, onSelect: () => disk.ask({ kind: 'fault' }) }),
      { kind: 'separator', id: 'damage' },
      ...damageEntries(actions, disk),
    ],
  };
}

function named(
  actions: Actions,
  { nodeId, running }: DiskInMenu,
  faults: readonly { name: NamedDiskFault; label: string; hint: string }[],
): MenuEntry[] {
  return faults.map(({ name, label, hint }) =>
    item({
      label,
      hint,
      disabled: !running,
      onSelect: () => void actions.applyDisk(nodeId, name, NAMED_DISK_FAULTS[name]),
    }),
  );
}

function syncEntries(actions: Actions, disk: DiskInMenu): MenuEntry[] {
  const { nodeId, running, ask } = disk;
  const delayed = (delayMs: number) => void actions.applyDisk(nodeId, 'sync-delay', syncTakes('', delayMs));
  const question: NumberQuestion = {
    title: `How much longer shall ${nodeName(nodeId)}'s syncs take?`,
    description: 'Each sync of its log and hard state then waits this long before it succeeds.',
    unit: 'ms',
    initial: 200,
    min: 1,
    max: 60_000,
    confirm: 'Slow the disk',
    onAnswer: delayed,
  };
  return [
    item({
      label: 'Next sync fails',
      hint: 'EIO, once',
      disabled: !running,
      onSelect: () => void actions.applyDisk(nodeId, 'sync-fails', syncFailsOnce('')),
    }),
    item({
      label: 'Every sync fails',
      hint: 'EIO',
      disabled: !running,
      onSelect: () => void actions.applyDisk(nodeId, 'sync-fails', syncAlwaysFails('')),
    }),
    ...named(actions, disk, SYNC_FAULTS),
    {
      kind: 'sub',
      label: 'Syncs take longer',
      entries: [
        ...SYNC_DELAYS_MS.map((delayMs) =>
          item({ label: `By ${delayMs} ms`, disabled: !running, onSelect: () => delayed(delayMs) }),
        ),
        item({ label: 'By…', disabled: !running, onSelect: () => ask({ kind: 'number', question }) }),
      ],
    },
  ];
}

function damageEntries(actions: Actions, { nodeId, alive, ask }: DiskInMenu): MenuEntry[] {
  const name = nodeName(nodeId);
  const when = alive
    ? ` ${name} goes on with what it has in memory; the damage shows when it starts again.`
    : '';
  const record: NumberQuestion = {
    title: `Which entry of ${name}'s log shall be damaged?`,
    description: `One bit of its record on disk is turned.${when}`,
    unit: 'index',
    initial: 1,
    min: 1,
    max: 2 ** 48,
    confirm: 'Turn a bit',
    onAnswer: (index) => void actions.corruptRecord(nodeId, Math.floor(index)),
  };
  return [
    item({
      label: 'Corrupt a log record',
      hint: alive ? 'shows at restart' : 'any',
      onSelect: () => void actions.corruptRecord(nodeId),
    }),
    item({ label: 'Corrupt entry…', onSelect: () => ask({ kind: 'number', question: record }) }),
    item({
      label: 'Wipe folder…',
      tone: 'danger',
      onSelect: () => ask({ kind: 'confirm', confirmation: wipeConfirmation(actions, nodeId, alive) }),
    }),
  ];
}

export function wipeConfirmation(actions: Actions, nodeId: number, alive: boolean): Confirmation {
  const name = nodeName(nodeId);
  return {
    title: `Wipe ${name}'s folder?`,
    description: `${alive ? `${name} is killed, and its` : 'Its'} log, snapshots and votes are gone for good.`,
    details: [
      'Until it has caught up, the others are all that remembers what was acknowledged: without a majority of them the cluster stops, rather than elect a leader that might lack something.',
      `Started again, ${name} first hears the term of the others, then follows without a vote, and votes once it has everything back (rule E14). Wiping a second node meanwhile is refused.`,
    ],
    confirm: `Wipe ${name}`,
    cancel: 'Keep it',
    onConfirm: () => void actions.wipe(nodeId),
  };
}
