// WAIT: until so many followers hold a connection's last write on disk, or the time is over. An acknowledged write
// is on a majority already; WAIT tells how many more there are.
import type { ByteString } from '../protocol/command.ts';
import { error, integer } from '../protocol/resp-encode.ts';
import type { Raft } from '../raft/raft.ts';
import { NOT_INTEGER } from './resp-command.ts';
import { parseWhole } from './resp-numbers.ts';
import type { RespSession } from './resp-session.ts';

interface Waiting {
  session: RespSession;
  slot: number;
  index: number;
  wanted: number;
  /** Milliseconds of the node's monotonic clock; infinite for ever. */
  until: number;
}

const WAITING_MAX = 10_000;

export class RespWaits {
  readonly #raft: Raft;
  #waiting: Waiting[] = [];

  constructor(raft: Raft) {
    this.#raft = raft;
  }

  /** The reply, or null when it comes later. */
  run(argv: readonly ByteString[], session: RespSession): ByteString | null {
    const wanted = parseWhole(argv[1] as string);
    const timeoutMs = parseWhole(argv[2] as string);
    if (wanted === null) return NOT_INTEGER;
    if (timeoutMs === null) return error('ERR timeout is not an integer or out of range');
    if (timeoutMs < 0) return error('ERR timeout is negative');
    const index = session.lastWriteIndex;
    const count = this.#holders(index);
    const unanswered = session.writesWaiting > 0;
    if ((count >= wanted && !unanswered) || session.isExecuting || this.#waiting.length >= WAITING_MAX) {
      return integer(count);
    }
    const until = timeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    this.#waiting.push({ session, slot: session.reserve(0), index, wanted, until });
    return null;
  }

  /** Answers what is due. `now`: milliseconds of the node's monotonic clock. */
  check(now: number): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => {
      const { session, slot, wanted, until } = waiting;
      if (session.closed) return false;
      const settled = session.writesWaiting === 0;
      const count = this.#holders(settled ? session.lastWriteIndex : waiting.index);
      if (!(settled && count >= wanted) && now < until) return true;
      session.reply(slot, integer(count));
      return false;
    });
  }

  /** Followers that have the entry on disk, as far as this node knows: only a leader does. */
  #holders(index: number): number {
    const { role, progress } = this.#raft.status();
    if (role !== 'leader') return 0;
    return progress.filter(({ matchIndex }) => matchIndex >= index).length;
  }
}
