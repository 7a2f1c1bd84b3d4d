// Who leads: asks every node with `status` over links that it keeps open, and believes only a node that
// says so of itself, the one with the highest term. Redirects are followed as hints. Sends no requests but
// its own probes; the dispatcher above it decides what waits and what is repeated.
import type { OkReply, Reply } from '../protocol/json-client.ts';
import { backoffMs } from './backoff.ts';
import { type Exchange, NodeLink, type NodeLinkListener, type NodeLinkOptions } from './node-link.ts';

/** Rounds of probes while nobody leads: quick at first, since an election takes a few milliseconds. */
const ROUND_MS_BASE = 5;
const ROUND_MS_MAX = 20;
/** After this many quick rounds (about a second) the pace falls to SLOW_ROUND_MS_MAX. */
const QUICK_ROUNDS = 60;
const SLOW_ROUND_MS_MAX = 200;
/** Replies may name leaders that the caller did not list; more than this many addresses are not kept. */
const ADDRESSES_MAX = 64;

const PROBE_QUIET_MS_MAX = 2_000;
const PROBE_LINE = '{"command":"status"}';

export interface LeaderFinderListener {
  /** Requests may be sent to it. */
  leaderFound(link: NodeLink): void;
  /** Any link came up: requests that any node may answer can go. */
  linkReady(link: NodeLink): void;
  /** A link went down; every exchange on it was told before. */
  linkDown(link: NodeLink): void;
  /** The node takes no request from this client: its password is missing or wrong. */
  denied(message: string): void;
  /** Whether anything waits for a leader (or for any node): without it, no more rounds. */
  isWanted(): boolean;
}

export class LeaderFinder implements NodeLinkListener {
  readonly #links = new Map<string, NodeLink>();
  readonly #listener: LeaderFinderListener;
  readonly #random: () => number;
  readonly #linkOptions: NodeLinkOptions;
  readonly #probing = new Set<NodeLink>();
  /** What each node said last, for error messages. */
  readonly #words = new Map<NodeLink, string>();
  #leader: NodeLink | null = null;
  #leaderTerm = 0;
  #roundTimer: NodeJS.Timeout | null = null;
  #rounds = 0;
  #rotation = 0;
  #closed = false;

  constructor(
    addresses: readonly string[],
    listener: LeaderFinderListener,
    options: { random: () => number; link: NodeLinkOptions },
  ) {
    this.#listener = listener;
    this.#random = options.random;
    this.#linkOptions = options.link;
    for (const address of addresses) this.link(address);
  }

  /** The leader as last heard; its link may still be connecting. */
  get leader(): NodeLink | null {
    return this.#leader;
  }

  get links(): IterableIterator<NodeLink> {
    return this.#links.values();
  }

