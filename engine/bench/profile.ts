// Where a node's time goes: three nodes that record CPU profiles, one load after the other, and what each part of the
// work cost per operation on the leader and on a follower.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeShape, type LoadShape } from './load.ts';
import { NodeTrio } from './node-trio.ts';
import { readStages, STAGES, type Stage } from './profile-stages.ts';
import { RESP, runSocketLoad } from './socket-load.ts';

export interface ProfileRow {
  shape: string;
  /** While profiles are recorded, which costs some of it. */
  perSecond: number;
  /** Microseconds per operation. */
  leader: Record<Stage, number>;
  follower: Record<Stage, number>;
}

const SHAPES: readonly LoadShape[] = [
  { operation: 'set', connections: 1, pipeline: 1, valueBytes: 256 },
  { operation: 'set', connections: 64, pipeline: 1, valueBytes: 256 },
  { operation: 'set', connections: 64, pipeline: 32, valueBytes: 256 },
  { operation: 'get', connections: 64, pipeline: 1, valueBytes: 256 },
];
const WARM_UP_MS = 2000;
/** Of the sampling, in microseconds. */
const INTERVAL = 250;

/** `entry`: the node's bundle, `engine-node.js`, with its source maps beside it. */
export async function measureProfile(options: {
  entry: string;
  durationMs: number;
  onStep: (what: string) => void;
}): Promise<ProfileRow[]> {
  const { entry, durationMs, onStep } = options;
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-profile-'));
  const recorded = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL}`];
  try {
    const trio = await NodeTrio.start({ entry, arguments: recorded });
    const windows: { from: number; to: number; load: LoadShape; perSecond: number }[] = [];
    let leaderPid = 0;
    try {
      const leader = trio.leader;
      if (leader === null) throw new Error('the cluster has no leader');
      leaderPid = leader.process.pid;
      const address = leader.process.clientAddress;
      for (const load of SHAPES) {
        onStep(`profile: ${describeShape(load)} …`);
        await runSocketLoad({ ...load, address, durationMs: WARM_UP_MS, codec: RESP });
        const from = microseconds();
        const { perSecond } = await runSocketLoad({ ...load, address, durationMs, codec: RESP });
        windows.push({ from, to: microseconds(), load, perSecond });
      }
      await trio.stop();
    } finally {
      await trio.remove();
    }
    const files = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'));
    const ofLeader = files.find((name) => name.split('.').includes(String(leaderPid)));
    const ofFollower = files.find((name) => name !== ofLeader);
    if (ofLeader === undefined || ofFollower === undefined) throw new Error('a node has left no profile');
    const rows: ProfileRow[] = [];
    for (const window of windows) {
      const operations = (window.perSecond * (window.to - window.from)) / 1e6;
      const perOperation = async (name: string): Promise<Record<Stage, number>> => {
        const stages = await readStages(join(folder, name), window);
        for (const stage of STAGES) stages[stage] /= operations;
        return stages;
      };
      rows.push({
        shape: describeShape(window.load),
        perSecond: window.perSecond,
        leader: await perOperation(ofLeader),
        follower: await perOperation(ofFollower),
      });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The clock that profiles are stamped with. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
