// Everything that can be done to one node, as menu entries: shared by its button, its right click and the palette.
import {
  Ban,
  LogOut,
  Megaphone,
  Pause,
  Play,
  RotateCcw,
  Scissors,
  Skull,
  Square,
  UserMinus,
  Vote,
  Wand2,
} from 'lucide-react';
import { useMemo, useState } from 'react';
import type { NodeView } from '../../shared/cluster-view.ts';
import { type Membership, membershipOf } from '../../shared/membership.ts';
import { nodeName } from '../model/appearance.ts';
import type { MenuEntry } from '../parts/menu.tsx';
import type { Actions } from '../store/actions.ts';
import { useActions } from '../store/panel-context.tsx';
import { diskEntry, powerCutEntry, type Question, snapshotEntry } from './disk-menu.tsx';

const ICON = 14;

export interface NodeMenu {
  entries: readonly MenuEntry[];
  /** A question that an entry asked; the caller shows it. */
  question: Question | null;
  closeQuestion: () => void;
}

export function useNodeMenu(node: NodeView, peers: readonly number[]): NodeMenu {
  const actions = useActions();
  const [question, setQuestion] = useState<Question | null>(null);
  const { process, status, disk, links } = node;
  const role = status?.raft.role ?? null;
  const membership = status === null ? 'voter' : membershipOf(status.raft.configuration, process.nodeId);
  const entries = useMemo(() => {
    const state = { nodeId: process.nodeId, peers, state: process.state, leads: role === 'leader' };
    const running = process.state === 'running';
    const alive = running || process.state === 'paused' || process.state === 'starting';
    const inMenu = { nodeId: process.nodeId, running, alive, ask: setQuestion };
    return [
      ...lifeEntries(actions, state),
      snapshotEntry(actions, inMenu),
      { kind: 'separator', id: 'faults' } as const,
      powerCutEntry(actions, inMenu),
      diskEntry(actions, inMenu),
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
      { kind: 'separator', id: 'membership' } as const,
      ...memberEntries(actions, { nodeId: process.nodeId, running, membership, ask: setQuestion }),
    ];
  }, [actions, process.nodeId, process.state, role, peers, disk, links, membership]);
  return { entries, question, closeQuestion: () => setQuestion(null) };
}

function memberEntries(
  actions: Actions,
  of: { nodeId: number; running: boolean; membership: Membership; ask: (question: Question) => void },
): MenuEntry[] {
  const { nodeId, running, membership, ask } = of;
  const entries: MenuEntry[] = [
    {
      kind: 'item',
      label: 'Remove from cluster…',
      icon: <LogOut size={ICON} />,
      tone: 'danger',
      onSelect: () => ask({ kind: 'removal' }),
    },
  ];
  if (membership === 'learner' || membership === 'outside') {
    entries.unshift({
      kind: 'item',
      label: membership === 'learner' ? 'Promote to voter' : 'Add to the cluster',
      hint: membership === 'learner' ? 'once it is level' : 'as a learner first',
      icon: <Vote size={ICON} />,
      disabled: !running,
      onSelect: () => void (membership === 'learner' ? actions.promote(nodeId) : actions.addNode(nodeId)),
    });
  }
  return entries;
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
