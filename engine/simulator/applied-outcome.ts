// What applying an entry came to, for checkers and counters: the proposal in it, and what its session made of it.
import type { CommandResult, Proposal } from '../protocol/command.ts';
import { decodeProposal } from '../protocol/command-codec.ts';
import { DecodeError } from '../protocol/decode-error.ts';
import type { Entry } from '../raft/types.ts';

/** Null for what cannot be read. */
export function proposalOf(entry: Entry): Proposal | null {
  try {
    return decodeProposal(entry.data);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}

export function countOutcome(
  entry: Entry,
  proposal: Proposal | null,
  result: CommandResult,
  count: (what: string) => void,
): void {
  if (proposal === null || proposal.session === null) return;
  if (result.type === 'failed' && result.outcome === 'unknown') count('session: too old');
  else if (result.index !== entry.index) count('session: repeated');
}
