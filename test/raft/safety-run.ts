// A randomised run of a few cores against an unfriendly network, disks that lose what is not synced, and
// restarts, with Raft's safety properties (paper, figure 3) checked after every step. The core that runs is the
// caller's: the real one, or one with a planted bug. Equal seeds, equal runs.
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import type { Raft } from '../../engine/raft/raft.ts';
import type { Ready } from '../../engine/raft/ready.ts';
import { type Entry, EntryKind, type HardState, type Message } from '../../engine/raft/types.ts';
import { command, seededRandom, textOf } from './core-cluster.ts';
import { drawChange, hasLeft } from './membership-deeds.ts';

export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

interface Disk {
  hardState: HardState;
  entries: Entry[];
}

interface Node {
  id: number;
  raft: Raft;
  disk: Disk;
  unsynced: Ready[];
  /** Highest index applied in this life. */
  applied: number;
  /** Of a leader: its commit index at its election, or what was checked since. */
  commitKnown: number;
  isUp: boolean;
  /** Reads under way, with the highest index that anybody had applied when they were asked. */
  reads: Map<number, number>;
}

/** Small timeouts: much happens in few steps. */
const OPTIONS = {
  ...DEFAULT_RAFT_OPTIONS,
  electionTimeoutTicks: [6, 14],
  heartbeatTicks: 2,
  leaderLostStaggerTicks: 1,
} as const;
const IN_FLIGHT_MAX = 400;

export interface SafetyRunOptions {
  RaftClass: typeof Raft;
  seed: number;
  steps?: number;
  /** Members come and go; three of five nodes begin. */
  withChanges?: boolean;
  /** Lease reads are on. */
  withLeases?: boolean;
}

export interface SafetyRunFigures {
  committed: number;
  reads: number;
  /** Configurations that were committed and are not joint. */
  changes: number;
}

/** Throws a SafetyViolation, or whatever the core throws. Returns how much was done. */
export function safetyRun({
  RaftClass,
  seed,
  withChanges = false,
  withLeases = false,
  steps = withChanges || withLeases ? 6000 : 3000,
}: SafetyRunOptions): SafetyRunFigures {
  return new SafetyRun(RaftClass, seed, { withChanges, withLeases }).play(steps);
}

class SafetyRun {
  readonly #RaftClass: typeof Raft;
  readonly #random: () => number;
  readonly #nodes: Node[];
  #inFlight: Message[] = [];
  /** Links that lose everything, for a while. */
  #cut = new Set<string>();
  /** What was first applied at each index, from 1: `term:text`. */
  readonly #committed: string[] = [];
  readonly #leaders = new Map<number, number>();
  /** `voter in term` to candidate. */
  readonly #votes = new Map<string, number>();
  /** Its clock stands still: a leader that does not notice how long it was gone. 0: none. */
  #paused = 0;
  /** Drawn for each run, so that some are calm and some are wild. */
  readonly #rates: { restart: number; cut: number; nudge: number };
  readonly #messageBytesMax: number;
  #marked: Node | null = null;
  #token = 0;
  #readsServed = 0;
  readonly #withChanges: boolean;
  readonly #withLeases: boolean;
  #clock = 0;
  /** Who is a member at the beginning. */
  readonly #founders: readonly number[];
  /** What was first applied at each index. */
  readonly #applied: Entry[] = [];

