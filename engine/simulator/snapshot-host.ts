// A simulated node's snapshots, as engine/node's taker, sender and receiver have them: taken of a view while the node
// goes on, sent chunk by chunk to followers that need one, received, made durable, and put in force in one step.
import type { Keyspace } from '../kv/keyspace.ts';
import { dumpKeyspace, KeyspaceRestorer } from '../kv/keyspace-dump.ts';
import { decodeConfiguration, encodeConfiguration } from '../protocol/configuration-codec.ts';
import { readU32, writeU32 } from '../protocol/little-endian.ts';
import type { Raft } from '../raft/raft.ts';
import type { InstallSnapshot, InstallSnapshotResponse, Message, NodeId } from '../raft/types.ts';
import type { SimulatedDisk } from './disk.ts';
import type { SnapshotPlan } from './plan.ts';
import type { ShadowLog } from './shadow-log.ts';
import type { StoredSnapshot } from './snapshot-shelf.ts';

export interface SnapshotHostOptions {
  nodeId: NodeId;
  raft: Raft;
  keyspace: Keyspace;
  disk: SimulatedDisk;
  /** What the core was told and handed out; changes with it. */
  log: ShadowLog;
  plan: SnapshotPlan;
  send: (messages: readonly Message[]) => void;
  /** Runs after so much time, in this life. */
  later: (delay: number, run: () => void) => void;
  /** The core has something to do. */
  wake: () => void;
  /** Core, log and state stand at a snapshot's index. */
  restored: (index: number) => void;
  /** A state that was dumped here, or came from elsewhere. */
  dumped: (index: number, bytes: Uint8Array) => void;
  count: (what: string) => void;
}

interface Transfer {
  snapshot: StoredSnapshot;
  file: Uint8Array;
  term: number;
  offset: number;
  waitedTicks: number;
  resends: number;
}

interface Intake {
  index: number;
  term: number;
  bytes: Uint8Array;
  received: number;
  isFinishing: boolean;
}

const ANSWER_TICKS = 20;
const RESENDS_MAX = 5;

export class SnapshotHost {
  readonly #options: SnapshotHostOptions;
  readonly #transfers = new Map<NodeId, Transfer>();
  #intake: Intake | null = null;
  #isTaking = false;
  #lastTakenIndex: number;

  constructor(options: SnapshotHostOptions) {
    this.#options = options;
    this.#lastTakenIndex = options.disk.shelf.newest?.index ?? 0;
  }

  /** One tick: takes a snapshot when one is due, and sends again what was not answered. */
  tick(): void {
    const { raft, plan } = this.#options;
    if (plan.everyEntries > 0 && raft.lastApplied - this.#lastTakenIndex >= plan.everyEntries) this.#take();
    if (this.#transfers.size > 0) this.#watchTransfers();
  }

  /** What a Ready asks for. */
  carryOut(wanted: readonly NodeId[], chunks: readonly InstallSnapshot[]): void {
    for (const follower of wanted) this.#beginTransfer(follower);
    for (const chunk of chunks) this.#receive(chunk);
  }

  #take(): void {
    if (this.#isTaking) return;
    const { raft, keyspace, disk, plan, later, count } = this.#options;
    const { index, term, configuration } = raft.appliedPoint();
    const view = keyspace.view();
    this.#isTaking = true;
    this.#lastTakenIndex = index;
    later(plan.time, () => {
      this.#isTaking = false;
      // It fails half-way, and nothing has changed. [S2]
      if (disk.isFull) {
        view.records.release();
        count('snapshot failed');
        return;
      }
      const bytes = joined(Array.from(dumpKeyspace(view, 256), (block) => block.slice()));
      view.records.release();
      disk.shelf.add({ index, term, configuration, bytes });
      this.#options.dumped(index, bytes);
      count('snapshot taken');
      this.#cutLog();
    });
  }

  #cutLog(): void {
    const { raft, disk, log, plan, count } = this.#options;
    const index = Math.min(disk.shelf.compactableIndex, raft.lastApplied - plan.trailingEntries);
    if (index <= log.baseIndex) return;
    raft.compact(index);
    log.compact(index);
    disk.compact(index);
    count('log cut');
  }

  // --- sending

  #beginTransfer(follower: NodeId): void {
    const { raft, disk } = this.#options;
    const snapshot = disk.shelf.newest;
    this.#transfers.delete(follower);
    if (snapshot === null) {
      raft.snapshotFailed(follower);
      return;
    }
    const file = fileOf(snapshot);
    const transfer = { snapshot, file, term: raft.currentTerm, offset: 0, waitedTicks: 0, resends: 0 };
    this.#transfers.set(follower, transfer);
    this.#sendChunk(follower, transfer);
  }

