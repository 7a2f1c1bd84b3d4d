// What the core owes its host after each turn, and the order in which the host must carry it out.
import type {
  Configuration,
  Entry,
  HardState,
  InstallSnapshot,
  Message,
  NodeId,
  RaftEvent,
  Role,
} from './types.ts';

/** Volatile facts for people and routing; nothing depends on them being saved. */
export interface SoftState {
  role: Role;
  /** 0 while nobody leads. */
  leaderId: NodeId;
}

/** A read that `readIndex(token)` asked for: serve it once `lastApplied >= index`, or tell it that it failed. */
export interface ReadState {
  token: number;
  /** 0: leadership was lost before a quorum confirmed it; the read must be retried elsewhere. */
  index: number;
}

/**
 * The order (the simulator obeys the same):
 * 1. send `messages` at once, in parallel with the disk (thesis §10.2.1);
 * 2. hand `hardState` and `entries` to the log, as one batch; an entry whose index the log already
 *    has replaces it and all behind it;
 * 3. apply `committed`, in order, then serve `reads`;
 * 4. when that batch *and every earlier one* is durable, send `messagesAfterSync` and call
 *    `advance(ready)`. A Ready with nothing to persist still waits for the earlier ones.
 */
export interface Ready {
  hardState: HardState | null;
  entries: readonly Entry[];
  messages: readonly Message[];
  messagesAfterSync: readonly Message[];
  committed: readonly Entry[];
  reads: readonly ReadState[];
  /** Followers to which the newest snapshot is to be sent, or `snapshotFailed` to be called. [S7] */
  snapshotsWanted: readonly NodeId[];
  /** Chunks to be written and answered; when the last one is durable, `installSnapshot`. [S8] */
  snapshotChunks: readonly InstallSnapshot[];
  softState: SoftState | null;
  /** In force from now on, committed or not: whoever is new in it is to be connected. Null when unchanged. [M1] */
  configuration: Configuration | null;
  events: readonly RaftEvent[];
}
