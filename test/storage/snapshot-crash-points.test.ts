// Log and snapshots together, crashed after every call to the file system: snapshots written in slices while the
// log goes on, given up half-way, received in chunks and resumed, the log compacted and begun anew behind them.
// What a start finds must be a finished snapshot, whole, and behind it what was acknowledged.
// Replay one: CRASH_SEED=n npx vitest run …
import { expect, it } from 'vitest';
import { allocateEntry } from '../../engine/protocol/frame.ts';
import type { Entry } from '../../engine/raft/types.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { type OpenedStorage, openStorage } from '../../engine/storage/open-storage.ts';
import { seededRandom } from '../../engine/storage/seeded-random.ts';
import { SnapshotStore } from '../../engine/storage/snapshot-store.ts';
import { CrashModel, nextHardState } from './crash-model.ts';

const FOLDER = '/log';
const CRASHES_PER_STEP = 6;
const OPERATIONS = 30;
const CHUNK_BYTES = 700;
/** `npm test` looks thoroughly; `npm run check` is for every few minutes. */
const RECOVERIES_MIN = process.env.QUORUMLAB_THOROUGH === undefined ? 4_000 : 50_000;

interface Point {
  index: number;
  term: number;
}

const NOTHING: Point = { index: 0, term: 0 };

class Run {
  readonly random: () => number;
  readonly fs = createMemoryFileSystem();
  readonly model = new CrashModel();
  /** The snapshot that is surely in force, and those that may already be. */
  finished = NOTHING;
  begun: Point[] = [];
  recoveries = 0;
  step = 0;
  hardState = { currentTerm: 1, votedFor: 0, commitIndex: 0 };
  nextTag = 1;
  waits: Promise<void>[] = [];

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }
}

/** Different for each snapshot: bytes that say which one they belong to. */
function dataOf({ index, term }: Point): Uint8Array {
  const data = new Uint8Array(1 + ((index * 397) % 3000));
  for (let at = 0; at < data.length; at++) data[at] = (index * 31 + term * 7 + at * (index | 1)) & 0xff;
  return data;
}

async function open(fs: MemoryFileSystem): Promise<OpenedStorage & { loaded: Point }> {
  let loaded = NOTHING;
  const opened = await openStorage({
    fs,
    folder: FOLDER,
    segmentBytes: 2048,
    groupBytesMax: 1500,
    idleMarkMs: 0,
    onFatal: (error) => {
      throw error;
    },
    load: async (snapshot, reader) => {
      const point = { index: snapshot.lastIncludedIndex, term: snapshot.lastIncludedTerm };
      const slices: Uint8Array[] = [];
      for (let slice = await reader.read(); slice !== null; slice = await reader.read()) slices.push(slice);
      expect(Buffer.compare(Buffer.concat(slices), dataOf(point)), `data of snapshot ${point.index}`).toBe(0);
      loaded = point;
    },
    reset: () => {
      loaded = NOTHING;
    },
  });
  return { ...opened, loaded };
}

async function crashHere(run: Run): Promise<void> {
  const step = ++run.step;
  // Storage goes on while this recovers: disks and model are taken before the first wait.
  const model = run.model.copy();
  const allowed = [run.finished, ...run.begun];
  const disks = [run.fs.afterKill()];
  while (disks.length < CRASHES_PER_STEP) disks.push(run.fs.afterPowerCut(run.random));
  for (const [crash, disk] of disks.entries()) {
    run.recoveries++;
    const place = `step ${step}, crash ${crash}`;
    const { recovered, loaded } = await open(disk);
    if (!allowed.some((point) => point.index === loaded.index && point.term === loaded.term)) {
      const names = allowed.map(({ index, term }) => `${index}:${term}`).join(' or ');
      throw new Error(`${place}: found snapshot ${loaded.index}:${loaded.term}, not ${names}`);
    }
    for (const { kind, message } of recovered.verdicts) {
      if (kind === 'corruption' || kind === 'snapshotCorrupt') {
        throw new Error(`${place}: a crash taken for corruption: ${message}`);
      }
    }
    model.snapshot = loaded;
    const objection = model.objection(recovered);
    if (objection !== null) throw new Error(`${place}: ${objection}`);
  }
}

function entryOf(run: Run, index: number, term: number): Entry {
  const made = allocateEntry(1, 4 + Math.floor(run.random() ** 3 * 300));
  const tag = run.nextTag++;
  made.data.set([tag & 0xff, (tag >> 8) & 0xff, (tag >> 16) & 0xff, tag >>> 24]);
  made.index = index;
  made.term = term;
  return made;
}

