// Changes of the members, step by step: a node is started, joins as a learner, catches up and gets its vote; a
// leader hands over before it goes, and a process ends after it has left. Which change is possible is the engine's
// to say; this waits where waiting helps, and tells each stage and each refusal in words. One change at a time.
import { ClientError } from '../../../engine/client/client-error.ts';
import type { Members } from '../../../engine/client/members.ts';
import type { ListedMember } from '../../../engine/protocol/json-members.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView, MemberChangeView, MemberStage } from '../../shared/cluster-view.ts';
import type { FolderFate } from '../../shared/contract.ts';
import { leaderOf } from '../../shared/leader.ts';
import { forecastRemoval, membershipOf, membersOf, NODES_MAX, nextNodeId } from '../../shared/membership.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import { HOST, type NodePorts } from './node-ports.ts';
import type { Supervisor } from './supervisor.ts';

const POLL_MS = 50;
/** A learner that gets nothing new for so long is not catching up. */
const STUCK_MS_MAX = 30_000;
const HANDOVER_MS_MAX = 8_000;
/** What the new configuration says about a member is known everywhere a moment after it is committed. */
const SETTLE_MS_MAX = 2_000;
/** A learner that keeps up for so long is level, and has not only been so for a moment. */
const LEVEL_MS_MIN = 1_000;
const CHANGE_DEADLINE_MS = 10_000;
/** A leader may be lost in the middle of a change; that it happens again and again is worth telling. */
const CHANGE_ATTEMPTS_MAX = 4;
/** Fewer entries than a leader sends in a moment: the engine says what is few enough. */
const NEARLY_LEVEL_ENTRIES = 5_000;

export interface MemberChangesOptions {
  supervisor: Supervisor;
  folder: ClusterFolder;
  members: Members;
  view: () => ClusterView;
  choosePorts: (nodeId: NodeId) => Promise<NodePorts>;
  onChange: (change: MemberChangeView) => void;
  onDeed: (text: string, nodeId: NodeId | null) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
}

type MemberRole = ListedMember['role'] | null;

interface Work {
  nodeId: NodeId;
  kind: MemberChangeView['kind'];
  since: number;
  stage: MemberStage;
  /** Somebody wants the node gone instead. */
  cancelled: boolean;
  ended: Promise<unknown>;
}

export class MemberChanges {
  readonly #options: MemberChangesOptions;
  #work: Work | null = null;
  #closed = false;

  constructor(options: MemberChangesOptions) {
    this.#options = options;
  }

  /** Resolves to the id once the node votes. A node that runs and does not vote yet goes on from where it is. */
  async add(wanted?: NodeId): Promise<NodeId> {
    const { supervisor, folder } = this.#options;
    const nodeId = wanted ?? nextNodeId(folder.nodes.map((node) => node.nodeId));
    const isThere = supervisor.nodeIds.includes(nodeId);
    this.#mustBePossible(nodeId, isThere);
    await this.#run(nodeId, 'add', async (work) => {
      if (!isThere) await this.#startNew(work);
      if ((await this.#listed(nodeId)) === null) await this.#join(work, isThere);
      await this.#giveVote(work);
    });
    return nodeId;
  }

  async promote(nodeId: NodeId): Promise<void> {
    this.#mustExist(nodeId);
    await this.#run(nodeId, 'promote', (work) => this.#giveVote(work));
  }

  /** Whatever is being done to add it stops first. */
  async remove(nodeId: NodeId, fate: FolderFate): Promise<void> {
    this.#mustExist(nodeId);
    const { refusal } = forecastRemoval(this.#options.view(), nodeId);
    if (refusal !== null) throw new Error(`n${nodeId} cannot be removed now. ${refusal}`);
    if (this.#work?.nodeId === nodeId && this.#work.kind !== 'remove') {
      this.#work.cancelled = true;
      await this.#work.ended.catch(() => undefined);
    }
    await this.#run(nodeId, 'remove', async (work) => {
      await this.#handOver(work);
      this.#enter(work, 'removing', `n${nodeId} is being removed from the cluster`);
      if ((await this.#listed(nodeId)) !== null) {
        const call = () => this.#options.members.remove(nodeId, { deadlineMs: CHANGE_DEADLINE_MS });
        await this.#change(work, call, (role) => role === null);
      }
      this.#enter(work, 'stopping', `n${nodeId} is no member any more; its process stops`);
      const place = await this.#options.supervisor.removeNode(nodeId, fate);
      const folder = place === null ? 'its folder is deleted' : `its folder is kept in ${place}`;
      this.#options.onDeed(`n${nodeId} has left the cluster; ${folder}`, null);
    });
  }

