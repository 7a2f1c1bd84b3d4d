// What it costs to be watched: the same load while every node reports to its parent ten times a second, as under the
// panel, and while none does, in turn.

import { median } from './median.ts';
import { NodeTrio } from './node-trio.ts';
import { JSON_LINES, runSocketLoad } from './socket-load.ts';

export interface WatchedResult {
  unwatchedPerSecond: number;
  watchedPerSecond: number;
}

const STATUS_INTERVAL_MS = 100;
const SHAPE = { operation: 'set', connections: 64, pipeline: 1, valueBytes: 256 } as const;

export async function measureWatched(options: {
  /** The node's bundle, `engine-node.js`. */
  entry: string;
  rounds: number;
  durationMs: number;
  onStep: (what: string) => void;
}): Promise<WatchedResult> {
  const { entry, rounds, durationMs, onStep } = options;
  const trio = await NodeTrio.start({ entry });
  try {
    const address = trio.leader?.process.clientAddress ?? '';
    const rates: Record<'watched' | 'unwatched', number[]> = { watched: [], unwatched: [] };
    for (let round = 1; round <= rounds; round++) {
      onStep(`writes, 64 clients, watched and not, round ${round} of ${rounds} …`);
      for (const state of ['unwatched', 'watched'] as const) {
        await trio.setStatusInterval(state === 'watched' ? STATUS_INTERVAL_MS : 0);
        const { perSecond } = await runSocketLoad({ ...SHAPE, address, durationMs, codec: JSON_LINES });
        rates[state].push(perSecond);
      }
    }
    return { unwatchedPerSecond: median(rates.unwatched), watchedPerSecond: median(rates.watched) };
  } finally {
    await trio.remove();
  }
}
