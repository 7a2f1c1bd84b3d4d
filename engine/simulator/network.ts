// Simulated links between nodes. Every message is encoded as it leaves and decoded as it arrives, by the codecs of
// the real peer connections, so that no node ever shares memory with another.
import { PeerDecoder } from '../protocol/peer-decoder.ts';
import { encodeMessage } from '../protocol/peer-frames.ts';
import { encodeHandshake } from '../protocol/peer-handshake.ts';
import type { Message, NodeId } from '../raft/types.ts';
import type { Random } from './random.ts';

export interface NetworkHost {
  readonly now: () => number;
  readonly schedule: (delay: number, kind: string, run: () => void) => void;
  /** Time on the way when nothing is wrong. */
  readonly linkTime: readonly [min: number, max: number];
  readonly deliver: (message: Message) => void;
  readonly count: (what: string) => void;
}

/** What the links do to messages besides carrying them. All shares are from 0 to 1. */
export interface LinkTrouble {
  loss: number;
  duplicates: number;
  /** Share of messages that may overtake others. */
  reordered: number;
  /** Share of messages that take up to `delayMax` longer. */
  delayed: number;
  delayMax: number;
  /** Messages of a broken connection arrive all the same. */
  keepsStale: boolean;
}

export const NO_TROUBLE: LinkTrouble = {
  loss: 0,
  duplicates: 0,
  reordered: 0,
  delayed: 0,
  delayMax: 0,
  keepsStale: false,
};

interface Link {
  decoder: PeerDecoder;
  /** How many cuts are in force: shapes overlap. */
  cuts: number;
  /** Rises when the connection breaks. */
  connection: number;
  /** Connections before this one are forgotten for good: nothing of them is delivered, stale or not. */
  firstConnection: number;
  /** When the last message that kept its place arrives. */
  lastArrival: number;
}

const LINK_KEY = 1024;

export class Network {
  readonly trouble: LinkTrouble = { ...NO_TROUBLE };
  readonly #host: NetworkHost;
  readonly #random: Random;
  readonly #links = new Map<number, Link>();

  constructor(host: NetworkHost, random: Random) {
    this.#host = host;
    this.#random = random;
  }

  send(message: Message): void {
    const link = this.#link(message.from, message.to);
    const random = this.#random;
    if (link.cuts > 0) {
      this.#host.count('message cut off');
      return;
    }
    const { loss, duplicates } = this.trouble;
    if (loss > 0 && random.chance(loss)) {
      this.#host.count('message lost');
      return;
    }
    const bytes = encode(message);
    this.#carry(link, message, bytes);
    if (duplicates > 0 && random.chance(duplicates)) {
      this.#host.count('message duplicated');
      this.#carry(link, message, bytes);
    }
  }

  #carry(link: Link, { from, to }: Message, bytes: Uint8Array): void {
    const { reordered, delayed, delayMax } = this.trouble;
    const random = this.#random;
    const { now } = this.#host;
    let arrival = now() + random.within(this.#host.linkTime);
    if (delayed > 0 && random.chance(delayed)) arrival += random.below(delayMax + 1);
    const overtakes = reordered > 0 && random.chance(reordered);
    if (!overtakes) {
      arrival = Math.max(arrival, link.lastArrival);
      link.lastArrival = arrival;
    }
    const { connection } = link;
    this.#host.schedule(arrival - now(), 'message', () => {
      const isStale = connection !== link.connection;
      const isForgotten = connection < link.firstConnection;
      if (link.cuts > 0 || isForgotten || (isStale && !this.trouble.keepsStale)) {
        this.#host.count('message cut off');
        return;
      }
      if (isStale) this.#host.count('stale message');
      for (const message of this.#decode(link, { from, to, bytes })) this.#host.deliver(message);
    });
  }

  /** Sometimes in two pieces, as a stream may bring it. */
  #decode(link: Link, { from, to, bytes }: { from: NodeId; to: NodeId; bytes: Uint8Array }): Message[] {
    const cut = this.#random.below(bytes.length * 4);
    const messages =
      cut > 0 && cut < bytes.length
        ? [...link.decoder.push(bytes.subarray(0, cut)), ...link.decoder.push(bytes.subarray(cut))]
        : link.decoder.push(bytes);
    if (messages.length !== 1 || messages[0]?.from !== from || messages[0].to !== to) {
      throw new Error(`a message from n${from} to n${to} did not come out as it went in`);
    }
    return messages;
  }

  /** One direction. Each cut is undone by one `join`. */
  cut(from: NodeId, to: NodeId): void {
    this.#link(from, to).cuts += 1;
  }

  join(from: NodeId, to: NodeId): void {
    const link = this.#link(from, to);
    link.cuts = Math.max(0, link.cuts - 1);
  }

  /** No link is cut any more. */
  healAll(): void {
    for (const link of this.#links.values()) link.cuts = 0;
  }

  passes(from: NodeId, to: NodeId): boolean {
    return this.#link(from, to).cuts === 0;
  }

  /** Both directions; what was under way is lost, or stale. */
  breakConnection(a: NodeId, b: NodeId): void {
    for (const link of [this.#link(a, b), this.#link(b, a)]) {
      link.connection += 1;
      link.lastArrival = 0;
    }
  }

  /** Nothing that was sent to the node until now arrives any more. */
  forget(to: NodeId): void {
    for (const [key, link] of this.#links) {
      if (key % LINK_KEY !== to) continue;
      link.connection += 1;
      link.firstConnection = link.connection;
    }
  }

  #link(from: NodeId, to: NodeId): Link {
    const key = from * LINK_KEY + to;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = {
        decoder: greetedDecoder(from, to),
        cuts: 0,
        connection: 0,
        firstConnection: 0,
        lastArrival: 0,
      };
      this.#links.set(key, link);
    }
    return link;
  }
}

function greetedDecoder(from: NodeId, to: NodeId): PeerDecoder {
  const decoder = new PeerDecoder();
  const clusterId = 'simulation';
  decoder.push(encodeHandshake({ clusterId, from, to, authentication: new Uint8Array(0), refusal: null }));
  return decoder;
}

function encode(message: Message): Uint8Array {
  const chunks: Uint8Array[] = [];
  const length = encodeMessage(message, chunks);
  const only = chunks[0];
  // A frame of a message is its own; an entry's frame may stand in a shared slab, which nobody writes again.
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
