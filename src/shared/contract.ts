// The one typed map between the window and its host. Two carriers speak it: Electron IPC (preload) and
// the WebSocket of the browser host. The renderer cannot tell which one it has.
import type { DiskFault, LinkFault } from '../../engine/protocol/faults.ts';
import type { NodeId } from '../../engine/raft/types.ts';
import type { ClusterBatch, ClusterView } from './cluster-view.ts';
import type { ConsoleLine } from './console-line-view.ts';

export interface ConsoleReply {
  ok: boolean;
  lines: readonly ConsoleLine[];
  /** Lines of this watch follow as `watch` items of batches; absent for everything else. */
  watchId?: number;
  /** Where and when a key command was served; null for panel commands. */
  receipt: {
    node: NodeId;
    index: number | null;
    term: number | null;
    attempts: number;
    elapsedMs: number;
  } | null;
}

export interface WorkloadRequest {
  /** 0: as fast as the clients go. */
  ratePerSecond: number;
  valueBytes: number;
  clients: number;
  writeRatio: number;
}

export interface AppInfo {
  name: 'Quorumlab';
  version: string;
  host: 'desktop' | 'browser';
  platform: string;
  runtime: string;
  dataDir: string;
  ephemeral: boolean;
}

/** Where the fault lab turned a bit. */
export interface CorruptedRecordView {
  /** The segment's name in the node's folder. */
  file: string;
  offsetBytes: number;
  /** 0 is the lowest of its byte. */
  bit: number;
  /** Of the entry. */
  index: number;
}

/** What becomes of the folder of a node that leaves: moved aside within the cluster's folder, or deleted. */
export type FolderFate = 'setAside' | 'delete';

/** Requests of the window: channel -> [argument, result]. A refused call rejects with a plain message. */
export interface Calls {
  'app:info': [undefined, AppInfo];
  /** The whole picture as of now; batches with a higher sequence follow. */
  'cluster:view': [undefined, ClusterView];
  /** Kills all nodes, empties their folders, starts them again. */
  'cluster:reset': [undefined, undefined];
  'cluster:heal': [undefined, undefined];
  /** All running nodes at the same moment. The seed decides what becomes of each one's unsynced bytes. */
  'cluster:powerCut': [{ seed?: number | undefined }, undefined];
  'node:kill': [{ nodeId: NodeId }, undefined];
  'node:pause': [{ nodeId: NodeId }, undefined];
  'node:resume': [{ nodeId: NodeId }, undefined];
  /** Starts a dead node; a running one is stopped gracefully first. */
  'node:restart': [{ nodeId: NodeId }, undefined];
  'node:stop': [{ nodeId: NodeId }, undefined];
  'node:stepDown': [{ nodeId: NodeId; target?: NodeId | undefined }, undefined];
  'node:campaign': [{ nodeId: NodeId }, undefined];
  /** What the node has not synced is dropped or torn as the seed says, and its process dies at once. */
  'node:powerCut': [{ nodeId: NodeId; seed?: number | undefined }, undefined];
  /** Resolves when the snapshot is durable or has failed, which an event tells. */
  'node:snapshot': [{ nodeId: NodeId }, undefined];
  /**
   * Turns a bit of one record in the node's log on disk; any record when no index is given. The node may run: it
   * goes on with what it has in memory, and the damage shows at its next start.
   */
  'node:corruptRecord': [
    { nodeId: NodeId; index?: number | undefined; seed?: number | undefined },
    CorruptedRecordView,
  ];
  /** Kills the node if it runs, and empties its folder; it stays stopped. Refused for a second node at once. */
  'node:wipe': [{ nodeId: NodeId }, undefined];
  /**
   * Starts another node and makes it a member: a learner first, a voter once it has caught up. Without an id the
   * lowest that is free. A node that runs already and is no member, or a learner, goes on from there. Resolves
   * when it votes; each stage is a `memberChange` in the view.
   */
  'member:add': [{ nodeId?: NodeId | undefined }, { nodeId: NodeId }];
  /** A learner that has caught up gets a vote. */
  'member:promote': [{ nodeId: NodeId }, undefined];
  /** A leader hands over first. Resolves when its process has ended and its folder is where it shall be. */
  'member:remove': [{ nodeId: NodeId; folder: FolderFate }, undefined];
  'fault:applyDisk': [{ nodeId: NodeId; fault: DiskFault }, undefined];
  'fault:applyLink': [{ nodeId: NodeId; fault: LinkFault }, undefined];
  'fault:remove': [{ nodeId: NodeId; faultId: string }, undefined];
  'console:execute': [{ line: string }, ConsoleReply];
  'workload:start': [WorkloadRequest, undefined];
  'workload:stop': [undefined, undefined];
}

export type CallChannel = keyof Calls;
export type CallArgument<C extends CallChannel> = Calls[C][0];
export type CallResult<C extends CallChannel> = Calls[C][1];

/** Pushed by the host. */
export interface Pushes {
  'cluster:batch': ClusterBatch;
}
export type PushChannel = keyof Pushes;

/** What the renderer gets, whoever carries it: on the desktop as `window.quorumlab`. */
export interface Bridge {
  call<C extends CallChannel>(channel: C, argument: CallArgument<C>): Promise<CallResult<C>>;
  /** Returns the unsubscribe. */
  on<P extends PushChannel>(channel: P, listener: (payload: Pushes[P]) => void): () => void;
}