  /** The link to an address, made when it is new. Throws a TypeError for a malformed address. */
  link(address: string): NodeLink {
    let link = this.#links.get(address);
    if (link === undefined) {
      link = new NodeLink(address, this, this.#linkOptions);
      this.#links.set(address, link);
    }
    return link;
  }

  /** The leader, then those that are open, then the others. */
  addressesByUse(): string[] {
    const rank = (link: NodeLink) => (link === this.#leader ? 0 : link.state === 'open' ? 1 : 2);
    return [...this.#links.values()].sort((a, b) => rank(a) - rank(b)).map((link) => link.address);
  }

  /** An open link, in rotation; null when none is. */
  anyOpenLink(): NodeLink | null {
    const links = [...this.#links.values()];
    for (let i = 0; i < links.length; i++) {
      const link = links[(this.#rotation + i) % links.length];
      if (link?.state === 'open') {
        this.#rotation = (this.#rotation + i + 1) % links.length;
        return link;
      }
    }
    return null;
  }

  /** Starts looking, unless that is under way. */
  search(): void {
    if (this.#closed || this.#roundTimer !== null) return;
    this.#rounds = 0;
    this.#round();
  }

  #stopSearch(): void {
    if (this.#roundTimer !== null) clearTimeout(this.#roundTimer);
    this.#roundTimer = null;
  }

  /** A redirect named this leader: it is taken at its word until it says otherwise itself. */
  followHint(address: string): void {
    const link = this.#learn(address);
    if (link === null) return;
    this.#leader = link;
    this.#leaderTerm = 0;
    link.connect();
  }

  /** This node turned out not to lead. */
  forget(link: NodeLink): void {
    if (this.#leader !== link) return;
    this.#leader = null;
    if (this.#listener.isWanted()) this.search();
  }

  /** The leader does not answer: ask the others, without giving it up yet. */
  suspect(): void {
    for (const link of this.#links.values()) if (link !== this.#leader) this.#approach(link);
  }

  /** `127.0.0.1:7001: connection refused; 127.0.0.1:7002: follower in term 3, no leader` */
  describe(): string {
    const words = [];
    for (const link of this.#links.values()) {
      const said = link.state === 'open' ? this.#words.get(link) : link.failure;
      words.push(`${link.address}: ${said ?? (link.state === 'open' ? 'no answer' : link.state)}`);
    }
    return words.join('; ');
  }

  close(reason: string): void {
    this.#closed = true;
    this.#stopSearch();
    for (const link of this.#links.values()) link.abandon(reason);
  }

  linkOpened(link: NodeLink): void {
    if (this.#closed) return;
    this.#probe(link);
    this.#listener.linkReady(link);
    // A hinted leader may be used as soon as it is reached: if the hint was wrong, it redirects.
    if (link === this.#leader) this.#listener.leaderFound(link);
  }

  linkClosed(link: NodeLink): void {
    this.#words.delete(link);
    if (link === this.#leader) {
      // What was known is void: begin again at the quick pace, whatever round was due.
      this.#stopSearch();
      this.#leader = null;
    }
    if (this.#closed) return;
    this.#listener.linkDown(link);
    if (this.#listener.isWanted()) this.search();
  }

  #round(): void {
    this.#roundTimer = null;
    if (this.#closed || !this.#listener.isWanted()) return;
    const maxMs = this.#rounds < QUICK_ROUNDS ? ROUND_MS_MAX : SLOW_ROUND_MS_MAX;
    const delayMs = backoffMs(this.#random, { attempt: this.#rounds++, baseMs: ROUND_MS_BASE, maxMs });
    // Set before the nodes are asked: what follows from that must not start a second search.
    this.#roundTimer = setTimeout(() => this.#round(), delayMs);
    for (const link of this.#links.values()) this.#approach(link);
  }

  #approach(link: NodeLink): void {
    if (link.state === 'open') {
      if (link !== this.#leader && link.quietMs(performance.now()) > PROBE_QUIET_MS_MAX) {
        // A machine that vanished leaves a connection that looks alive.
        link.abandon(`no answer for ${PROBE_QUIET_MS_MAX} ms`);
      } else this.#probe(link);
    } else if (link.state === 'closed' && performance.now() >= link.retryAt) link.connect();
  }

  #probe(link: NodeLink): void {
    if (this.#probing.has(link)) return;
    this.#probing.add(link);
    const probe: Exchange = {
      line: PROBE_LINE,
      answered: (reply) => {
        this.#probing.delete(link);
        this.#heard(link, reply);
      },
      lost: () => {
        this.#probing.delete(link);
      },
    };
    link.send(probe);
  }

  #heard(link: NodeLink, reply: Reply): void {
    if (reply.status === 'error' && reply.code === 'UNAUTHENTICATED') {
      this.#listener.denied(`${link.address}: ${reply.message}`);
    }
    if (reply.status !== 'ok') {
      this.#words.set(link, reply.status === 'error' ? reply.message : 'it redirects');
      return;
    }
    const { role, currentTerm, leaderAddress, members } = readProbe(link, reply);
    this.#words.set(link, `${role} in term ${currentTerm}, ${leaderAddress ?? 'no leader'}`);
    if (leaderAddress !== null) this.#learn(leaderAddress);
    // Members come and go: one that is new today may be all that is left tomorrow.
    for (const address of members) this.#learn(address);
    if (role !== 'leader') {
      this.forget(link);
      return;
    }
    // Terms are compared only between two that claim to lead: a cluster that was reset begins at term 1 again.
    if (this.#leader !== null && this.#leader !== link && currentTerm <= this.#leaderTerm) return;
    this.#leader = link;
    this.#leaderTerm = currentTerm;
    this.#stopSearch();
    this.#listener.leaderFound(link);
  }

  /** Null for what is no address, and when there are too many. */
  #learn(address: string): NodeLink | null {
    if (!this.#links.has(address) && this.#links.size >= ADDRESSES_MAX) return null;
    try {
      return this.link(address);
    } catch {
      return null;
    }
  }
}

function readProbe(
  link: NodeLink,
  reply: OkReply,
): { role: string; currentTerm: number; leaderAddress: string | null; members: readonly string[] } {
  const { node_id: nodeId, role, currentTerm, leader, members } = reply.fields;
  if (typeof nodeId === 'number') link.nodeId = nodeId;
  return {
    role: typeof role === 'string' ? role : 'unknown',
    currentTerm: typeof currentTerm === 'number' ? currentTerm : 0,
    leaderAddress: typeof leader === 'string' ? leader : null,
    members: Array.isArray(members) ? members.flatMap(clientAddressOf) : [],
  };
}

function clientAddressOf(member: unknown): string[] {
  const { client } = (member ?? {}) as { client?: unknown };
  return typeof client === 'string' && client !== '' ? [client] : [];
}
