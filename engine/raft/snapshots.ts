// Snapshots as the core sees them: who needs one, which chunks came from the leader, and the moment one takes
// the log's place. Their bytes are the host's business. Raft paper §7, figure 13.
import type { Core } from './core.ts';
import { configurationRestored } from './in-force.ts';
import type { Progress } from './progress.ts';
import { isSilenced, leaderIsAware } from './rejoin.ts';
import type { Configuration, InstallSnapshot, NodeId } from './types.ts';

/** Leader: the entries that a follower needs next are compacted away; the host is asked to send a snapshot. [S7] */
export function wantSnapshot(core: Core, progress: Progress): void {
  // A follower that is not there would only keep a snapshot from being removed.
  if (!core.isActive(progress)) return;
  progress.becomeSnapshot(core.log.lastIncludedIndex);
  core.snapshotsWanted.push(progress.id);
}

/** Leader: the host gave up sending; the next message to the follower begins again. */
export function snapshotFailed(core: Core, follower: NodeId): void {
  const progress = core.progress.get(follower);
  if (progress?.state === 'snapshot') progress.becomeProbe();
}

/** Follower: a chunk from the leader of this term. [S8] */
export function handleInstallSnapshot(core: Core, message: InstallSnapshot): void {
  const { log } = core;
  const { lastIncludedIndex, lastIncludedTerm } = message;
  if (lastIncludedIndex > log.commitIndex && log.termAt(lastIncludedIndex) === lastIncludedTerm) {
    // The log holds all of it: only the knowledge that it is committed was missing. Figure 13, rule 6.
    log.commitTo(lastIncludedIndex);
  }
  if (lastIncludedIndex <= log.commitIndex) {
    acknowledgeSnapshot(core, message.from);
    return;
  }
  core.snapshotChunks.push(message);
}

/** Follower: everything up to the commit index is here, by log or by snapshot. */
export function acknowledgeSnapshot(core: Core, leader: NodeId): void {
  if (isSilenced(core)) return;
  leaderIsAware(core);
  core.sendAfterSync({
    type: 'AppendEntriesResponse',
    to: leader,
    success: true,
    matchIndex: core.log.commitIndex,
    prevLogIndex: core.log.commitIndex,
    conflictIndex: 0,
    conflictTerm: 0,
  });
}

export interface InstalledSnapshot {
  index: number;
  term: number;
  /** As of `index`. [M1] */
  configuration: Configuration;
}

/**
 * A durable snapshot takes the place of the whole log. False when the log has meanwhile come further by
 * itself: the snapshot is then of no use, and nothing has changed. [S8]
 */
export function installSnapshot(core: Core, snapshot: InstalledSnapshot): boolean {
  const { log } = core;
  // A log that holds the entry holds all before it; what follows it must not be thrown away. Figure 13, rule 6.
  if (log.termAt(snapshot.index) === snapshot.term) log.commitTo(snapshot.index);
  if (snapshot.index <= log.commitIndex) return false;
  log.restore(snapshot);
  configurationRestored(core, snapshot.index, snapshot.configuration);
  core.checkRefetched();
  if (core.leaderId !== 0 && core.role !== 'leader') acknowledgeSnapshot(core, core.leaderId);
  return true;
}