  /** Tells the cluster where nodes are that had to take other ports than before. Failures are told in the feed. */
  async announceMoved(moved: readonly NodePorts[]): Promise<void> {
    for (const { nodeId, client, peer } of moved) {
      const member = { id: nodeId, client: `${HOST}:${client}`, peer: `${HOST}:${peer}` };
      try {
        await this.#options.members.update(member, { deadlineMs: STUCK_MS_MAX });
        this.#options.onDeed(`The cluster knows that n${nodeId} has moved to other ports`, nodeId);
      } catch (error) {
        if (this.#closed) return;
        this.#options.onDeed(`n${nodeId} has moved to other ports, and ${wordsOf(error)}`, nodeId);
      }
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #startNew(work: Work): Promise<void> {
    const { supervisor, choosePorts } = this.#options;
    this.#enter(work, 'starting', `n${work.nodeId} is being added: its process starts`);
    const ports = await choosePorts(work.nodeId);
    try {
      await supervisor.addNode(ports);
    } catch (error) {
      // It never was a member, and has nothing to lose.
      await supervisor.removeNode(work.nodeId, 'delete').catch(() => undefined);
      throw error;
    }
  }

  async #join(work: Work, isOlder: boolean): Promise<void> {
    const { supervisor, members, folder } = this.#options;
    const { nodeId } = work;
    this.#enter(work, 'joining', `n${nodeId} asks to be taken in as a learner`);
    const ports = folder.nodes.find((node) => node.nodeId === nodeId);
    if (ports === undefined) throw new Error(`n${nodeId} has no ports.`);
    const member = { id: nodeId, client: `${HOST}:${ports.client}`, peer: `${HOST}:${ports.peer}` };
    try {
      const call = () => members.add(member, { deadlineMs: CHANGE_DEADLINE_MS });
      await this.#change(work, call, (role) => role !== null);
    } catch (error) {
      const isCertain = error instanceof ClientError && error.outcome === 'definite';
      if (isCertain && !isOlder) await supervisor.removeNode(nodeId, 'delete').catch(() => undefined);
      throw error;
    }
  }

  /** Waits until the learner has caught up, and makes it a voter. */
  async #giveVote(work: Work): Promise<void> {
    const { nodeId } = work;
    if (this.#membership(nodeId) === 'voter') return;
    this.#enter(work, 'catchingUp', `n${nodeId} is a learner: it gets the log and has no vote yet`);
    let matchIndex = -1;
    let levelSince: number | null = null;
    let movedAt = performance.now();
    for (;;) {
      this.#mustGoOn(work);
      this.#mustRun(nodeId);
      const progress = leaderOf(this.#options.view())?.status?.raft.progress.find(({ id }) => id === nodeId);
      const reached = (progress?.matchIndex ?? 0) + (progress?.snapshot?.sentBytes ?? 0);
      if (reached !== matchIndex) movedAt = performance.now();
      matchIndex = reached;
      const isLevel = progress?.state === 'replicate' && progress.lagEntries <= NEARLY_LEVEL_ENTRIES;
      levelSince = isLevel ? (levelSince ?? performance.now()) : null;
      if (levelSince !== null && performance.now() - levelSince >= LEVEL_MS_MIN) {
        this.#stage(work, 'promoting');
        if (await this.#promoteOnce(nodeId)) break;
        this.#stage(work, 'catchingUp');
      }
      if (performance.now() - movedAt > STUCK_MS_MAX) {
        throw new Error(
          `n${nodeId} has got nothing for ${STUCK_MS_MAX / 1000} s. It stays a learner, which harms nobody: ` +
            `see whether it runs and is reached, then promote n${nodeId}.`,
        );
      }
      await pause(POLL_MS);
    }
    this.#options.onDeed(`n${nodeId} has caught up and votes now`, nodeId);
  }

  /** False: it is not level yet. */
  async #promoteOnce(nodeId: NodeId): Promise<boolean> {
    const { members } = this.#options;
    try {
      await members.promote(nodeId, { deadlineMs: CHANGE_DEADLINE_MS });
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const listed = await this.#listed(nodeId);
      if (listed === 'voter') return true;
      // Behind or unclear: asked again while it still moves.
      if (listed === 'learner' && (error.code === 'REFUSED' || error.outcome === 'unknown')) return false;
      throw error;
    }
  }

  async #handOver(work: Work): Promise<void> {
    const { supervisor, view } = this.#options;
    const { nodeId } = work;
    const leads = () => leaderOf(view())?.process.nodeId ?? null;
    if (leads() !== nodeId) return;
    this.#enter(work, 'handingOver', `n${nodeId} leads: it hands leadership over before it goes`);
    await supervisor.act(nodeId, { kind: 'stepDown' });
    await until(() => leads() !== null && leads() !== nodeId, HANDOVER_MS_MAX).catch(() => {
      throw new Error(`n${nodeId} leads, and nobody took over within ${HANDOVER_MS_MAX / 1000} s.`);
    });
  }

  /** A change whose reply was lost is judged by what the members are afterwards, and asked for again if need be. */
  async #change(
    work: Work,
    call: () => Promise<unknown>,
    isDone: (role: MemberRole) => boolean,
  ): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        await call();
        return;
      } catch (error) {
        if (!(error instanceof ClientError) || error.outcome !== 'unknown') throw error;
        if (isDone(await this.#listed(work.nodeId))) return;
        if (attempts === CHANGE_ATTEMPTS_MAX) throw new Error(withoutKeys(error.message));
        this.#mustGoOn(work);
      }
    }
  }

  /** Its role as the leader knows it once no change is under way any more; null: no member. */
  async #listed(nodeId: NodeId): Promise<MemberRole> {
    const deadline = performance.now() + CHANGE_DEADLINE_MS;
    for (;;) {
      const { members, joint, committed } = await this.#options.members.list({
        deadlineMs: CHANGE_DEADLINE_MS,
      });
      const isFirm = committed && !joint;
      if (isFirm || performance.now() > deadline)
        return members.find(({ id }) => id === nodeId)?.role ?? null;
      await pause(POLL_MS);
    }
  }

  #membership(nodeId: NodeId) {
    return membershipOf(membersOf(this.#options.view()), nodeId);
  }

  async #run(
    nodeId: NodeId,
    kind: MemberChangeView['kind'],
    steps: (work: Work) => Promise<void>,
  ): Promise<void> {
    if (this.#work !== null) {
      throw new Error(`${doing(this.#work)}. One change of the members at a time: wait until it is done.`);
    }
    const since = this.#options.now();
    const work: Work = { nodeId, kind, since, stage: 'starting', cancelled: false, ended: Promise.resolve() };
    this.#work = work;
    const ended = steps(work);
    work.ended = ended;
    try {
      await ended;
      await until(() => this.#isShown(work), SETTLE_MS_MAX).catch(() => undefined);
      this.#stage(work, 'done');
    } catch (error) {
      const failure = wordsOf(error);
      const isGone = !this.#options.supervisor.nodeIds.includes(nodeId);
      if (isGone || work.cancelled) this.#stage(work, 'done');
      else this.#tell(work, failure);
      this.#options.onDeed(`Could not ${kind} n${nodeId}: ${failure}`, isGone ? null : nodeId);
      throw new Error(failure);
    } finally {
      this.#work = null;
    }
  }

  /** The pictures of the cluster have caught up with what was done. */
  #isShown({ nodeId, kind }: Work): boolean {
    return this.#membership(nodeId) === (kind === 'remove' ? 'outside' : 'voter');
  }

  #enter(work: Work, stage: MemberStage, deed: string): void {
    this.#mustGoOn(work);
    this.#stage(work, stage);
    this.#options.onDeed(deed, work.nodeId);
  }

  #stage(work: Work, stage: MemberStage): void {
    if (work.stage === stage && stage !== 'starting') return;
    work.stage = stage;
    this.#tell(work, null);
  }

  #tell({ nodeId, kind, stage, since }: Work, failure: string | null): void {
    this.#options.onChange({ nodeId, kind, stage, since, failure });
  }

  #mustGoOn(work: Work): void {
    if (this.#closed) throw new Error('Quorumlab is closing.');
    if (work.cancelled) throw new Error(`n${work.nodeId} is to be removed instead.`);
    const isStarted = work.stage !== 'starting' && work.stage !== 'done';
    if (isStarted && !this.#options.supervisor.nodeIds.includes(work.nodeId)) {
      throw new Error(`n${work.nodeId} is gone: the cluster was reset.`);
    }
  }

  #mustRun(nodeId: NodeId): void {
    const state = this.#options.supervisor.processes().find((process) => process.nodeId === nodeId)?.state;
    if (state === 'running' || state === 'starting') return;
    throw new Error(
      `n${nodeId} does not run, so it cannot catch up. It stays without a vote, which harms nobody: ` +
        `${state === 'paused' ? 'resume' : 'restart'} n${nodeId}, then promote n${nodeId}.`,
    );
  }

  #mustExist(nodeId: NodeId): void {
    const { nodeIds } = this.#options.supervisor;
    if (nodeIds.includes(nodeId)) return;
    throw new Error(`There is no n${nodeId}: this cluster has ${nodeIds.map((id) => `n${id}`).join(', ')}.`);
  }

  #mustBePossible(nodeId: NodeId, isThere: boolean): void {
    const { supervisor, folder } = this.#options;
    if (isThere) {
      if (this.#membership(nodeId) !== 'voter') return;
      throw new Error(`n${nodeId} is a member already, and votes.`);
    }
    if (supervisor.nodeIds.length >= NODES_MAX) {
      throw new Error(`${NODES_MAX} nodes are the most that one panel runs. Remove one first.`);
    }
    if (nodeId > 99) throw new Error('A node has a number from 1 to 99.');
    const had = folder.nodes.find((node) => node.nodeId === nodeId);
    if (had !== undefined) {
      const next = nextNodeId(folder.nodes.map((node) => node.nodeId));
      throw new Error(
        `n${nodeId} was a member before and has left. An id is used once, since votes of its former life may ` +
          `still be remembered: add n${next} instead.`,
      );
    }
  }
}

function doing({ nodeId, kind }: Work): string {
  const words = { add: 'added', promote: 'promoted', remove: 'removed' } as const;
  return `n${nodeId} is being ${words[kind]}`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The client's advice is about writes of keys. */
function withoutKeys(message: string): string {
  return message.replace(/[.;,]? Read the key to find out\.?$/, '.');
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function until(done: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!done()) {
    if (performance.now() > deadline) throw new Error('it took too long');
    await pause(POLL_MS);
  }
}
