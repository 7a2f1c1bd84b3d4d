// How a node's process is started and talked to, whoever hosts it: Electron's utilityProcess on the desktop,
// child_process in the browser host and in tests. Ending it is not here: that goes by its pid.
import type { NodeMessage, ParentMessage } from '../../../engine/protocol/control.ts';
import type { NodeId } from '../../../engine/raft/types.ts';

export interface SocketAddress {
  host: string;
  port: number;
}

/** What the node's entry takes as `--config JSON`. */
export interface NodeSettings {
  clusterId: string;
  nodeId: NodeId;
  dataDir: string;
  /** It took part in this cluster before: on an empty folder it has lost its memory, and starts without a vote. */
  wasMember: boolean;
  client: SocketAddress;
  peer: SocketAddress;
  /** It was added to a cluster that is there, and waits to be told who the members are. */
  join?: true;
  /** In a new cluster its first members; for one that joins, whoever can be found. Addresses as `host:port`. */
  peers: readonly { id: NodeId; peer: string; client: string }[];
}

/** How a process ended, as far as its host can tell. `code` is null when a signal ended it. */
export interface ProcessEnd {
  code: number | null;
  signal: string | null;
  /** The last lines it wrote to standard error. */
  errorTail: string;
}

export interface NodeProcessListener {
  /** The process exists. Comes before any message. */
  onSpawned(pid: number): void;
  onMessage(message: NodeMessage): void;
  /** Exactly once, also when it could not be started at all. Nothing comes after it. */
  onExit(end: ProcessEnd): void;
}

export interface NodeProcess {
  /** Ignored once the process has ended. */
  send(message: ParentMessage): void;
}

export interface NodeLaunch {
  settings: NodeSettings;
  /** Standard output and error are appended here. */
  logPath: string;
  listener: NodeProcessListener;
}

export interface NodeLauncher {
  launch(launch: NodeLaunch): NodeProcess;
  /** Runs the node's program for one small task instead; rejects with what it wrote to standard error. */
  runTask(args: readonly string[]): Promise<string>;
}

/** A node speaks plain data with a type; anything else is not from a node. */
export function isNodeMessage(message: unknown): message is NodeMessage {
  return typeof message === 'object' && message !== null && 'type' in message;
}
