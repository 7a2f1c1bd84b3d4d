// One chaos run from beginning to end: a real cluster, clients that write down what they see, faults by a schedule,
// then healing, and every check there is. Returns a report; printing and drawing it is not done here.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../client/client.ts';
import type { NodeEvent } from '../protocol/node-status.ts';
import { CounterChecker } from '../simulator/checkers/counters.ts';
import { Random } from '../simulator/random.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import { ChaosWorkload } from './chaos-workload.ts';
import type { ChaosFault } from './fault-kinds.ts';
import { checkCounters, compareStates, findLostWrites, verifyLog } from './final-checks.ts';
import { HistoryFile } from './history-file.ts';
import { type FaultMark, Nemesis } from './nemesis.ts';
import type { ChaosReport, Reign } from './report.ts';
import { drawSchedule } from './schedule.ts';
import { staleScan } from './stale-scan.ts';
import { Tally } from './tally.ts';

export interface ChaosOptions {
  seed: number;
  /** Of the phase with faults. */
  durationMs: number;
  nodes: number;
  clients: number;
  /** Only these; all when absent. */
  kinds?: readonly ChaosFault[] | undefined;
  /** Where engine-node.js and cli.js were built. */
  programs: string;
  /** For the nodes' data and logs, the history and the schedule. Made when missing. */
  folder: string;
  /** Ends the faults early; everything is checked all the same. */
  signal?: AbortSignal | undefined;
  onFault?: ((mark: FaultMark) => void) | undefined;
  /** About once a second. */
  onProgress?: ((progress: ChaosProgress) => void) | undefined;
}

export interface ChaosProgress {
  phase: string;
  atMs: number;
  operations: number;
  acknowledgedWrites: number;
  faults: number;
  violations: number;
}

const TICK_MS = 100;
const LEADER_MS = 60_000;
/** A violation of liveness: writes are missing for so long although a majority is well. Generous, for busy machines. */
export const MISSING_MS_MAX = 20_000;
const CONVERGENCE_MS_MAX = 60_000;
/** Where something is wrong already, one more thing is not worth a minute. */
const CONVERGENCE_MS_MAX_AFTER_VIOLATION = 10_000;
/** Load after the faults, where the cluster is not left alone to heal. */
const AFTERMATH_MS = 3000;
const REASONS_MAX = 20;