function append(run: Run, { log }: OpenedStorage): void {
  const { model } = run;
  const changed = run.random() < 0.3;
  if (changed) run.hardState = nextHardState(run.hardState, run.random);
  const first = model.lastIndex + 1;
  const entries = Array.from({ length: 1 + run.below(4) }, (_, at) =>
    entryOf(run, first + at, run.hardState.currentTerm),
  );
  const batch = { hardState: changed ? run.hardState : null, entries };
  model.submit(batch);
  run.waits.push(
    new Promise((resolve) => {
      log.append(batch, () => {
        model.acknowledge();
        resolve();
      });
    }),
  );
}

/** Of everything acknowledged so far; the log goes on beside it. Every fifth is given up. */
async function takeSnapshot(run: Run, storage: OpenedStorage): Promise<void> {
  await Promise.all(run.waits.splice(0));
  const index = run.model.lastIndex;
  if (index <= run.finished.index) return;
  const point = { index, term: run.model.termAt(index) };
  const givesUp = run.random() < 0.2;
  const writer = await storage.snapshots.begin(identityOf(point));
  const data = dataOf(point);
  for (let at = 0; at < data.length; at += CHUNK_BYTES) {
    if (givesUp && at > data.length / 2) break;
    await writer.write(data.subarray(at, at + CHUNK_BYTES));
    if (run.random() < 0.5) append(run, storage);
  }
  if (givesUp) {
    await writer.abort();
    return;
  }
  run.begun = [point];
  await writer.finish();
  run.finished = point;
  run.begun = [];
  const compactableIndex = storage.snapshots.compactableIndex;
  if (run.random() < 0.7 && compactableIndex > 0) await storage.log.compact(compactableIndex);
}

function identityOf({ index, term }: Point) {
  const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };
  return { lastIncludedIndex: index, lastIncludedTerm: term, configuration };
}

/** From a leader that is far ahead; interrupted and resumed now and then. */
async function receiveSnapshot(run: Run, storage: OpenedStorage): Promise<void> {
  await Promise.all(run.waits.splice(0));
  const point = { index: run.model.lastIndex + 1 + run.below(20), term: run.hardState.currentTerm };
  const leader = createMemoryFileSystem();
  await leader.mkdir(FOLDER);
  const there = await SnapshotStore.open({ fs: leader, folder: FOLDER });
  const writer = await there.begin(identityOf(point));
  await writer.write(dataOf(point));
  await writer.finish();
  const [sent] = there.snapshots;
  if (sent === undefined) throw new Error('the leader has no snapshot');
  const announced = { ...identityOf(point), totalBytes: sent.sizeBytes };
  let intake = await storage.snapshots.beginIntake(announced);
  while (!intake.isComplete) {
    if (run.random() < 0.3) {
      await intake.pause();
      intake = await storage.snapshots.beginIntake(announced);
      continue;
    }
    const offset = intake.offset;
    await intake.take(offset, await there.readChunk(sent, { offset, bytesMax: CHUNK_BYTES }));
  }
  run.begun = [point];
  await intake.finish();
  run.finished = point;
  run.begun = [];
  run.model.submitRestart(point);
  await storage.log.restartAt(point);
  run.model.acknowledge();
}

async function workload(seed: number): Promise<number> {
  const run = new Run(seed);
  let storage = await open(run.fs);
  const failure = new Promise<never>((_, reject) => {
    run.fs.onStep(() => crashHere(run).catch(reject));
  });
  const work = async (): Promise<number> => {
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const choice = run.random();
      if (choice < 0.6) append(run, storage);
      else if (choice < 0.82) await takeSnapshot(run, storage);
      else if (choice < 0.92) await receiveSnapshot(run, storage);
      else {
        await Promise.all(run.waits.splice(0));
        await storage.log.close();
        storage = await open(run.fs);
        expect(storage.loaded).toEqual(run.finished);
      }
    }
    await Promise.all(run.waits);
    await storage.log.close();
    return run.recoveries;
  };
  return Promise.race([work(), failure]);
}

it('[S6] crashed after every call, storage is a finished snapshot and the acknowledged log behind it', {
  timeout: 300_000,
}, async () => {
  const only = process.env.CRASH_SEED;
  let recoveries = 0;
  for (let seed = only === undefined ? 1 : Number(only); recoveries < RECOVERIES_MIN; seed++) {
    try {
      recoveries += await workload(seed);
    } catch (error) {
      console.error(
        `replay: CRASH_SEED=${seed} npx vitest run --project unit test/storage/snapshot-crash-points.test.ts`,
      );
      throw error;
    }
    if (only !== undefined) return;
  }
  console.log(`${recoveries} recoveries of log and snapshots`);
});
