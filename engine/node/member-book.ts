// Who the members are and where: the configuration in force together with the addresses of this node's own
// settings, and the connections that follow from it. Decides nothing about membership. [M10]
import type { MemberStatus } from '../protocol/node-status.ts';
import { isVoter, members } from '../raft/quorum.ts';
import type { Configuration, MemberAddress, NodeId } from '../raft/types.ts';
import type { PeerAddress, PeerTransport } from '../transport/types.ts';
import { type NodeConfig, splitAddress } from './node-config.ts';

export class MemberBook {
  readonly #config: NodeConfig;
  readonly #configuration: () => Configuration;
  /** Members that left, and when their links are taken down: until then they may hear that they did. [M7] */
  readonly #leaving = new Map<NodeId, number>();

  constructor(config: NodeConfig, configuration: () => Configuration) {
    this.#config = config;
    this.#configuration = configuration;
  }

  /** What this node was started with wins: its operator has the last word about where others are. [M10] */
  addressOf(id: NodeId): MemberAddress | null {
    const own = this.#config.peers.find((member) => member.id === id);
    return own ?? this.#configuration().addresses?.find((member) => member.id === id) ?? null;
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
    const ids = configuration.voters.length === 0 ? peers.map(({ id }) => id) : members(configuration);
    const links: PeerAddress[] = [];
    for (const id of ids) {
      const address = id === nodeId ? null : this.addressOf(id);
      if (address !== null) links.push({ id, ...splitAddress(address.peer) });
    }
    return links;
  }

  /** Another configuration is in force: the new ones are connected, those that are gone get a moment. */
  follow(transport: PeerTransport): void {
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
