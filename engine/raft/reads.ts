// Linearizable reads without the disk: ReadIndex (Raft thesis §6.4). All reads of a turn share one round of
// heartbeats; a round is confirmed when a majority has answered it or a later one.
import type { Core, ReadOrigin } from './core.ts';
import { leaseHolds, noteRound } from './lease.ts';
import { quorumValue } from './quorum.ts';
import { takeGoal } from './rejoin.ts';
import type { HeartbeatResponse, ReadIndex, ReadIndexResponse } from './types.ts';

/** Batches of reads that wait for a leader's first commit; a leader that cannot commit takes no more. */
const READS_WAITING_MAX = 10_000;
/** Request ids begin anywhere below this, and are far from the 48 bits of their encoding. */
const REQUEST_ID_BEGIN = 2 ** 46;

/** Takes a read of this node's host. It is answered through `Ready.reads`, perhaps with index 0. */
export function readIndex(core: Core, token: number): void {
  take(core, { token });
}

function take(core: Core, origin: ReadOrigin): void {
  if (core.readsWaiting.length < READS_WAITING_MAX) core.readsWaiting.push(origin);
  else answer(core, origin, 0);
}

/** A new leader learns the commit index with its first commit; its reads wait for that. [R1] [C4] */
export function canStartReadRound(core: Core): boolean {
  if (core.readsWaiting.length === 0) return false;
  return core.role !== 'leader' || core.log.termAt(core.log.commitIndex) === core.currentTerm;
}

/** Once a turn, before the outbox is emptied: starts a round for the reads of the turn. */
export function startReadRound(core: Core): void {
  if (!canStartReadRound(core)) return;
  if (core.role === 'leader') {
    const origins = core.readsWaiting;
    core.readsWaiting = [];
    if (leaseHolds(core)) {
      for (const origin of origins) answer(core, origin, core.log.commitIndex);
      return;
    }
    core.readRound += 1;
    core.readRounds.push({ round: core.readRound, index: core.log.commitIndex, origins });
    sendHeartbeats(core);
    confirmRounds(core);
    return;
  }
  forwardReads(core);
}

/** A follower asks its leader once for all reads of the turn. [R4] */
function forwardReads(core: Core): void {
  const origins = core.readsWaiting;
  core.readsWaiting = [];
  if (core.leaderId === 0) {
    for (const origin of origins) answer(core, origin, 0);
    return;
  }
  const tokens: number[] = [];
  for (const origin of origins) {
    if ('token' in origin) tokens.push(origin.token);
    else answer(core, origin, 0);
  }
  if (tokens.length === 0) return;
  // An answer to this node's former life, late on its way, must not pass for one to a read of this life. [R4]
  if (core.readRequestId === 0) core.readRequestId = Math.floor(core.options.random() * REQUEST_ID_BEGIN);
  core.readRequestId += 1;
  core.readsForwarded.set(core.readRequestId, { tokens, sentAtTick: core.tickCount });
  core.send({ type: 'ReadIndex', to: core.leaderId, requestId: core.readRequestId });
}

/** To every other member: "I lead", how far it may commit, and the newest read round. */
export function sendHeartbeats(core: Core): void {
  core.heartbeatElapsedTicks = 0;
  noteRound(core);
  for (const progress of core.progress.values()) {
    core.send({
      type: 'Heartbeat',
      to: progress.id,
      // A follower may only commit what it is known to have. [C5]
      leaderCommit: Math.min(progress.matchIndex, core.log.commitIndex),
      readRound: core.readRound,
    });
  }
}

/** Leader: a follower confirmed a round, and with it that this node still led when it was sent. [R2] */
export function confirmReadRound(core: Core, message: HeartbeatResponse): void {
  const progress = core.progress.get(message.from);
  if (progress === undefined || message.readRound <= progress.readRound) return;
  progress.readRound = message.readRound;
  confirmRounds(core);
}

function confirmRounds(core: Core): void {
  if (core.readRounds.length === 0) return;
  const confirmed = quorumValue(core.configuration, (id) =>
    id === core.id ? core.readRound : (core.progress.get(id)?.readRound ?? 0),
  );
  let done = 0;
  for (const round of core.readRounds) {
    if (round.round > confirmed) break;
    for (const origin of round.origins) answer(core, origin, round.index);
    done++;
  }
  if (done > 0) core.readRounds.splice(0, done);
}

/** Leader: a follower asks on behalf of its own clients. [R4] */
export function handleReadIndex(core: Core, message: ReadIndex): void {
  if (core.role !== 'leader') {
    core.send({ type: 'ReadIndexResponse', to: message.from, requestId: message.requestId, readIndex: 0 });
    return;
  }
  take(core, { from: message.from, requestId: message.requestId });
}

export function handleReadIndexResponse(core: Core, message: ReadIndexResponse): void {
  if (takeGoal(core, message)) return;
  const forwarded = core.readsForwarded.get(message.requestId);
  if (forwarded === undefined) return;
  core.readsForwarded.delete(message.requestId);
  for (const token of forwarded.tokens) core.reads.push({ token, index: message.readIndex });
}

/** A request or its answer may be lost on the way: after an election timeout its reads fail. */
export function expireForwardedReads(core: Core): void {
  const [timeoutTicks] = core.options.electionTimeoutTicks;
  for (const [requestId, { tokens, sentAtTick }] of core.readsForwarded) {
    // Insertion order is the order of sending.
    if (core.tickCount - sentAtTick < timeoutTicks) return;
    core.readsForwarded.delete(requestId);
    for (const token of tokens) core.reads.push({ token, index: 0 });
  }
}

/** Every read under way gets index 0: its host must ask again, here or elsewhere. [R3] */
export function failReads(core: Core): void {
  const origins: ReadOrigin[] = core.readRounds.flatMap((round) => round.origins);
  core.readRounds = [];
  for (const origin of [...origins, ...core.readsWaiting]) answer(core, origin, 0);
  core.readsWaiting = [];
  for (const { tokens } of core.readsForwarded.values()) {
    for (const token of tokens) core.reads.push({ token, index: 0 });
  }
  core.readsForwarded.clear();
}

function answer(core: Core, origin: ReadOrigin, index: number): void {
  if ('token' in origin) core.reads.push({ token: origin.token, index });
  else
    core.send({ type: 'ReadIndexResponse', to: origin.from, requestId: origin.requestId, readIndex: index });
}
