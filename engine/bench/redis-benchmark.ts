// The load generator that comes with Redis, used alike on every store that speaks RESP.
import { spawn } from 'node:child_process';
import { endWithThisProcess } from './end-with-this-process.ts';
import { LOAD_KEYS, type LoadResult, type LoadShape } from './load.ts';

const PROGRAM = 'redis-benchmark';
/** Requests of the run that finds out how many the measured run needs. */
const PROBE_MS = 500;
/** A run is given up then. */
const RUN_MS_MAX = 120_000;

/** Null when it is not installed. */
export async function redisBenchmarkVersion(): Promise<string | null> {
  const output = await run(['--version']).catch(() => null);
  return output?.trim().replace(/^redis-benchmark /, '') ?? null;
}

/** It runs for a count, not for a time: a short run first finds the rate. */
export async function runRedisBenchmark(
  port: number,
  shape: LoadShape & { durationMs: number },
): Promise<LoadResult> {
  const { connections, pipeline, durationMs } = shape;
  let count = connections * pipeline * 20;
  let { perSecond } = await once(port, shape, count);
  // A run of less than a millisecond has no rate.
  while (!Number.isFinite(perSecond)) {
    count *= 10;
    ({ perSecond } = await once(port, shape, count));
  }
  const probe = await once(port, shape, Math.max(count, Math.round((perSecond * PROBE_MS) / 1000)));
  return once(port, shape, Math.max(count, Math.round((probe.perSecond * durationMs) / 1000)));
}

async function once(port: number, shape: LoadShape, requests: number): Promise<LoadResult> {
  const { operation, connections, pipeline, valueBytes } = shape;
  const output = await run([
    ...['-h', '127.0.0.1', '-p', String(port), '-t', operation, '-c', String(connections)],
    ...['-P', String(pipeline), '-d', String(valueBytes), '-r', String(LOAD_KEYS)],
    ...['-n', String(requests), '--csv'],
  ]);
  return parseCsv(output, operation);
}

/** A line of it: `"SET","52631.58","0.610","0.200","0.607","0.783","0.887","1.183"`. */
export function parseCsv(output: string, operation: string): LoadResult {
  const lines = output.split(/\r?\n/).map((line) => line.split(',').map((cell) => cell.replace(/"/g, '')));
  const head = lines.find((cells) => cells[0] === 'test');
  const row = lines.find((cells) => cells[0]?.toLowerCase() === operation);
  if (head === undefined || row === undefined) throw new Error(`no figures in: ${output.slice(0, 300)}`);
  const figure = (name: string): number => Number(row[head.indexOf(name)]);
  return { perSecond: figure('rps'), p50Ms: figure('p50_latency_ms'), p99Ms: figure('p99_latency_ms') };
}

function run(flags: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = endWithThisProcess(
      spawn(PROGRAM, flags, { stdio: ['ignore', 'pipe', 'pipe'], timeout: RUN_MS_MAX }),
    );
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${PROGRAM} ended with ${code}: ${complaint.trim() || output.slice(0, 300)}`));
    });
  });
}
