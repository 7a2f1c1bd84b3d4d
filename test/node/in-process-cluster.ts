// Three nodes in this process, on loopback, in temporary folders.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { type RunningNode, startNode } from '../../engine/node/node.ts';
import { type NodeConfigInput, parseNodeConfig } from '../../engine/node/node-config.ts';
import type { NodeEvent } from '../../engine/protocol/node-status.ts';
import { waitUntil } from '../main/wait-until.ts';

export interface InProcessNode {
  id: number;
  node: RunningNode;
  events: NodeEvent[];
  fatal: number[];
}

export interface InProcessCluster {
  nodes: InProcessNode[];
  leader(): InProcessNode;
  elected(): Promise<InProcessNode>;
  /** Starts the stopped node `id` again, in its folder. */
  restart(id: number): Promise<InProcessNode>;
  close(): Promise<void>;
}

/** Timeouts are wide: a busy machine must not elect for want of time. */
const TIMEOUTS = { electionTimeoutMs: [400, 800], heartbeatIntervalMs: 50 } as const;

export async function startCluster(
  size = 3,
  settings: Partial<NodeConfigInput> = {},
): Promise<InProcessCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-node-'));
  const peers: { id: number; peer: string; client: string }[] = [];
  for (let id = 1; id <= size; id++) {
    peers.push({
      id,
      peer: `127.0.0.1:${await getPort({ host: '127.0.0.1' })}`,
      client: `127.0.0.1:${await getPort({ host: '127.0.0.1' })}`,
    });
  }
  const portOf = (address: string): number => Number(address.split(':')[1]);
  const start = async (id: number, wasMember: boolean): Promise<InProcessNode> => {
    const own = peers[id - 1];
    if (own === undefined) throw new RangeError(`no node ${id}`);
    const config = parseNodeConfig({
      clusterId: 'test',
      nodeId: id,
      dataDir: join(folder, `n${id}`),
      client: { port: portOf(own.client) },
      peer: { port: portOf(own.peer) },
      peers,
      wasMember,
      ...TIMEOUTS,
      ...settings,
    });
    const events: NodeEvent[] = [];
    const fatal: number[] = [];
    const node = await startNode(config, {
      events: (batch) => void events.push(...batch),
      fatal: (code) => void fatal.push(code),
      log: { info: () => {}, warn: () => {} },
    });
    return { id, node, events, fatal };
  };
  const nodes: InProcessNode[] = [];
  for (const { id } of peers) nodes.push(await start(id, false));
  const leaders = (): InProcessNode[] => nodes.filter(({ node }) => node.status().raft.role === 'leader');
  const leader = (): InProcessNode => {
    const [first] = leaders();
    if (first === undefined) throw new Error('nobody leads');
    return first;
  };
  return {
    nodes,
    leader,
    elected: async () => {
      await waitUntil('everybody follows one leader', () => {
        const [first] = leaders();
        return first !== undefined && nodes.every(({ node }) => node.status().raft.leaderId === first.id);
      });
      return leader();
    },
    restart: async (id) => {
      const started = await start(id, true);
      nodes[id - 1] = started;
      return started;
    },
    close: async () => {
      for (const { node } of nodes) {
        node.setFaults({ disk: [], links: [] });
        await node.stop('the test is over');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
