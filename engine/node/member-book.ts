// Who the members are and where: the configuration in force together with the addresses of this node's own
// settings, and the connections that follow from it. Decides nothing about membership. [M10]
import type { MemberStatus } from '../protocol/node-status.ts';
import { isVoter, members } from '../raft/quorum.ts';
import type { Configuration, MemberAddress, NodeId } from '../raft/types.ts';
import type { PeerAddress, PeerTransport } from '../transport/types.ts';
import { type NodeConfig, splitAddress } from './node-config.ts';

/** For so long the others are asked who it is, and then not for a while. */
const STRANGER_MS = 3000;
const STRANGER_IGNORED_MS = 15_000;
/** Whoever is still unknown to the log then must knock again. */
const TOLD_MS = 30_000;

export class MemberBook {
  readonly #config: NodeConfig;
  readonly #configuration: () => Configuration;
  /** Members that left, and when their links are taken down: until then they may hear that they did. [M7] */
  readonly #leaving = new Map<NodeId, number>();

  /** What other members have said of each other, for as long as the log here may be behind them. */
  readonly #told = new Map<NodeId, { address: MemberAddress; until: number }>();
  /** Nodes of this cluster that are no members as far as this node knows, and want to talk with it. */
  readonly #strangers = new Map<NodeId, number>();
  readonly #ignoredUntil = new Map<NodeId, number>();

  constructor(config: NodeConfig, configuration: () => Configuration) {
    this.#config = config;
    this.#configuration = configuration;
  }

  /** What this node was started with wins: its operator has the last word about where others are. [M10] */
  addressOf(id: NodeId): MemberAddress | null {
    const own = this.#config.peers.find((member) => member.id === id);
    const logged = this.#configuration().addresses?.find((member) => member.id === id);
    return own ?? logged ?? this.#told.get(id)?.address ?? null;
  }

  /** This node joins, and no configuration has told it yet who the members are. [M9] */
  get isJoining(): boolean {
    return this.#configuration().voters.length === 0;
  }

  /** One that this node does not know was turned away; whoever leads may be new. Raft paper §6: it must be heard. */
  knocked(id: NodeId, now: number): void {
    // One that left goes on knocking: the others need not be asked about it all the time.
    if ((this.#ignoredUntil.get(id) ?? 0) > now) return;
    this.#ignoredUntil.set(id, now + STRANGER_IGNORED_MS);
    this.#strangers.set(id, now + STRANGER_MS);
  }

  hasStrangers(now: number): boolean {
    for (const [id, until] of this.#strangers) if (now > until) this.#strangers.delete(id);
    return this.#strangers.size > 0;
  }

  /** Another node says who the members are: those of them that this node waits for are let in. */
  learn(addresses: readonly MemberAddress[], now: number): void {
    for (const address of addresses) {
      if (!this.isJoining && !this.#strangers.delete(address.id)) continue;
      this.#told.set(address.id, { address, until: now + TOLD_MS });
    }
  }

  clientAddressOf(id: NodeId): string | null {
    return this.addressOf(id)?.client ?? null;
  }

  /** By id. Addresses are empty where nobody has told them. */
  list(): MemberStatus[] {
    const configuration = this.#configuration();
    return members(configuration).map((id) => {
      const address = this.addressOf(id);
      const role = roleOf(configuration, id);
      return { id, role, client: address?.client ?? '', peer: address?.peer ?? '' };
    });
  }

  /** Whom to connect to now: all other members; for a node that joins, whoever it was told about. [M9] */
  links(): PeerAddress[] {
    const configuration = this.#configuration();
    const { peers, nodeId } = this.#config;
    const known = this.isJoining ? peers.map((member) => member.id) : members(configuration);
    const ids = new Set([...known, ...this.#told.keys()]);
    const links: PeerAddress[] = [];
    for (const id of ids) {
      const address = id === nodeId ? null : this.addressOf(id);
      if (address !== null) links.push({ id, ...splitAddress(address.peer) });
    }
    return links;
  }

  /** Client ports of those who may know more: the members, and whoever this node was started with. */
  seeds(): string[] {
    const { peers, nodeId } = this.#config;
    const ids = new Set([...peers.map((member) => member.id), ...members(this.#configuration())]);
    ids.delete(nodeId);
    return [...ids].flatMap((id) => this.clientAddressOf(id) ?? []);
  }

  /** Another configuration is in force: the new ones are connected, those that are gone get a moment. */
  follow(transport: PeerTransport): void {
    // Whom the log names, it also lets go.
    for (const id of members(this.#configuration())) {
      if (this.#configuration().addresses?.some((address) => address.id === id)) this.#told.delete(id);
    }
    const links = this.links();
    for (const link of links) {
      this.#leaving.delete(link.id);
      transport.addPeer(link);
    }
    const until = performance.now() + this.#config.electionTimeoutMs[1] * 4;
    for (const { peer } of transport.status()) {
      const stays = links.some(({ id }) => id === peer) || this.#leaving.has(peer);
      if (!stays) this.#leaving.set(peer, until);
    }
  }

  /** Called at every tick. */
  expire(now: number, transport: PeerTransport): void {
    for (const [id, { until }] of this.#told) {
      if (now < until) continue;
      this.#told.delete(id);
      this.follow(transport);
    }
    for (const [id, until] of this.#leaving) {
      if (now < until) continue;
      this.#leaving.delete(id);
      transport.removePeer(id);
    }
  }
}

function roleOf(configuration: Configuration, id: NodeId): MemberStatus['role'] {
  if (configuration.voters.includes(id)) return 'voter';
  return isVoter(configuration, id) ? 'outgoing' : 'learner';
}
