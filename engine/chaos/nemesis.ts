// Carries the schedule out on real nodes: picks whom each fault hits, keeps the budget, undoes what it did, and in
// the end heals everything. It notes what really happened and when.
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultBudget } from './budget.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import type { ChaosNode } from './chaos-node.ts';
import { costOf } from './fault-kinds.ts';
import { diskPart, linkParts } from './fault-parts.ts';
import { MemberGuest } from './member-guest.ts';
import type { PlannedFault } from './schedule.ts';

/** A fault as it happened. */
export interface FaultMark {
  number: number;
  kind: PlannedFault['kind'];
  /** `n2`, or `n1 n2 n3`. */
  target: string;
  fromMs: number;
  /** Null while it is in force. */
  untilMs: number | null;
  detail: string;
}

export interface NemesisOptions {
  cluster: ChaosCluster;
  schedule: readonly PlannedFault[];
  now: () => number;
  /** A node could not be started or ended, say. */
  onTrouble: (message: string) => void;
  onFault: (mark: FaultMark) => void;
}

/** Between two changes of a flapping link: half open. */
const FLAP_MS = [40, 400] as const;
/** Long enough for clients to have writes under way on the slow disks. */
const SLOW_BEFORE_CUT_MS = 250;
/** The order that heals a disk may cross with the end of the process. */
const CROSSING_MS = 100;

