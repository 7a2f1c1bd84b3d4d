// One that left and wakes up late, with a vote of a member in its sockets that has lost its memory since: it must not
// be elected, or it would replace what was committed meanwhile. [E14] [M7]
import { expect, test } from 'vitest';
import { DEFAULT_RAFT_OPTIONS } from '../../engine/raft/options.ts';
import { Raft } from '../../engine/raft/raft.ts';
import type { Message } from '../../engine/raft/types.ts';
import { CoreCluster, type CoreNode, textOf } from './core-cluster.ts';

const { electionTimeoutTicks, heartbeatTicks } = DEFAULT_RAFT_OPTIONS;
const [MIN_TICKS, MAX_TICKS] = electionTimeoutTicks;

/** What becomes of the third member after it has told that the other one left. */
type Fate = 'nothing' | 'restarted' | 'its snapshot is damaged' | 'its log is damaged';

function othersOf(
  cluster: CoreCluster,
  leader: CoreNode,
): [wiped: CoreNode, third: CoreNode, gone: CoreNode] {
  const [wiped, third, gone] = [...cluster.nodes.values()].filter((node) => node !== leader);
  if (wiped === undefined || third === undefined || gone === undefined) throw new Error('too few nodes');
  return [wiped, third, gone];
}

/** Up to the moment at which `wiped` is a voter again; `late` arrives much later. */
function wipedAndBack(fate: Fate) {
  const cluster = new CoreCluster({ ids: [1, 2, 3, 4] });
  const leader = cluster.elect();
  cluster.tick(heartbeatTicks * 2);
  const [wiped, third, gone] = othersOf(cluster, leader);
  const removalIndex = leader.raft.status().lastIndex + 2;
  const acknowledgements: Message[] = [];
  const appends: Message[] = [];
  const late: Message[] = [];
  // The leader stops as soon as it has sent the removal: what acknowledges it waits in its sockets.
  cluster.passes = (message) => {
    if (message.type === 'AppendEntries' && message.to === third.id) appends.push(structuredClone(message));
    const isAnswer = message.type === 'AppendEntriesResponse' && message.matchIndex >= removalIndex;
    if (isAnswer) acknowledgements.push(message);
    return !isAnswer;
  };
  leader.raft.proposeConfiguration({ type: 'remove', id: gone.id });
  cluster.settle();
  cluster.down.add(leader.id);
  for (const node of [wiped, third, gone]) for (let tick = 0; tick < MIN_TICKS; tick++) node.raft.tick();
  // It does not know that it has left. One grants its vote, the other is not asked yet.
  cluster.passes = (message) => {
    const isLate =
      (message.type === 'RequestVote' && message.to === third.id) ||
      (message.type === 'RequestVoteResponse' && message.to === gone.id);
    if (isLate) late.push(message);
    return !isLate && message.to !== leader.id;
  };
  gone.raft.campaign();
  cluster.settle();
  expect(late.map(({ type }) => type).sort()).toEqual(['RequestVote', 'RequestVoteResponse']);
  cluster.down.add(gone.id);
  cluster.passes = () => true;
  wiped.wipe();
  cluster.down.delete(leader.id);
  for (const message of acknowledgements) leader.raft.step(message);
  cluster.settle();
  leader.raft.peerConnected(wiped.id);
  if (fate === 'its snapshot is damaged') takeSnapshot(cluster, { leader, third, wiped });
  third.raft.peerConnected(wiped.id);
  cluster.tick(MAX_TICKS * 4);
  expect(wiped.raft.isRefetching).toBe(false);
  wiped.hasLostMemory = false;
  cluster.passes = ({ from, to }) => from !== third.id && to !== third.id;
  if (fate === 'restarted' || fate === 'its snapshot is damaged') third.restart();
  if (fate === 'its log is damaged') {
    third.disk.entries = third.disk.entries.filter(({ index }) => index < removalIndex);
    third.disk.refetchIndex = removalIndex;
    third.restart();
    // From before the leader knew that anything of it was committed.
    for (const message of appends) third.raft.step(message);
    cluster.settle();
    expect(third.raft.isRefetching).toBe(false);
  }
  return { cluster, leader, wiped, third, gone, late };
}

