// What a load is and what came of it, whoever drives it against whichever store.

export interface LoadShape {
  /** `mixed`: reads and writes in turn. Reads are linearizable where the store has a choice. */
  operation: 'set' | 'get' | 'mixed';
  connections: number;
  /** Requests under way on each connection. */
  pipeline: number;
  valueBytes: number;
}

export interface LoadResult {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Keys of every load: so many that they do not all sit in one corner of a store. */
export const LOAD_KEYS = 100_000;

export function loadKey(connection: number, sequence: number): string {
  return `key:${String((connection * 7919 + sequence * 31) % LOAD_KEYS).padStart(12, '0')}`;
}

export function isWrite(operation: LoadShape['operation'], sequence: number): boolean {
  return operation === 'set' || (operation === 'mixed' && sequence % 2 === 0);
}

export function describeShape({ operation, connections, pipeline, valueBytes }: LoadShape): string {
  const what = { set: 'writes', get: 'linearizable reads', mixed: 'reads and writes 50/50' }[operation];
  const clients = connections === 1 ? '1 client' : `${connections} clients`;
  const pipelined = pipeline > 1 ? `, pipeline ${pipeline}` : '';
  return `${what}, ${clients}${pipelined}${valueBytes === 256 ? '' : `, ${valueBytes} bytes`}`;
}
