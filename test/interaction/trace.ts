// How messages and events of the core stand in a trace: one line each, short, everything that decides.
import type { Message, RaftEvent } from '../../engine/raft/types.ts';
import { textOf } from '../raft/core-cluster.ts';

/** `3/2`: index 3, of term 2. */
function at(index: number, term: number): string {
  return `${index}/${term}`;
}

export function messageLine(message: Message): string {
  const { from, to, term, type } = message;
  return `${from} -> ${to}  ${type} t${term}${detailOf(message)}`;
}

function detailOf(message: Message): string {
  switch (message.type) {
    case 'PreVote':
    case 'RequestVote': {
      const transfer =
        message.type === 'RequestVote' && message.leadershipTransfer ? ', the leader asked for it' : '';
      return `, log ends at ${at(message.lastLogIndex, message.lastLogTerm)}${transfer}`;
    }
    case 'PreVoteResponse':
    case 'RequestVoteResponse':
      return message.voteGranted ? ', granted' : ', refused';
    case 'AppendEntries': {
      const entries = message.entries
        .map((entry) => `${at(entry.index, entry.term)} ${textOf(entry)}`)
        .join(', ');
      const { prevLogIndex, prevLogTerm, leaderCommit } = message;
      return ` after ${at(prevLogIndex, prevLogTerm)} [${entries}], commit ${leaderCommit}`;
    }
    case 'AppendEntriesResponse': {
      const { success, matchIndex, prevLogIndex, conflictIndex, conflictTerm } = message;
      if (success) return `, has all up to ${matchIndex}`;
      return `, refused at ${prevLogIndex}, may agree at ${at(conflictIndex, conflictTerm)}`;
    }
    case 'Heartbeat':
      return `, commit ${message.leaderCommit}, round ${message.readRound}`;
    case 'HeartbeatResponse':
      return `, round ${message.readRound}`;
    case 'ReadIndex':
      return '';
    case 'ReadIndexResponse':
      return message.readIndex === 0 ? ', cannot say' : `, read at ${message.readIndex}`;
    default:
      return '';
  }
}

/** Null for what the messages show anyway. */
export function eventLine(id: number, event: RaftEvent): string | null {
  switch (event.type) {
    case 'roleChanged':
      return `${id} ${event.from} -> ${event.to} in t${event.term}: ${event.reason} [${event.rule}]`;
    case 'voteCast': {
      const verb = event.granted ? 'grants' : 'refuses';
      const what = event.preVote ? 'pre-vote' : 'vote';
      return `${id} ${verb} ${event.candidate} its ${what} for t${event.term}: ${event.reason} [${event.rule}]`;
    }
    case 'logTruncated':
      return `${id} cuts ${event.fromIndex} to ${event.toIndex} off its log [${event.rule}]`;
    case 'quorumLost':
      return `${id} was answered only by ${event.active.join(', ')} [${event.rule}]`;
    case 'transferStarted':
      return `${id} hands over to ${event.target} [${event.rule}]`;
    case 'transferEnded':
      return `${id} handing over to ${event.target}: ${event.completed ? 'done' : 'given up'} [${event.rule}]`;
    case 'configurationChanged': {
      const { voters, votersOutgoing, learners } = event.configuration;
      const parts = [voters.join(' '), votersOutgoing.join(' '), learners.join(' ')].join(' / ');
      const how = event.committed ? 'has committed' : 'now has';
      return `${id} ${how} the members ${parts} of ${event.index}: ${event.reason} [${event.rule}]`;
    }
    case 'leaderElected':
    case 'leaderChanged':
    case 'electionStarted':
      return null;
  }
}
