// bench: measures a cluster of three on this machine over the JSON line protocol. Absolute figures only
// illustrate: they are this machine's, at this moment.
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type BenchCluster, startBenchCluster } from '../bench/bench-cluster.ts';
import { measureFailovers } from '../bench/failover.ts';
import { runJsonLoad } from '../bench/json-load.ts';
import { findNodeEntry } from './node-process.ts';
import { type Cell, plainTable } from './plain-table.ts';
import { printJson, printLine, remark } from './terminal.ts';

interface BenchFlags {
  seconds: number;
  valueBytes: number;
  kills: number;
  json?: boolean;
  out?: string;
}

interface Row {
  shape: string;
  perSecond: number | null;
  p50Ms: number;
  p99Ms: number;
  worstMs: number | null;
}

const WRITE_SHAPES = [
  { connections: 1, pipeline: 1 },
  { connections: 16, pipeline: 1 },
  { connections: 64, pipeline: 1 },
  { connections: 256, pipeline: 1 },
  { connections: 64, pipeline: 32 },
] as const;
const KEYS_PER_CONNECTION = 1000;

export function addBench(program: Command): void {
  program
    .command('bench')
    .argument('[what]', 'all, writes, reads or failover', 'all')
    .description('measure a cluster of three nodes on this machine')
    .option('--seconds <n>', 'how long each row runs', positiveInteger, 3)
    .option('--value-bytes <n>', 'size of a value', positiveInteger, 256)
    .option('--kills <n>', 'leaders to kill for the failover row', positiveInteger, 20)
    .option('--out <file>', 'write the figures as JSON into a file too')
    .option('--json', 'print the figures as one line of JSON')
    .addHelpText(
      'after',
      `
Starts three nodes in a temporary folder (every write synced on a majority before it is acknowledged), drives
their leader, and removes them again.

Examples:
  quorumlab bench
  quorumlab bench writes --seconds 5
  quorumlab bench failover --kills 100`,
    )
    .action(async (what: string, flags: BenchFlags) => {
      if (!['all', 'writes', 'reads', 'failover'].includes(what)) {
        throw new InvalidArgumentError(`what is measured is all, writes, reads or failover, not ${what}`);
      }
      const rows: Row[] = [];
      if (what !== 'failover') rows.push(...(await measureLoad(what, flags)));
      if (what === 'all' || what === 'failover') rows.push(await measureFailover(flags));
      await report(rows, flags);
    });
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 up');
  return Number(text);
}

async function withCluster<T>(restart: boolean, work: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const cli = join(dirname(findNodeEntry()), 'cli.js');
  const cluster = await startBenchCluster(cli, { restart });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

function measureLoad(what: string, { seconds, valueBytes }: BenchFlags): Promise<Row[]> {
  const value = 'x'.repeat(valueBytes);
  const set = (connection: number, sequence: number): string =>
    `{"command":"set","key":"bench-${connection}-${sequence % KEYS_PER_CONNECTION}","value":"${value}"}\n`;
  const get = (connection: number, sequence: number): string =>
    `{"command":"get","key":"bench-${connection}-${sequence % KEYS_PER_CONNECTION}"}\n`;
  return withCluster(false, async (cluster) => {
    await cluster.whole();
    const { client: address } = await cluster.leader();
    const run = async (
      name: string,
      shape: (typeof WRITE_SHAPES)[number],
      line: typeof set,
    ): Promise<Row> => {
      const pipelined = shape.pipeline > 1 ? `, pipeline ${shape.pipeline}` : '';
      const clients = shape.connections === 1 ? '1 client' : `${shape.connections} clients`;
      remark(`${name}, ${clients}${pipelined} …`);
      const result = await runJsonLoad({ address, ...shape, durationMs: seconds * 1000, line });
      if (result.refused > 0) throw new Error(`${result.refused} requests were refused`);
      const { perSecond, p50Ms, p99Ms } = result;
      return { shape: `${name}, ${clients}${pipelined}`, perSecond, p50Ms, p99Ms, worstMs: null };
    };
    const rows: Row[] = [];
    if (what !== 'reads') for (const shape of WRITE_SHAPES) rows.push(await run('writes', shape, set));
    if (what !== 'writes') {
      rows.push(await run('linearizable reads', { connections: 1, pipeline: 1 }, get));
      rows.push(await run('linearizable reads', { connections: 64, pipeline: 1 }, get));
    }
    return rows;
  });
}

function measureFailover({ kills }: BenchFlags): Promise<Row> {
  return withCluster(true, async (cluster) => {
    const { gapsMs } = await measureFailovers(cluster, {
      kills,
      onGap: (gapMs, kill) => remark(`kill ${kill} of ${kills}: ${gapMs.toFixed(0)} ms`),
    });
    const sorted = [...gapsMs].sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      shape: `failover, ${kills} kills`,
      perSecond: null,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      worstMs: at(1),
    };
  });
}

async function report(rows: readonly Row[], flags: BenchFlags): Promise<void> {
  const [processor] = cpus();
  const machine = { cores: cpus().length, model: processor?.model ?? 'unknown', node: process.version };
  const figures = { machine, valueBytes: flags.valueBytes, rows };
  if (flags.out !== undefined) await writeFile(flags.out, `${JSON.stringify(figures, null, 2)}\n`);
  if (flags.json === true) {
    printJson(figures);
    return;
  }
  const head = ['', 'per second', 'p50 ms', 'p99 ms', 'worst ms'];
  const table = rows.map((row): Cell[] => [
    row.shape,
    row.perSecond === null ? '' : row.perSecond.toFixed(0),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.worstMs === null ? '' : row.worstMs.toFixed(0),
  ]);
  printLine(plainTable(head, table));
  remark(
    `${machine.cores} cores, ${machine.model}, Node.js ${machine.node}, values of ${flags.valueBytes} bytes`,
  );
}