  #sendChunk(follower: NodeId, transfer: Transfer): void {
    const { nodeId, plan, send } = this.#options;
    const { snapshot, file, term, offset } = transfer;
    const data = file.slice(offset, offset + plan.chunkBytes);
    transfer.waitedTicks = 0;
    send([
      {
        type: 'InstallSnapshot',
        from: nodeId,
        to: follower,
        term,
        lastIncludedIndex: snapshot.index,
        lastIncludedTerm: snapshot.term,
        configuration: snapshot.configuration,
        offset,
        data,
        done: offset + data.length === file.length,
        totalBytes: file.length,
      },
    ]);
  }

  answered({ from, lastIncludedIndex, offset, installed }: InstallSnapshotResponse): void {
    const transfer = this.#transfers.get(from);
    if (transfer === undefined || transfer.snapshot.index !== lastIncludedIndex) return;
    if (installed) {
      this.#transfers.delete(from);
      return;
    }
    transfer.resends = 0;
    transfer.offset = Math.min(offset, transfer.file.length);
    if (transfer.offset < transfer.file.length) this.#sendChunk(from, transfer);
  }

  #watchTransfers(): void {
    const { raft, count } = this.#options;
    const { progress } = raft.status();
    for (const [follower, transfer] of this.#transfers) {
      const state = progress.find(({ id }) => id === follower)?.state;
      transfer.waitedTicks += 1;
      if (state !== 'snapshot' || raft.currentTerm !== transfer.term) {
        this.#transfers.delete(follower);
      } else if (transfer.waitedTicks > ANSWER_TICKS) {
        transfer.resends += 1;
        if (transfer.resends <= RESENDS_MAX) {
          this.#sendChunk(follower, transfer);
          continue;
        }
        this.#transfers.delete(follower);
        raft.snapshotFailed(follower);
        count('snapshot given up');
      }
    }
  }

  // --- receiving

  #receive(chunk: InstallSnapshot): void {
    const { raft, disk, plan, later } = this.#options;
    const { lastIncludedIndex: index, lastIncludedTerm: term, totalBytes, offset, data } = chunk;
    if (index <= raft.commitIndex) {
      this.#answer(chunk, { offset: totalBytes, installed: true });
      return;
    }
    const isSame = this.#intake?.index === index && this.#intake.term === term;
    if (!isSame || this.#intake?.bytes.length !== totalBytes) {
      this.#intake = { index, term, bytes: new Uint8Array(totalBytes), received: 0, isFinishing: false };
    }
    const intake = this.#intake as Intake;
    if (offset === intake.received) {
      intake.bytes.set(data, offset);
      intake.received += data.length;
    }
    if (intake.received < totalBytes) {
      this.#answer(chunk, { offset: intake.received, installed: false });
      return;
    }
    if (intake.isFinishing) return;
    intake.isFinishing = true;
    // Until it is durable the node goes on, and the log may come further by itself.
    later(plan.time, () => {
      this.#intake = null;
      if (disk.isFull) return;
      const snapshot = { index, term, ...contentOf(intake.bytes) };
      disk.shelf.add(snapshot);
      this.#install(snapshot);
      this.#answer(chunk, { offset: totalBytes, installed: true });
    });
  }

  #install({ index, term, configuration, bytes }: Omit<StoredSnapshot, 'sum'>): void {
    const { raft, keyspace, disk, log, restored, wake, count } = this.#options;
    this.#options.dumped(index, bytes);
    const restorer = new KeyspaceRestorer();
    restorer.push(bytes);
    const state = restorer.finish();
    if (!raft.installSnapshot({ index, term, configuration })) {
      count('snapshot of no use');
      return;
    }
    keyspace.restore(state);
    log.restartAt({ index, term });
    disk.restartAt({ index, term });
    this.#lastTakenIndex = index;
    restored(index);
    count('snapshot installed');
    wake();
  }

  #answer(chunk: InstallSnapshot, answer: { offset: number; installed: boolean }): void {
    const { nodeId, raft, send } = this.#options;
    const { lastIncludedIndex, from: to } = chunk;
    const term = raft.currentTerm;
    send([{ type: 'InstallSnapshotResponse', from: nodeId, to, term, lastIncludedIndex, ...answer }]);
  }
}

/** What travels, as the production file does: the whole configuration, former members and all, is in it. */
function fileOf({ configuration, bytes }: StoredSnapshot): Uint8Array {
  const encoded = encodeConfiguration(configuration);
  const length = new Uint8Array(4);
  writeU32(length, 0, encoded.length);
  return joined([length, encoded, bytes]);
}

function contentOf(file: Uint8Array): Pick<StoredSnapshot, 'configuration' | 'bytes'> {
  const end = 4 + readU32(file, 0);
  return { configuration: decodeConfiguration(file.subarray(4, end)), bytes: file.slice(end) };
}

export function joined(blocks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes;
}
