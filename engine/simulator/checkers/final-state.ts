// When all is over: the states are equal byte for byte, and what clients saw fits into one order. [K1]
import { checkHistory } from '../../checker/check.ts';
import type { HistoryEntry } from '../../checker/history.ts';
import { historyFromEntries } from '../../checker/parse-history.ts';
import type { Keyspace } from '../../kv/keyspace.ts';
import { dumpKeyspace } from '../../kv/keyspace-dump.ts';
import { crc32 } from '../../protocol/crc32.ts';
import { Violation } from './checker.ts';

/** Steps of search: a sound history of one run needs a few thousand. */
const BUDGET_STEPS = 300_000;

export function checkStatesEqual(nodes: readonly { id: number; keyspace: Keyspace }[]): void {
  let first: { id: number; sum: number } | null = null;
  for (const { id, keyspace } of nodes) {
    let sum = 0;
    const view = keyspace.view();
    for (const block of dumpKeyspace(view)) sum = crc32(block, 0, block.length, sum);
    view.records.release();
    first ??= { id, sum };
    if (sum !== first.sum) {
      throw new Violation(
        'final state',
        'K1',
        `the keys and sessions of n${id} differ from those of n${first.id}`,
      );
    }
  }
}

/** False: the search was given up. */
export function checkLinearizable(entries: readonly HistoryEntry[]): boolean {
  const parsed = historyFromEntries(entries);
  if (!parsed.ok) throw new Error(`the history cannot be read: ${parsed.errors[0]?.message}`);
  const verdict = checkHistory(parsed.history, { budget: BUDGET_STEPS });
  if (verdict.result === 'violation') throw new Violation('linearizability', 'R2', verdict.reason);
  return verdict.result === 'ok';
}
