// A node's snapshots, put together: taken of its own state, sent to followers that need one, received from a
// leader. The parts are snapshot-taker, snapshot-sender and snapshot-receiver.
import type { Keyspace } from '../kv/keyspace.ts';
import type { DiskSnapshot, HostEvent } from '../protocol/node-status.ts';
import type { Raft } from '../raft/raft.ts';
import type { InstallSnapshot, InstallSnapshotResponse, Message, NodeId } from '../raft/types.ts';
import type { SnapshotStore } from '../storage/snapshot-store.ts';
import type { LogStore } from '../storage/types.ts';
import type { NodeConfig } from './node-config.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { type SnapshotProgress, SnapshotSender } from './snapshot-sender.ts';
import { SnapshotTaker } from './snapshot-taker.ts';

export interface NodeSnapshotsOptions {
  config: NodeConfig;
  raft: Raft;
  store: LogStore;
  snapshots: SnapshotStore;
  keyspace: Keyspace;
  send: (messages: readonly Message[]) => void;
  /** The core was changed: the loop has something to do. */
  wake: () => void;
  record: (event: HostEvent) => void;
}

const CHUNK_BYTES = 1024 * 1024;
const ANSWER_MS = 1000;

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export class NodeSnapshots {
  readonly #store: SnapshotStore;
  readonly #taker: SnapshotTaker;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;

  constructor(options: NodeSnapshotsOptions) {
    const { config, raft, store, snapshots, keyspace, record, wake } = options;
    const { nodeId } = config;
    const send = (messages: readonly Message[]): void => options.send(messages);
    const failed = (what: string) => (error: unknown) =>
      record({ type: 'snapshotFailed', message: `${what}: ${reasonOf(error)}`, rule: 'S2' });
    this.#store = snapshots;
    this.#taker = new SnapshotTaker({
      raft,
      store,
      snapshots,
      view: () => keyspace.view(),
      logBytes: config.snapshotLogBytes,
      trailingEntries: config.snapshotTrailingEntries,
      onTaken: (taken) => record({ type: 'snapshotTaken', ...taken, rule: 'S1' }),
      onFailed: failed('no snapshot was taken'),
    });
    this.#sender = new SnapshotSender({
      nodeId,
      raft,
      snapshots,
      send,
      chunkBytes: CHUNK_BYTES,
      answerMs: ANSWER_MS,
      onFailed: (follower, error) => failed(`the snapshot for n${follower} was given up`)(error),
    });
    this.#receiver = new SnapshotReceiver({
      nodeId,
      raft,
      store,
      snapshots,
      send,
      restore: (state) => keyspace.restore(state),
      onInstalled: (installed) => {
        record({ type: 'snapshotInstalled', ...installed, rule: 'S8' });
        wake();
      },
      onFailed: failed('the snapshot from the leader was not taken in'),
    });
  }

  get onDisk(): readonly DiskSnapshot[] {
    return this.#store.snapshots.map(({ lastIncludedIndex: index, lastIncludedTerm: term, sizeBytes }) => {
      return { index, term, sizeBytes };
    });
  }

  /** Bytes written of the one that is being taken; null when none is. */
  get writtenBytes(): number | null {
    return this.#taker.writtenBytes;
  }

  progressOf(follower: NodeId): SnapshotProgress | null {
    return this.#sender.progressOf(follower);
  }

  /** Of the state as applied now; resolves when it is durable, or has failed and said so. */
  take(): Promise<void> {
    return this.#taker.take();
  }

  /** What a Ready asks for. */
  carryOut(wanted: readonly NodeId[], chunks: readonly InstallSnapshot[]): void {
    for (const follower of wanted) this.#sender.begin(follower);
    for (const chunk of chunks) this.#receiver.take(chunk);
  }

  answered(message: InstallSnapshotResponse): void {
    this.#sender.answered(message);
  }

  /** Called at every tick. */
  watch(now: number): void {
    this.#taker.watch();
    this.#sender.watch(now);
  }

  async close(): Promise<void> {
    this.#sender.close();
    await this.#receiver.close();
  }
}
