// The ports of all nodes: the defaults where they are free, others where they are not. Chosen once, so that a
// node that is started again is found where it was.
import getPort, { clearLockedPorts } from 'get-port';
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

export interface PortWishes {
  /** Tests: whatever is free instead of the defaults. */
  anyPorts: boolean;
  /** Ports that nodes had: others know them there, so they come before the defaults. */
  remembered?: readonly NodePorts[];
  /** Ports of nodes that may not run at the moment. */
  reserved?: readonly NodePorts[];
}

/** Clients at 7000 + id, peers at 7100 + id, unless they had others or are to have any. */
export async function chooseNodePorts(
  nodeIds: readonly NodeId[],
  { anyPorts, remembered = [], reserved = [] }: PortWishes,
): Promise<ChosenPorts> {
  // It does not give a port twice within a while; what a node of this process had, it shall have again.
  clearLockedPorts();
  const ports: NodePorts[] = [];
  const notes: string[] = [];
  const taken = reserved.flatMap(({ client, peer }) => [client, peer]);
  const choose = async (had: number | undefined, usual: number, purpose: string) => {
    const wanted = had || (anyPorts ? 0 : usual);
    const options = { host: HOST, exclude: [...taken] };
    const port = await getPort(wanted === 0 ? options : { ...options, port: wanted });
    taken.push(port);
    if (wanted !== 0 && port !== wanted) notes.push(`Port ${wanted} is taken: ${purpose} on ${port}`);
    return port;
  };
  for (const nodeId of nodeIds) {
    const had = remembered.find((node) => node.nodeId === nodeId);
    const client = await choose(had?.client, CLIENT_PORT_BASE + nodeId, `n${nodeId} serves clients`);
    const peer = await choose(had?.peer, PEER_PORT_BASE + nodeId, `n${nodeId} talks to its peers`);
    ports.push({ nodeId, client, peer });
  }
  return { ports, notes };
}
