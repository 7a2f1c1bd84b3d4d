// The configuration in force: what follows, on any node, when the log gets one, loses one or is replaced, and what
// people are told. Raft paper §6. How changes are made is in membership.ts.
import { assert } from './assert.ts';
import type { Core } from './core.ts';
import { members } from './quorum.ts';
import { askNewMembers } from './rejoin.ts';
import { type Configuration, type Entry, EntryKind, type NodeId } from './types.ts';

/** An entry stands in the log: if it holds a configuration, that is in force from now on. [M1] */
export function entryAppended(core: Core, entry: Entry): void {
  if (entry.kind !== EntryKind.configuration) return;
  const configuration = core.options.configurationCodec.decode(entry.data);
  assert(configuration !== null, `the configuration at index ${entry.index} cannot be read`);
  const isFirst = core.configuration.voters.length === 0;
  core.configurations.add(entry.index, configuration);
  if (isFirst) spendVote(core);
  const rule = configuration.votersOutgoing.length > 0 ? 'M2' : 'M1';
  inForce(core, describe(configuration), rule);
}

/** Entries from `fromIndex` on are gone: the configuration before them is in force again. [M1] */
export function entriesTruncated(core: Core, fromIndex: number): void {
  if (core.configurations.truncate(fromIndex)) inForce(core, 'the one after it was replaced', 'M1');
}

/** A snapshot took the place of the log, and brought the configuration of its last entry along. [M1] */
export function configurationRestored(core: Core, index: number, configuration: Configuration): void {
  const isFirst = core.configuration.voters.length === 0;
  core.configurations.restore(index, configuration);
  if (isFirst && configuration.voters.length > 0) spendVote(core);
  inForce(core, 'it came with a snapshot', 'M1');
}

/**
 * A node that joins may have been a member before, under the same id and with a folder that was emptied since:
 * the vote in the term in which it is taken in may be given already. [M9] [E3]
 */
function spendVote(core: Core): void {
  if (core.votedFor !== 0) return;
  core.votedFor = core.id;
  core.hardStateDirty = true;
}

function describe({ voters, votersOutgoing, learners }: Configuration): string {
  const list = (ids: readonly NodeId[]): string => ids.map((id) => `n${id}`).join(', ') || 'nobody';
  const learning = learners.length === 0 ? '' : `; ${list(learners)} learn`;
  if (votersOutgoing.length === 0) return `voters are ${list(voters)}${learning}`;
  return `majorities of ${list(votersOutgoing)} and of ${list(voters)} are needed${learning}`;
}

function inForce(core: Core, reason: string, rule: string): void {
  const { configuration } = core;
  core.configurationIsNew = true;
  tell(core, { committed: false, reason, rule });
  askNewMembers(core);
  if (core.role !== 'leader') return;
  // Promises of those that were asked before say nothing about a majority of these.
  core.lease.end();
  // Books of members that leave stay until they have heard of it. [M7]
  for (const id of core.peers()) {
    if (core.progress.has(id)) continue;
    const progress = core.newProgress(id);
    // The entry that takes it in is the first that it is sent, and its answer tells what else it lacks.
    progress.nextIndex = core.log.lastIndex;
    core.progress.set(id, progress);
  }
  assert(configuration.voters.length > 0, 'a leader of nobody');
}

function tell(core: Core, what: { committed: boolean; reason: string; rule: string }): void {
  const { latest: configuration, latestIndex: index } = core.configurations;
  core.emit({ type: 'configurationChanged', term: core.currentTerm, index, configuration, ...what });
}

/** Once a turn, on every node: says so when the newest configuration is committed. */
export function tellWhenCommitted(core: Core): void {
  const { latestIndex } = core.configurations;
  if (latestIndex <= core.configurationToldIndex || latestIndex > core.log.commitIndex) return;
  core.configurationToldIndex = latestIndex;
  const isMember = members(core.configuration).includes(core.id);
  const reason = isMember ? describe(core.configuration) : 'this node is no member any more';
  tell(core, { committed: true, reason, rule: isMember ? 'M1' : 'M7' });
}
