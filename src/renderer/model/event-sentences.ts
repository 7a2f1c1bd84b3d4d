// The feed in plain words: what happened, who says so, under which rule, and how much it matters.
import type { HostEvent } from '../../../engine/protocol/node-status.ts';
import type { Configuration, NodeId, RaftEvent } from '../../../engine/raft/types.ts';
import type { FailoverGap, FeedItem, ProcessView } from '../../shared/cluster-view.ts';
import { alarmWords } from './alarm-words.ts';
import { nodeName } from './appearance.ts';
import { diskFaultWords, linkFaultWords } from './fault-words.ts';
import { bytes, count, listed, milliseconds } from './figures.ts';

/** The kinds that the feed can be filtered by. */
export type EventKind = 'election' | 'members' | 'vote' | 'message' | 'log' | 'process' | 'fault' | 'you';

export interface Sentence {
  text: string;
  kind: EventKind;
  tone: 'plain' | 'good' | 'warn' | 'bad';
  /** Of engine/SPEC.md, such as `E3`; null where none was at work. */
  rule: string | null;
}

/**
 * Whether another event of the same moment says the same and more: a node that became the leader was elected,
 * one that became a candidate started an election.
 */
export function isEcho(item: FeedItem): boolean {
  return item.source === 'node' && item.event.type === 'roleChanged' && item.event.to !== 'follower';
}

export function sentenceOf(item: FeedItem): Sentence {
  switch (item.source) {
    case 'node':
      return isHostEvent(item.event) ? hostSentence(item.event) : raftSentence(item.event);
    case 'process':
      return processSentence(item.process);
    case 'failover':
      return failoverSentence(item.failover);
    case 'deed':
      return { text: item.text, kind: 'you', tone: 'plain', rule: null };
  }
}

const HOST_EVENTS: Record<HostEvent['type'], true> = {
  started: true,
  recovery: true,
  stopping: true,
  diskFailed: true,
  snapshotTaken: true,
  snapshotInstalled: true,
  snapshotFailed: true,
  alarmRaised: true,
  alarmCleared: true,
  faultsChanged: true,
  peerConnected: true,
  peerDisconnected: true,
  messageSent: true,
  messageReceived: true,
};

function isHostEvent(event: RaftEvent | HostEvent): event is HostEvent {
  return Object.hasOwn(HOST_EVENTS, event.type);
}

/** Rules arrive as `E3` or `[E3]`; the brackets are the feed's to draw. */
function bareRule(rule: string): string | null {
  const bare = rule.replace(/^\[|\]$/g, '');
  return bare === '' ? null : bare;
}

function because(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}

const ROLE_WORDS = {
  follower: 'a follower',
  preCandidate: 'a pre-candidate',
  candidate: 'a candidate',
  leader: 'the leader',
} as const;

function raftSentence(event: RaftEvent): Sentence {
  const rule = bareRule(event.rule);
  switch (event.type) {
    case 'roleChanged':
      return {
        text: `Became ${ROLE_WORDS[event.to]} in term ${event.term}${because(event.reason)}`,
        kind: 'election',
        tone: event.to === 'leader' ? 'good' : event.to === 'follower' ? 'plain' : 'warn',
        rule,
      };
    case 'electionStarted': {
      const what = event.preVote ? 'Asked for pre-votes for' : 'Started an election for';
      return {
        text: `${what} term ${event.term}${because(event.reason)}`,
        kind: 'election',
        tone: 'warn',
        rule,
      };
    }
    case 'voteCast': {
      const vote = event.preVote ? 'pre-vote' : 'vote';
      const verb = event.granted ? `Granted its ${vote} to` : `Refused its ${vote} to`;
      const text = `${verb} ${nodeName(event.candidate)} for term ${event.term}${because(event.reason)}`;
      return { text, kind: 'vote', tone: 'plain', rule };
    }
    case 'leaderElected': {
      const votes = listed([...event.votes].sort((a, b) => a - b).map(nodeName));
      const text = `Elected leader of term ${event.term} with the votes of ${votes}`;
      return { text, kind: 'election', tone: 'good', rule };
    }
    case 'leaderChanged': {
      const text =
        event.leaderId === 0
          ? `Knows no leader in term ${event.term}`
          : `Follows ${nodeName(event.leaderId)} in term ${event.term}`;
      return { text, kind: 'election', tone: 'plain', rule };
    }
    case 'logTruncated': {
      const entries =
        event.fromIndex === event.toIndex
          ? `entry ${count(event.fromIndex)}`
          : `entries ${count(event.fromIndex)} to ${count(event.toIndex)}`;
      return {
        text: `Removed ${entries} that conflict with the leader's log`,
        kind: 'log',
        tone: 'warn',
        rule,
      };
    }
    case 'quorumLost': {
      const reached = event.active.map(nodeName);
      const heard = reached.length === 0 ? 'nobody' : `only ${listed(reached)}`;
      return {
        text: `Lost its majority in term ${event.term}: hears ${heard}`,
        kind: 'election',
        tone: 'bad',
        rule,
      };
    }
    case 'configurationChanged':
      return configurationSentence(event, rule);
    case 'transferStarted':
      return { text: `Hands leadership to ${nodeName(event.target)}`, kind: 'election', tone: 'plain', rule };
    case 'transferEnded': {
      const text = event.completed
        ? `Handed leadership to ${nodeName(event.target)}`
        : `Could not hand leadership to ${nodeName(event.target)}`;
      return { text, kind: 'election', tone: event.completed ? 'good' : 'warn', rule };
    }
  }
}

