// A node that joins, or was away while others came, may not know whoever leads now: it asks the members that it
// knows, on their client ports, who else there is, until its log tells. Knows nothing about Raft. [M9] [M10]
import { connect } from 'node:net';
import { parseReply } from '../protocol/json-client.ts';
import { JsonLineSplitter } from '../protocol/json-line-splitter.ts';
import type { MemberAddress } from '../raft/types.ts';
import { parseMemberAddress, splitAddress } from './node-config.ts';

const ASK_INTERVAL_MS = 500;
const ANSWER_MS_MAX = 2000;
const REPLY_BYTES_MAX = 64 * 1024;

export interface SeedAskerOptions {
  /** Client ports of those who may know, `host:port`. */
  seeds(): readonly string[];
  /** False: nobody needs to be asked any more. */
  isNeeded(): boolean;
  told(members: readonly MemberAddress[]): void;
}

export class SeedAsker {
  readonly #options: SeedAskerOptions;
  #timer: NodeJS.Timeout | null = null;
  #next = 0;

  constructor(options: SeedAskerOptions) {
    this.#options = options;
  }

  /** Asks until it is not needed any more. */
  start(): void {
    if (this.#timer !== null || !this.#options.isNeeded()) return;
    this.#timer = setInterval(() => this.#askNext(), ASK_INTERVAL_MS).unref();
    this.#askNext();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #askNext(): void {
    const { seeds, isNeeded } = this.#options;
    if (!isNeeded()) {
      this.stop();
      return;
    }
    const all = seeds();
    const seed = all[this.#next++ % Math.max(1, all.length)];
    if (seed !== undefined) this.#ask(seed);
  }

  /** One seed, one question; whatever goes wrong, the next one is asked. */
  #ask(seed: string): void {
    const socket = connect({ ...splitAddress(seed), noDelay: true });
    const splitter = new JsonLineSplitter(REPLY_BYTES_MAX);
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const [line] = splitter.push(chunk);
      if (line === undefined) return;
      socket.destroy();
      if (typeof line === 'string' && this.#timer !== null) this.#options.told(membersOf(line));
    });
    socket.write('{"command":"member_list"}\n');
  }
}

/** What is no member with both addresses is left out. */
function membersOf(line: string): MemberAddress[] {
  const reply = parseReply(line);
  if (reply?.status !== 'ok' || !Array.isArray(reply.fields.members)) return [];
  return reply.fields.members.flatMap((member: unknown) => parseMemberAddress(member) ?? []);
}
