// What the node's Raft says: hard state, soft state, and a leader's view of its followers.
import type { FollowerProgress, RaftStatus } from '../../../engine/protocol/node-status.ts';
import { nodeName } from '../model/appearance.ts';
import { bytes, count, listed, milliseconds, UNKNOWN } from '../model/figures.ts';
import { NodeTag } from '../parts/node-tag.tsx';
import { Progress } from './disk-sections.tsx';
import { Facts, Section } from './section.tsx';

/** Under load a follower is always some entries behind; only staying behind is worth a colour. */
const LATE_MS = 250;

export function HardStateSection({ raft }: { raft: RaftStatus }) {
  return (
    <Section title="Hard state" aside="on disk">
      <Facts
        facts={[
          ['Term', count(raft.currentTerm)],
          ['Voted for', raft.votedFor === 0 ? 'nobody' : nodeName(raft.votedFor)],
          ['First index', count(raft.firstIndex)],
          ['Last index', count(raft.lastIndex)],
          ['Last term', count(raft.lastLogTerm)],
          ['Snapshot at', raft.lastIncludedIndex === 0 ? 'none' : count(raft.lastIncludedIndex)],
        ]}
      />
    </Section>
  );
}

export function SoftStateSection({ raft }: { raft: RaftStatus }) {
  const granted = raft.votes.filter((vote) => vote.granted).map((vote) => nodeName(vote.id));
  const campaigns = raft.role === 'candidate' || raft.role === 'preCandidate';
  return (
    <Section title="Soft state" aside="in memory">
      <Facts
        facts={[
          ['Leader', raft.leaderId === 0 ? 'unknown' : nodeName(raft.leaderId)],
          ['Commit', count(raft.commitIndex)],
          ['Timeout', milliseconds(raft.electionTimeoutMs)],
          ['Applied', count(raft.lastApplied)],
          ...(campaigns ? [['Votes', granted.length === 0 ? 'none yet' : listed(granted)] as const] : []),
          ...(raft.leadTransferee === 0 ? [] : [['Hands to', nodeName(raft.leadTransferee)] as const]),
        ]}
      />
    </Section>
  );
}

export function ProgressSection({ raft }: { raft: RaftStatus }) {
  if (raft.role !== 'leader') return null;
  return (
    <Section title="Followers" aside="as this leader sees them">
      <table className="w-full text-right">
        <thead>
          <tr className="text-small text-faint">
            <th scope="col" className="text-left font-normal">
              Node
            </th>
            <th scope="col" className="text-left font-normal">
              State
            </th>
            <th scope="col" className="font-normal">
              Match
            </th>
            <th scope="col" className="font-normal">
              Next
            </th>
            <th scope="col" className="font-normal">
              In flight
            </th>
            <th scope="col" className="font-normal">
              Lag
            </th>
          </tr>
        </thead>
        <tbody>
          {raft.progress.map((follower) => (
            <FollowerRow key={follower.id} follower={follower} />
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function FollowerRow({ follower }: { follower: FollowerProgress }) {
  const silent = !follower.recentActive;
  const behind = follower.lagMs > 0 ? ` · ${milliseconds(follower.lagMs)}` : '';
  return (
    <>
      <tr className="align-baseline" title={`${bytes(follower.inflightBytes)} in flight${behind}`}>
        <td className="text-left">
          <NodeTag nodeId={follower.id} />
        </td>
        <td className={`text-left ${silent ? 'text-bad' : 'text-dim'}`}>
          {silent ? 'silent' : follower.state}
        </td>
        <td className="font-medium">{count(follower.matchIndex)}</td>
        <td>{count(follower.nextIndex)}</td>
        <td>{follower.inflightMessages === 0 ? UNKNOWN : count(follower.inflightMessages)}</td>
        <td className={follower.lagMs > LATE_MS ? 'font-medium text-warn' : 'text-dim'}>
          {count(follower.lagEntries)}
        </td>
      </tr>
      {follower.snapshot === null ? null : <SnapshotRow id={follower.id} {...follower.snapshot} />}
    </>
  );
}

/** What it needs is no longer in the leader's log: it gets a snapshot, and this is how far that is. */
function SnapshotRow({ id, sentBytes, totalBytes }: { id: number; sentBytes: number; totalBytes: number }) {
  return (
    <tr>
      <td />
      <td colSpan={5} className="pb-1 text-left">
        <span className="flex justify-between text-small text-dim">
          <span>Snapshot on its way</span>
          <span>
            {bytes(sentBytes)} of {bytes(totalBytes)}
          </span>
        </span>
        <Progress label={`Snapshot to ${nodeName(id)}`} done={sentBytes} total={totalBytes} />
      </td>
    </tr>
  );
}
