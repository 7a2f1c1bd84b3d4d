// A node's part in the membership: who is there, connections that follow from it, clients' commands about it, and
// the questions of a node that joins. What a change is, and whether it is possible, is the core's.
import type { Raft } from '../raft/raft.ts';
import type { NodeId } from '../raft/types.ts';
import type { PeerTransport } from '../transport/types.ts';
import { MemberBook } from './member-book.ts';
import { MemberDesk, type MemberDeskOptions } from './member-desk.ts';
import type { NodeConfig } from './node-config.ts';
import { SeedAsker } from './seed-asker.ts';

export interface NodeMembersOptions {
  config: NodeConfig;
  raft: Raft;
  forward: MemberDeskOptions['forward'];
  wake(): void;
}

export class NodeMembers {
  readonly book: MemberBook;
  readonly desk: MemberDesk;
  readonly #seeds: SeedAsker;
  #transport: PeerTransport | null = null;

  constructor({ config, raft, forward, wake }: NodeMembersOptions) {
    const { nodeId, requestTimeoutMs } = config;
    this.book = new MemberBook(config, () => raft.configuration);
    this.desk = new MemberDesk({ nodeId, raft, book: this.book, requestTimeoutMs, forward, wake });
    this.#seeds = new SeedAsker({
      seeds: () => this.book.seeds(),
      isNeeded: () => this.book.isJoining || this.book.hasStrangers(performance.now()),
      told: (members) => {
        this.book.learn(members, performance.now());
        this.follow();
      },
    });
  }

  /** The ports are open: connections are this object's from now on. */
  start(transport: PeerTransport): void {
    this.#transport = transport;
    this.#seeds.start();
  }

  /** A node of this cluster that is no peer here was turned away. */
  knocked(id: NodeId): void {
    if (this.#transport === null) return;
    this.book.knocked(id, performance.now());
    this.#seeds.start();
  }

  /** Other members are in force, or more of them are known. */
  follow(): void {
    if (this.#transport !== null) this.book.follow(this.#transport);
  }

  tick(now: number): void {
    this.desk.expire(now);
    if (this.#transport !== null) this.book.expire(now, this.#transport);
  }

  stop(): void {
    this.#seeds.stop();
    this.#transport = null;
  }
}