/** `n1, n2 and n3 vote, n4 learns`; while joint `n1, n2 and n3 must agree, and so must n1, n2, n3 and n4`. */
function membersWords({ voters, votersOutgoing, learners }: Configuration): string {
  const names = (ids: readonly NodeId[]) => listed([...ids].sort((a, b) => a - b).map(nodeName));
  const one = voters.length === 1;
  const votes =
    votersOutgoing.length > 0
      ? `a majority of ${names(votersOutgoing)} and one of ${names(voters)} must agree`
      : voters.length === 0
        ? 'nobody is known yet'
        : `${names(voters)} ${one ? 'votes' : 'vote'}`;
  const learning =
    learners.length === 0 ? '' : `, ${names(learners)} ${learners.length === 1 ? 'learns' : 'learn'}`;
  return votes + learning;
}

function configurationSentence(
  { configuration, index, committed, reason }: Extract<RaftEvent, { type: 'configurationChanged' }>,
  rule: string | null,
): Sentence {
  const isJoint = configuration.votersOutgoing.length > 0;
  const begin = committed
    ? isJoint
      ? 'The change of members is on its way'
      : 'The members are settled'
    : isJoint
      ? 'The members change'
      : 'Other members are in force';
  const where = index === 0 ? '' : ` (entry ${count(index)}${committed ? ', committed' : ''})`;
  // Beside the members, a node has more to say only when it is none of them any more.
  const why = rule === 'M7' ? `; ${reason}` : '';
  const text = `${begin}: ${membersWords(configuration)}${where}${why}`;
  return { text, kind: 'members', tone: committed && !isJoint ? 'good' : 'plain', rule };
}

const MESSAGE_WORDS: Record<string, string> = {
  PreVote: 'a pre-vote request',
  PreVoteResponse: 'a pre-vote answer',
  RequestVote: 'a vote request',
  RequestVoteResponse: 'a vote answer',
  TimeoutNow: 'the request to campaign now',
};

function messageWords(message: string): string {
  return MESSAGE_WORDS[message] ?? message;
}

