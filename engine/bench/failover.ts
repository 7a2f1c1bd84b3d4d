// The stopwatch of a failover, as an outside client sees it: from the last write acknowledged before the
// leader was killed to the first one acknowledged after.
import { createClient } from '../client/client.ts';
import type { BenchCluster } from './bench-cluster.ts';

export interface FailoverResult {
  /** One per kill, milliseconds, in the order of the kills. */
  gapsMs: number[];
  acknowledged: number;
}

/** Writers that never pause: the gap is bounded below by their own round trip. */
const WRITERS = 4;
const BETWEEN_KILLS_MS = 300;

export async function measureFailovers(
  cluster: BenchCluster,
  { kills, onGap }: { kills: number; onGap: (gapMs: number, kill: number) => void },
): Promise<FailoverResult> {
  const client = createClient({ addresses: cluster.addresses, deadlineMs: 20_000 });
  const acknowledgedAt: number[] = [];
  let stopped = false;
  const write = async (writer: number): Promise<void> => {
    for (let sequence = 0; !stopped; sequence++) {
      await client.set(`failover-${writer}-${sequence % 100}`, String(sequence));
      acknowledgedAt.push(performance.now());
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  const gapsMs: number[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    await cluster.whole();
    await pause(BETWEEN_KILLS_MS);
    const { pid } = await cluster.leader();
    const before = acknowledgedAt.length;
    process.kill(pid, 'SIGKILL');
    await cluster.whole();
    await pause(BETWEEN_KILLS_MS);
    const gapMs = longestGap(acknowledgedAt, Math.max(1, before));
    gapsMs.push(gapMs);
    onGap(gapMs, kill);
  }
  stopped = true;
  await Promise.all(writers);
  client.close();
  return { gapsMs, acknowledged: acknowledgedAt.length };
}

/** Between neighbours from `start` on: one leader died in that time, so the longest pause is its failover. */
function longestGap(times: readonly number[], start: number): number {
  let longest = 0;
  for (let at = start; at < times.length; at++) {
    longest = Math.max(longest, (times[at] as number) - (times[at - 1] as number));
  }
  return longest;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
