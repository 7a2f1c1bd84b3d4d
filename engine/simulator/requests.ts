// What passes between simulated clients and nodes: the meaning of the client protocol without its text.
import type { ByteString, CommandResult, Proposal, StoredValue } from '../protocol/command.ts';
import type { NodeId } from '../raft/types.ts';

export type ClientRequest =
  | { type: 'write'; proposal: Proposal }
  /** Linearizable, served by the node that was asked, leader or not. */
  | { type: 'read'; key: ByteString };

export type ClientReply =
  | { type: 'written'; result: CommandResult }
  | { type: 'value'; value: StoredValue | null }
  /** Nothing happened here; `leaderId` 0: nobody is known to lead. */
  | { type: 'redirect'; leaderId: NodeId }
  /** Nothing happened, and may not soon. */
  | { type: 'refused' }
  /** It may have happened, or may yet. */
  | { type: 'unknown' };

export type ReplyTo = (reply: ClientReply) => void;
