// The cluster on which scripts play: nothing moves until a command says so, and everything that moves leaves a
// line. Timeouts are all the smallest possible, so that scripts, not chance, decide who campaigns.
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import { DEFAULT_RAFT_OPTIONS, type RaftOptions } from '../../engine/raft/options.ts';
import type { Message } from '../../engine/raft/types.ts';
import { CoreNode, command, textOf } from '../raft/core-cluster.ts';
import { entry } from '../raft/single-node.ts';
import { eventLine, messageLine } from './trace.ts';

/** More than any situation needs. */
const ROUNDS_MAX = 100;

interface Marks {
  applied: number;
  reads: number;
  commitIndex: number;
}

export class Stage {
  readonly #nodes = new Map<number, CoreNode>();
  readonly #marks = new Map<number, Marks>();
  readonly #down = new Set<number>();
  /** Their disks sync only when told to. */
  readonly #slow = new Set<number>();
  readonly #cut = new Set<string>();
  #inFlight: Message[] = [];
  #lines: string[] = [];

  /** The trace that the command leaves. Throws for what is no command. */
  run(line: string): string[] {
    this.#lines = [];
    const [name = '', ...words] = line.split(' ');
    const numbers = words.map(Number);
    const [first = 0, second = 0] = numbers;
    switch (name) {
      case 'nodes':
        this.#create(words);
        break;
      case 'disk':
        this.#write(first, words.slice(1));
        break;
      case 'campaign':
        this.#node(first).raft.campaign();
        break;
      case 'tick':
        for (let tick = 0; tick < second; tick++) this.#node(first).raft.tick();
        break;
      case 'propose':
        this.#propose(first, words[1] ?? '');
        break;
      case 'read':
        this.#node(first).raft.readIndex(second);
        break;
      case 'transfer':
        this.#node(first).raft.transferLeadership(second);
        break;
      case 'deliver':
        this.#deliver(words[0]);
        break;
      case 'settle':
        this.#settle();
        break;
      case 'drop':
        this.#drop(words[0] ?? '');
        break;
      case 'cut':
      case 'heal':
        this.#link(name === 'cut', words[0] ?? '');
        break;
      case 'slow':
        this.#slow.add(first);
        break;
      case 'sync':
        this.#slow.delete(first);
        break;
      case 'crash':
        this.#crash(first);
        break;
      case 'restart':
        this.#restart(first);
        break;
      case 'lose':
        this.#lose(first, second);
        break;
      case 'connection-broke':
        this.#node(first).raft.peerLost(second);
        break;
      case 'connected':
        this.#node(first).raft.peerConnected(second);
        break;
      case 'state':
        this.#state();
        return this.#lines;
      default:
        throw new Error(`no such command: ${line}`);
    }
    this.#collect();
    return this.#lines;
  }

  #node(id: number): CoreNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** `nodes 1 2 3 messageBytesMax=1`: everything begins anew. */
  #create(words: readonly string[]): void {
    for (const each of [this.#nodes, this.#marks, this.#down, this.#slow, this.#cut]) each.clear();
    this.#inFlight = [];
    const settings = Object.fromEntries(
      words
        .filter((word) => word.includes('='))
        .map((word) => [word.split('=')[0], Number(word.split('=')[1])]),
    ) as Partial<RaftOptions>;
    const ids = words.filter((word) => !word.includes('=')).map(Number);
    for (const nodeId of ids) {
      const configuration = { voters: ids, votersOutgoing: [], learners: [] };
      const node = new CoreNode({
        ...DEFAULT_RAFT_OPTIONS,
        nodeId,
        configuration,
        configurationCodec,
        random: () => 0,
        ...settings,
      });
      this.#nodes.set(nodeId, node);
      this.#marks.set(nodeId, { applied: 0, reads: 0, commitIndex: 0 });
    }
  }

  /** `disk 2 term=3 vote=1 commit=2 log=1,1,3`: what the node finds when it starts. */
  #write(id: number, fields: readonly string[]): void {
    const node = this.#node(id);
    const { hardState } = node.disk;
    for (const field of fields) {
      const [name, value = ''] = field.split('=');
      if (name === 'term') node.disk.hardState = { ...node.disk.hardState, currentTerm: Number(value) };
      else if (name === 'vote') node.disk.hardState = { ...node.disk.hardState, votedFor: Number(value) };
      else if (name === 'commit')
        node.disk.hardState = { ...node.disk.hardState, commitIndex: Number(value) };
      else if (name === 'log')
        node.disk.entries = value.split(',').map((term, position) => entry(position + 1, Number(term)));
      else throw new Error(`no such field: ${field} (of ${Object.keys(hardState).join()})`);
    }
    node.restart();
  }

