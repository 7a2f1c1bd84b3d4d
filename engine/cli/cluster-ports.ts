// Ports for the nodes of a local cluster: client ports P, P+1, … and peer ports P+100, P+101, …
import { createServer } from 'node:net';
import { UsageError } from './exit-code.ts';

export const BASE_PORT_DEFAULT = 7001;
const PEER_OFFSET = 100;
/** Distance between the blocks that are tried when the default ports are taken. */
const BLOCK = 10;
const PORT_MAX = 65_535;

export interface NodePorts {
  client: number;
  peer: number;
}

export function portsFrom(basePort: number, nodes: number): NodePorts[] {
  return Array.from({ length: nodes }, (_, i) => ({
    client: basePort + i,
    peer: basePort + PEER_OFFSET + i,
  }));
}

/** Throws a UsageError that names a taken port. */
export async function requirePorts(basePort: number, nodes: number, host: string): Promise<NodePorts[]> {
  const ports = portsFrom(basePort, nodes);
  const taken = await takenOf(ports, host);
  if (taken.length > 0) {
    const which = taken.length === 1 ? `port ${taken[0]} is taken` : `ports ${taken.join(', ')} are taken`;
    throw new UsageError(`${which}: choose another --base-port, or leave it out to get free ones`);
  }
  return ports;
}

/** The default ports, or the next block of which every port is free. */
export async function freePorts(nodes: number, host: string): Promise<{ basePort: number; taken: number[] }> {
  let firstTaken: number[] | null = null;
  for (let base = BASE_PORT_DEFAULT; base + PEER_OFFSET + nodes <= PORT_MAX; base += BLOCK) {
    const taken = await takenOf(portsFrom(base, nodes), host);
    if (taken.length === 0) return { basePort: base, taken: firstTaken ?? [] };
    firstTaken ??= taken;
  }
  throw new UsageError(`no free ports from ${BASE_PORT_DEFAULT} up`);
}

async function takenOf(ports: readonly NodePorts[], host: string): Promise<number[]> {
  const all = ports.flatMap(({ client, peer }) => [client, peer]);
  const free = await Promise.all(all.map((port) => isFree(port, host)));
  return all.filter((_, i) => !free[i]);
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
