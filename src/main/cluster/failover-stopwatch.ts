// Times failovers as an outside client sees them: from the last acknowledged write under the old leader to the
// first one under the next.
//
// While clients write, their own acknowledgements are the clock. On an idle cluster nobody would notice when
// writes work again, so from the first sign of an outage until its end the stopwatch writes by itself: it
// deletes a reserved key that never exists, which takes the whole way through the log and changes nothing.
// Such a gap starts when the panel struck the leader, or when its loss was known (its exit event, the first sign
// of an election), not at an acknowledgement, and says so in `measuredFrom`. When nobody struck, it is too short
// by the time that nobody knew.
import type { NodeEvent } from '../../../engine/protocol/node-status.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { FailoverGap, ProcessView } from '../../shared/cluster-view.ts';

/** A client counts as writing when it was acknowledged this shortly before the loss. */
const RECENT_MS_MAX = 250;
const PROBE_INTERVAL_MS_MIN = 8;
const PROBES_IN_FLIGHT_MAX = 40;
/** While a loss is only suspected, one question is enough: most such elections lead nowhere. */
const PROBES_SUSPECTED_MAX = 1;
const PROBE_DEADLINE_MS_MIN = 320;
const PROBE_DEADLINE_MS_MAX = 5_000;
/** A strike explains a loss for so long. */
const STRIKE_MS_MAX = 1_000;
/** A new leader can answer before anybody hears how the old one went; the report waits so long for the cause. */
const CAUSE_MS_MAX = 100;

export interface Acknowledgement {
  /** When the write was sent and when its reply came: milliseconds since the epoch. */
  startedAt: number;
  at: number;
  nodeId: NodeId | null;
  term: number | null;
}

export interface FailoverStopwatchOptions {
  /** Milliseconds since the epoch, with a fraction. */
  now: () => number;
  /** One harmless write through the log; rejects when it was not acknowledged in time. */
  probe: (deadlineMs: number) => Promise<Acknowledgement>;
  /** Called when a gap opens and again when it closes, with the same id. */
  onFailover: (gap: FailoverGap) => void;
}

interface Outage {
  since: number;
  cause: string;
  /** The cause is the old leader's own end, not what others did about it. */
  isExplained: boolean;
  from: { nodeId: NodeId; term: number };
  /** Certain: the leader is gone. Otherwise an election was merely tried. */
  certain: boolean;
  /** The leader was frozen; it goes on in its own term when it is woken early. */
  frozen: 'no' | 'frozen' | 'thawed';
  lastAcknowledgedAt: number;
  measuredFrom: FailoverGap['measuredFrom'];
  /** 0 until it was reported. */
  id: number;
}