function hostSentence(event: HostEvent): Sentence {
  switch (event.type) {
    case 'started': {
      const text = `Started with ${count(event.lastIndex)} log entries, recovered in ${milliseconds(event.recoveryMs)}`;
      return { text, kind: 'process', tone: 'good', rule: null };
    }
    case 'recovery': {
      const lost = event.lostBytes > 0 ? ` (${count(event.lostBytes)} bytes)` : '';
      return {
        text: `Recovered its log: ${event.message}${lost}`,
        kind: 'log',
        tone: 'warn',
        rule: bareRule(event.rule),
      };
    }
    case 'stopping':
      return { text: `Stops${because(event.reason)}`, kind: 'process', tone: 'plain', rule: null };
    case 'diskFailed': {
      const text = `Disk failed: ${event.code} on ${event.operation}${because(event.message)}`;
      return { text, kind: 'fault', tone: 'bad', rule: bareRule(event.rule) };
    }
    case 'snapshotTaken': {
      const text = `Took a snapshot up to index ${count(event.index)}, ${bytes(event.sizeBytes)} in ${milliseconds(event.elapsedMs)}`;
      return { text, kind: 'log', tone: 'plain', rule: bareRule(event.rule) };
    }
    case 'snapshotInstalled': {
      const text = `Took over the snapshot of n${event.from} up to index ${count(event.index)}, ${bytes(event.sizeBytes)}`;
      return { text, kind: 'log', tone: 'good', rule: bareRule(event.rule) };
    }
    case 'snapshotFailed':
      return {
        text: `Snapshot failed${because(event.message)}`,
        kind: 'fault',
        tone: 'bad',
        rule: bareRule(event.rule),
      };
    case 'alarmRaised':
      return {
        text: `Alarm, ${alarmWords(event.alarm)}${because(event.message)}`,
        kind: 'fault',
        tone: 'bad',
        rule: null,
      };
    case 'alarmCleared':
      return { text: `Alarm over, ${alarmWords(event.alarm)}`, kind: 'fault', tone: 'good', rule: null };
    case 'faultsChanged': {
      const faults = [...event.faults.disk.map(diskFaultWords), ...event.faults.links.map(linkFaultWords)];
      const text = faults.length === 0 ? 'No fault is in force any more' : `Suffers: ${faults.join('; ')}`;
      return { text, kind: 'fault', tone: faults.length === 0 ? 'good' : 'warn', rule: null };
    }
    default:
      return peerSentence(event);
  }
}

type PeerEvent = Extract<HostEvent, { peer: NodeId }>;

function peerSentence(event: PeerEvent): Sentence {
  const peer = nodeName(event.peer);
  switch (event.type) {
    case 'peerConnected':
      return { text: `Connected to ${peer}`, kind: 'process', tone: 'plain', rule: null };
    case 'peerDisconnected':
      return {
        text: `Lost its connection to ${peer}${because(event.reason)}`,
        kind: 'process',
        tone: 'warn',
        rule: null,
      };
    case 'messageSent': {
      const text = `Sent ${messageWords(event.message)} to ${peer} for term ${event.term}`;
      return { text, kind: 'message', tone: 'plain', rule: null };
    }
    case 'messageReceived': {
      const answer = event.granted === null ? '' : event.granted ? ': granted' : ': refused';
      const text = `Got ${messageWords(event.message)} from ${peer} for term ${event.term}${answer}`;
      return { text, kind: 'message', tone: 'plain', rule: null };
    }
  }
}

function processSentence(process: ProcessView): Sentence {
  const at = { kind: 'process', rule: null } as const;
  const why = process.exit === null ? '' : because(process.exit.reason);
  switch (process.state) {
    case 'starting':
      return { ...at, text: `Process ${process.pid === 0 ? '' : `${process.pid} `}starts`, tone: 'plain' };
    case 'running':
      return { ...at, text: `Process ${process.pid} runs`, tone: 'good' };
    case 'paused':
      return { ...at, text: `Process ${process.pid} is paused (SIGSTOP)`, tone: 'warn' };
    case 'crashed':
      return { ...at, text: `Process died${why}`, tone: 'bad' };
    case 'stopped':
      return { ...at, text: `Process stopped${why}`, tone: 'plain' };
  }
}

function failoverSentence(failover: FailoverGap): Sentence {
  const { gapMs, cause, measuredFrom, toLeader, toTerm } = failover;
  if (gapMs === null) {
    return { text: `Clients cannot write (${cause})`, kind: 'election', tone: 'bad', rule: null };
  }
  // Without a client that writes, the watch started when the leader was lost: nobody was kept waiting.
  const what = measuredFrom === 'loss' ? 'Nobody led for' : 'Clients could not write for';
  const now = toLeader === null ? '' : ` Now ${nodeName(toLeader)} leads in term ${toTerm}.`;
  const text = `${what} ${milliseconds(gapMs)} (${cause}).${now}`;
  return { text, kind: 'election', tone: 'warn', rule: null };
}
