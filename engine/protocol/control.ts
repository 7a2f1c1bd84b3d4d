// The messages between a node process and the process that started it (panel, `quorumlab cluster`, tests):
// through `process.parentPort` in Electron, `process.send` elsewhere.
import type { NodeId } from '../raft/types.ts';
import type { NodeFaults } from './faults.ts';
import type { NodeEvent, NodeStatus } from './node-status.ts';

export const CONTROL_VERSION = 1;

export type NodeAction =
  /** Leader only: hand leadership to the most up-to-date follower, or to `target`. */
  | { kind: 'stepDown'; target?: NodeId | undefined }
  /** Start an election now (with its pre-vote). */
  | { kind: 'campaign' }
  /** Drop and tear what was not synced, then die at once. */
  | { kind: 'powerCut'; seed: number }
  | { kind: 'snapshot' };

export type ParentMessage =
  | { type: 'setFaults'; requestId: number; faults: NodeFaults }
  | { type: 'act'; requestId: number; action: NodeAction }
  /** 0 stops statuses; otherwise from 20 up. */
  | { type: 'setStatusInterval'; requestId: number; intervalMs: number }
  /** Graceful: leadership is handed away, files are closed. */
  | { type: 'stop'; requestId: number };

export type NodeMessage =
  | {
      type: 'ready';
      version: typeof CONTROL_VERSION;
      nodeId: NodeId;
      pid: number;
      clientAddress: string;
      peerAddress: string;
    }
  | { type: 'status'; status: NodeStatus }
  | { type: 'events'; events: readonly NodeEvent[] }
  | { type: 'done'; requestId: number }
  | { type: 'refused'; requestId: number; message: string };

/** How a node process ends. */
export const ExitCode = {
  stopped: 0,
  /** A flag, a port or a folder is unusable; the reason is on standard error. */
  badConfiguration: 2,
  /** A write or sync failed; nothing after it was acknowledged. */
  diskFailed: 74,
  /** An assertion did not hold. */
  programmerError: 70,
  /** A power cut was injected. */
  powerCut: 75,
} as const;
