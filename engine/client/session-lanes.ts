// Lanes keep the promise "seqs of one client id rise at the servers" while many writes are in flight.
//
// A node remembers the last sequence of a client id and refuses a lower one. If one id had two writes in
// flight, a retry of the first could arrive after the second was applied, and be refused although it never
// happened. So each lane is a client id of its own with at most one write in flight: a retry repeats the
// lane's latest sequence, and the next write gets a higher one only when the last is settled. A write that
// was given up with an unknown outcome needs no care: once the lane's next write is applied, whatever is
// left of the old one is refused as too low.
import type { WriteSession } from './client-error.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text.toLowerCase());
}

/** Lane 0 has the client's own id; lane n the id whose last 32 bits are n higher. */
export function laneClientId(clientId: string, lane: number): string {
  if (lane === 0) return clientId;
  const low = (Number.parseInt(clientId.slice(-8), 16) + lane) % 2 ** 32;
  return clientId.slice(0, -8) + low.toString(16).padStart(8, '0');
}

export interface Lane {
  readonly client: string;
  /** The sequence of the next write. */
  nextSeq: number;
}

export class SessionLanes {
  readonly #clientId: string;
  readonly #firstSequence: number;
  readonly #lanesMax: number;
  /** Used like a stack, so that a client with little to do keeps few sessions on the servers. */
  readonly #free: Lane[] = [];
  #created = 0;

  constructor({
    clientId,
    firstSequence,
    lanesMax,
  }: { clientId: string; firstSequence: number; lanesMax: number }) {
    this.#clientId = clientId.toLowerCase();
    this.#firstSequence = firstSequence;
    this.#lanesMax = lanesMax;
  }

  /** A lane without a write in flight, or null when all `lanesMax` are taken. */
  acquire(): Lane | null {
    const lane = this.#free.pop();
    if (lane !== undefined) return lane;
    if (this.#created === this.#lanesMax) return null;
    return { client: laneClientId(this.#clientId, this.#created++), nextSeq: this.#firstSequence };
  }

  /** Takes the lane's next sequence. */
  next(lane: Lane): WriteSession {
    return { client: lane.client, seq: lane.nextSeq++ };
  }

  release(lane: Lane): void {
    this.#free.push(lane);
  }
}
