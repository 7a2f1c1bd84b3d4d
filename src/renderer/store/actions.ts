// Everything the window can ask for. The only place that calls the bridge on a person's behalf: a refusal
// becomes a notice in plain words, and components never see the transport.
import type { DiskFault, LinkFault } from '../../../engine/protocol/faults.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type {
  Bridge,
  CallArgument,
  CallChannel,
  ConsoleReply,
  FolderFate,
  WorkloadRequest,
} from '../../shared/contract.ts';
import { nodeName } from '../model/appearance.ts';
import { historyOf, remembered } from '../model/console-history.ts';
import * as faults from '../model/fault-words.ts';
import type { LinkState } from '../model/links.ts';
import type { InterfaceStore } from './interface-store.ts';
import { CONSOLE_ENTRIES_MAX } from './interface-store.ts';

/** Tells a person what could not be done, and why. */
export type Notify = (title: string, description: string) => void;

export type Actions = ReturnType<typeof createActions>;

export function createActions(bridge: Bridge, ui: InterfaceStore, notify: Notify) {
  /** True when it was done. */
  const ask = async <C extends CallChannel>(
    what: string,
    channel: C,
    argument: CallArgument<C>,
  ): Promise<boolean> => {
    try {
      await bridge.call(channel, argument);
      return true;
    } catch (error) {
      notify(`Could not ${what}`, messageOf(error));
      return false;
    }
  };
  return {
    ...nodeActions(ask),
    ...faultActions(ask),
    ...consoleActions(bridge, ui),
    ...memberActions(ask),
    powerCutAll: () => ask('cut the power', 'cluster:powerCut', {}),
    healAll: () => ask('heal the cluster', 'cluster:heal', undefined),
    resetCluster: () => ask('reset the cluster', 'cluster:reset', undefined),
    startLoad: (request: WorkloadRequest) => ask('start the load', 'workload:start', request),
    stopLoad: () => ask('stop the load', 'workload:stop', undefined),
  };
}

type Ask = <C extends CallChannel>(what: string, channel: C, argument: CallArgument<C>) => Promise<boolean>;

function nodeActions(ask: Ask) {
  return {
    kill: (nodeId: NodeId) => ask(`kill ${nodeName(nodeId)}`, 'node:kill', { nodeId }),
    pause: (nodeId: NodeId) => ask(`pause ${nodeName(nodeId)}`, 'node:pause', { nodeId }),
    resume: (nodeId: NodeId) => ask(`resume ${nodeName(nodeId)}`, 'node:resume', { nodeId }),
    restart: (nodeId: NodeId) => ask(`restart ${nodeName(nodeId)}`, 'node:restart', { nodeId }),
    stop: (nodeId: NodeId) => ask(`stop ${nodeName(nodeId)}`, 'node:stop', { nodeId }),
    stepDown: (nodeId: NodeId, target?: NodeId) =>
      ask(`make ${nodeName(nodeId)} step down`, 'node:stepDown', { nodeId, target }),
    campaign: (nodeId: NodeId) => ask(`make ${nodeName(nodeId)} campaign`, 'node:campaign', { nodeId }),
    powerCut: (nodeId: NodeId) => ask(`cut the power of ${nodeName(nodeId)}`, 'node:powerCut', { nodeId }),
    snapshot: (nodeId: NodeId) => ask(`take a snapshot on ${nodeName(nodeId)}`, 'node:snapshot', { nodeId }),
    corruptRecord: (nodeId: NodeId, index?: number) =>
      ask(`corrupt ${nodeName(nodeId)}'s log`, 'node:corruptRecord', { nodeId, index }),
    wipe: (nodeId: NodeId) => ask(`wipe ${nodeName(nodeId)}'s folder`, 'node:wipe', { nodeId }),
  };
}

function memberActions(ask: Ask) {
  return {
    addNode: (nodeId?: NodeId) =>
      ask(nodeId === undefined ? 'add a node' : `add ${nodeName(nodeId)}`, 'member:add', { nodeId }),
    promote: (nodeId: NodeId) => ask(`promote ${nodeName(nodeId)}`, 'member:promote', { nodeId }),
    removeNode: (nodeId: NodeId, folder: FolderFate) =>
      ask(`remove ${nodeName(nodeId)}`, 'member:remove', { nodeId, folder }),
  };
}

function faultActions(ask: Ask) {
  let faultNumber = 0;
  /** Unique in a node also after the window was loaded again. */
  const faultId = (kind: string) => `${kind}-${Date.now().toString(36)}-${++faultNumber}`;
  const applyDisk = (nodeId: NodeId, fault: DiskFault) =>
    ask(`break ${nodeName(nodeId)}'s disk`, 'fault:applyDisk', { nodeId, fault });
  const applyLink = (nodeId: NodeId, fault: LinkFault) =>
    ask(`break the link ${nodeName(nodeId)}–${nodeName(fault.peer)}`, 'fault:applyLink', { nodeId, fault });
  const removeFault = (nodeId: NodeId, id: string) =>
    ask(`remove the fault from ${nodeName(nodeId)}`, 'fault:remove', { nodeId, faultId: id });
  return {
    applyDisk: (nodeId: NodeId, kind: string, fault: Omit<DiskFault, 'id'>) =>
      applyDisk(nodeId, { ...fault, id: faultId(kind) }),
    cutLink: (nodeId: NodeId, peer: NodeId, direction: LinkFault['direction']) =>
      applyLink(nodeId, faults.linkCut(faultId('cut'), peer, direction)),
    slowLink: (nodeId: NodeId, peer: NodeId, delayMs: number) =>
      applyLink(nodeId, faults.linkSlow(faultId('slow'), peer, delayMs)),
    removeFault,
    healLink: async (link: LinkState) => {
      await Promise.all(link.faults.map(({ nodeId, fault }) => removeFault(nodeId, fault.id)));
    },
  };
}

function consoleActions(bridge: Bridge, ui: InterfaceStore) {
  let entryId = 0;
  return {
    /** Writes the line into the console and fills in the answer when it comes. Never rejects. */
    execute: async (line: string): Promise<void> => {
      const id = ++entryId;
      ui.setState((state) => ({
        consoleEntries: [...state.consoleEntries, { id, line, reply: null, watched: [], forgotten: 0 }].slice(
          -CONSOLE_ENTRIES_MAX,
        ),
        consoleLines: remembered(historyOf(state.consoleLines), line).lines,
      }));
      const reply = await bridge.call('console:execute', { line }).catch(refusal);
      ui.setState((state) => ({
        consoleEntries: state.consoleEntries.map((entry) => (entry.id === id ? { ...entry, reply } : entry)),
      }));
    },
    clearConsole: () => ui.setState({ consoleEntries: [] }),
    focusConsole: () => ui.setState((state) => ({ tab: 'console', consoleFocus: state.consoleFocus + 1 })),
  };
}

function refusal(error: unknown): ConsoleReply {
  return { ok: false, lines: [{ tone: 'error', text: messageOf(error) }], receipt: null };
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // Electron puts the channel before the words of the one who refused.
  return message.replace(/^Error invoking remote method '[^']*': (Error: )?/, '');
}
