// The cluster under measurement: `quorumlab cluster --ephemeral` in processes of its own, found and killed from
// outside like any user's.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { NodeStatus } from '../protocol/node-status.ts';
import { endWithThisProcess } from './end-with-this-process.ts';

export interface BenchNode {
  id: number;
  pid: number;
  /** `host:port` */
  client: string;
}

export interface BenchCluster {
  readonly addresses: readonly string[];
  /** Asks the nodes themselves; rejects when nobody leads within ten seconds. */
  leader(): Promise<BenchNode>;
  /** Resolves when all nodes answer and one leads. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

const READY_MS = 30_000;
const POLL_MS = 10;

/** `cli`: the bundled command line. `restart`: killed nodes come back. */
export async function startBenchCluster(
  cli: string,
  { restart }: { restart: boolean },
): Promise<BenchCluster> {
  const flags = ['cluster', '--ephemeral', '--json', ...(restart ? ['--restart'] : [])];
  const child = endWithThisProcess(
    spawn(process.execPath, [cli, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  const addresses = await clientAddresses(child);
  const statuses = (): Promise<(NodeStatus | null)[]> => Promise.all(addresses.map(statusOf));
  const leading = async (): Promise<BenchNode | null> => {
    const leaders = (await statuses()).filter((status) => status?.raft.role === 'leader') as NodeStatus[];
    leaders.sort((a, b) => b.raft.currentTerm - a.raft.currentTerm);
    const [leader] = leaders;
    if (leader === undefined) return null;
    return { id: leader.nodeId, pid: leader.process.pid, client: leader.process.clientAddress };
  };
  return {
    addresses,
    leader: () => poll('a leader', leading),
    whole: async () => {
      await poll('all nodes', async () => {
        const all = await statuses();
        const lastIndex = Math.max(...all.map((status) => status?.raft.lastIndex ?? 0));
        // A node that is still catching up could not take over.
        const isLevel = (status: NodeStatus | null): boolean =>
          status !== null && status.raft.leaderId !== 0 && lastIndex - status.raft.lastIndex < 1000;
        return all.every(isLevel) ? true : null;
      });
    },
    stop: () => stop(child),
  };
}

function clientAddresses(child: ChildProcess): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('the cluster has no output');
    const timer = setTimeout(() => reject(new Error(`no cluster within ${READY_MS} ms`)), READY_MS);
    child.once('exit', (code) => reject(new Error(`the cluster ended with code ${code}`)));
    createInterface(child.stdout).once('line', (line) => {
      clearTimeout(timer);
      const { nodes } = JSON.parse(line) as { nodes: { client: string }[] };
      resolve(nodes.map((node) => node.client));
    });
  });
}

async function statusOf(address: string): Promise<NodeStatus | null> {
  try {
    const response = await fetch(`http://${address}/status`, { signal: AbortSignal.timeout(1000) });
    return (await response.json()) as NodeStatus;
  } catch {
    return null; // down, which is what the caller wants to know
  }
}

async function poll<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`no ${what} within ${READY_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
