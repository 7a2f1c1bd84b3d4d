// bench: measures a cluster of three on this machine, beside other stores in the same run where they are installed.
// Absolute figures only illustrate: they are this machine's, at this moment. The ratios are what counts.
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { startBenchCluster } from '../bench/bench-cluster.ts';
import { type Comparison, compare, SHAPES } from '../bench/comparison.ts';
import { measureFailovers } from '../bench/failover.ts';
import { measureProfile, type ProfileRow } from '../bench/profile.ts';
import { measureRecovery, type RecoveryResult, recoveryItem } from '../bench/recovery.ts';
import { redisBytesPerKey } from '../bench/redis-memory.ts';
import { STORE_NAMES, type StoreName } from '../bench/stores.ts';
import { measureWatched, type WatchedResult } from '../bench/watched.ts';
import { printBench } from './bench-report.ts';
import { findNodeEntry } from './node-process.ts';
import { printJson, remark } from './terminal.ts';

interface BenchFlags {
  seconds: number;
  rounds: number;
  warmUp: number;
  kills: number;
  keys: number;
  stores: StoreName[];
  json?: boolean;
  out?: string;
}

export interface FailoverFigures {
  kills: number;
  medianMs: number;
  p99Ms: number;
  worstMs: number;
  gapsMs: number[];
}

/** What was not measured is missing. */
export interface BenchFigures {
  machine: { cores: number; model: string; node: string };
  at: string;
  comparison?: Comparison;
  failover?: FailoverFigures;
  recovery?: RecoveryResult & { redisBytesPerKey: number | null };
  watched?: WatchedResult;
  profile?: readonly ProfileRow[];
}

const OPERATIONS = { writes: 'set', reads: 'get', mixed: 'mixed' } as const;
const TOPICS = ['all', 'writes', 'reads', 'mixed', 'failover', 'recovery', 'watched', 'profile'] as const;
type Topic = (typeof TOPICS)[number];
const VALUE_BYTES = 100;
const CALM_MS = 4_000;
/** What shells say of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

export function addBench(program: Command): void {
  program
    .command('bench')
    .argument('[what]', `${TOPICS.slice(0, -1).join(', ')} or ${TOPICS.at(-1)}`, 'all')
    .description('measure a cluster of three nodes on this machine, beside etcd and Redis')
    .option('--seconds <n>', 'how long each load runs', positiveInteger, 3)
    .option('--rounds <n>', 'each figure is the median of so many, stores taking turns', positiveInteger, 3)
    .option('--warm-up <n>', 'seconds that each store is driven before the first figure', wholeNumber, 6)
    .option('--kills <n>', 'leaders to kill for the failover', positiveInteger, 100)
    .option('--keys <n>', 'keys of 100 bytes for the recovery', positiveInteger, 1_000_000)
    .option('--stores <names>', `which of ${STORE_NAMES.join(', ')}`, storeNames, [...STORE_NAMES])
    .option('--out <file>', 'write the figures as JSON into a file too')
    .option('--json', 'print the figures as one line of JSON')
    .addHelpText(
      'after',
      `
Every store runs in a temporary folder and syncs every write before it acknowledges it: ours and etcd three
processes with every write on a majority, Redis one. A store that is not installed is left out by name. Each is
warmed up before its first figure: half of the time with writes, half with reads, 64 clients.

  writes, reads, mixed   operations a second and their latency, by number of clients
  failover               the leader killed with SIGKILL: last acknowledgement before to first one after
  recovery               a million keys: restart from log and from snapshot, longest wait during a snapshot, memory
  watched                the cost of reporting to a panel ten times a second
  profile                where a node's time goes, per operation; not part of all

Examples:
  quorumlab bench writes --seconds 5
  quorumlab bench writes --stores ours,redis --rounds 5
  quorumlab bench failover --kills 20`,
    )
    .action(async (what: string, flags: BenchFlags) => {
      const topic = TOPICS.find((each) => each === what);
      if (topic === undefined) {
        throw new InvalidArgumentError(`what is measured is one of ${TOPICS.join(', ')}, not ${what}`);
      }
      // What was started ends with this process, but not by the death of a signal.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => process.exit(INTERRUPTED));
      }
      const figures = await measure(topic, flags);
      if (flags.out !== undefined) await writeFile(flags.out, `${JSON.stringify(figures, null, 2)}\n`);
      if (flags.json === true) printJson(figures);
      else printBench(figures);
    });
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 up');
  return Number(text);
}

function wholeNumber(text: string): number {
  return text === '0' ? 0 : positiveInteger(text);
}

function storeNames(text: string): StoreName[] {
  return text.split(',').map((name) => {
    const known = STORE_NAMES.find((each) => each === name.trim());
    if (known === undefined) throw new InvalidArgumentError(`no store ${name}: ${STORE_NAMES.join(', ')}`);
    return known;
  });
}

async function measure(topic: Topic, flags: BenchFlags): Promise<BenchFigures> {
  const [processor] = cpus();
  const machine = { cores: cpus().length, model: processor?.model ?? 'unknown', node: process.version };
  const figures: BenchFigures = { machine, at: new Date().toISOString() };
  const entry = findNodeEntry();
  const cli = join(dirname(entry), 'cli.js');
  const { rounds, stores } = flags;
  const durationMs = flags.seconds * 1000;
  const warmUpMs = flags.warmUp * 1000;
  const shapes = SHAPES.filter(
    ({ operation }) =>
      topic === 'all' || (topic in OPERATIONS && OPERATIONS[topic as 'writes'] === operation),
  );
  if (shapes.length > 0) {
    figures.comparison = await compare({ cli, stores, shapes, rounds, durationMs, warmUpMs, onStep: remark });
  }
  if (topic === 'all' || topic === 'failover') figures.failover = await measureFailover(cli, flags.kills);
  if (topic === 'all' || topic === 'recovery') {
    const { keys } = flags;
    const recovery = await measureRecovery({
      entry,
      keys,
      valueBytes: VALUE_BYTES,
      calmMs: CALM_MS,
      onStep: remark,
    });
    const redis = await redisBytesPerKey(keys, (position) => recoveryItem(position, VALUE_BYTES));
    figures.recovery = { ...recovery, redisBytesPerKey: redis };
  }
  if (topic === 'all' || topic === 'watched') {
    figures.watched = await measureWatched({ entry, rounds, durationMs, onStep: remark });
  }
  if (topic === 'profile') figures.profile = await measureProfile({ entry, durationMs, onStep: remark });
  return figures;
}

async function measureFailover(cli: string, kills: number): Promise<FailoverFigures> {
  const cluster = await startBenchCluster(cli, { restart: true });
  try {
    const { gapsMs } = await measureFailovers(cluster, {
      kills,
      onGap: (gapMs, kill) => remark(`kill ${kill} of ${kills}: ${gapMs.toFixed(0)} ms`),
    });
    const sorted = [...gapsMs].sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { kills, medianMs: at(0.5), p99Ms: at(0.99), worstMs: at(1), gapsMs };
  } finally {
    await cluster.stop();
  }
}
