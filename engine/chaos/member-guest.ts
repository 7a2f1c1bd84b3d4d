// A node that joins the cluster of a chaos run, gets a vote, and is removed again: as a person would do it with
// `quorumlab member`, trying each step until it is done, whatever else goes wrong meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '../client/client.ts';
import { ClientError } from '../client/client-error.ts';
import type { MemberList } from '../client/members.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import type { ChaosNode } from './chaos-node.ts';

const CALL_MS = 2000;
const RETRY_MS = 100;
/** A leader that was stopped for a while may answer once more from what it knew: it must say so again after this. */
const CONFIRM_MS = 500;
/** With everything healed a change takes a few round trips. */
const STEP_MS_MAX = 120_000;

type Wanted = 'learner' | 'voter' | 'gone';

export class MemberGuest {
  readonly #node: ChaosNode;
  readonly #client: Client;

  constructor(cluster: ChaosCluster, node: ChaosNode) {
    this.#node = node;
    this.#client = createClient({ addresses: cluster.addresses });
  }

  /** Resolves when it is a voter; rejects when that took too long. */
  async join(): Promise<void> {
    this.#node.isEngaged = true;
    await this.#node.start();
    await this.#reach('learner');
    await this.#reach('voter');
  }

  /** Resolves when nobody counts on it any more, and it is gone with its folder. */
  async leave(): Promise<void> {
    await this.#reach('gone');
    await this.#node.retire();
  }

  close(): void {
    this.#client.close();
  }

  async #reach(wanted: Wanted): Promise<void> {
    const end = performance.now() + STEP_MS_MAX;
    let last = '';
    for (;;) {
      try {
        const list = await this.#client.members.list({ deadlineMs: CALL_MS });
        if (isDone(list, this.#node.id, wanted)) {
          await sleep(CONFIRM_MS);
          const again = await this.#client.members.list({ deadlineMs: CALL_MS });
          if (isDone(again, this.#node.id, wanted)) return;
        } else if (!list.joint && list.committed) await this.#step(wanted);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        last = error.message;
      }
      if (performance.now() > end) throw new Error(`n${this.#node.id} did not become ${wanted}: ${last}`);
      await sleep(RETRY_MS);
    }
  }

  async #step(wanted: Wanted): Promise<void> {
    const { id, clientAddress, peerAddress } = this.#node;
    const { members } = this.#client;
    const options = { deadlineMs: CALL_MS };
    if (wanted === 'learner') await members.add({ id, client: clientAddress, peer: peerAddress }, options);
    else if (wanted === 'voter') await members.promote(id, options);
    else await members.remove(id, options);
  }
}

/** By a list that the leader has committed, and that is not joint. */
function isDone(
  { members, joint, committed, leaderId, receipt }: MemberList,
  id: number,
  wanted: Wanted,
): boolean {
  // Another node may know only what was.
  if (joint || !committed || leaderId === null || receipt.nodeId !== leaderId) return false;
  const found = members.find((member) => member.id === id);
  if (wanted === 'gone') return found === undefined;
  return wanted === 'learner' ? found !== undefined : found?.role === 'voter';
}