export class Nemesis {
  readonly budget: FaultBudget;
  readonly marks: FaultMark[] = [];
  /** By kind: planned, and not done because the budget did not allow it or nobody fitted. */
  readonly withheld = new Map<string, number>();
  readonly #options: NemesisOptions;
  readonly #healing = new AbortController();
  /** By node: faults that keep its process away. It is started when the last is over. */
  readonly #downFor = new Map<number, Set<number>>();
  readonly #stoppedFor = new Map<number, Set<number>>();
  /** By node with a damaged folder: the index up to which it must have everything again. */
  readonly #missing = new Map<number, number>();
  #running = new Set<Promise<void>>();

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.budget = new FaultBudget(() => options.cluster.ids);
  }

  /** Resolves when the last fault of the schedule has begun, or healing has. */
  async run(): Promise<void> {
    const { schedule, now } = this.#options;
    const beganAtMs = now();
    for (const fault of schedule) {
      await this.#wait(beganAtMs + fault.atMs - now());
      if (this.#healing.signal.aborted) return;
      const task = this.#carryOut(fault).catch((error: unknown) => {
        this.#options.onTrouble(
          `${fault.kind} (${fault.number}): ${error instanceof Error ? error.message : error}`,
        );
      });
      this.#running.add(task);
      void task.then(() => this.#running.delete(task));
    }
  }

  /** Everything that was done is undone; resolves when all nodes are up and free of faults. */
  async heal(): Promise<void> {
    this.#healing.abort();
    await Promise.all(this.#running);
    for (const node of this.#options.cluster.nodes) {
      node.resume();
      if (!node.isRunning) await this.#start(node);
    }
  }

  /** To be called again and again: sees who has come back whole, and starts who ended by a fault that is over. */
  watch(): void {
    for (const [id, index] of this.#missing) {
      const { status, isActive } = this.#options.cluster.node(id);
      const raft = status?.raft;
      if (!isActive || raft === undefined || raft.refetching !== null || raft.lastApplied < index) continue;
      if (status?.alarms.includes('refetching')) continue;
      this.#missing.delete(id);
      this.budget.whole(id);
    }
    for (const node of this.#options.cluster.nodes) {
      if (node.isRunning || this.#healing.signal.aborted || held(this.#downFor, node.id).size > 0) continue;
      this.#start(node).catch((error: unknown) => this.#options.onTrouble(String(error)));
    }
  }

  // --- one fault

  async #carryOut(fault: PlannedFault): Promise<void> {
    const { onFault, now } = this.#options;
    const victims = this.#choose(fault);
    const cost = costOf(fault.kind);
    const nodes = victims.map(({ id }) => id);
    const refusal = victims.length === 0 ? 'nobody fits' : this.budget.refuses({ cost, nodes });
    if (refusal !== null) {
      this.withheld.set(fault.kind, (this.withheld.get(fault.kind) ?? 0) + 1);
      return;
    }
    const target = nodes.map((id) => `n${id}`).join(' ');
    const mark: FaultMark = {
      number: fault.number,
      kind: fault.kind,
      target,
      fromMs: now(),
      untilMs: null,
      detail: '',
    };
    this.marks.push(mark);
    onFault(mark);
    this.budget.begin(fault.number, { cost, nodes });
    try {
      await this.#happen(fault, victims, mark);
    } finally {
      this.budget.end(fault.number);
      mark.untilMs = now();
    }
  }

  /** Those that it hits; none when nobody fits at this moment. */
  #choose(fault: PlannedFault): readonly ChaosNode[] {
    const { cluster } = this.#options;
    if (['killAll', 'powerCutAll', 'shatter'].includes(fault.kind)) return cluster.nodes;
    const { leader } = cluster;
    const fitting = cluster.nodes.filter((node) => node.isActive);
    if (fault.kind === 'transfer') return leader === null ? [] : [leader];
    const { spare } = cluster;
    if (fault.kind === 'member') {
      return spare === null || spare.isEngaged || this.budget.damaged.size > 0 ? [] : [spare];
    }
    const followers = fitting.filter((node) => node !== leader);
    if (fault.kind === 'wipe') return pickOf(followers, fault.pick);
    if (fault.leader && leader !== null) return [leader];
    return pickOf(fitting, fault.pick);
  }

  async #happen(fault: PlannedFault, victims: readonly ChaosNode[], mark: FaultMark): Promise<void> {
    const { cluster } = this.#options;
    const [victim] = victims;
    if (victim === undefined) return;
    switch (fault.kind) {
      case 'kill':
      case 'killAll':
        return await this.#takeDown(fault, victims, (node) => node.kill());
      case 'stop':
        return await this.#takeDown(fault, victims, (node) => node.stop());
      case 'powerCut':
      case 'powerCutAll':
        await this.#slowDown(fault, victims);
        return await this.#takeDown(fault, victims, (node) => node.powerCut(fault.seed + node.id));
      case 'pause':
        return await this.#pause(fault, victim);
      case 'corrupt':
      case 'wipe':
        return await this.#damage(fault, victim, mark);
      case 'snapshot':
        victim.act({ kind: 'snapshot' });
        return;
      case 'transfer':
        victim.act({ kind: 'stepDown' });
        return;
      case 'member':
        return await this.#haveGuest(fault, victim);
      case 'flap':
        return await this.#flap(fault, victim);
      case 'slowDisk':
      case 'hungDisk':
      case 'fullDisk':
        cluster.setParts(fault.number, [diskPart(fault, victim.id)]);
        await this.#wait(fault.durationMs);
        cluster.setParts(fault.number, []);
        return;
      case 'failedSync':
      case 'tornWrite':
        return await this.#breakDisk(fault, victim);
      default:
        cluster.setParts(fault.number, linkParts(fault, victim.id, cluster.ids));
        await this.#wait(fault.durationMs);
        cluster.setParts(fault.number, []);
    }
  }

  /** Power that fails between two syncs takes nothing. On slow disks it fails in the middle of one, mostly. */
  async #slowDown(fault: PlannedFault, victims: readonly ChaosNode[]): Promise<void> {
    const { cluster } = this.#options;
    const slow = { ...fault, kind: 'slowDisk' } as const;
    cluster.setParts(
      fault.number,
      victims.map(({ id }) => diskPart(slow, id)),
    );
    await this.#wait(SLOW_BEFORE_CUT_MS);
    cluster.forgetParts(fault.number);
  }

  async #takeDown(
    fault: PlannedFault,
    victims: readonly ChaosNode[],
    how: (node: ChaosNode) => Promise<void>,
  ): Promise<void> {
    for (const { id } of victims) held(this.#downFor, id).add(fault.number);
    await Promise.all(victims.map(how));
    await this.#wait(fault.durationMs);
    await Promise.all(victims.map((node) => this.#letUp(fault, node)));
  }

  /** One reason less to be down. */
  async #letUp(fault: PlannedFault, node: ChaosNode): Promise<void> {
    const reasons = held(this.#downFor, node.id);
    reasons.delete(fault.number);
    if (reasons.size === 0) await this.#start(node);
  }

  /** Another fault may take it down again at any moment. */
  async #start(node: ChaosNode): Promise<void> {
    if (node.isEngaged && held(this.#downFor, node.id).size === 0) await node.start();
  }

  async #pause(fault: PlannedFault, node: ChaosNode): Promise<void> {
    const reasons = held(this.#stoppedFor, node.id);
    reasons.add(fault.number);
    node.pause();
    await this.#wait(fault.durationMs);
    reasons.delete(fault.number);
    if (reasons.size === 0) node.resume();
  }

  async #damage(fault: PlannedFault, node: ChaosNode, mark: FaultMark): Promise<void> {
    const reasons = held(this.#downFor, node.id);
    reasons.add(fault.number);
    this.#missing.set(node.id, Number.POSITIVE_INFINITY);
    await node.kill();
    if (fault.kind === 'wipe') await node.wipe();
    else mark.detail = recordOf(await node.corrupt(fault.seed));
    await this.#wait(fault.durationMs);
    await this.#letUp(fault, node);
    // Everything that anybody may have been promised with its help is below this.
    this.#missing.set(node.id, this.#options.cluster.commitIndex);
  }

  async #haveGuest(fault: PlannedFault, node: ChaosNode): Promise<void> {
    const guest = new MemberGuest(this.#options.cluster, node);
    try {
      await guest.join();
      await this.#wait(fault.durationMs);
      await guest.leave();
    } finally {
      guest.close();
      this.#missing.delete(node.id);
      this.budget.whole(node.id);
    }
  }

  async #flap(fault: PlannedFault, node: ChaosNode): Promise<void> {
    const { cluster, now } = this.#options;
    const untilMs = now() + fault.durationMs;
    const cut = linkParts(fault, node.id, cluster.ids);
    const stepMs = FLAP_MS[0] + fault.intensity * (FLAP_MS[1] - FLAP_MS[0]);
    for (let isCut = true; now() < untilMs && !this.#healing.signal.aborted; isCut = !isCut) {
      cluster.setParts(fault.number, isCut ? cut : []);
      await this.#wait(stepMs);
    }
    cluster.setParts(fault.number, []);
  }

  /** The process ends at the next write or sync, as it must; it comes back when the disk is good again. */
  async #breakDisk(fault: PlannedFault, node: ChaosNode): Promise<void> {
    const { cluster } = this.#options;
    const reasons = held(this.#downFor, node.id);
    reasons.add(fault.number);
    cluster.setParts(fault.number, [diskPart(fault, node.id)]);
    await this.#wait(fault.durationMs);
    cluster.setParts(fault.number, []);
    await sleep(CROSSING_MS);
    await this.#letUp(fault, node);
  }

  /** Or until everything heals. */
  async #wait(ms: number): Promise<void> {
    if (ms <= 0) return;
    await sleep(ms, undefined, { signal: this.#healing.signal }).catch(() => {});
  }
}

function held(map: Map<number, Set<number>>, id: number): Set<number> {
  let reasons = map.get(id);
  if (reasons === undefined) {
    reasons = new Set();
    map.set(id, reasons);
  }
  return reasons;
}

function pickOf(nodes: readonly ChaosNode[], pick: number): readonly ChaosNode[] {
  const picked = nodes[Math.floor(pick * nodes.length)];
  return picked === undefined ? [] : [picked];
}

/** What `--corrupt-record` printed, in a few words. */
function recordOf(json: string | null): string {
  if (json === null) return 'its log was empty';
  const record = JSON.parse(json) as Record<string, unknown>;
  return typeof record.index === 'number' ? `entry ${record.index}` : 'a record';
}
