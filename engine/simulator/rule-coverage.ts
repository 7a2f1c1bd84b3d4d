// Which rules of engine/SPEC.md a run has put to work. Most are named by the core's own events; these are the ones
// that show from outside: in messages, at disks, in replies.
import type { Message } from '../raft/types.ts';

type Hit = (rule: string) => void;

export function rulesOfMessage(message: Message, hit: Hit): void {
  switch (message.type) {
    case 'AppendEntriesResponse':
      if (message.success) hit('L8');
      else {
        hit('L2');
        hit('L5');
      }
      return;
    case 'AppendEntries':
      if (message.entries.length > 0) hit('L1');
      if (message.leaderCommit > 0) hit('C5');
      return;
    case 'HeartbeatResponse':
      if (message.readRound > 0) hit('R2');
      return;
    case 'ReadIndex':
      hit('R4');
      return;
    case 'InstallSnapshot':
      hit('S7');
      return;
    default:
  }
}

const OBSERVED: Readonly<Record<string, readonly string[]>> = {
  'read failed': ['R3'],
  'recovery: tornTail': ['W7'],
  'recovery: corruption': ['W8', 'E11'],
  refetched: ['E11', 'L10'],
  rejoined: ['E14'],
  'recovery: damaged snapshot': ['S3', 'S4'],
  'snapshot taken': ['S1', 'S9'],
  'snapshot failed': ['S2'],
  'snapshot installed': ['S8', 'W6'],
  'log cut': ['W5'],
  'disk found bad': ['W11', 'E13'],
  'died of an I/O error': ['W10'],
  'proposal refused: tooMuchUncommitted': ['L7'],
  'proposal refused: transferring': ['E10'],
  'change begun: addLearner': ['M4', 'M9'],
  'change begun: promote': ['M5'],
  'change begun: remove': ['M7'],
  'change refused: changeUnderWay': ['M3'],
  'change refused: notReady': ['M3'],
  'change refused: learnerBehind': ['M5'],
  'change refused: wouldLoseMajority': ['M8'],
  'change refused: formerMember': ['M9'],
  'session: repeated': ['X1'],
  'session: too old': ['X2'],
};

/** `what` as the simulation counts it. */
export function rulesOfObservation(what: string, hit: Hit): void {
  for (const rule of OBSERVED[what] ?? []) hit(rule);
}
