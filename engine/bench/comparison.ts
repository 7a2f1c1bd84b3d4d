// Several stores under the same loads, in turn: all stores stand at once, one is loaded at a time, and every shape
// goes round all of them several times, so that a machine that is slower for a while is so for everybody.
import { describeShape, type LoadResult, type LoadShape } from './load.ts';
import { median } from './median.ts';
import { type Store, type StoreName, startStore } from './stores.ts';

export interface ComparisonOptions {
  cli: string;
  stores: readonly StoreName[];
  shapes: readonly LoadShape[];
  /** Each figure is the median of so many. */
  rounds: number;
  durationMs: number;
  /** How long each store is driven before the first figure; 0: not at all. */
  warmUpMs: number;
  onStep: (what: string) => void;
}

export interface ComparisonRow {
  shape: string;
  load: LoadShape;
  /** By store; null where the load cannot be made. */
  figures: Partial<Record<StoreName, LoadResult & { rounds: readonly number[] }>>;
}

export interface Comparison {
  stores: readonly { name: StoreName; description: string }[];
  /** Asked for, and not installed. */
  skipped: readonly StoreName[];
  warmUpMs: number;
  rows: ComparisonRow[];
}

export const SHAPES: readonly LoadShape[] = [
  { operation: 'set', connections: 1, pipeline: 1, valueBytes: 256 },
  { operation: 'set', connections: 16, pipeline: 1, valueBytes: 256 },
  { operation: 'set', connections: 64, pipeline: 1, valueBytes: 256 },
  { operation: 'set', connections: 256, pipeline: 1, valueBytes: 256 },
  { operation: 'set', connections: 64, pipeline: 1, valueBytes: 1024 },
  { operation: 'set', connections: 64, pipeline: 32, valueBytes: 256 },
  { operation: 'get', connections: 1, pipeline: 1, valueBytes: 256 },
  { operation: 'get', connections: 64, pipeline: 1, valueBytes: 256 },
  { operation: 'mixed', connections: 64, pipeline: 1, valueBytes: 256 },
];

/** What every store gets before anything is measured: servers run for weeks, and a compiler that works while they do has done so. */
const WARM_UP: readonly LoadShape[] = [
  { operation: 'set', connections: 64, pipeline: 1, valueBytes: 256 },
  { operation: 'get', connections: 64, pipeline: 1, valueBytes: 256 },
];

export async function compare(options: ComparisonOptions): Promise<Comparison> {
  const running: Store[] = [];
  const skipped: StoreName[] = [];
  try {
    for (const name of options.stores) {
      const store = await startStore(name, options.cli);
      if (store === null) skipped.push(name);
      else running.push(store);
    }
    if (options.warmUpMs > 0) await warmUp(running, options);
    const rows: ComparisonRow[] = [];
    for (const load of options.shapes) rows.push(await measure(load, running, options));
    return {
      stores: running.map(({ name, description }) => ({ name, description })),
      skipped,
      warmUpMs: options.warmUpMs,
      rows,
    };
  } finally {
    await Promise.all(running.map((store) => store.stop()));
  }
}

async function warmUp(
  stores: readonly Store[],
  { warmUpMs, onStep }: Pick<ComparisonOptions, 'warmUpMs' | 'onStep'>,
): Promise<void> {
  onStep('warming up …');
  for (const store of stores) {
    for (const load of WARM_UP) await store.drive(load, warmUpMs / WARM_UP.length);
  }
}

async function measure(
  load: LoadShape,
  stores: readonly Store[],
  { rounds, durationMs, onStep }: ComparisonOptions,
): Promise<ComparisonRow> {
  const shape = describeShape(load);
  const results = new Map<StoreName, LoadResult[]>();
  for (let round = 1; round <= rounds; round++) {
    onStep(`${shape}, round ${round} of ${rounds} …`);
    for (const store of stores) {
      const result = await store.drive(load, durationMs);
      if (result !== null) results.set(store.name, [...(results.get(store.name) ?? []), result]);
    }
  }
  const figures: ComparisonRow['figures'] = {};
  for (const [name, all] of results) {
    figures[name] = {
      perSecond: median(all.map((result) => result.perSecond)),
      p50Ms: median(all.map((result) => result.p50Ms)),
      p99Ms: median(all.map((result) => result.p99Ms)),
      rounds: all.map((result) => Math.round(result.perSecond)),
    };
  }
  return { shape, load, figures };
}
