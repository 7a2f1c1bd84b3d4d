// A member that has lost its memory, its folder emptied under it: what it must learn before its word counts
// again. It may have voted in any term, and acknowledged entries that only it and one other had. [E14]
import type { Core } from './core.ts';
import { hasLeft, members } from './quorum.ts';
import type { CommittedMembers, Message, NodeId, PreVoteResponse } from './types.ts';

/** How far a member without memory has come. Null in the core of every other node. [E14] */
export class Rejoin {
  /** Highest terms of the other members, each said in this life of the node. */
  readonly termsHeard = new Map<NodeId, number>();
  /** What each of them knows to be committed about the members, and will know after a restart. */
  readonly membersTold = new Map<NodeId, CommittedMembers>();
  /** All that count were heard: no leader of an earlier term than `currentTerm` can mislead this node any more. */
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

function hearTerm(core: Core, rejoin: Rejoin, { from, term: termThere, committed }: PreVoteResponse): void {
  if (!othersNamed(core, rejoin).includes(from)) return;
  rejoin.termsHeard.set(from, Math.max(termThere, rejoin.termsHeard.get(from) ?? 0));
  if (committed !== undefined) rejoin.membersTold.set(from, committed);
  if (!isEverybodyHeard(core, rejoin)) return;
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

/** Every other node that this one's own log, or anybody's answer, calls a member. */
function othersNamed(core: Core, { membersTold }: Rejoin): NodeId[] {
  const named = new Set(core.peers());
  for (const { configuration } of membersTold.values())
    for (const id of members(configuration)) named.add(id);
  named.delete(core.id);
  return [...named];
}

/**
 * All others were heard, but for those that are no members any more, or never were: they may be gone for good. One that
 * left may still have this node's vote, and does no harm with it as long as no member votes for it: it counts as heard
 * once every member knows for good that it left. [M7]
 */
function isEverybodyHeard(core: Core, rejoin: Rejoin): boolean {
  const { termsHeard, membersTold } = rejoin;
  const told = [...membersTold.values()];
  const named = othersNamed(core, rejoin);
  const present = named.filter((id) => !isOut(core, told, id));
  if (!present.every((id) => termsHeard.has(id))) return false;
  const silent = named.filter((id) => !termsHeard.has(id));
  return present.every((id) => {
    const known = membersTold.get(id);
    return silent.every((gone) => known !== undefined && isKnownOut(core, known, gone));
  });
}

/** As far as any answer knows. */
function isOut(core: Core, told: readonly CommittedMembers[], id: NodeId): boolean {
  if (told.some(({ configuration }) => hasLeft(configuration, id))) return true;
  const isMember = told.some(({ configuration }) => members(configuration).includes(id));
  return !isMember && told.some((known) => isKnownOut(core, known, id));
}

/**
 * It left; or only an entry of this node's log named it, with something else committed in that entry's place: then it
 * never had a vote.
 */
function isKnownOut(core: Core, { index, configuration }: CommittedMembers, id: NodeId): boolean {
  if (hasLeft(configuration, id)) return true;
  if (members(configuration).includes(id)) return false;
  const namedAt = core.configurations.firstNaming(id);
  return namedAt !== null && namedAt <= index;
}

/**
 * The log tells of members that were not asked yet: this node may have voted for one of them, in a term that nobody
 * else has heard of. Until they have told theirs, nothing is acknowledged, not even the entry that names them.
 */
export function askNewMembers(core: Core): void {
  const { rejoin } = core;
  if (rejoin === null || isEverybodyHeard(core, rejoin)) return;
  rejoin.isTermKnown = false;
  askTerms(core, rejoin);
}

/** Answers a member without memory. What it is told must hold after a restart too: if need be, it asks again. [E14] */
export function tellMembers(core: Core, to: NodeId): void {
  const { log, configurations, stableCommitIndex: index } = core;
  // Of what is before the log, it cannot be said who was a member when.
  const isKnown = index >= log.lastIncludedIndex;
  if (!isKnown || configurations.at(index) !== core.committedConfiguration) core.hardStateDirty = true;
  const committed = isKnown ? { committed: { index, configuration: configurations.at(index) } } : {};
  core.send({ type: 'PreVoteResponse', to, voteGranted: false, ...committed });
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
    askTerms(core, rejoin);
  } else if (rejoin.goalIndex === 0 && rejoin.awareTerm === core.currentTerm && core.leaderId !== 0) {
    askGoal(core, rejoin);
  }
  checkRejoined(core);
}

/** Also who has answered: by now it may know of more members, or that one has left. */
function askTerms(core: Core, rejoin: Rejoin): void {
  for (const id of othersNamed(core, rejoin)) askTerm(core, id);
}

/** A connection stands to one that was perhaps not reachable when it was asked. */
export function askWhenReachable(core: Core, peer: NodeId): void {
  const { rejoin } = core;
  if (rejoin !== null && !rejoin.isTermKnown && othersNamed(core, rejoin).includes(peer)) askTerm(core, peer);
}

/** A pre-vote request changes nothing where it arrives. */
function askTerm(core: Core, to: NodeId): void {
  const term = Math.max(1, core.currentTerm);
  core.send({ type: 'PreVote', to, term, lastLogIndex: 0, lastLogTerm: 0, hasLostMemory: true });
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
