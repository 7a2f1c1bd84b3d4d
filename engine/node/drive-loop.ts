// The core's host: collects what one turn of the event loop brings, lets the core think once, and carries
// out each Ready in the order that raft/ready.ts gives. Knows neither clients nor keys.
import type { Raft } from '../raft/raft.ts';
import type { ReadState, Ready, SoftState } from '../raft/ready.ts';
import type { Configuration, Entry, InstallSnapshot, Message, NodeId, RaftEvent } from '../raft/types.ts';
import type { LogStore } from '../storage/types.ts';

export interface DriveLoopHost {
  /** The turn begins: the last moment to propose what has gathered. */
  beforeReady(): void;
  send(messages: readonly Message[]): void;
  apply(entries: readonly Entry[]): void;
  serveReads(reads: readonly ReadState[]): void;
  /** See Ready. */
  snapshots(wanted: readonly NodeId[], chunks: readonly InstallSnapshot[]): void;
  softStateChanged(softState: SoftState): void;
  /** Other members are in force: before anything is sent to them. [M1] */
  configurationChanged(configuration: Configuration): void;
  happened(events: readonly RaftEvent[]): void;
  /** The turn ends: the moment to write replies. */
  afterReady(): void;
}

export class DriveLoop {
  readonly #raft: Raft;
  readonly #store: LogStore;
  readonly #host: DriveLoopHost;
  /** Handed to the log and not yet durable, or waiting behind such. Oldest first. */
  #outstanding: { ready: Ready; persists: boolean }[] = [];
  #turnScheduled = false;
  #started = false;
  #stopped = false;
  readonly #turn = (): void => this.#runTurn();

  constructor(raft: Raft, store: LogStore, host: DriveLoopHost) {
    this.#raft = raft;
    this.#store = store;
    this.#host = host;
  }

  /** Something was fed to the core, or is about to be: one turn for all of it, when the readable sockets are read. */
  wake(): void {
    if (this.#turnScheduled || this.#stopped || !this.#started) return;
    this.#turnScheduled = true;
    setImmediate(this.#turn);
  }

  /** The host is complete: what came before is dealt with now. */
  start(): void {
    this.#started = true;
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#outstanding = [];
  }

  #runTurn(): void {
    this.#turnScheduled = false;
    if (this.#stopped) return;
    this.#host.beforeReady();
    while (this.#raft.hasReady() && !this.#stopped) this.#carryOut(this.#raft.ready());
    this.#host.afterReady();
  }

  #carryOut(ready: Ready): void {
    const host = this.#host;
    if (ready.configuration !== null) host.configurationChanged(ready.configuration);
    if (ready.events.length > 0) host.happened(ready.events);
    if (ready.messages.length > 0) host.send(ready.messages);
    this.#persist(ready);
    if (ready.committed.length > 0) host.apply(ready.committed);
    if (ready.reads.length > 0) host.serveReads(ready.reads);
    if (ready.snapshotsWanted.length > 0 || ready.snapshotChunks.length > 0) {
      host.snapshots(ready.snapshotsWanted, ready.snapshotChunks);
    }
    // Last, so that what this Ready settles for clients is not called unknown.
    if (ready.softState !== null) host.softStateChanged(ready.softState);
  }

  #persist(ready: Ready): void {
    const persists = ready.hardState !== null || ready.entries.length > 0;
    if (!persists && this.#outstanding.length === 0) {
      this.#settle(ready);
      return;
    }
    if (!persists && ready.messagesAfterSync.length === 0) return;
    this.#outstanding.push({ ready, persists });
    if (persists) this.#store.append({ hardState: ready.hardState, entries: ready.entries }, this.#durable);
  }

  /** The oldest batch is durable, and so is what only waited behind it. */
  readonly #durable = (): void => {
    if (this.#stopped) return;
    let passed = 0;
    for (const { ready, persists } of this.#outstanding) {
      if (persists && passed > 0) break;
      this.#settle(ready);
      passed++;
    }
    this.#outstanding.splice(0, passed);
    this.wake();
  };

  #settle(ready: Ready): void {
    if (ready.messagesAfterSync.length > 0) this.#host.send(ready.messagesAfterSync);
    this.#raft.advance(ready);
  }
}
