// Many keys: how long a cluster takes to serve again after all its nodes were killed, from its logs and from
// snapshots; how long the longest write waits while snapshots are taken; what a key costs in memory.
import { createClient } from '../client/client.ts';
import { NodeTrio } from './node-trio.ts';

export interface RecoveryOptions {
  /** The node's bundle, `engine-node.js`. */
  entry: string;
  keys: number;
  valueBytes: number;
  /** How long the load runs without a snapshot, to compare with. */
  calmMs: number;
  onStep: (what: string) => void;
}

/** Times in milliseconds, sizes in bytes. */
export interface RecoveryResult {
  keys: number;
  keyBytes: number;
  valueBytes: number;
  logBytes: number;
  snapshotBytes: number;
  /** From the start of the processes to the first linearizable read that was answered. */
  servingFromLogMs: number;
  servingFromSnapshotMs: number;
  /** What the slowest node spent on reading its folder, of that. */
  replayMs: number;
  loadSnapshotMs: number;
  snapshotTakenMs: number;
  /** Longest wait of one write among those under way all the time. */
  calmWorstMs: number;
  snapshotWorstMs: number;
  /** Resident memory of the restarted leader over that of an empty one. */
  bytesPerKey: number;
}

const BULK_ITEMS = 1000;
const BULKS_UNDER_WAY = 8;
const KEY_DIGITS = 12;
/** Writers of one key each, one write under way on each. */
const WRITERS = 16;
const WRITES_PER_SECOND = 2000;
/** What a restart left for the garbage collector is gone by then. */
const SETTLED_MS = 2_000;

function recoveryKey(position: number): string {
  return `key:${String(position).padStart(KEY_DIGITS, '0')}`;
}

/** No two values alike, so that nothing can be shared in memory. */
export function recoveryItem(position: number, valueBytes: number): readonly [key: string, value: string] {
  return [recoveryKey(position), String(position).padEnd(valueBytes, 'x')];
}

export async function measureRecovery(options: RecoveryOptions): Promise<RecoveryResult> {
  const { entry, keys, valueBytes, calmMs, onStep } = options;
  // Snapshots only when they are asked for, and nothing kept behind them.
  const trio = await NodeTrio.start({ entry, settings: { snapshotLogBytes: 0, snapshotTrailingEntries: 0 } });
  try {
    const emptyBytes = trio.leader?.process.residentBytes ?? 0;
    onStep(`${keys} keys of ${valueBytes} bytes …`);
    await load(trio, keys, valueBytes);
    await trio.level();

    onStep('all killed, started again from their logs …');
    await trio.killAll();
    const servingFromLogMs = await timeToServe(trio, keys);
    const replayMs = recoveryMs(trio);
    await trio.level();
    const logBytes = trio.leader?.disk.bytes ?? 0;

    onStep('writes, without a snapshot and with one on every node …');
    const { calmWorstMs, snapshotWorstMs, snapshotTakenMs } = await measureStall(trio, keys, calmMs);
    await trio.level();
    const snapshotBytes = Math.max(
      0,
      ...trio.events.map((event) => (event.type === 'snapshotTaken' ? event.sizeBytes : 0)),
    );

    onStep('all killed, started again from their snapshots …');
    await trio.killAll();
    const servingFromSnapshotMs = await timeToServe(trio, keys);
    await pause(SETTLED_MS);
    const residentBytes = trio.leader?.process.residentBytes ?? 0;
    return {
      keys,
      keyBytes: recoveryKey(0).length,
      valueBytes,
      logBytes,
      snapshotBytes,
      servingFromLogMs,
      servingFromSnapshotMs,
      replayMs,
      loadSnapshotMs: recoveryMs(trio),
      snapshotTakenMs,
      calmWorstMs,
      snapshotWorstMs,
      bytesPerKey: (residentBytes - emptyBytes) / keys,
    };
  } finally {
    await trio.remove();
  }
}

async function load(trio: NodeTrio, keys: number, valueBytes: number): Promise<void> {
  const client = createClient({ addresses: trio.addresses, deadlineMs: 60_000 });
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < keys) {
      const first = next;
      next += BULK_ITEMS;
      const length = Math.min(BULK_ITEMS, keys - first);
      const items = Array.from({ length }, (_, offset) => recoveryItem(first + offset, valueBytes));
      await client.bulkSet(items);
    }
  };
  await Promise.all(Array.from({ length: BULKS_UNDER_WAY }, write));
  client.close();
}

/** From the start of the processes until the last key is read, linearizably. */
async function timeToServe(trio: NodeTrio, keys: number): Promise<number> {
  const startedAt = performance.now();
  await trio.startAll();
  const client = createClient({ addresses: trio.addresses, deadlineMs: 60_000 });
  const found = await client.get(recoveryKey(keys - 1));
  const elapsedMs = performance.now() - startedAt;
  client.close();
  if (found.value === null) throw new Error('a key is missing after the restart');
  return elapsedMs;
}

/** What the slowest of the nodes says it took. */
function recoveryMs(trio: NodeTrio): number {
  return Math.max(0, ...trio.events.map((event) => (event.type === 'started' ? event.recoveryMs : 0)));
}

interface Stall {
  calmWorstMs: number;
  snapshotWorstMs: number;
  snapshotTakenMs: number;
}

async function measureStall(trio: NodeTrio, keys: number, calmMs: number): Promise<Stall> {
  const client = createClient({ addresses: trio.addresses, deadlineMs: 60_000 });
  let worstMs = 0;
  let stopped = false;
  const write = async (writer: number): Promise<void> => {
    const everyMs = (1000 * WRITERS) / WRITES_PER_SECOND;
    for (let sequence = 0; !stopped; sequence++) {
      const startedAt = performance.now();
      // All over the keys: every part of the shared state is written to while the snapshot is taken.
      await client.set(recoveryKey((sequence * 7919 + writer * 60_013) % keys), String(sequence));
      const elapsedMs = performance.now() - startedAt;
      worstMs = Math.max(worstMs, elapsedMs);
      await pause(Math.max(0, everyMs - elapsedMs));
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  await pause(1000);
  worstMs = 0;
  await pause(calmMs);
  const calmWorstMs = worstMs;
  worstMs = 0;
  const startedAt = performance.now();
  await trio.act({ kind: 'snapshot' });
  const snapshotTakenMs = performance.now() - startedAt;
  const snapshotWorstMs = worstMs;
  stopped = true;
  await Promise.all(writers);
  client.close();
  return { calmWorstMs, snapshotWorstMs, snapshotTakenMs };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
