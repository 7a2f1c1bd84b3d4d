// The client's calls about the members of the cluster. Which changes are possible is the leader's to say.
import type { ListedMember, MemberCommand } from '../protocol/json-members.ts';
import type { CallOptions } from './client.ts';
import type { Receipt, Settled } from './operation.ts';

/** A node and its ports, `host:port`. */
export interface MemberPlace {
  id: number;
  client: string;
  peer: string;
}

export interface MemberList {
  members: readonly ListedMember[];
  /** Null while nobody leads. */
  leaderId: number | null;
  /** Two sets of voters must agree until the change under way is done. */
  joint: boolean;
  /** False: a change is under way. */
  committed: boolean;
  receipt: Receipt;
}

/**
 * Changes resolve when they are committed. They reject with a ClientError: `REFUSED` when the members as they are
 * do not allow it (a learner that is behind, a majority that would be lost), `INVALID_ARGUMENT` for ids that do not
 * fit, `TIMEOUT` with an unknown outcome when the reply was lost: look at the list before trying again.
 */
export interface Members {
  /** As the leader knows them, with how far behind each is; with `address`, as that node knows them. */
  list(options?: CallOptions & { address?: string | undefined }): Promise<MemberList>;
  /** A new member without a vote, which is sent everything. Its process is started with `join`, before or after. */
  add(member: MemberPlace, options?: CallOptions): Promise<{ receipt: Receipt }>;
  /** A learner that is level becomes a voter. */
  promote(id: number, options?: CallOptions): Promise<{ receipt: Receipt }>;
  /** Any member; a leader hands over when it removes itself. */
  remove(id: number, options?: CallOptions): Promise<{ receipt: Receipt }>;
  /** The voter `id` goes and the learner `by` takes its place, in one step. */
  replace(id: number, by: number, options?: CallOptions): Promise<{ receipt: Receipt }>;
  /** The member is to be found elsewhere from now on. */
  update(member: MemberPlace, options?: CallOptions): Promise<{ receipt: Receipt }>;
}

export type SubmitMemberCommand = (
  command: MemberCommand,
  options: CallOptions & { address?: string | undefined },
) => Promise<Settled>;

export function createMembers(submit: SubmitMemberCommand): Members {
  const change = async (command: MemberCommand, options: CallOptions = {}): Promise<{ receipt: Receipt }> => {
    const { receipt } = await submit(command, options);
    return { receipt };
  };
  const placed = ({ id, client, peer }: MemberPlace) => ({
    node_id: id,
    client_address: client,
    peer_address: peer,
  });
  return {
    async list(options = {}) {
      const { reply, receipt } = await submit({ command: 'member_list' }, options);
      const { members, leader_id, joint, committed } = reply.fields;
      return {
        members: Array.isArray(members) ? members : [],
        leaderId: typeof leader_id === 'number' ? leader_id : null,
        joint: joint === true,
        committed: committed === true,
        receipt,
      };
    },
    add: (member, options) => change({ command: 'member_add', ...placed(member) }, options),
    promote: (id, options) => change({ command: 'member_promote', node_id: id }, options),
    remove: (id, options) => change({ command: 'member_remove', node_id: id }, options),
    replace: (id, by, options) => change({ command: 'member_replace', node_id: id, by }, options),
    update: (member, options) => change({ command: 'member_update', ...placed(member) }, options),
  };
}