  #propose(id: number, text: string): void {
    const result = this.#node(id).raft.propose([command(text)]);
    if (!result.accepted) this.#lines.push(`${id} takes no proposal: ${result.why}`);
  }

  /** What is in flight now, in order; what that brings about stays in flight. */
  #deliver(link?: string): void {
    const due = this.#inFlight.filter((message) => link === undefined || linkOf(message) === link);
    this.#inFlight = this.#inFlight.filter((message) => !due.includes(message));
    for (const message of due) {
      if (this.#down.has(message.to) || this.#cut.has(linkOf(message))) continue;
      this.#node(message.to).raft.step(message);
      this.#collect();
    }
  }

  #settle(): void {
    this.#collect();
    for (let round = 0; this.#inFlight.length > 0; round++) {
      if (round === ROUNDS_MAX) throw new Error('it does not come to rest');
      this.#deliver();
    }
  }

  #drop(link: string): void {
    for (const message of this.#inFlight.filter((message) => linkOf(message) === link)) {
      this.#lines.push(`lost: ${messageLine(message)}`);
    }
    this.#inFlight = this.#inFlight.filter((message) => linkOf(message) !== link);
  }

  /** `1->2` one way, `1<->2` both, `1` everything of node 1. What is in flight on a cut link is lost. */
  #link(cut: boolean, links: string): void {
    const both = links.split('<->');
    const others = [...this.#nodes.keys()].filter((id) => String(id) !== links);
    const list = links.includes('->')
      ? both.length === 2
        ? [`${both[0]}->${both[1]}`, `${both[1]}->${both[0]}`]
        : [links]
      : others.flatMap((id) => [`${id}->${links}`, `${links}->${id}`]);
    for (const link of list) {
      if (cut) this.#cut.add(link);
      else this.#cut.delete(link);
    }
  }

  #crash(id: number): void {
    this.#down.add(id);
    this.#slow.delete(id);
    this.#node(id).unsynced = [];
    this.#inFlight = this.#inFlight.filter((message) => message.to !== id && message.from !== id);
  }

  #restart(id: number): void {
    this.#down.delete(id);
    this.#node(id).restart();
    this.#marks.set(id, { applied: 0, reads: this.#node(id).reads.length, commitIndex: 0 });
  }

  /** Corruption takes everything behind `index` from the disk of a node that is down. */
  #lose(id: number, index: number): void {
    const { disk } = this.#node(id);
    disk.refetchIndex = disk.entries.length;
    disk.entries.length = index;
  }

  /** Outboxes to the network, disks that are not slow synced; all of it noted. */
  #collect(): void {
    for (const [id, node] of this.#nodes) {
      if (this.#down.has(id)) continue;
      const sent = node.drain();
      const slow = this.#slow.has(id);
      if (!slow) sent.push(...node.sync());
      // What a sync committed is handed out by the next Ready.
      sent.push(...node.drain());
      this.#note(id, node, sent);
      if (!slow) sent.push(...node.sync());
      for (const message of sent) this.#inFlight.push(message);
    }
  }

  #note(id: number, node: CoreNode, sent: readonly Message[]): void {
    for (const event of node.events.splice(0)) {
      const line = eventLine(id, event);
      if (line !== null) this.#lines.push(line);
    }
    const marks = this.#marks.get(id) as Marks;
    for (const message of sent) this.#lines.push(messageLine(message));
    for (const applied of node.applied.slice(marks.applied)) {
      this.#lines.push(`${id} applies ${applied.index}/${applied.term} ${textOf(applied)}`);
    }
    for (const { token, index } of node.reads.slice(marks.reads)) {
      this.#lines.push(
        index === 0 ? `${id} cannot serve read ${token}` : `${id} serves read ${token} at ${index}`,
      );
    }
    marks.applied = node.applied.length;
    marks.reads = node.reads.length;
  }

  #state(): void {
    for (const [id, node] of this.#nodes) {
      if (this.#down.has(id)) {
        this.#lines.push(`${id} is down`);
        continue;
      }
      const { role, currentTerm, votedFor, leaderId, commitIndex, stableIndex, lastIndex } =
        node.raft.status();
      const terms = node.logTerms().join(',');
      const disk = stableIndex === lastIndex ? '' : `, on disk up to ${stableIndex}`;
      const refetching = node.raft.isRefetching ? ', without a vote' : '';
      this.#lines.push(
        `${id} ${role} t${currentTerm}, vote ${votedFor}, leader ${leaderId}, log [${terms}], commit ${commitIndex}${disk}${refetching}`,
      );
    }
  }
}

function linkOf({ from, to }: Message): string {
  return `${from}->${to}`;
}