/** It has heard of the commit, written nothing since, taken a snapshot there, and starts from that. */
function takeSnapshot(
  cluster: CoreCluster,
  { leader, third, wiped }: { leader: CoreNode; third: CoreNode; wiped: CoreNode },
): void {
  cluster.down.add(wiped.id);
  cluster.tick(heartbeatTicks);
  cluster.down.delete(wiped.id);
  const { index, term, configuration } = third.raft.appliedPoint();
  third.unsynced = [];
  third.raft = new Raft(third.options, {
    hardState: third.disk.hardState,
    lastIncludedIndex: index,
    lastIncludedTerm: term,
    entries: [],
    configuration,
  });
  leader.raft.peerConnected(third.id);
}

test.each<Fate>(['nothing', 'restarted', 'its snapshot is damaged', 'its log is damaged'])(
  '[E14] [M7] it is not elected by a late vote; the third member: %s',
  (fate) => {
    const { cluster, leader, wiped, third, gone, late } = wipedAndBack(fate);
    cluster.propose('precious', leader);
    cluster.tick(heartbeatTicks);
    for (const node of [leader, wiped]) expect(node.applied.map(textOf)).toContain('precious');
    for (let tick = 0; tick < MIN_TICKS; tick++) third.raft.tick();
    cluster.down.delete(gone.id);
    const apart = [leader.id, wiped.id];
    cluster.passes = ({ from, to }) => apart.includes(from) === apart.includes(to);
    for (const message of late) cluster.node(message.to).raft.step(message);
    cluster.settle();
    // The control is in the fate: with the rule taken out it leads, and an entry of its own stands where this one did.
    expect(gone.raft.role).not.toBe('leader');
    cluster.passes = () => true;
    cluster.tick(MAX_TICKS * 4);
    for (const node of [leader, wiped, third]) expect(node.applied.map(textOf)).toContain('precious');
  },
);

test('[E14] a member that only an entry names which was never committed is not waited for', () => {
  const cluster = new CoreCluster({ ids: [1, 2, 3, 4, 5], joiners: [6] });
  cluster.down.add(6);
  const leader = cluster.elect();
  cluster.tick(heartbeatTicks * 2);
  const [wiped] = othersOf(cluster, leader);
  wiped.wipe();
  for (const node of cluster.nodes.values()) if (node !== wiped) node.raft.peerConnected(wiped.id);
  // It has heard all and follows, and does not know yet how far it must come.
  cluster.passes = ({ type }) => type !== 'ReadIndexResponse';
  cluster.tick(heartbeatTicks * 3);
  // Only it hears of n6, which never comes up; then somebody else leads, without that entry.
  cluster.passes = ({ type, from, to }) =>
    type !== 'ReadIndexResponse' && (from !== leader.id || to === wiped.id);
  cluster.change({ type: 'addLearner', member: { id: 6, client: 'c6', peer: 'p6' } });
  expect(wiped.raft.configuration.learners).toEqual([6]);
  cluster.passes = ({ from, to }) => from !== leader.id && to !== leader.id;
  cluster.tick(MAX_TICKS * 4);
  cluster.passes = () => true;
  cluster.tick(MAX_TICKS * 4);
  expect(cluster.leader()?.raft.configuration.learners).toEqual([]);
  // Whoever was the leader lacks nothing that is not sent to it: all have come further than the lost entry.
  cluster.propose('further', cluster.leader());
  cluster.tick(MAX_TICKS * 4);
  expect(wiped.raft.isRefetching).toBe(false);
  expect(wiped.raft.configuration.learners).toEqual([]);
});
