// A follower's side of InstallSnapshot: chunks into a file, the whole file checked and put in force, the state
// built from it, then core, log and keyspace switched in one step. One snapshot at a time. [S8]

import type { KeyspaceState } from '../kv/key-record.ts';
import { KeyspaceRestorer } from '../kv/keyspace-dump.ts';
import type { Raft } from '../raft/raft.ts';
import type { InstallSnapshot, Message, NodeId } from '../raft/types.ts';
import type { SnapshotIntake } from '../storage/snapshot-intake.ts';
import type { SnapshotReader } from '../storage/snapshot-reader.ts';
import type { SnapshotStore } from '../storage/snapshot-store.ts';
import type { LogStore } from '../storage/types.ts';

export interface SnapshotReceiverOptions {
  nodeId: NodeId;
  raft: Raft;
  store: LogStore;
  snapshots: SnapshotStore;
  restore: (state: KeyspaceState) => void;
  send: (messages: readonly Message[]) => void;
  onInstalled: (installed: { index: number; sizeBytes: number; from: NodeId }) => void;
  onFailed: (error: unknown) => void;
}

/** Reads a snapshot's data into a state of its own, a block at a time. */
export async function readKeyspace(reader: SnapshotReader): Promise<KeyspaceState> {
  const restorer = new KeyspaceRestorer();
  for (let block = await reader.read(); block !== null; block = await reader.read()) restorer.push(block);
  return restorer.finish();
}

export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  #intake: SnapshotIntake | null = null;
  /** Chunks are worked on one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** A leader sends one chunk at a time; more than a few waiting are repeats. */
  take(chunk: InstallSnapshot): void {
    if (this.#queued >= 4) return;
    this.#queued++;
    this.#queue = this.#queue
      .then(() => this.#take(chunk))
      .catch((error: unknown) => this.#options.onFailed(error))
      .finally(() => {
        this.#queued--;
      });
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#intake?.pause();
    this.#intake = null;
  }

  async #take(chunk: InstallSnapshot): Promise<void> {
    const { lastIncludedIndex, lastIncludedTerm, totalBytes } = chunk;
    if (lastIncludedIndex <= this.#options.raft.commitIndex) {
      this.#answer(chunk, { offset: totalBytes, installed: true });
      return;
    }
    const intake = await this.#intakeOf({ lastIncludedIndex, lastIncludedTerm, totalBytes });
    const offset = await intake.take(chunk.offset, chunk.data);
    if (!intake.isComplete) {
      this.#answer(chunk, { offset, installed: false });
      return;
    }
    this.#intake = null;
    await intake.finish();
    await this.#install(chunk);
    this.#answer(chunk, { offset: totalBytes, installed: true });
  }

  async #intakeOf(point: SnapshotIntake['point']): Promise<SnapshotIntake> {
    const current = this.#intake;
    if (
      current !== null &&
      current.point.lastIncludedIndex === point.lastIncludedIndex &&
      current.point.lastIncludedTerm === point.lastIncludedTerm &&
      current.point.totalBytes === point.totalBytes
    ) {
      return current;
    }
    this.#intake = null;
    await current?.drop();
    this.#intake = await this.#options.snapshots.beginIntake(point);
    return this.#intake;
  }

  async #install(chunk: InstallSnapshot): Promise<void> {
    const { raft, store, snapshots, restore, onInstalled } = this.#options;
    const snapshot = snapshots.snapshots.find((each) => each.lastIncludedIndex === chunk.lastIncludedIndex);
    if (snapshot === undefined) return;
    const reader = await snapshots.read(snapshot);
    let state: KeyspaceState;
    try {
      state = await readKeyspace(reader);
    } finally {
      await reader.close();
    }
    const point = { index: snapshot.lastIncludedIndex, term: snapshot.lastIncludedTerm };
    // From here to the call of restartAt nothing may wait: core, state and log change together.
    if (!raft.installSnapshot({ ...point, configuration: snapshot.configuration })) return;
    restore(state);
    const restarted = store.restartAt(point);
    onInstalled({ index: point.index, sizeBytes: snapshot.sizeBytes, from: chunk.from });
    await restarted;
  }

  #answer(chunk: InstallSnapshot, answer: { offset: number; installed: boolean }): void {
    const { nodeId, raft, send } = this.#options;
    send([
      {
        type: 'InstallSnapshotResponse',
        from: nodeId,
        to: chunk.from,
        term: raft.currentTerm,
        lastIncludedIndex: chunk.lastIncludedIndex,
        ...answer,
      },
    ]);
  }
}
