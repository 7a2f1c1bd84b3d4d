// Log replication: the leader's sending and counting, the follower's checking and appending. Raft paper §5.3,
// §5.4, with a window of unanswered messages per follower and hints that skip whole terms.
import { assert } from './assert.ts';
import type { Core } from './core.ts';
import { entriesTruncated, entryAppended } from './in-force.ts';
import { promise } from './lease.ts';
import { entryBytes } from './log.ts';
import type { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import { isSilenced, leaderIsAware } from './rejoin.ts';
import { wantSnapshot } from './snapshots.ts';
import type {
  AppendEntries,
  AppendEntriesResponse,
  Entry,
  Heartbeat,
  HeartbeatResponse,
  InstallSnapshotResponse,
} from './types.ts';
import { EntryKind } from './types.ts';

/** Leader: gives the entries their places and sends them on, in parallel with its own disk. [L1] */
export function appendAsLeader(core: Core, entries: readonly Entry[]): void {
  assert(core.role === 'leader', 'only a leader appends');
  let index = core.log.lastIndex;
  for (const entry of entries) {
    index += 1;
    entry.index = index;
    entry.term = core.currentTerm;
    core.log.append(entry);
    core.uncommittedBytes += entryBytes(entry);
    entryAppended(core, entry);
  }
  broadcastAppend(core);
}

/** The entry that lets a new leader commit what earlier terms left behind. Raft §5.4.2, §8 [C4] */
export function appendNoop(core: Core): void {
  appendAsLeader(core, [{ index: 0, term: 0, kind: EntryKind.noop, data: new Uint8Array(0) }]);
}

export function broadcastAppend(core: Core): void {
  for (const progress of core.progress.values()) sendEntries(core, progress);
}

/** Sends all that the follower lacks and its window allows. */
export function sendEntries(core: Core, progress: Progress): void {
  while (progress.nextIndex <= core.log.lastIndex) {
    if (!sendAppend(core, progress)) return;
  }
}

/** One AppendEntries, possibly without entries. False when the window is closed or a snapshot is needed. */
export function sendAppend(core: Core, progress: Progress): boolean {
  if (progress.isPaused) return false;
  const prevLogIndex = progress.nextIndex - 1;
  const prevLogTerm = core.log.termAt(prevLogIndex);
  if (prevLogTerm === null) {
    wantSnapshot(core, progress);
    return false;
  }
  const entries =
    progress.nextIndex > core.log.lastIndex
      ? []
      : core.log.slice(progress.nextIndex, core.options.messageBytesMax);
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  core.send({
    type: 'AppendEntries',
    to: progress.id,
    prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit: core.log.commitIndex,
  });
  progress.sent(prevLogIndex + entries.length, entries.length, bytes);
  progress.sentAtTick = core.tickCount;
  return true;
}

/** Follower: Raft paper figure 2, AppendEntries, receiver implementation 2 to 5. */
export function handleAppendEntries(core: Core, message: AppendEntries): void {
  const { log } = core;
  const { prevLogIndex, prevLogTerm, entries } = message;
  if (!isWellFormed(core, message)) return;
  if (prevLogIndex < log.commitIndex) {
    // Committed entries are the same everywhere; an old message only wants to know how far we are. [C1]
    acknowledge(core, message, log.commitIndex);
    return;
  }
  if (log.termAt(prevLogIndex) !== prevLogTerm) {
    refuse(core, message);
    return;
  }
  const fresh = skipMatching(core, entries);
  for (const entry of fresh) {
    log.append(entry);
    entryAppended(core, entry);
  }
  const lastNewIndex = prevLogIndex + entries.length;
  // Only up to what this message vouches for: behind it our log may hold a dead leader's entries. [C5]
  log.commitTo(Math.min(message.leaderCommit, lastNewIndex));
  acknowledge(core, message, lastNewIndex);
}

/** A peer with a fault of its own must not bring this node down: what cannot be is ignored. */
function isWellFormed(core: Core, message: AppendEntries): boolean {
  let term = message.prevLogTerm;
  for (let position = 0; position < message.entries.length; position++) {
    const entry = message.entries[position] as Entry;
    if (entry.index !== message.prevLogIndex + 1 + position) return false;
    if (entry.term < term || entry.term > message.term) return false;
    if (entry.kind === EntryKind.configuration) {
      if (core.options.configurationCodec.decode(entry.data) === null) return false;
    }
    term = entry.term;
  }
  return true;
}

/** Leaves out what the log already has; cuts the log where it differs. [L3] [L4] */
function skipMatching(core: Core, entries: readonly Entry[]): readonly Entry[] {
  const { log } = core;
  for (let position = 0; position < entries.length; position++) {
    const entry = entries[position] as Entry;
    if (entry.index > log.lastIndex) return position === 0 ? entries : entries.slice(position);
    if (log.termAt(entry.index) === entry.term) continue;
    const toIndex = log.lastIndex;
    log.truncate(entry.index);
    entriesTruncated(core, entry.index);
    core.emit({ type: 'logTruncated', term: core.currentTerm, fromIndex: entry.index, toIndex, rule: 'L4' });
    return entries.slice(position);
  }
  return [];
}

/** Tells the leader that everything up to `matchIndex` is here; leaves only when it is durable. [L8] */
function acknowledge(core: Core, message: AppendEntries, matchIndex: number): void {
  if (isSilenced(core)) return;
  leaderIsAware(core);
  core.comparedWithLeader(matchIndex);
  const { messagesAfterSync } = core;
  const last = messagesAfterSync[messagesAfterSync.length - 1];
  if (
    last?.type === 'AppendEntriesResponse' &&
    last.success &&
    last.to === message.from &&
    last.term === core.currentTerm
  ) {
    // One answer for all messages of a turn: the highest index says it all.
    last.matchIndex = Math.max(last.matchIndex, matchIndex);
    return;
  }
  core.sendAfterSync({
    type: 'AppendEntriesResponse',
    to: message.from,
    success: true,
    matchIndex,
    prevLogIndex: message.prevLogIndex,
    conflictIndex: 0,
    conflictTerm: 0,
  });
}

/** The log differs at `prevLogIndex`: says where it could still agree. [L2] [L5] */
function refuse(core: Core, message: AppendEntries): void {
  const hint = core.log.findConflictByTerm(message.prevLogIndex, message.prevLogTerm);
  core.send({
    type: 'AppendEntriesResponse',
    to: message.from,
    success: false,
    matchIndex: 0,
    prevLogIndex: message.prevLogIndex,
    conflictIndex: hint.index,
    conflictTerm: hint.term,
  });
}

/** Leader: a follower answered. */
export function handleAppendEntriesResponse(core: Core, message: AppendEntriesResponse): void {
  const progress = core.progress.get(message.from);
  if (progress === undefined || message.matchIndex > core.log.lastIndex) return;
  progress.heardAtTick = core.tickCount;
  if (!message.success) {
    const hint = core.log.findConflictByTerm(message.conflictIndex, message.conflictTerm);
    if (!progress.refuse(message.prevLogIndex, hint.index)) return;
    if (progress.state === 'replicate') progress.becomeProbe();
    sendAppend(core, progress);
    return;
  }
  const isNews = progress.acknowledge(message.matchIndex);
  if (progress.state === 'probe') progress.becomeReplicate();
  else if (progress.state === 'replicate') progress.inflights.freeTo(message.matchIndex);
  else if (progress.matchIndex >= core.log.lastIncludedIndex) progress.becomeReplicate();
  // Its snapshot is in force, but the log was cut further meanwhile: it needs the next one. [S7]
  else if (progress.matchIndex >= progress.pendingSnapshotIndex) progress.becomeProbe();
  if (isNews) advanceCommit(core);
  sendEntries(core, progress);
}

/** Leader: the chunks are between the hosts, but once it is in force the log goes on, even if the acknowledgement was lost. */
export function handleInstallSnapshotResponse(core: Core, message: InstallSnapshotResponse): void {
  const progress = core.progress.get(message.from);
  if (progress === undefined) return;
  progress.heardAtTick = core.tickCount;
  if (!message.installed || progress.state !== 'snapshot') return;
  progress.becomeProbe();
  sendAppend(core, progress);
}

/** Follower: the leader is there; nothing waits for the disk. */
export function handleHeartbeat(core: Core, message: Heartbeat): void {
  core.log.commitTo(Math.min(message.leaderCommit, core.lastVouchedIndex));
  const { from: to, readRound } = message;
  if (promise(core, message)) core.send({ type: 'HeartbeatResponse', to, readRound, promise: true });
  else core.send({ type: 'HeartbeatResponse', to, readRound });
}

/** Leader: a lost message shows here, because a follower that is behind gets a new one. [L9] */
export function handleHeartbeatResponse(core: Core, message: HeartbeatResponse): void {
  const progress = core.progress.get(message.from);
  if (progress === undefined) return;
  progress.heardAtTick = core.tickCount;
  if (progress.matchIndex >= core.log.lastIndex && progress.state !== 'probe') return;
  // Reads make many heartbeats a turn; what left just now is not lost yet.
  if ((core.tickCount - progress.sentAtTick) * 2 < core.options.heartbeatTicks) return;
  progress.probeSent = false;
  if (!sendAppend(core, progress) && progress.state === 'replicate') askForPosition(core, progress);
}

/**
 * The window is full, perhaps of messages that were all lost: a message without entries behind it is
 * acknowledged by a follower that is only slow, and refused by one that has a gap. [L9]
 */
function askForPosition(core: Core, progress: Progress): void {
  // Where the log has been cut behind that: its beginning. Who lacks it needs a snapshot, and says so by refusing.
  const prevLogIndex = Math.max(progress.nextIndex - 1, core.log.lastIncludedIndex);
  const prevLogTerm = core.log.termAt(prevLogIndex);
  assert(prevLogTerm !== null, `no term at ${prevLogIndex}, where the log begins`);
  progress.sentAtTick = core.tickCount;
  const { commitIndex: leaderCommit } = core.log;
  core.send({ type: 'AppendEntries', to: progress.id, prevLogIndex, prevLogTerm, entries: [], leaderCommit });
}

/**
 * Leader: commits what a majority has on disk, if it is of this term: earlier terms' entries are committed
 * by what comes after them, never by counting. Raft §5.4.2, figure 8 [C2] [C3]
 */
export function advanceCommit(core: Core): void {
  const { log } = core;
  const reached = quorumValue(core.configuration, (id) =>
    // The leader's own log counts only up to its own synced index. [L8]
    id === core.id ? log.stableIndex : (core.progress.get(id)?.matchIndex ?? 0),
  );
  if (reached <= log.commitIndex || log.termAt(reached) !== core.currentTerm) return;
  let bytes = 0;
  for (let index = log.commitIndex + 1; index <= reached; index++) {
    const entry = log.entryAt(index);
    if (entry !== undefined) bytes += entryBytes(entry);
  }
  log.commitTo(reached);
  core.uncommittedBytes = Math.max(0, core.uncommittedBytes - bytes);
}
