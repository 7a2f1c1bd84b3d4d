// Cores on one thread with a network and disks under the test's control: nothing happens until it is asked for.
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import type { ChangeResult, ConfigurationChange } from '../../engine/raft/membership.ts';
import { DEFAULT_RAFT_OPTIONS, type RaftOptions } from '../../engine/raft/options.ts';
import { members } from '../../engine/raft/quorum.ts';
import { Raft } from '../../engine/raft/raft.ts';
import type { Ready } from '../../engine/raft/ready.ts';
import {
  type Entry,
  EntryKind,
  type HardState,
  type Message,
  type NodeId,
  type RaftEvent,
} from '../../engine/raft/types.ts';

/** A small deterministic generator (mulberry32): equal seeds, equal runs. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One node: a core, what its disk holds, and what it has handed out but not yet synced. */
export class CoreNode {
  readonly id: NodeId;
  readonly applied: Entry[] = [];
  readonly events: RaftEvent[] = [];
  readonly reads: { token: number; index: number }[] = [];
  raft: Raft;
  /** Survives a restart. */
  disk: { hardState: HardState; entries: Entry[]; refetchIndex?: number } = {
    hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 },
    entries: [],
  };
  unsynced: Ready[] = [];
  /** What its host tells the core at every start; survives a restart as a file beside the log does. */
  hasLostMemory = false;
  readonly options: RaftOptions;

  constructor(options: RaftOptions) {
    this.id = options.nodeId;
    this.options = options;
    this.raft = this.#boot();
  }

  #boot(): Raft {
    const entries = this.disk.entries.map((entry) => ({ ...entry }));
    return new Raft(this.options, {
      hardState: this.disk.hardState,
      lastIncludedIndex: 0,
      lastIncludedTerm: 0,
      entries,
      refetchIndex: this.disk.refetchIndex ?? 0,
      hasLostMemory: this.hasLostMemory,
    });
  }

  /** The folder is emptied; the host knows that there was something in it. */
  wipe(): void {
    this.disk = { hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 }, entries: [] };
    this.hasLostMemory = true;
    this.restart();
  }

  /** From index 1. */
  logTerms(): number[] {
    const entries = new Map<number, number>();
    for (const { index, term } of this.disk.entries) entries.set(index, term);
    for (const ready of this.unsynced) for (const { index, term } of ready.entries) entries.set(index, term);
    const { lastIndex } = this.raft.status();
    return Array.from({ length: lastIndex }, (_, position) => entries.get(position + 1) ?? 0);
  }

  /** What was not synced is lost. */
  restart(): void {
    this.unsynced = [];
    this.applied.length = 0;
    this.raft = this.#boot();
  }

  /** Takes every Ready there is; returns the messages that may leave at once. */
  drain(): Message[] {
    const messages: Message[] = [];
    while (this.raft.hasReady()) {
      const ready = this.raft.ready();
      messages.push(...ready.messages);
      this.applied.push(...ready.committed);
      this.reads.push(...ready.reads);
      this.events.push(...ready.events);
      this.unsynced.push(ready);
    }
    return messages;
  }

  /** The disk catches up with everything handed out; returns the messages that waited for it. */
  sync(): Message[] {
    const messages: Message[] = [];
    const batch = this.unsynced;
    this.unsynced = [];
    for (const ready of batch) {
      if (ready.hardState !== null) this.disk.hardState = ready.hardState;
      for (const entry of ready.entries) {
        this.disk.entries.length = entry.index - 1;
        this.disk.entries.push({ ...entry });
      }
      this.raft.advance(ready);
      messages.push(...ready.messagesAfterSync);
    }
    return messages;
  }
}

export interface CoreClusterOptions {
  ids?: readonly NodeId[];
  /** Started with nothing, to be added. */
  joiners?: readonly NodeId[];
  seed?: number;
  raft?: Partial<RaftOptions>;
}

export class CoreCluster {
  readonly nodes = new Map<NodeId, CoreNode>();
  readonly random: () => number;
  inFlight: Message[] = [];
  /** Messages for which this is false are lost. */
  passes: (message: Message) => boolean = () => true;
  readonly down = new Set<NodeId>();

  constructor({ ids = [1, 2, 3], joiners = [], seed = 1, raft = {} }: CoreClusterOptions = {}) {
    this.random = seededRandom(seed);
    for (const nodeId of [...ids, ...joiners]) {
      const voters = ids.includes(nodeId) ? ids : [];
      const configuration = { voters, votersOutgoing: [], learners: [] };
      const own = { nodeId, configuration, configurationCodec, random: this.random };
      const options = { ...DEFAULT_RAFT_OPTIONS, ...own, ...raft };
      this.nodes.set(nodeId, new CoreNode(options));
    }
  }

  /** Proposes it where somebody leads and lets everything settle. */
  change(change: ConfigurationChange): ChangeResult {
    const leader = this.leader();
    if (leader === undefined) throw new Error('nobody leads');
    const result = leader.raft.proposeConfiguration(change);
    this.settle();
    return result;
  }

  /** A learner that is level. */
  addLearner(id: NodeId): void {
    const result = this.change({ type: 'addLearner', member: { id, client: `c${id}`, peer: `p${id}` } });
    if (!result.accepted) throw new Error(result.reason);
    this.tick(DEFAULT_RAFT_OPTIONS.electionTimeoutTicks[0]);
  }

  node(id: NodeId): CoreNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new RangeError(`no node ${id}`);
    return node;
  }

  leader(): CoreNode | undefined {
    const leaders = [...this.nodes.values()].filter(
      (node) => !this.down.has(node.id) && node.raft.role === 'leader',
    );
    return leaders.sort((a, b) => b.raft.currentTerm - a.raft.currentTerm)[0];
  }

  /** Outboxes to the network, disks synced. */
  collect(): void {
    for (const node of this.nodes.values()) {
      if (this.down.has(node.id)) continue;
      this.inFlight.push(...node.drain(), ...node.sync());
    }
  }

  /** Delivers everything until nothing moves. */
  settle(): void {
    this.collect();
    for (let round = 0; this.inFlight.length > 0; round++) {
      if (round > 10_000) throw new Error('the cluster does not come to rest');
      const messages = this.inFlight;
      this.inFlight = [];
      for (const message of messages) {
        if (!this.down.has(message.to) && this.passes(message))
          this.nodes.get(message.to)?.raft.step(message);
      }
      this.collect();
    }
  }

  tick(count = 1): void {
    for (let done = 0; done < count; done++) {
      for (const node of this.nodes.values()) if (!this.down.has(node.id)) node.raft.tick();
      this.settle();
    }
  }

  /** Ticks until there is a leader that all its members that are up follow. */
  elect(): CoreNode {
    for (let tick = 0; tick < 1000; tick++) {
      const leader = this.leader();
      if (leader !== undefined) {
        const ids = members(leader.raft.configuration);
        const up = [...this.nodes.values()].filter(({ id }) => ids.includes(id) && !this.down.has(id));
        if (up.every((node) => node.raft.leaderId === leader.id)) return leader;
      }
      this.tick();
    }
    throw new Error('no leader after 1000 ticks');
  }

  propose(text: string, at: CoreNode | undefined = this.leader()): ReturnType<Raft['propose']> {
    if (at === undefined) throw new Error('nobody leads');
    return at.raft.propose([command(text)]);
  }
}

export function command(text: string): Entry {
  return { index: 0, term: 0, kind: EntryKind.command, data: new TextEncoder().encode(text) };
}

export function textOf(entry: Entry): string {
  return entry.kind === EntryKind.command ? new TextDecoder().decode(entry.data) : `<${entry.kind}>`;
}
