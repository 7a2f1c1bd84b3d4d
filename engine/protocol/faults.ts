// Faults that a node can be told to suffer: by its disk and on its links. Plain data, so that the panel,
// the chaos driver and tests speak of the same ones.
import type { NodeId } from '../raft/types.ts';

/** The calls of the file-system seam. `syncFolder` makes a rename or a new file durable. */
export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'rename'
  | 'truncate'
  | 'unlink'
  | 'readdir'
  | 'syncFolder';

export type DiskEffect =
  | { kind: 'error'; code: 'EIO' | 'ENOSPC' }
  /** The call works, `delayMs` later. */
  | { kind: 'delay'; delayMs: number }
  /** The call never returns while the fault is in force. */
  | { kind: 'hang' }
  /** Half of the bytes are written, then EIO. */
  | { kind: 'shortWrite' }
  /** One bit of the written bytes is turned; the call reports success. */
  | { kind: 'bitFlip' }
  /** The sync reports success without having synced. */
  | { kind: 'lyingSync' };

export interface DiskFault {
  /** Unique in the node; names the fault when it is removed. */
  id: string;
  operations: readonly DiskOperation[];
  effect: DiskEffect;
  /** Only files whose path contains this. */
  pathContains?: string | undefined;
  /** Removes itself after so many hits. */
  countMax?: number | undefined;
  /** From 0 to 1; 1 when absent. */
  probability?: number | undefined;
}

export type LinkEffect =
  | { kind: 'cut' }
  | { kind: 'delay'; delayMs: number; jitterMs: number }
  /** Each message is lost with this probability, from 0 to 1. */
  | { kind: 'loss'; probability: number };

/** Seen from the node that has the fault. A link cut both ways is `both` on one of its ends. */
export interface LinkFault {
  id: string;
  peer: NodeId;
  direction: 'inbound' | 'outbound' | 'both';
  effect: LinkEffect;
}

export interface NodeFaults {
  disk: readonly DiskFault[];
  links: readonly LinkFault[];
}

export const NO_FAULTS: NodeFaults = { disk: [], links: [] };