/** Rejects when the folder holds anything: nodes must begin with nothing on their disks. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  await mkdir(options.folder, { recursive: true });
  const found = await readdir(options.folder);
  if (found.length > 0) throw new Error(`${options.folder} is not empty: choose another folder`);
  const run = new ChaosRun(options);
  return await run.run();
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #random: Random;
  /** In half of the seeds. */
  readonly #leaseReads: boolean;
  readonly #beganAt = performance.now();
  readonly #startedAt = new Date().toISOString();
  readonly #tally = new Tally();
  readonly #counters = new CounterChecker();
  readonly #violations: string[] = [];
  readonly #undecided: string[] = [];
  readonly #reigns: Reign[] = [];
  readonly #events = new Map<string, number>();
  readonly #over = new AbortController();
  readonly #now = (): number => performance.now() - this.#beganAt;
  #lost = 0;
  #longestWellMs = 0;
  #finalIndex = 0;
  #keys = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#random = new Random(options.seed).fork('run');
    this.#leaseReads = this.#random.fork('leases').chance(0.5);
  }

  async run(): Promise<ChaosReport> {
    const { folder, seed, durationMs, kinds, nodes, programs } = this.#options;
    const schedule = drawSchedule({ seed, durationMs, kinds });
    await writeFile(join(folder, 'schedule.json'), `${JSON.stringify(schedule, null, 1)}\n`);
    const history = await HistoryFile.create(join(folder, 'history.jsonl'));
    const cluster = await ChaosCluster.start({
      nodes,
      leaseReads: this.#leaseReads,
      entry: join(programs, 'engine-node.js'),
      folder,
      onEvent: (event) => this.#happened(event),
      onUnexpectedEnd: (node, what) => this.#violated(`n${node.id} ended by itself: ${what}`),
    });
    try {
      return await this.#onCluster(cluster, history, schedule);
    } finally {
      await cluster.kill();
      await history.close();
    }
  }

  async #onCluster(
    cluster: ChaosCluster,
    history: HistoryFile,
    schedule: ReturnType<typeof drawSchedule>,
  ): Promise<ChaosReport> {
    await this.#until(() => cluster.leader !== null, LEADER_MS, 'nobody leads at the beginning');
    const nemesis = new Nemesis({
      cluster,
      schedule,
      now: this.#now,
      onTrouble: (message) => this.#violated(message),
      onFault: (mark) => this.#options.onFault?.(mark),
    });
    const workload = this.#createWorkload(cluster, history);
    const { faultsMs, isQuiet } = await this.#rage(nemesis, workload);
    const healedAtMs = this.#now();
    await nemesis.heal();
    if (!isQuiet) {
      await this.#watchFor(AFTERMATH_MS, nemesis, 'after the faults');
      await workload.stop();
    }
    const convergedMs = await this.#converge(cluster, isQuiet ? healedAtMs : this.#now());
    this.#finalIndex = cluster.commitIndex;
    await this.#checkEverything(cluster, history, nemesis);
    await history.append(0, nemesis.marks.map(faultLine));
    this.#tally.finish();
    return this.#report({ nemesis, workload, faultsMs, isQuiet, convergedMs });
  }

  #createWorkload(cluster: ChaosCluster, history: HistoryFile): ChaosWorkload {
    return new ChaosWorkload({
      clients: this.#options.clients,
      addresses: cluster.addresses,
      random: this.#random.fork('workload'),
      tally: this.#tally,
      counters: this.#counters,
      history,
      now: this.#now,
      onViolation: (message) => this.#violated(message),
      onUndecided: (message) => void this.#undecided.push(message),
    });
  }

  /** Load and faults together. In half of the seeds the load ends before the healing begins. */
  async #rage(nemesis: Nemesis, workload: ChaosWorkload): Promise<{ faultsMs: number; isQuiet: boolean }> {
    const { durationMs } = this.#options;
    const isQuiet = this.#random.fork('healing').chance(0.5);
    const beganAtMs = this.#now();
    workload.start((error) =>
      this.#violated(`a client failed: ${error instanceof Error ? error.stack : error}`),
    );
    void nemesis.run();
    await this.#watchFor(durationMs, nemesis, 'faults');
    if (isQuiet) await workload.stop();
    return { faultsMs: this.#now() - beganAtMs, isQuiet };
  }

  /** Looks at everything ten times a second; ends early when something is wrong, or the caller wants it. */
  async #watchFor(ms: number, nemesis: Nemesis, phase: string): Promise<void> {
    const { onProgress, signal } = this.#options;
    const endMs = this.#now() + ms;
    let lastMs = this.#now();
    let toldMs = 0;
    while (this.#now() < endMs && !this.#over.signal.aborted && signal?.aborted !== true) {
      await sleep(Math.min(TICK_MS, Math.max(1, endMs - this.#now())));
      const nowMs = this.#now();
      nemesis.watch();
      const { isMajorityWell } = nemesis.budget;
      this.#tally.watched({ elapsedMs: nowMs - lastMs, isMajorityWell });
      lastMs = nowMs;
      this.#longestWellMs = Math.max(this.#longestWellMs, this.#tally.missingMs);
      if (this.#tally.missingMs > MISSING_MS_MAX) {
        this.#violated(`no write was acknowledged for ${MISSING_MS_MAX} ms although a majority was well`);
      }
      if (nowMs - toldMs < 1000) continue;
      toldMs = nowMs;
      const { total: operations, acknowledgedWrites } = this.#tally;
      const [faults, violations] = [nemesis.marks.length, this.#violations.length];
      onProgress?.({ phase, atMs: nowMs, operations, acknowledgedWrites, faults, violations });
    }
  }

  async #converge(cluster: ChaosCluster, sinceMs: number): Promise<number | null> {
    const isWrong = this.#violations.length > 0;
    const deadlineMs = isWrong ? CONVERGENCE_MS_MAX_AFTER_VIOLATION : CONVERGENCE_MS_MAX;
    try {
      await this.#until(() => cluster.whatIsMissing() === null, deadlineMs, 'the cluster did not become one');
      return this.#now() - sinceMs;
    } catch (error) {
      this.#violated(`${error instanceof Error ? error.message : error}: ${cluster.whatIsMissing()}`);
      return null;
    }
  }

  async #checkEverything(cluster: ChaosCluster, history: HistoryFile, nemesis: Nemesis): Promise<void> {
    const { onProgress, programs } = this.#options;
    const progress = { atMs: this.#now(), operations: this.#tally.total, faults: 0, violations: 0 };
    onProgress?.({ phase: 'checking', acknowledgedWrites: this.#tally.acknowledgedWrites, ...progress });
    try {
      const state = await finalState(cluster);
      const atMs = this.#now();
      for (const node of cluster.nodes) {
        const own = { name: `n${node.id}`, state: await staleScan(node.clientAddress) };
        const difference = compareStates({ name: 'the cluster', state }, own);
        if (difference !== null) this.#violated(difference);
      }
      await cluster.stop();
      const found = await findLostWrites(history, { state, atMs });
      this.#keys = found.keys;
      this.#lost = found.lost;
      for (const example of found.examples) this.#violated(`acknowledged and not there: ${example}`);
      if (found.undecided > 0) this.#undecided.push(`${found.undecided} generations were too hard to judge`);
      const counters = checkCounters(this.#counters, state);
      if (counters !== null) {
        this.#lost += 1;
        this.#violated(counters);
      }
    } catch (error) {
      this.#violated(
        `the final state could not be checked: ${error instanceof Error ? error.message : error}`,
      );
      await cluster.stop();
    }
    for (const node of cluster.nodes) {
      const wasDamaged = nemesis.marks.some(
        ({ kind, target }) => kind === 'corrupt' && target === `n${node.id}`,
      );
      const about = { wasDamaged, lastIndex: this.#finalIndex };
      const problem = await verifyLog(join(programs, 'cli.js'), node.folder, about);
      if (problem !== null) this.#violated(`the log of n${node.id} is not sound: ${problem}`);
    }
  }

  #violated(message: string): void {
    if (this.#violations.length < REASONS_MAX) this.#violations.push(message);
    this.#over.abort();
  }

  #happened({ nodeId, event }: NodeEvent): void {
    const { type } = event;
    if (type === 'messageSent' || type === 'messageReceived') return;
    this.#events.set(type, (this.#events.get(type) ?? 0) + 1);
    if (type === 'leaderElected') this.#reigns.push({ node: nodeId, term: event.term, atMs: this.#now() });
  }

  async #until(holds: () => boolean, deadlineMs: number, what: string): Promise<void> {
    const end = this.#now() + deadlineMs;
    while (!holds()) {
      if (this.#now() > end) throw new Error(`${what} within ${deadlineMs} ms`);
      await sleep(20);
    }
  }

  #report(end: {
    nemesis: Nemesis;
    workload: ChaosWorkload;
    faultsMs: number;
    isQuiet: boolean;
    convergedMs: number | null;
  }): ChaosReport {
    const { seed, nodes, clients } = this.#options;
    const tally = this.#tally;
    const verdict =
      this.#violations.length > 0 ? 'violation' : this.#undecided.length > 0 ? 'undecided' : 'ok';
    return {
      seed,
      nodes,
      clients,
      faultsMs: end.faultsMs,
      totalMs: this.#now(),
      startedAt: this.#startedAt,
      verdict,
      reasons: [...this.#violations, ...this.#undecided],
      operations: [...tally.operations].map(([kind, counts]) => ({ kind, counts })),
      acknowledgedWrites: tally.acknowledgedWrites,
      lost: this.#lost,
      repeats: tally.repeats,
      keys: this.#keys,
      generations: end.workload.generations,
      marks: end.nemesis.marks,
      withheld: [...end.nemesis.withheld].map(([kind, count]) => ({ kind, count })),
      reigns: this.#reigns,
      events: [...this.#events].map(([type, count]) => ({ type, count })).sort((a, b) => b.count - a.count),
      seconds: tally.seconds,
      pauses: tally.pauses,
      longestPause: tally.longestPause,
      longestWellMs: this.#longestWellMs,
      convergedMs: end.convergedMs,
      isQuietHealing: end.isQuiet,
      hasLeaseReads: this.#leaseReads,
      finalIndex: this.#finalIndex,
    };
  }
}

/** Read through the cluster, as any client would: linearizable. */
async function finalState(cluster: ChaosCluster): Promise<Map<string, string>> {
  const client = createClient({ addresses: cluster.addresses, deadlineMs: 30_000 });
  try {
    const state = new Map<string, string>();
    for await (const { key, value } of client.scan({ limit: 5000 })) state.set(String(key), String(value));
    return state;
  } finally {
    client.close();
  }
}

function faultLine({ kind, target, fromMs, untilMs }: FaultMark) {
  return {
    type: 'fault' as const,
    name: kind,
    target,
    time: fromMs,
    ...(untilMs !== null && { until: untilMs }),
  };
}
