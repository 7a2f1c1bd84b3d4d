// A member that has lost its memory, its folder emptied under it: what it must learn before its word counts
// again. It may have voted in any term, and acknowledged entries that only it and one other had. [E14]
import type { Core } from './core.ts';
import type { Message, NodeId, PreVoteResponse } from './types.ts';

/** How far a member without memory has come. Null in the core of every other node. [E14] */
export class Rejoin {
  /** Terms of the other members, each said in this life of the node. */
  readonly termsHeard = new Map<NodeId, number>();
  /** All others were heard: no leader of an earlier term than `currentTerm` can mislead this node any more. */
  isTermKnown = false;
  /** The leader of this term has noticed what was lost: it counts on nothing that is not here. 0: none has. */
  awareTerm = 0;
  /** The question for the commit index under way, 0 for none. */
  requestId = 0;
  /** Everything committed that this node may ever have acknowledged ends here; 0 while unknown. */
  goalIndex = 0;
}

/** The host's randomness keeps ids of one life from those of another; far below the 48 bits of their encoding. */
const REQUEST_ID_BEGIN = 2 ** 46;

/** True when the message has been dealt with: before the term is known, nothing else counts. [E14] */
export function stepRejoin(core: Core, message: Message): boolean {
  const { rejoin } = core;
  if (rejoin === null || rejoin.isTermKnown) return false;
  if (message.type === 'PreVoteResponse') hearTerm(core, rejoin, message);
  return true;
}

function hearTerm(core: Core, rejoin: Rejoin, { from, term: termThere }: PreVoteResponse): void {
  if (!core.peers().includes(from)) return;
  rejoin.termsHeard.set(from, termThere);
  if (core.peers().some((id) => !rejoin.termsHeard.has(id))) return;
  rejoin.isTermKnown = true;
  // Whoever had this node's vote, or counted on its acknowledgement, is among them with that term or a later one.
  const term = Math.max(core.currentTerm, ...rejoin.termsHeard.values());
  // In that term the vote may have been given: as given to itself, nobody else gets it. [E3]
  if (term > core.currentTerm || core.votedFor === 0) core.votedFor = core.id;
  // Whoever led the term before leads this one no more.
  if (term > core.currentTerm) core.leaderId = 0;
  core.currentTerm = term;
  core.hardStateDirty = true;
  core.resetElectionTimer();
}

/**
 * The log tells of members that were not asked yet: this node may have voted for one of them, in a term that nobody
 * else has heard of. Until they have told theirs, nothing is acknowledged, not even the entry that names them.
 */
export function askNewMembers(core: Core): void {
  const { rejoin } = core;
  if (rejoin === null || core.peers().every((id) => rejoin.termsHeard.has(id))) return;
  rejoin.isTermKnown = false;
  for (const peer of core.peers()) askTerm(core, peer);
}

/** What this member says counts for nothing yet, so it says nothing. [E14] */
export function isSilenced(core: Core): boolean {
  return core.rejoin !== null && !core.rejoin.isTermKnown;
}

/** One tick. Whatever is lost on the way is asked for again. */
export function tickRejoin(core: Core): void {
  const { rejoin } = core;
  if (rejoin === null || core.tickCount % core.options.heartbeatTicks !== 0) return;
  if (!rejoin.isTermKnown) {
    for (const peer of core.peers()) askTerm(core, peer);
  } else if (rejoin.goalIndex === 0 && rejoin.awareTerm === core.currentTerm && core.leaderId !== 0) {
    askGoal(core, rejoin);
  }
  checkRejoined(core);
}

/** A pre-vote request changes nothing where it arrives, and with an empty log for a term gone by it is never granted. */
export function askTerm(core: Core, peer: NodeId): void {
  const { rejoin } = core;
  if (rejoin === null || rejoin.isTermKnown || rejoin.termsHeard.has(peer)) return;
  const term = Math.max(1, core.currentTerm);
  core.send({ type: 'PreVote', to: peer, term, lastLogIndex: 0, lastLogTerm: 0 });
}

/** The leader's commit index, confirmed by a majority after the question. [R2] */
function askGoal(core: Core, rejoin: Rejoin): void {
  // The same question again, not another one: an answer that takes longer than a heartbeat still counts. One of an
  // earlier term, when the question may have come too early, is dropped with its term.
  if (rejoin.requestId === 0) rejoin.requestId = 1 + Math.floor(core.options.random() * REQUEST_ID_BEGIN);
  core.send({ type: 'ReadIndex', to: core.leaderId, requestId: rejoin.requestId });
}

/** True when the answer was to this node's own question. */
export function takeGoal(core: Core, answer: { requestId: number; readIndex: number }): boolean {
  const { rejoin } = core;
  if (rejoin === null || answer.requestId !== rejoin.requestId) return false;
  rejoin.goalIndex = answer.readIndex;
  checkRejoined(core);
  return true;
}

/**
 * The leader's message fitted: it sends only what follows on its `matchIndex` for this node, so that stands on
 * nothing lost any more. What it commits from now on by this node's word, this node has. [L10]
 */
export function leaderIsAware(core: Core): void {
  if (core.rejoin !== null) core.rejoin.awareTerm = core.currentTerm;
}

export function checkRejoined(core: Core): void {
  const { rejoin, log } = core;
  if (rejoin === null || rejoin.goalIndex === 0 || core.stableTerm < core.currentTerm) return;
  if (Math.min(log.commitIndex, log.stableIndex) >= rejoin.goalIndex) core.rejoin = null;
}