  constructor(
    RaftClass: typeof Raft,
    seed: number,
    { withChanges, withLeases }: { withChanges: boolean; withLeases: boolean },
  ) {
    this.#RaftClass = RaftClass;
    this.#withChanges = withChanges;
    this.#withLeases = withLeases;
    this.#random = seededRandom(seed);
    const rate = (most: number): number => most * this.#random() ** 2;
    const profile = this.#random();
    // Changes and leases need some peace to begin, and then a cluster that falls apart.
    if (withChanges || withLeases)
      this.#rates = { restart: 0.002 + rate(0.02), cut: 0.002 + rate(0.004), nudge: rate(0.004) };
    else if (profile < 0.3) this.#rates = { restart: rate(0.03), cut: rate(0.03), nudge: rate(0.03) };
    else if (profile < 0.7) this.#rates = { restart: 0.03, cut: 0.002, nudge: 0.06 };
    else this.#rates = { restart: 0.002, cut: 0.015, nudge: 0.002 };
    this.#messageBytesMax = this.#random() < 0.5 ? 1 : DEFAULT_RAFT_OPTIONS.messageBytesMax;
    const size = this.#random() < 0.6 && !withChanges ? 3 : 5;
    const ids = Array.from({ length: size }, (_, position) => position + 1);
    this.#founders = withChanges ? ids.slice(0, 3) : ids;
    this.#nodes = ids.map((id) => {
      const disk = { hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 }, entries: [] };
      const raft = this.#boot(id, disk);
      return { id, raft, disk, unsynced: [], applied: 0, commitKnown: 0, isUp: true, reads: new Map() };
    });
  }

  get #isCalm(): boolean {
    return this.#withChanges || this.#withLeases;
  }

  play(steps: number): SafetyRunFigures {
    for (let step = 0; step < steps; step++) {
      this.#act(step);
      for (const node of this.#nodes) if (node.isUp) this.#drain(node);
      this.#strike();
    }
    this.#checkLogMatching();
    const configurations = this.#applied
      .filter(({ kind }) => kind === EntryKind.configuration)
      .map(({ data }) => configurationCodec.decode(data));
    const changes = configurations.filter((each) => each?.votersOutgoing.length === 0).length;
    return { committed: this.#committed.length, reads: this.#readsServed, changes };
  }

  #boot(id: number, { hardState, entries }: Disk): Raft {
    const voters = this.#founders.includes(id) ? this.#founders : [];
    const configuration = { voters, votersOutgoing: [], learners: [] };
    const messageBytesMax = this.#messageBytesMax;
    const options = {
      ...OPTIONS,
      messageBytesMax,
      nodeId: id,
      configuration,
      configurationCodec,
      random: this.#random,
    };
    const leaseClock = this.#withLeases ? () => this.#clock : null;
    const copies = entries.map((entry) => ({ ...entry }));
    return new this.#RaftClass(
      { ...options, leaseClock },
      {
        hardState,
        lastIncludedIndex: 0,
        lastIncludedTerm: 0,
        entries: copies,
      },
    );
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }

  #act(step: number): void {
    const { restart, cut, nudge } = this.#rates;
    const node = this.#pick(this.#nodes) as Node;
    const deeds: readonly [share: number, deed: () => void][] = [
      [restart, () => this.#restart(this.#random() < 0.5 ? (this.#leader() ?? node) : node)],
      [cut, () => this.#cutOrHeal()],
      [nudge, () => this.#nudge(node)],
      [0.01, () => this.#checkLogMatching()],
      [this.#withChanges ? 0.04 : 0, () => this.#changeMembers()],
      [this.#withChanges ? 0.005 : 0, () => this.#empty(node)],
      [this.#withLeases ? 0.15 : 0.05, () => this.#read(node)],
      [0.05, () => this.#propose(`v${step}`)],
      [this.#withLeases ? 0.04 : 0.12, () => (this.#withLeases ? this.#tickAll() : this.#tick(node))],
      [0.2, () => this.#sync(node, 1 + Math.floor(this.#random() * 3))],
    ];
    let draw = this.#random();
    for (const [share, deed] of deeds) {
      draw -= share;
      if (draw >= 0) continue;
      deed();
      return;
    }
    // The more there is, the faster it goes: a backlog would only be latency.
    const count = 1 + Math.floor(this.#inFlight.length / 20);
    for (let done = 0; done < count; done++) this.#deliverOne();
  }

  #leader(): Node | undefined {
    return this.#nodes.find(({ isUp, raft }) => isUp && raft.role === 'leader');
  }

  /** Any of the oldest few, so that messages overtake each other; some are lost, some come again later. */
  #deliverOne(): void {
    const at = Math.floor(this.#random() * Math.min(6, this.#inFlight.length));
    const message = this.#inFlight[at];
    if (message === undefined) return;
    const fate = this.#random();
    if (fate > 0.06) this.#inFlight.splice(at, 1);
    const node = this.#nodes[message.to - 1];
    if (node?.isUp !== true || fate > 0.96 || this.#cut.has(`${message.from}>${message.to}`)) return;
    node.raft.step(message);
  }

  /** With leases, time passes for all at about the same pace: never faster than the clock goes. */
  #tickAll(): void {
    this.#clock += 1;
    for (const node of this.#nodes) if (this.#random() < 0.9) this.#tick(node);
  }

  #tick(node: Node): void {
    if (node.isUp && node.id !== this.#paused) node.raft.tick();
  }

  #propose(text: string): void {
    for (const node of this.#nodes) {
      if (node.isUp && node.raft.role === 'leader') node.raft.propose([command(`${text} of ${node.id}`)]);
    }
  }

  #changeMembers(): void {
    for (const { isUp, raft } of this.#nodes) {
      if (!isUp || raft.role !== 'leader') continue;
      const ids = this.#nodes.map(({ id }) => id);
      raft.proposeConfiguration(drawChange(raft.configuration, ids, this.#random));
    }
  }

  /** Whoever left for good comes back with nothing, under the same id. */
  #empty(node: Node): void {
    const rafts = this.#nodes.map(({ raft }) => raft);
    if (this.#founders.includes(node.id) || !hasLeft(node.id, rafts, this.#applied)) return;
    node.disk = { hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 }, entries: [] };
    // The one promise that is given up: its votes count for nobody any more.
    for (const vote of this.#votes.keys()) if (vote.startsWith(`${node.id} in `)) this.#votes.delete(vote);
    node.isUp = false;
    this.#restart(node);
  }

  #read(node: Node): void {
    if (!node.isUp) return;
    this.#token += 1;
    node.reads.set(this.#token, this.#committed.length);
    node.raft.readIndex(this.#token);
  }

  /** Down for a while or back at once; what was not synced is gone. */
  #restart(node: Node): void {
    if (node.isUp && this.#random() < 0.3) {
      node.isUp = false;
      node.unsynced = [];
      return;
    }
    node.unsynced = [];
    node.applied = 0;
    node.reads.clear();
    node.isUp = true;
    node.raft = this.#boot(node.id, node.disk);
    this.#connect(node);
  }

  #connect(node: Node): void {
    for (const other of this.#nodes) {
      if (other === node || !other.isUp || !node.isUp) continue;
      other.raft.peerConnected(node.id);
      node.raft.peerConnected(other.id);
    }
  }

  /** One node is cut off, leaders first, some of them without noticing; or all links are healed. */
  #cutOrHeal(): void {
    if (this.#cut.size > 0) {
      this.#cut.clear();
      this.#paused = 0;
      if (this.#random() < 0.5) for (const node of this.#nodes) this.#connect(node);
      return;
    }
    if (this.#withChanges && this.#random() < 0.7) {
      this.#split();
      return;
    }
    const leader = this.#random() < 0.7 ? this.#leader() : undefined;
    const alone = leader?.id ?? 1 + Math.floor(this.#random() * this.#nodes.length);
    if (this.#random() < 0.5) this.#paused = alone;
    if (this.#withLeases && this.#random() < 0.3) leader?.raft.transferLeadership(0);
    this.#cutOff(alone);
    if (this.#withLeases) this.#abandon(alone);
  }

  /** Two parts that hear nothing of each other. */
  #split(): void {
    const side = new Set(this.#nodes.filter(() => this.#random() < 0.5).map(({ id }) => id));
    for (const { id: one } of this.#nodes) {
      for (const { id: other } of this.#nodes) {
        if (side.has(one) !== side.has(other)) this.#cut.add(`${one}>${other}`);
      }
    }
  }

  /** The others are quick to look for another leader. */
  #abandon(alone: number): void {
    const how = this.#random();
    for (const node of this.#nodes) {
      if (node.id === alone || !node.isUp) continue;
      if (how < 0.4) node.raft.peerLost(alone);
      else if (how < 0.8) this.#restart(node);
      if (this.#random() < 0.5) node.raft.campaign();
    }
  }

  #cutOff(alone: number): void {
    for (const { id } of this.#nodes) {
      this.#cut.add(`${id}>${alone}`);
      if (this.#random() < 0.7) this.#cut.add(`${alone}>${id}`);
    }
  }

  #nudge(node: Node): void {
    const draw = this.#random();
    const other = this.#pick(this.#nodes) as Node;
    const leader = this.#leader();
    if (draw < 0.3) {
      leader?.raft.transferLeadership(node.id);
      // Thought better of: with luck both campaign, in one term and without a pre-vote.
      leader?.raft.transferLeadership(other.id);
    } else if (!node.isUp) return;
    else if (draw < 0.5) node.raft.campaign();
    else if (draw < 0.75) node.raft.peerLost(node.raft.leaderId);
    else if (other.isUp) node.raft.peerConnected(other.id);
  }

  /** It has just voted, been elected or committed: a moment at which a failure tells. */
  #mark(node: Node): void {
    if (this.#random() < (this.#isCalm ? 0.003 : 0.04)) this.#marked = node;
  }

  #strike(): void {
    const node = this.#marked;
    this.#marked = null;
    if (node === null) return;
    if (this.#withChanges && this.#cut.size === 0 && this.#random() < 0.7) this.#split();
    else if (this.#random() < 0.5) this.#restart(node);
    else this.#cutOff(node.id);
  }

  #sync(node: Node, count: number): void {
    if (!node.isUp) return;
    for (const ready of node.unsynced.splice(0, count)) {
      if (ready.hardState !== null) node.disk.hardState = ready.hardState;
      for (const entry of ready.entries) {
        node.disk.entries.length = entry.index - 1;
        node.disk.entries.push({ ...entry });
      }
      this.#send(ready.messagesAfterSync);
      node.raft.advance(ready);
      if (ready.messagesAfterSync.some((message) => message.type === 'RequestVoteResponse')) this.#mark(node);
    }
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) this.#checkVote(message);
    this.#inFlight.push(...messages);
    if (this.#inFlight.length > IN_FLIGHT_MAX)
      this.#inFlight.splice(0, this.#inFlight.length - IN_FLIGHT_MAX);
  }

  #drain(node: Node): void {
    while (node.raft.hasReady()) {
      const ready = node.raft.ready();
      node.unsynced.push(ready);
      this.#send(ready.messages);
      for (const entry of ready.committed) this.#checkApplied(node, entry);
      for (const event of ready.events) {
        if (event.type === 'configurationChanged' && !event.committed && node.raft.role === 'leader') {
          if (this.#random() < 0.2) this.#marked = node;
        }
        if (event.type !== 'leaderElected') continue;
        this.#checkLeader(node, event.term);
        node.commitKnown = node.raft.commitIndex;
        this.#mark(node);
      }
      this.#checkCommit(node);
      for (const { token, index } of ready.reads) this.#checkRead(node, token, index);
    }
  }

  /** Election safety, and leader completeness: whoever leads has everything that was ever applied. */
  #checkLeader(node: Node, term: number): void {
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== node.id)
      throw new SafetyViolation(`n${other} and n${node.id} lead term ${term}`);
    this.#leaders.set(term, node.id);
    const log = this.#logOf(node);
    this.#committed.forEach((committed, position) => {
      const here = log[position];
      if (here === undefined || !committed.startsWith(`${here.term}:`)) {
        throw new SafetyViolation(`n${node.id} leads term ${term} without the committed ${position + 1}`);
      }
    });
  }

  /** One vote in a term, for good: restarts included. */
  #checkVote(message: Message): void {
    if (message.type !== 'RequestVoteResponse' || !message.voteGranted) return;
    const { from, to, term } = message;
    const other = this.#votes.get(`${from} in ${term}`);
    if (other !== undefined && other !== to)
      throw new SafetyViolation(`n${from} votes for n${other} and n${to} in term ${term}`);
    this.#votes.set(`${from} in ${term}`, to);
  }

  /** What a leader commits ends in its own term (paper §5.4.2); what it found committed at its election does not count. */
  #checkCommit(node: Node): void {
    const { role, commitIndex, currentTerm } = node.raft;
    if (role !== 'leader' || commitIndex <= node.commitKnown) return;
    node.commitKnown = commitIndex;
    const term = this.#logOf(node)[commitIndex - 1]?.term;
    if (term !== currentTerm)
      throw new SafetyViolation(
        `n${node.id} commits ${commitIndex} of term ${term} in term ${currentTerm} by counting`,
      );
  }

  /** State machine safety, and that what is applied was on the disks of a majority. */
  #checkApplied(node: Node, entry: Entry): void {
    if (entry.index !== node.applied + 1)
      throw new SafetyViolation(`n${node.id} applies ${entry.index} after ${node.applied}`);
    node.applied = entry.index;
    const said = `${entry.term}:${textOf(entry)}`;
    const known = this.#committed[entry.index - 1];
    if (known !== undefined && known !== said) {
      throw new SafetyViolation(`n${node.id} applies ${said} at ${entry.index}, where ${known} was applied`);
    }
    if (known !== undefined) return;
    this.#committed.push(said);
    this.#applied.push(entry);
    this.#mark(node);
    if (this.#withChanges) return;
    const holders = this.#nodes.filter(({ disk }) => disk.entries[entry.index - 1]?.term === entry.term);
    if (holders.length * 2 <= this.#nodes.length) {
      throw new SafetyViolation(
        `${entry.index} is applied with ${holders.length} of ${this.#nodes.length} disks holding it`,
      );
    }
  }

  /** Linearizability of reads: not behind what anybody had applied when the read was asked for. */
  #checkRead(node: Node, token: number, index: number): void {
    const floor = node.reads.get(token);
    if (floor === undefined)
      throw new SafetyViolation(`n${node.id} answers read ${token}, which it was not asked`);
    node.reads.delete(token);
    if (index === 0) return;
    this.#readsServed++;
    if (index < floor)
      throw new SafetyViolation(
        `n${node.id} serves a read at ${index}, with ${floor} applied before it was asked`,
      );
  }

  /** What is on its disk, as replaced by what is on its way there. */
  #logOf(node: Node): Entry[] {
    const log = [...node.disk.entries];
    for (const { entries } of node.unsynced) {
      for (const entry of entries) {
        log.length = entry.index - 1;
        log.push(entry);
      }
    }
    return log;
  }

  /** Log matching: where two logs agree on a term, they agree on everything before. */
  #checkLogMatching(): void {
    const logs = this.#nodes.map((node) => this.#logOf(node));
    for (const [at, one] of logs.entries()) {
      for (const other of logs.slice(at + 1)) {
        let isSame = false;
        for (let index = Math.min(one.length, other.length); index >= 1; index--) {
          const [a, b] = [one[index - 1] as Entry, other[index - 1] as Entry];
          if (a.term === b.term) isSame = true;
          if (isSame && (a.term !== b.term || textOf(a) !== textOf(b))) {
            throw new SafetyViolation(`two logs agree behind index ${index}, but not there`);
          }
        }
      }
    }
  }
}
