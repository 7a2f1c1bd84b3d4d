// The log is crashed after every call to the file system, many ways each, and recovered; what is found must be
// what was acknowledged, or a later state that was handed in. Replay one: CRASH_SEED=n npx vitest run …
import { expect, it } from 'vitest';
import { allocateEntry } from '../../engine/protocol/frame.ts';
import type { Entry, HardState } from '../../engine/raft/types.ts';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { recoverLog } from '../../engine/storage/recovery.ts';
import { seededRandom } from '../../engine/storage/seeded-random.ts';
import type { LogStore, Recovered } from '../../engine/storage/types.ts';
import { CrashModel, nextHardState } from './crash-model.ts';

const SEGMENT_BYTES = 2048;
const FOLDER = '/log';
const CRASHES_PER_STEP = 12;
/** `npm test` looks thoroughly; `npm run check` is for every few minutes. */
const RECOVERIES_MIN = process.env.QUORUMLAB_THOROUGH === undefined ? 8_000 : 100_000;

interface Run {
  seed: number;
  random: () => number;
  model: CrashModel;
  fs: MemoryFileSystem;
  recoveries: number;
  step: number;
  nextTag: number;
}

function open(
  fs: MemoryFileSystem,
  snapshot: { index: number; term: number },
): Promise<{ store: LogStore; recovered: Recovered }> {
  return openFileLog({
    fs,
    folder: FOLDER,
    segmentBytes: SEGMENT_BYTES,
    groupBytesMax: 1500,
    idleMarkMs: 0,
    snapshot: snapshot.index === 0 ? undefined : { ...snapshot, configuration: null },
    onFatal: (error) => {
      throw error;
    },
  });
}

function makeEntry(run: Run, index: number, term: number): Entry {
  const made = allocateEntry(1, 4 + Math.floor(run.random() ** 3 * 400));
  const tag = run.nextTag++;
  made.data.set([tag & 0xff, (tag >> 8) & 0xff, (tag >> 16) & 0xff, tag >>> 24]);
  for (let at = 4; at < made.data.length; at++) made.data[at] = (tag * 17 + at) & 0xff;
  made.index = index;
  made.term = term;
  return made;
}

/** Everything that could be left of the disk now is recovered and compared with the model as it is now. */
async function crashHere(run: Run): Promise<void> {
  const step = ++run.step;
  // The log goes on while this recovers: disks and model are taken before the first wait.
  const model = run.model.copy();
  const disks = [run.fs.afterKill()];
  while (disks.length < CRASHES_PER_STEP) disks.push(run.fs.afterPowerCut(run.random));
  const again = step % 4 === 0 ? run.fs.afterPowerCut(run.random) : null;
  for (const [crash, disk] of disks.entries()) {
    const crashed = { disk, model, deep: step % 8 === 0, place: `step ${step}, crash ${crash}` };
    // Reading alone is what most of them need; some also put the disk in order, as a start does.
    if (crashed.deep || crash < 3) await recoverAndJudge(run, crashed);
    else await readAndJudge(run, crashed);
  }
  if (again !== null) await crashWhileRecovering(run, { disk: again, model, step });
}

interface Crashed {
  disk: MemoryFileSystem;
  model: CrashModel;
  /** Also writes to the recovered log and recovers once more. */
  deep: boolean;
  place: string;
}

async function readAndJudge(run: Run, { disk, model, place }: Crashed): Promise<void> {
  run.recoveries++;
  const found = await recoverLog(disk, FOLDER, model.snapshot);
  const { hardState, entries } = found.replay;
  judge({ ...found, hardState, entries }, model, place);
}

function judge(
  found: Pick<Recovered, 'hardState' | 'entries' | 'verdicts' | 'lastDurableIndexKnown'>,
  model: CrashModel,
  place: string,
): number {
  const objection = model.objection(found);
  if (objection !== null) throw new Error(`${place}: ${objection}`);
  for (const { kind, message } of found.verdicts) {
    if (kind === 'corruption') throw new Error(`${place}: a crash taken for corruption: ${message}`);
  }
  const reached = Math.max(found.entries.at(-1)?.index ?? 0, model.snapshot.index);
  if (found.lastDurableIndexKnown !== reached) {
    throw new Error(
      `${place}: durable up to ${found.lastDurableIndexKnown} they say, the log ends at ${reached}`,
    );
  }
  return reached;
}

