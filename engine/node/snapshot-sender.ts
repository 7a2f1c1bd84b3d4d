// A leader's side of InstallSnapshot: the file of its newest snapshot, chunk by chunk, each answered before the
// next; what is lost is sent again, and a follower that does not answer is given up. [S7]
import type { Raft } from '../raft/raft.ts';
import type { InstallSnapshotResponse, Message, NodeId } from '../raft/types.ts';
import type { SnapshotOnDisk, SnapshotStore } from '../storage/snapshot-store.ts';

export interface SnapshotSenderOptions {
  nodeId: NodeId;
  raft: Raft;
  snapshots: SnapshotStore;
  send: (messages: readonly Message[]) => void;
  chunkBytes: number;
  /** A chunk without an answer is sent again after so long. */
  answerMs: number;
  onFailed: (follower: NodeId, error: unknown) => void;
}

const RESENDS_MAX = 5;

interface Transfer {
  snapshot: SnapshotOnDisk;
  letGo: () => void;
  term: number;
  offset: number;
  sentAt: number;
  resends: number;
  reading: boolean;
}

export interface SnapshotProgress {
  sentBytes: number;
  totalBytes: number;
}

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #transfers = new Map<NodeId, Transfer>();

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  progressOf(follower: NodeId): SnapshotProgress | null {
    const transfer = this.#transfers.get(follower);
    return transfer === undefined
      ? null
      : { sentBytes: transfer.offset, totalBytes: transfer.snapshot.sizeBytes };
  }

  /** The core says that the follower needs one. */
  begin(follower: NodeId): void {
    const snapshot = this.#options.snapshots.snapshots[0];
    this.#end(follower);
    if (snapshot === undefined) {
      this.#options.raft.snapshotFailed(follower);
      return;
    }
    const transfer: Transfer = {
      snapshot,
      letGo: this.#options.snapshots.hold(snapshot),
      term: this.#options.raft.currentTerm,
      offset: 0,
      sentAt: 0,
      resends: 0,
      reading: false,
    };
    this.#transfers.set(follower, transfer);
    this.#sendChunk(follower, transfer);
  }

  answered({ from, lastIncludedIndex, offset, installed }: InstallSnapshotResponse): void {
    const transfer = this.#transfers.get(from);
    if (transfer === undefined || transfer.snapshot.lastIncludedIndex !== lastIncludedIndex) return;
    if (installed) {
      this.#end(from);
      return;
    }
    transfer.resends = 0;
    transfer.offset = Math.min(offset, transfer.snapshot.sizeBytes);
    // All of it is there; the follower checks and loads it, and says so with its next acknowledgement.
    if (transfer.offset === transfer.snapshot.sizeBytes) transfer.sentAt = performance.now();
    else this.#sendChunk(from, transfer);
  }

  /** Sends again what was not answered; ends what is no longer wanted. Called at every tick. */
  watch(now: number): void {
    if (this.#transfers.size === 0) return;
    const { raft, answerMs } = this.#options;
    const { progress } = raft.status();
    for (const [follower, transfer] of this.#transfers) {
      const state = progress.find(({ id }) => id === follower)?.state;
      if (state !== 'snapshot' || raft.currentTerm !== transfer.term) {
        this.#end(follower);
      } else if (!transfer.reading && now - transfer.sentAt > answerMs) {
        transfer.resends++;
        if (transfer.resends > RESENDS_MAX) this.#giveUp(follower, new Error('no answer to its chunks'));
        else this.#sendChunk(follower, transfer);
      }
    }
  }

  close(): void {
    for (const follower of this.#transfers.keys()) this.#end(follower);
  }

  #sendChunk(follower: NodeId, transfer: Transfer): void {
    const { snapshots, chunkBytes } = this.#options;
    if (transfer.reading) return;
    transfer.reading = true;
    // At the end an empty chunk asks whether the snapshot is in force.
    snapshots.readChunk(transfer.snapshot, { offset: transfer.offset, bytesMax: chunkBytes }).then(
      (data) => {
        transfer.reading = false;
        if (this.#transfers.get(follower) === transfer) this.#sendData(follower, transfer, data);
      },
      (error: unknown) => {
        if (this.#transfers.get(follower) === transfer) this.#giveUp(follower, error);
      },
    );
  }

  #sendData(follower: NodeId, transfer: Transfer, data: Uint8Array): void {
    const { snapshot, offset } = transfer;
    transfer.sentAt = performance.now();
    this.#options.send([
      {
        type: 'InstallSnapshot',
        from: this.#options.nodeId,
        to: follower,
        term: transfer.term,
        lastIncludedIndex: snapshot.lastIncludedIndex,
        lastIncludedTerm: snapshot.lastIncludedTerm,
        configuration: snapshot.configuration,
        offset,
        data,
        done: offset + data.length === snapshot.sizeBytes,
        totalBytes: snapshot.sizeBytes,
      },
    ]);
  }

  #giveUp(follower: NodeId, error: unknown): void {
    this.#end(follower);
    this.#options.raft.snapshotFailed(follower);
    this.#options.onFailed(follower, error);
  }

  #end(follower: NodeId): void {
    this.#transfers.get(follower)?.letGo();
    this.#transfers.delete(follower);
  }
}
