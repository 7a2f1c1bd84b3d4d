// The ports of all nodes: the defaults where they are free, others where they are not. Chosen once, so that a
// node that is started again is found where it was.
import getPort from 'get-port';
import type { NodeId } from '../../../engine/raft/types.ts';

export const HOST = '127.0.0.1';
const CLIENT_PORT_BASE = 7000;
const PEER_PORT_BASE = 7100;

export interface NodePorts {
  nodeId: NodeId;
  client: number;
  peer: number;
}

export interface ChosenPorts {
  ports: readonly NodePorts[];
  /** `7001 is taken: n1 serves clients on 40123`, one for each replaced default. */
  notes: readonly string[];
}

/** Clients at 7000 + id, peers at 7100 + id; with `anyPorts` (tests) whatever is free. */
export async function chooseNodePorts(
  nodeIds: readonly NodeId[],
  { anyPorts }: { anyPorts: boolean },
): Promise<ChosenPorts> {
  const ports: NodePorts[] = [];
  const notes: string[] = [];
  const taken: number[] = [];
  const choose = async (wanted: number, purpose: string) => {
    const options = { host: HOST, exclude: [...taken] };
    const port = await getPort(anyPorts ? options : { ...options, port: wanted });
    taken.push(port);
    if (port !== wanted && !anyPorts) notes.push(`Port ${wanted} is taken: ${purpose} on ${port}`);
    return port;
  };
  for (const nodeId of nodeIds) {
    const client = await choose(CLIENT_PORT_BASE + nodeId, `n${nodeId} serves clients`);
    const peer = await choose(PEER_PORT_BASE + nodeId, `n${nodeId} talks to its peers`);
    ports.push({ nodeId, client, peer });
  }
  return { ports, notes };
}