export class FailoverStopwatch {
  readonly #options: FailoverStopwatchOptions;
  #leader: { nodeId: NodeId; term: number } | null = null;
  #lastAcknowledgedAt = Number.NEGATIVE_INFINITY;
  #struck: { nodeId: NodeId; at: number } | null = null;
  #outage: Outage | null = null;
  /** Over before anybody heard how it began. */
  #unexplained: { outage: Outage; ack: Acknowledgement; timer: NodeJS.Timeout } | null = null;
  #gapsCount = 0;
  #probesInFlight = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: FailoverStopwatchOptions) {
    this.#options = options;
  }

  /** A write of any client, the stopwatch's own included, was acknowledged. */
  acknowledged(ack: Acknowledgement): void {
    const outage = this.#outage;
    if (outage === null) {
      this.#acknowledgedInPeace(ack);
      return;
    }
    if (isUnderNextLeader(ack, outage.from)) {
      this.#resolve(outage, ack);
    } else if (!outage.certain && ack.startedAt >= outage.since) {
      // The election led nowhere: the leader still serves.
      this.#end();
      this.#lastAcknowledgedAt = ack.at;
    } else if (outage.frozen === 'thawed') {
      // Woken before anybody missed it enough: the same leader in the same term.
      this.#resolve(outage, ack);
    } else if (ack.at > outage.lastAcknowledgedAt) {
      // It was under way when the leader went.
      outage.lastAcknowledgedAt = ack.at;
      outage.measuredFrom = 'acknowledgement';
    }
  }

  /** The panel is about to kill, stop or pause this node. */
  struck(nodeId: NodeId): void {
    this.#struck = { nodeId, at: this.#options.now() };
  }

  /** What a node said. */
  event({ nodeId, event }: NodeEvent): void {
    if (event.type === 'roleChanged' && event.to === 'leader') this.#elected({ nodeId, term: event.term });
    if (event.type === 'roleChanged' && event.from === 'leader') {
      const cause = `n${nodeId} stepped down: ${event.reason}`;
      this.#explain(nodeId, cause);
      if (this.#leader?.nodeId === nodeId) this.#lost(cause, { certain: true, explained: true });
    }
    if (event.type === 'electionStarted' && this.#leader !== null && this.#leader.nodeId !== nodeId) {
      this.#lost(`n${nodeId} started an election: ${event.reason}`, { certain: false });
    }
  }

  /** A process changed its state. */
  process({ nodeId, state, exit }: ProcessView): void {
    const outage = this.#outage;
    if (outage?.frozen === 'frozen' && outage.from.nodeId === nodeId && state === 'running') {
      outage.frozen = 'thawed';
      this.#leader ??= outage.from;
      return;
    }
    const isDead = state === 'crashed' || state === 'stopped';
    if (!isDead && state !== 'paused') return;
    const cause = isDead ? `n${nodeId}: ${exit?.reason ?? state}` : `n${nodeId} was paused`;
    this.#explain(nodeId, cause);
    if (this.#leader?.nodeId === nodeId)
      this.#lost(cause, { certain: true, explained: true, frozen: isDead ? 'no' : 'frozen' });
  }

  /** A new cluster begins: an open gap has no end any more. */
  forget(): void {
    this.#leader = null;
    this.#struck = null;
    if (this.#unexplained !== null) clearTimeout(this.#unexplained.timer);
    this.#unexplained = null;
    this.#end();
    this.#lastAcknowledgedAt = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.#closed = true;
    this.forget();
  }

  #acknowledgedInPeace(ack: Acknowledgement): void {
    const from = this.#leader;
    if (from !== null && isUnderNextLeader(ack, from)) {
      // The next leader answers before its election and the old one's end were heard of.
      const nodeId = ack.nodeId ?? from.nodeId;
      const how = { cause: `n${nodeId} took over`, isExplained: false, certain: true, frozen: 'no' } as const;
      // Nobody told when it began; this write has been waiting since it was sent.
      const outage = this.#newOutage(from, how, ack.startedAt);
      this.#leader = { nodeId, term: Math.max(ack.term ?? 0, from.term) };
      this.#awaitExplanation(outage, ack);
    }
    this.#lastAcknowledgedAt = Math.max(this.#lastAcknowledgedAt, ack.at);
  }

  /** The old leader's end was heard of. */
  #explain(nodeId: NodeId, cause: string): void {
    for (const outage of [this.#outage, this.#unexplained?.outage]) {
      if (outage?.from.nodeId !== nodeId || outage.isExplained) continue;
      outage.cause = cause;
      outage.isExplained = true;
    }
    this.#reportExplained();
  }

  #awaitExplanation(outage: Outage, ack: Acknowledgement): void {
    this.#reportUnexplained();
    const timer = setTimeout(() => this.#reportUnexplained(), CAUSE_MS_MAX);
    this.#unexplained = { outage, ack, timer };
    this.#reportExplained();
  }

  #reportExplained(): void {
    const { outage, ack } = this.#unexplained ?? {};
    if (!outage?.isExplained || ack === undefined) return;
    if (this.#nextTerm(outage, ack) !== null) this.#reportUnexplained();
  }

  #reportUnexplained(): void {
    if (this.#unexplained === null) return;
    const { outage, ack, timer } = this.#unexplained;
    clearTimeout(timer);
    this.#unexplained = null;
    this.#report(outage, ack);
  }

  #newOutage(
    from: { nodeId: NodeId; term: number },
    how: Pick<Outage, 'cause' | 'isExplained' | 'certain' | 'frozen'>,
    noticedAt = this.#options.now(),
  ): Outage {
    const now = this.#options.now();
    const isStruck = this.#struck?.nodeId === from.nodeId && now - this.#struck.at <= STRIKE_MS_MAX;
    const since = isStruck ? (this.#struck?.at ?? noticedAt) : noticedAt;
    const isWriting = since - this.#lastAcknowledgedAt <= RECENT_MS_MAX;
    return {
      ...how,
      from,
      since,
      lastAcknowledgedAt: isWriting ? this.#lastAcknowledgedAt : since,
      measuredFrom: isWriting ? 'acknowledgement' : 'loss',
      id: 0,
    };
  }

  #elected(leader: { nodeId: NodeId; term: number }): void {
    const before = this.#leader;
    if (before !== null && leader.term <= before.term) return;
    // The same node in a higher term is only better known now: a loss in between would have been told.
    if (before !== null && before.nodeId !== leader.nodeId) {
      this.#lost(`n${leader.nodeId} was elected in term ${leader.term}`, { certain: true });
    }
    this.#leader = leader;
    this.#reportExplained();
  }

  /** Opens an outage, or makes a suspected one certain. `explained`: by the old leader's own end. */
  #lost(
    cause: string,
    {
      certain,
      explained = false,
      frozen = 'no',
    }: { certain: boolean; explained?: boolean; frozen?: Outage['frozen'] },
  ): void {
    const from = this.#leader;
    if (this.#closed || from === null) return;
    if (this.#outage === null) {
      this.#outage = this.#newOutage(from, { cause, isExplained: explained, certain, frozen });
      this.#scheduleProbe(this.#outage);
    } else if (certain && !this.#outage.certain) {
      this.#outage.certain = true;
      this.#outage.frozen = frozen;
    }
    if (certain) {
      this.#leader = null;
      this.#report(this.#outage, null);
    }
  }

  #resolve(outage: Outage, ack: Acknowledgement): void {
    this.#end();
    this.#awaitExplanation(outage, ack);
    this.#lastAcknowledgedAt = ack.at;
  }

  /** The term that writes work in again: the reply's own, unless that is of an older write. */
  #nextTerm({ from, frozen }: Outage, ack: Acknowledgement): number | null {
    if (ack.term !== null && (ack.term > from.term || frozen === 'thawed')) return ack.term;
    return this.#leader !== null && this.#leader.term > from.term ? this.#leader.term : null;
  }

  #report(outage: Outage, ack: Acknowledgement | null): void {
    // A gap that closes before anybody was told it opened is told once.
    const isNew = outage.id === 0;
    if (isNew) outage.id = ++this.#gapsCount;
    if (!isNew && ack === null) return;
    this.#options.onFailover({
      id: outage.id,
      lastAcknowledgedAt: outage.lastAcknowledgedAt,
      firstAcknowledgedAt: ack?.at ?? null,
      gapMs: ack === null ? null : Math.max(0, ack.at - outage.lastAcknowledgedAt),
      measuredFrom: outage.measuredFrom,
      cause: outage.cause,
      fromLeader: outage.from.nodeId,
      fromTerm: outage.from.term,
      toLeader: ack === null ? null : (ack.nodeId ?? this.#leader?.nodeId ?? null),
      toTerm: ack === null ? null : this.#nextTerm(outage, ack),
    });
  }

  #end(): void {
    this.#outage = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The longer it lasts, the less often it asks: a cluster without a majority may stay so for hours. */
  #scheduleProbe(outage: Outage): void {
    const elapsedMs = this.#options.now() - outage.since;
    const deadlineMs = Math.min(PROBE_DEADLINE_MS_MAX, Math.max(PROBE_DEADLINE_MS_MIN, elapsedMs));
    const intervalMs = Math.max(PROBE_INTERVAL_MS_MIN, deadlineMs / PROBES_IN_FLIGHT_MAX);
    const probesMax = outage.certain ? PROBES_IN_FLIGHT_MAX : PROBES_SUSPECTED_MAX;
    if (this.#probesInFlight < probesMax) this.#probe(deadlineMs);
    this.#timer = setTimeout(() => {
      if (this.#outage === outage) this.#scheduleProbe(outage);
    }, intervalMs);
  }

  #probe(deadlineMs: number): void {
    this.#probesInFlight += 1;
    this.#options
      .probe(deadlineMs)
      .then(
        (ack) => this.acknowledged(ack),
        // Not acknowledged is what an outage is; the next probe follows by itself.
        () => undefined,
      )
      .finally(() => {
        this.#probesInFlight -= 1;
      });
  }
}

/**
 * Who answered counts before the term: a repeated write that the old leader had committed gets its first reply
 * again, with the old term, from the new one.
 */
function isUnderNextLeader(ack: Acknowledgement, from: { nodeId: NodeId; term: number }): boolean {
  if (ack.nodeId !== null && ack.nodeId !== from.nodeId) return true;
  return ack.term !== null && ack.term > from.term;
}
