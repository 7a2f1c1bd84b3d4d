// Does the randomised safety run find bugs? Classic ones are planted into copies of the core, one at a time;
// each must be found within a few seeds, and the real core must pass every seed.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Raft } from '../../engine/raft/raft.ts';
import { safetyRun } from './safety-run.ts';

const CORE = fileURLToPath(new URL('../../engine/raft/', import.meta.url));
const SEEDS = 300;
/** Promises make little difference but in rare moments: lease-reads.test.ts has those one by one. */
const LEASE_SEEDS = 60;
/** Of a hunt; it ends with the first find. */
const HUNT_SEEDS = 900;
/** Some seconds, on a busy machine more. */
const TIMEOUT_MS = 120_000;

interface PlantedBug {
  name: string;
  /** Members come and go in the runs that look for it. */
  withChanges?: boolean;
  /** Lease reads are on. */
  withLeases?: boolean;
  file: string;
  from: string;
  to: string;
}

const BUGS: readonly PlantedBug[] = [
  {
    name: '[C3] counts replicas of an earlier term',
    file: 'replication.ts',
    from: ' || log.termAt(reached) !== core.currentTerm) return;',
    to: ') return;',
  },
  {
    name: '[E3] forgets its vote in a restart',
    file: 'raft.ts',
    from: 'votedFor: core.votedFor, commitIndex',
    to: 'votedFor: 0, commitIndex',
  },
  {
    name: '[E3] lets its vote out before it is on disk',
    file: 'elections.ts',
    from: "core.sendAfterSync({ type: 'RequestVoteResponse'",
    to: "core.messages.push({ from: core.id, term: core.currentTerm, type: 'RequestVoteResponse'",
  },
  {
    name: '[L8] acknowledges before the sync',
    file: 'replication.ts',
    from: "core.sendAfterSync({\n    type: 'AppendEntriesResponse'",
    to: "core.send({\n    type: 'AppendEntriesResponse'",
  },
  {
    name: '[L8] counts its own log before the sync',
    file: 'replication.ts',
    from: 'id === core.id ? log.stableIndex',
    to: 'id === core.id ? log.lastIndex',
  },
  {
    name: '[E5] votes for any log',
    file: 'log.ts',
    from: 'return lastLogTerm > this.lastTerm',
    to: 'return true || lastLogTerm > this.lastTerm',
  },
  {
    name: '[L2] takes entries wherever it has an entry before them',
    file: 'replication.ts',
    from: 'if (log.termAt(prevLogIndex) !== prevLogTerm) {',
    to: 'if (log.termAt(prevLogIndex) === null) {',
  },
  {
    name: '[L3] cuts its log without a conflict',
    file: 'replication.ts',
    from: 'if (log.termAt(entry.index) === entry.term) continue;',
    to: '',
  },
  {
    name: '[C5] commits what the message does not vouch for',
    file: 'replication.ts',
    from: 'log.commitTo(Math.min(message.leaderCommit, lastNewIndex));',
    to: 'log.commitTo(Math.min(message.leaderCommit, log.lastIndex));',
  },
  {
    name: '[R1] serves reads before an entry of its term is committed',
    file: 'reads.ts',
    from: "return core.role !== 'leader' || core.log.termAt(core.log.commitIndex) === core.currentTerm;",
    to: 'return true;',
  },
  {
    name: '[R2] serves reads without a round',
    file: 'reads.ts',
    from: 'if (round.round > confirmed) break;',
    to: '',
  },
  {
    name: '[R4] begins its request ids anew after a restart',
    file: 'reads.ts',
    from: 'Math.floor(core.options.random() * REQUEST_ID_BEGIN)',
    to: '0',
  },
  {
    name: '[M2] single-step membership',
    withChanges: true,
    file: 'membership.ts',
    from: 'votersOutgoing: from.voters, learners };',
    to: 'votersOutgoing: [], learners };',
  },
  {
    name: '[M2] ignores the joint majority when it commits',
    withChanges: true,
    file: 'quorum.ts',
    from: 'return Math.min(incoming, majorityValue(configuration.votersOutgoing, reached));',
    to: 'return incoming;',
  },
  {
    name: '[M2] ignores the joint majority everywhere',
    withChanges: true,
    file: 'core.ts',
    from: 'return this.configurations.latest;',
    to: 'return { ...this.configurations.latest, votersOutgoing: [] };',
  },
  {
    name: '[M1] keeps the configuration of an entry that was replaced',
    withChanges: true,
    file: 'replication.ts',
    from: 'entriesTruncated(core, entry.index);',
    to: '',
  },
  {
    name: '[M1] forgets the configurations of its log in a restart',
    withChanges: true,
    file: 'core.ts',
    from: 'if (kind !== EntryKind.configuration) continue;',
    to: 'continue;',
  },
  {
    name: '[M3] begins a change before the last one is done',
    withChanges: true,
    file: 'membership.ts',
    from: 'if (core.isJoint || configurations.latestIndex > log.commitIndex) {',
    to: 'if (configurations.latestIndex < 0) {',
  },
  {
    name: '[M4] counts learners',
    withChanges: true,
    file: 'quorum.ts',
    from: 'const incoming = majorityValue(configuration.voters, reached);',
    to: 'const incoming = majorityValue([...configuration.voters, ...configuration.learners], reached);',
  },
  {
    name: '[R5] takes its lease for longer than the promises last',
    withLeases: true,
    file: 'lease.ts',
    from: 'return (minTicks - PROMISE_TICKS_LOST) * (1 - DRIFT_SHARE_MAX);',
    to: 'return minTicks * 8;',
  },
];

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorumlab-planted-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function planted({ file, from, to }: PlantedBug, at: number): Promise<typeof Raft> {
  const copy = join(folder, String(at));
  await cp(CORE, copy, { recursive: true });
  const text = await readFile(join(copy, file), 'utf8');
  // Should the core change its words, the bug must be planted anew, not silently be gone.
  if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`);
  await writeFile(join(copy, file), text.replace(from, to));
  const module = (await import(pathToFileURL(join(copy, 'raft.ts')).href)) as { Raft: typeof Raft };
  return module.Raft;
}

/** The first seed that finds something, and what; null when all pass. */
function hunt(
  RaftClass: typeof Raft,
  { withChanges = false, withLeases = false }: Partial<PlantedBug>,
): { seed: number; found: string } | null {
  for (let seed = 1; seed <= HUNT_SEEDS; seed++) {
    try {
      safetyRun({ RaftClass, seed, withChanges, withLeases });
    } catch (error) {
      return { seed, found: String(error) };
    }
  }
  return null;
}

test(
  `the core passes seeds 1 to ${SEEDS}, in which entries are committed and reads served`,
  () => {
    let committed = 0;
    let reads = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        const run = safetyRun({ RaftClass: Raft, seed });
        committed += run.committed;
        reads += run.reads;
      } catch (error) {
        throw new Error(`seed ${seed} (safetyRun({ RaftClass: Raft, seed: ${seed} })): ${String(error)}`);
      }
    }
    expect(committed).toBeGreaterThan(SEEDS * 10);
    expect(reads).toBeGreaterThan(SEEDS * 5);
  },
  TIMEOUT_MS,
);

test(
  `the core passes seeds 1 to ${SEEDS} while members come and go`,
  () => {
    let changes = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        changes += safetyRun({ RaftClass: Raft, seed, withChanges: true }).changes;
      } catch (error) {
        throw new Error(
          `seed ${seed} (safetyRun({ RaftClass: Raft, seed: ${seed}, withChanges: true })): ${String(error)}`,
        );
      }
    }
    expect(changes).toBeGreaterThan(SEEDS);
  },
  TIMEOUT_MS,
);

test(
  `the core passes seeds 1 to ${LEASE_SEEDS} with lease reads`,
  () => {
    let reads = 0;
    for (let seed = 1; seed <= LEASE_SEEDS; seed++) {
      for (const withChanges of [false, true]) {
        try {
          reads += safetyRun({ RaftClass: Raft, seed, withChanges, withLeases: true }).reads;
        } catch (error) {
          const run = `safetyRun({ RaftClass: Raft, seed: ${seed}, withChanges: ${withChanges}, withLeases: true })`;
          throw new Error(`seed ${seed} (${run}): ${String(error)}`);
        }
      }
    }
    expect(reads).toBeGreaterThan(LEASE_SEEDS * 20);
  },
  TIMEOUT_MS,
);

describe('planted bugs', () => {
  test.each(BUGS.map((bug, at) => ({ ...bug, at })))(
    '$name: found',
    async ({ at, ...bug }) => {
      const found = hunt(await planted(bug, at), bug);
      expect(found?.found).toMatch(/SafetyViolation|RaftAssertionError/);
    },
    TIMEOUT_MS,
  );
});
