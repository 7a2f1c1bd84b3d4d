// What is looked at when all is over: is every acknowledged write in the final state, are all nodes' states the
// same, are all logs sound? Each check returns what it found and decides nothing.
import { execFile } from 'node:child_process';
import type { HistoryEntry } from '../checker/history.ts';
import type { CounterChecker } from '../simulator/checkers/counters.ts';
import { judge } from './generation.ts';
import type { HistoryFile } from './history-file.ts';

export interface LostWrites {
  /** Keys whose final value no order of their calls explains, though one explains the calls alone. */
  lost: number;
  /** One sentence for each, the first few. */
  examples: string[];
  /** Searches given up. */
  undecided: number;
  keys: number;
}

const EXAMPLES_MAX = 5;

/** One read of every key that the entries name, at the end of time. */
export function finalReads(
  entries: readonly HistoryEntry[],
  { state, atMs }: { state: ReadonlyMap<string, string>; atMs: number },
): HistoryEntry[] {
  const keys = new Set<string>();
  for (const entry of entries)
    if (entry.type === 'invoke' && typeof entry.key === 'string') keys.add(entry.key);
  return [...keys].flatMap((key): HistoryEntry[] => {
    const process = `final/${key}`;
    const value = state.get(key) ?? null;
    return [
      { process, type: 'invoke', f: 'read', key, time: atMs },
      { process, type: 'ok', f: 'read', key, value, time: atMs + 0.001 },
    ];
  });
}

/** `state`: what a linearizable scan found after the last call. The reads of it join the history. */
export async function findLostWrites(
  history: HistoryFile,
  { state, atMs }: { state: ReadonlyMap<string, string>; atMs: number },
): Promise<LostWrites> {
  const found: LostWrites = { lost: 0, examples: [], undecided: 0, keys: 0 };
  const blocks: HistoryEntry[][] = [];
  for await (const { entries } of history.blocks()) {
    const reads = finalReads(entries, { state, atMs });
    found.keys += reads.length / 2;
    blocks.push(reads);
    const whole = judge([...entries, ...reads]);
    if (whole.result === 'undecided') found.undecided += 1;
    if (whole.result !== 'violation') continue;
    const before = new Set(judge(entries).keys);
    const lost = whole.keys.filter((key) => !before.has(key));
    found.lost += lost.length;
    if (lost.length > 0 && found.examples.length < EXAMPLES_MAX) found.examples.push(whole.reason);
  }
  for (const reads of blocks) await history.append(0, reads);
  return found;
}

/** What is wrong with the counters in the final state, or null. */
export function checkCounters(counters: CounterChecker, state: ReadonlyMap<string, string>): string | null {
  try {
    counters.finish((key) => Number(state.get(key) ?? 0));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** In which two states differ, in a sentence; null when they do not. */
export function compareStates(
  first: { name: string; state: ReadonlyMap<string, string> },
  second: { name: string; state: ReadonlyMap<string, string> },
): string | null {
  const differing: string[] = [];
  for (const key of new Set([...first.state.keys(), ...second.state.keys()])) {
    if (first.state.get(key) !== second.state.get(key)) differing.push(key);
  }
  const [key] = differing;
  if (key === undefined) return null;
  const [a, b] = [first, second].map(({ name, state }) => `${state.get(key) ?? 'nothing'} on ${name}`);
  return `${differing.length} keys differ between ${first.name} and ${second.name}: ${key} is ${a} and ${b}`;
}

/** Of `quorumlab wal verify --json`: what counts here. */
interface Verification {
  verdict?: unknown;
  missing?: unknown;
  lastIndex?: unknown;
  snapshots?: readonly { problem: string | null }[];
}

/**
 * What `wal verify` says of the folder of a stopped node; null when there is nothing to object to. A log in which the
 * run itself turned a bit (`wasDamaged`) may still hold the bad record, where a snapshot covers it and nothing is
 * missing.
 */
export function verifyLog(
  cli: string,
  folder: string,
  { wasDamaged, lastIndex }: { wasDamaged: boolean; lastIndex: number },
): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, 'wal', 'verify', folder, '--json'],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        try {
          const found = JSON.parse(stdout) as Verification;
          const isWhole =
            found.missing === null && (found.snapshots ?? []).every(({ problem }) => problem === null);
          const isSound = found.verdict === 'sound' || (wasDamaged && isWhole);
          if (!isSound) resolve(`${found.verdict}: ${stdout.slice(0, 500)}`);
          // Who leads hands over as it stops, and the next one begins its term with an entry.
          else if (Number(found.lastIndex) >= lastIndex) resolve(null);
          else resolve(`it ends at ${found.lastIndex}, and the cluster at ${lastIndex}`);
        } catch {
          resolve(`it cannot be read: ${stderr.slice(0, 500) || (error?.message ?? stdout.slice(0, 200))}`);
        }
      },
    );
  });
}
