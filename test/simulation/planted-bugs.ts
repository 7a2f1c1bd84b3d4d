// Bugs to be planted into copies of the engine: each is a few words of production source and what a careless
// colleague could have written instead. The production code knows nothing of them.

import type { Theme } from '../../engine/simulator/plan.ts';

export interface PlantedBug {
  name: string;
  /** Of engine/SPEC.md: the rule that it breaks. */
  rule: string;
  /** Below engine/. Each `from` stands there exactly once. */
  edits: readonly { file: string; from: string; to: string }[];
  /** Checkers left out, because they look at the very rule: the others must see what comes of it. */
  withoutCheckers?: readonly string[];
  /** A seed that found it once, tried before all others: most changes of the engine leave it one. */
  seed?: number;
  /** Of the seeds that are tried, where the right order of events is rare otherwise. */
  theme?: Theme;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'commits by counting an entry of an old term',
    rule: 'C3',
    edits: [
      {
        file: 'raft/replication.ts',
        from: 'if (reached <= log.commitIndex || log.termAt(reached) !== core.currentTerm) return;',
        to: 'if (reached <= log.commitIndex) return;',
      },
    ],
  },
  {
    name: 'the same, seen only by what comes of it',
    seed: 83,
    rule: 'C3',
    withoutCheckers: ['own-term commit'],
    theme: 'churn',
    edits: [
      {
        file: 'raft/replication.ts',
        from: 'if (reached <= log.commitIndex || log.termAt(reached) !== core.currentTerm) return;',
        to: 'if (reached <= log.commitIndex) return;',
      },
    ],
  },
  {
    name: 'votes again after a restart',
    rule: 'E3',
    edits: [{ file: 'raft/core.ts', from: 'this.votedFor = hardState.votedFor;', to: 'this.votedFor = 0;' }],
  },
  {
    name: 'acknowledges entries before they are synced',
    rule: 'L8',
    edits: [
      {
        file: 'raft/replication.ts',
        from: "core.sendAfterSync({\n    type: 'AppendEntriesResponse',",
        to: "core.send({\n    type: 'AppendEntriesResponse',",
      },
    ],
  },
  {
    name: 'answers a vote before it is synced',
    rule: 'E3',
    edits: [
      {
        file: 'raft/elections.ts',
        from: "core.sendAfterSync({ type: 'RequestVoteResponse', to: message.from, voteGranted });",
        to: "core.messages.push({ type: 'RequestVoteResponse', from: core.id, to: message.from, term: core.currentTerm, voteGranted });",
      },
    ],
  },
  {
    name: 'votes without comparing logs',
    rule: 'E5',
    edits: [
      {
        file: 'raft/elections.ts',
        from: '} else if (!core.log.isUpToDate(message.lastLogTerm, message.lastLogIndex)) {\n    refusal',
        to: '} else if (false) {\n    refusal',
      },
      {
        file: 'raft/elections.ts',
        from: 'if (!core.log.isUpToDate(message.lastLogTerm, message.lastLogIndex)) {\n    return',
        to: 'if (false) {\n    return',
      },
    ],
  },
  {
    name: 'compares logs by length alone',
    rule: 'E5',
    edits: [
      {
        file: 'raft/log.ts',
        from: 'return lastLogTerm > this.lastTerm || (lastLogTerm === this.lastTerm && lastLogIndex >= this.lastIndex);',
        to: 'return lastLogIndex >= this.lastIndex;',
      },
    ],
  },
  {
    name: 'cuts the log where entries match',
    seed: 49,
    rule: 'L3',
    edits: [
      {
        file: 'raft/replication.ts',
        from: 'if (log.termAt(entry.index) === entry.term) continue;',
        to: 'if (log.termAt(entry.index) === entry.term && entry.index <= log.commitIndex) continue;',
      },
    ],
  },
  {
    name: 'lets a committed suffix be cut',
    seed: 18,
    rule: 'L4',
    edits: [
      {
        file: 'raft/replication.ts',
        from: 'if (prevLogIndex < log.commitIndex) {',
        to: 'if (prevLogIndex < 0) {',
      },
      { file: 'raft/replication.ts', from: 'if (log.termAt(entry.index) === entry.term) continue;', to: '' },
      { file: 'raft/log.ts', from: 'fromIndex > this.commitIndex,', to: 'true,' },
    ],
  },
  {
    name: 'takes entries without looking at the one before',
    rule: 'L2',
    edits: [
      {
        file: 'raft/replication.ts',
        from: 'if (log.termAt(prevLogIndex) !== prevLogTerm) {',
        to: 'if (log.termAt(prevLogIndex) === null) {',
      },
    ],
  },
  {
    name: 'serves reads without a quorum round',
    rule: 'R2',
    theme: 'stale',
    edits: [
      {
        file: 'raft/reads.ts',
        from: 'if (round.round > confirmed) break;',
        to: 'if (round.round > confirmed + 1e9) break;',
      },
    ],
  },
  {
    name: 'serves reads before its first commit',
    rule: 'R1',
    edits: [
      {
        file: 'raft/reads.ts',
        from: "return core.role !== 'leader' || core.log.termAt(core.log.commitIndex) === core.currentTerm;",
        to: 'return true;',
      },
    ],
  },
  {
    name: 'confirms a read by an answer to an older round',
    seed: 58,
    rule: 'R2',
    theme: 'stale',
    edits: [
      {
        file: 'raft/reads.ts',
        from: 'progress.readRound = message.readRound;',
        to: 'progress.readRound = core.readRound;',
      },
    ],
  },
  {
    name: 'counts its own entries before they are synced',
    rule: 'L8',
    edits: [
      {
        file: 'raft/replication.ts',
        from: 'id === core.id ? log.stableIndex :',
        to: 'id === core.id ? log.lastIndex :',
      },
    ],
  },
  {
    name: 'a follower believes the whole commit index',
    rule: 'C5',
    theme: 'churn',
    edits: [
      {
        file: 'raft/replication.ts',
        from: 'log.commitTo(Math.min(message.leaderCommit, lastNewIndex));',
        to: 'log.commitTo(Math.min(message.leaderCommit, log.lastIndex));',
      },
    ],
  },
  {
    name: 'a heartbeat tells everybody the same commit index',
    rule: 'C5',
    edits: [
      {
        file: 'raft/reads.ts',
        from: 'leaderCommit: Math.min(progress.matchIndex, core.log.commitIndex),',
        to: 'leaderCommit: core.log.commitIndex,',
      },
    ],
  },
  {
    name: 'applies out of order',
    rule: 'C6',
    edits: [
      {
        file: 'raft/log.ts',
        from: 'this.lastApplied += entries.length;\n    return entries;',
        to: 'this.lastApplied += entries.length;\n    return entries.reverse();',
      },
    ],
  },
  {
    name: 'votes with a hole in its log',
    rule: 'E11',
    edits: [
      {
        file: 'raft/core.ts',
        from: 'return this.refetchIndex !== 0 || this.rejoin !== null;',
        to: 'return false;',
      },
    ],
  },
  {
    name: 'forgets sessions with a new leader',
    rule: 'X1',
    edits: [
      {
        file: 'kv/keyspace.ts',
        from: 'if (known === null || sequence > known.sequence) return null;',
        to: 'if (known === null || sequence > known.sequence || (sequence === known.sequence && known.result.term !== at.term)) return null;',
      },
    ],
  },
  {
    name: 'speaks for a term before it is synced',
    rule: 'E1',
    edits: [
      {
        file: 'raft/core.ts',
        from: 'if (this.stableTerm === this.currentTerm) this.messages.push(message);',
        to: 'if (this.stableTerm >= 0) this.messages.push(message);',
      },
    ],
  },
  {
    name: 'forgets sessions in a snapshot',
    rule: 'X1',
    edits: [
      {
        file: 'kv/keyspace-dump.ts',
        from: 'return { records, revision, lastApplied, time, sessions };',
        to: 'return { records, revision, lastApplied, time, sessions: [] };',
      },
    ],
  },
  {
    name: 'a snapshot has what was written while it was taken',
    rule: 'K6',
    edits: [
      {
        file: 'kv/records-view.ts',
        from: 'if (fields.revision > this.#lastRevision) return;',
        to: 'return;',
      },
    ],
  },
  {
    name: 'a snapshot that is behind takes the place of the log',
    seed: 108,
    rule: 'S8',
    theme: 'lag',
    edits: [
      {
        file: 'raft/snapshots.ts',
        from: 'if (snapshot.index <= log.commitIndex) return false;',
        to: '',
      },
      { file: 'raft/log.ts', from: 'snapshot.index > this.commitIndex,', to: 'true,' },
    ],
  },
  {
    name: 'a heartbeat commits in a log with a hole',
    seed: 45,
    rule: 'C5',
    theme: 'rot',
    edits: [
      {
        file: 'raft/core.ts',
        from: 'if (!this.isRefetching) return this.log.lastIndex;',
        to: 'return this.log.lastIndex;',
      },
    ],
  },
  {
    name: 'single-step membership',
    rule: 'M2',
    theme: 'members',
    edits: [
      {
        file: 'raft/membership.ts',
        from: 'voters: sorted(voters), votersOutgoing: from.voters, learners };',
        to: 'voters: sorted(voters), votersOutgoing: [], learners };',
      },
    ],
  },
  {
    name: 'single-step membership, seen only by what comes of it',
    seed: 14,
    rule: 'M2',
    theme: 'members',
    withoutCheckers: ['membership'],
    edits: [
      {
        file: 'raft/membership.ts',
        from: 'voters: sorted(voters), votersOutgoing: from.voters, learners };',
        to: 'voters: sorted(voters), votersOutgoing: [], learners };',
      },
    ],
  },
  {
    name: 'ignores the joint majority when it counts votes',
    seed: 7,
    rule: 'M2',
    theme: 'members',
    edits: [
      {
        file: 'raft/quorum.ts',
        from: 'if (configuration.votersOutgoing.length === 0) return incoming;\n  const outgoing',
        to: 'if (configuration.votersOutgoing.length >= 0) return incoming;\n  const outgoing',
      },
    ],
  },
  {
    name: 'ignores the joint majority when it commits',
    seed: 14,
    rule: 'M2',
    theme: 'members',
    edits: [
      {
        file: 'raft/quorum.ts',
        from: 'if (configuration.votersOutgoing.length === 0) return incoming;\n  return',
        to: 'if (configuration.votersOutgoing.length >= 0) return incoming;\n  return',
      },
    ],
  },
  {
    name: 'begins a change while another is under way',
    rule: 'M3',
    theme: 'members',
    edits: [
      {
        file: 'raft/membership.ts',
        from: 'if (core.isJoint || configurations.latestIndex > log.commitIndex) {',
        to: 'if (core.isJoint) {',
      },
    ],
  },
  {
    name: 'without memory, waits for members that have left',
    seed: 125,
    rule: 'E14',
    theme: 'members',
    edits: [
      {
        file: 'raft/rejoin.ts',
        from: 'const silent = named.filter((id) => !termsHeard.has(id));',
        to: 'const silent = named.filter((id) => !termsHeard.has(id));\n  if (silent.length > 0) return false;',
      },
    ],
  },
  {
    name: 'forgets the time in a snapshot',
    rule: 'K7',
    edits: [{ file: 'kv/keyspace.ts', from: 'this.#store.time = state.time;', to: '' }],
  },
  {
    name: 'the time goes back with a slower clock',
    rule: 'K7',
    edits: [{ file: 'kv/keyspace.ts', from: 'if (time > store.time) {', to: 'if (time !== store.time) {' }],
  },
];
