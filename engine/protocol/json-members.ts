// Members of the cluster in the JSON line protocol: `member_list`, `member_add`, `member_promote`, `member_remove`,
// `member_replace` and `member_update`, parsed, and their replies. Whether they can be done is the core's to say.
//
//   {"command":"member_list"}                         answered by any node, from what it knows
//   {"command":"member_add","node_id":4,"client_address":"127.0.0.1:7004","peer_address":"127.0.0.1:7104"}
//   {"command":"member_promote","node_id":4}          a learner that is level gets a vote
//   {"command":"member_remove","node_id":1}           any member, the leader too
//   {"command":"member_replace","node_id":1,"by":4}   a voter goes, a learner takes its place, in one step
//   {"command":"member_update","node_id":4,"client_address":"…","peer_address":"…"}
//
// Changes go to the leader: others answer with a redirect, or pass on what carries `"forward":true`. The reply
// comes when the change is committed: {"status":"ok","success":true,"index":…,"term":…,"members":[…]}. What is not
// possible now is refused with nothing done: REFUSED with `refusal` (learnerBehind, wouldLoseMajority, …), or
// UNAVAILABLE for what passes by itself (another change under way, a leader that has just begun).
import type { ChangeRefusal, ConfigurationChange } from '../raft/membership.ts';
import type { MemberAddress, NodeId } from '../raft/types.ts';
import type { ErrorCode, RequestId } from './json-line.ts';
import type { MemberStatus } from './node-status.ts';

export type MemberRequest =
  | { type: 'memberList'; id: RequestId }
  | { type: 'memberChange'; id: RequestId; forward: boolean; change: ConfigurationChange };

/** As a client writes it. */
export type MemberCommand =
  | { command: 'member_list' }
  | {
      command: 'member_add' | 'member_update';
      node_id: NodeId;
      client_address: string;
      peer_address: string;
    }
  | { command: 'member_promote' | 'member_remove'; node_id: NodeId }
  | { command: 'member_replace'; node_id: NodeId; by: NodeId };

const NODE_ID_MAX = 65_535;
/** As in a node's configuration; an IPv6 host stands in brackets. */
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[!-9;-Z^-~]+):(\d{1,5})$/;
const PORT_MAX = 65_535;
const ADDRESS_CHARS_MAX = 300;

/** Null when the command is none of these. Calls `invalid`, which throws, for what makes no sense. */
export function memberRequestOf(
  { id, forward }: { id: RequestId; forward: boolean },
  name: unknown,
  body: Readonly<Record<string, unknown>>,
  invalid: (message: string) => never,
): MemberRequest | null {
  const nodeIdOf = (field: 'node_id' | 'by'): NodeId => {
    const value = body[field];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= NODE_ID_MAX)
      return value;
    return invalid(`"${field}" must be a node's id, from 1 to ${NODE_ID_MAX}`);
  };
  const addressOf = (field: 'client_address' | 'peer_address'): string => {
    const value = body[field];
    const parts = typeof value === 'string' && value.length <= ADDRESS_CHARS_MAX ? ADDRESS.exec(value) : null;
    const port = Number(parts?.[2]);
    if (typeof value === 'string' && parts !== null && port >= 1 && port <= PORT_MAX) return value;
    return invalid(`"${field}" must be host:port`);
  };
  const memberOf = (): MemberAddress => ({
    id: nodeIdOf('node_id'),
    client: addressOf('client_address'),
    peer: addressOf('peer_address'),
  });
  const changing = (change: ConfigurationChange): MemberRequest => ({
    type: 'memberChange',
    id,
    forward,
    change,
  });
  switch (name) {
    case 'member_list':
      return { type: 'memberList', id };
    case 'member_add':
      return changing({ type: 'addLearner', member: memberOf() });
    case 'member_promote':
      return changing({ type: 'promote', id: nodeIdOf('node_id') });
    case 'member_remove':
      return changing({ type: 'remove', id: nodeIdOf('node_id') });
    case 'member_replace':
      return changing({ type: 'replace', id: nodeIdOf('node_id'), by: nodeIdOf('by') });
    case 'member_update':
      return changing({ type: 'relocate', member: memberOf() });
    default:
      return null;
  }
}

function opening(id: RequestId): string {
  return id === null ? '{' : `{"id":${JSON.stringify(id)},`;
}

export interface MemberListReply {
  node_id: NodeId;
  /** Null while nobody leads as far as this node knows. */
  leader_id: NodeId | null;
  /** Of the configuration in force on the node that answers; 0 for the one that it was started with. */
  index: number;
  /** False: it may still be replaced. */
  committed: boolean;
  /** Two sets of voters must agree until the change is done. */
  joint: boolean;
  members: readonly ListedMember[];
}

/** Figures of a leader; null where another node answers, and for the leader itself. */
export interface ListedMember extends MemberStatus {
  matchIndex: number | null;
  /** Entries that it lacks. */
  behind: number | null;
  /** Heard from within an election timeout. */
  active: boolean | null;
}

export function memberListReply(id: RequestId, list: MemberListReply): string {
  return `${opening(id)}"status":"ok",${JSON.stringify(list).slice(1)}\n`;
}

export function memberChangedReply(
  id: RequestId,
  done: { index: number; term: number; members: readonly MemberStatus[] },
): string {
  return `${opening(id)}"status":"ok","success":true,${JSON.stringify(done).slice(1)}\n`;
}

/** What passes by itself is worth another try; what does not, is not. */
const CODES: Record<ChangeRefusal, ErrorCode> = {
  notLeader: 'UNAVAILABLE',
  transferring: 'UNAVAILABLE',
  notReady: 'UNAVAILABLE',
  changeUnderWay: 'UNAVAILABLE',
  learnerBehind: 'REFUSED',
  wouldLoseMajority: 'REFUSED',
  formerMember: 'REFUSED',
  unknownMember: 'INVALID_ARGUMENT',
  alreadyMember: 'INVALID_ARGUMENT',
  notLearner: 'INVALID_ARGUMENT',
  noVoters: 'INVALID_ARGUMENT',
};

export function memberRefusedReply(
  id: RequestId,
  refused: { why: ChangeRefusal; reason: string; rule: string },
): string {
  const { why: refusal, reason, rule } = refused;
  const code = CODES[refusal];
  const message = `${reason} [${rule}]`;
  return `${opening(id)}${JSON.stringify({ status: 'error', code, refusal, message }).slice(1)}\n`;
}