async function recoverAndJudge(run: Run, { disk, model, deep, place }: Crashed): Promise<void> {
  run.recoveries++;
  const { store, recovered } = await open(disk, model.snapshot);
  const reached = judge(recovered, model, place);
  if (!deep) return;
  // The recovered log works: what is added is there after one more restart, and what was found before too.
  const term = Math.max(recovered.hardState.currentTerm, recovered.entries.at(-1)?.term ?? 0);
  const added = makeEntry(run, reached + 1, term);
  await new Promise<void>((resolve) => {
    store.append({ hardState: null, entries: [added] }, resolve);
  });
  const again = await open(disk.afterPowerCut(run.random), model.snapshot);
  const indexes = again.recovered.entries.map((entry) => entry.index);
  expect(indexes, place).toEqual([...recovered.entries.map((entry) => entry.index), added.index]);
  expect(again.recovered.hardState, place).toEqual(recovered.hardState);
}

/** A crash while recovering from a crash. */
async function crashWhileRecovering(
  run: Run,
  { disk, model, step }: { disk: MemoryFileSystem; model: CrashModel; step: number },
): Promise<void> {
  const left: MemoryFileSystem[] = [];
  disk.onStep(() => {
    left.push(disk.afterPowerCut(run.random));
  });
  await open(disk, model.snapshot);
  disk.onStep(null);
  for (const [cut, survivor] of left.entries()) {
    await recoverAndJudge(run, {
      disk: survivor,
      model,
      deep: false,
      place: `step ${step}, recovery cut at ${cut}`,
    });
  }
}

/** Resolves to the number of recoveries; rejects with the first that found something else than it may. */
function workload(seed: number): Promise<number> {
  return new Promise((resolve, reject) => {
    runWorkload(seed, reject).then(resolve, reject);
  });
}

async function runWorkload(seed: number, fail: (error: unknown) => void): Promise<number> {
  const random = seededRandom(seed);
  const fs = createMemoryFileSystem();
  const run: Run = { seed, random, model: new CrashModel(), fs, recoveries: 0, step: 0, nextTag: 1 };
  fs.onStep(() => crashHere(run).catch(fail));
  let { store } = await open(fs, run.model.snapshot);
  let hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
  const waits: Promise<void>[] = [];
  const appendOne = (entries: Entry[], changed: boolean): void => {
    if (changed) hardState = nextHardState(hardState, random);
    const batch = { hardState: changed ? hardState : null, entries };
    run.model.submit(batch);
    waits.push(
      new Promise((resolve) => {
        store.append(batch, () => {
          run.model.acknowledge();
          resolve();
        });
      }),
    );
  };
  for (let operation = 0; operation < 40; operation++) {
    const choice = random();
    const { lastIndex } = run.model;
    if (choice < 0.75) {
      const replaces = random() < 0.2 && lastIndex > run.model.snapshot.index;
      const first = replaces
        ? run.model.snapshot.index + 1 + Math.floor(random() * (lastIndex - run.model.snapshot.index))
        : lastIndex + 1;
      if (replaces) hardState = { ...hardState, currentTerm: hardState.currentTerm + 1, votedFor: 0 };
      const count = random() < 0.2 ? 0 : 1 + Math.floor(random() * 4);
      const term = Math.max(1, hardState.currentTerm);
      const entries = Array.from({ length: count }, (_, at) => makeEntry(run, first + at, term));
      appendOne(entries, replaces || random() < 0.3);
      if (random() < 0.6) continue;
    }
    await Promise.all(waits.splice(0));
    if (choice >= 0.75 && choice < 0.88 && lastIndex > run.model.snapshot.index) {
      const index =
        run.model.snapshot.index + 1 + Math.floor(random() * (lastIndex - run.model.snapshot.index));
      run.model.snapshot = { index, term: run.model.termAt(index) };
      await store.compact(index);
    } else if (choice >= 0.88 && choice < 0.93) {
      const point = { index: lastIndex + Math.floor(random() * 9) - 3, term: hardState.currentTerm + 1 };
      if (point.index <= run.model.snapshot.index) continue;
      run.model.snapshot = point;
      run.model.submitRestart(point);
      await store.restartAt(point);
      run.model.acknowledge();
    } else if (choice >= 0.93) {
      await store.close();
      ({ store } = await open(fs, run.model.snapshot));
    }
  }
  await Promise.all(waits);
  await store.close();
  return run.recoveries;
}

it('crashed after every call, in every way, the log is what was acknowledged', {
  timeout: 300_000,
}, async () => {
  const only = process.env.CRASH_SEED;
  if (only !== undefined) {
    await workload(Number(only));
    return;
  }
  let recoveries = 0;
  let seed = 1;
  while (recoveries < RECOVERIES_MIN) {
    try {
      recoveries += await workload(seed);
    } catch (error) {
      console.error(
        `replay: CRASH_SEED=${seed} npx vitest run --project unit test/storage/crash-points.test.ts`,
      );
      throw error;
    }
    seed++;
  }
  console.log(`${recoveries} recoveries over ${seed - 1} seeds`);
});
