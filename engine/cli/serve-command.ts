// serve: one node in this process. The same command on several machines makes one cluster.
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Command } from 'commander';
import type { NodeConfigInput } from '../node/node-config.ts';
import { integer } from './client-options.ts';
import { UsageError } from './exit-code.ts';
import { parsePeers } from './peers-option.ts';

interface ServeFlags {
  config?: string;
  id?: number;
  dataDir?: string;
  clusterId?: string;
  host?: string;
  clientPort?: number;
  peerPort?: number;
  peers?: NodeConfigInput['peers'];
  json?: true;
  join?: true;
  leaseReads?: true;
}

const HOST_DEFAULT = '127.0.0.1';
const CLIENT_PORT_BASE = 7000;
const PEER_PORT_BASE = 7100;

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run one node of a cluster')
    .option('-c, --config <file>', 'JSON file with the settings below and more; flags win over it')
    .option('--id <n>', 'this node', integer(1, 65_535))
    .option('--data-dir <dir>', "this node's log, and nothing else (default: quorumlab-data/n<id>)")
    .option('--cluster-id <name>', 'nodes of another cluster are turned away (default: quorumlab)')
    .option('--peers <list>', 'all nodes, this one too: id=host:peerPort/host:clientPort,…', parsePeers)
    .option('--host <host>', `address to listen on (default: ${HOST_DEFAULT})`)
    .option('--client-port <port>', "default: this node's in --peers, else 7000 + id", integer(0, 65_535))
    .option('--peer-port <port>', "default: this node's in --peers, else 7100 + id", integer(0, 65_535))
    .option('--join', 'a node that is added to a cluster: it waits for `member add`, with an empty folder')
    .option('--lease-reads', 'serve reads under a lease, without asking a majority; the same on all nodes')
    .option('--json', 'print one line of JSON when it is up, and nothing else')
    .addHelpText(
      'after',
      `
Every node gets the same --peers. Without --peers it is a cluster of one.
One that joins names itself and the members that it can find now; see: quorumlab member --help.

Listening beyond this machine needs a password for clients (QUORUMLAB_PASSWORD, or "password" in --config) and a
secret between nodes (QUORUMLAB_PEER_SECRET, or "peerSecret"), the same on every node. They prove who is there;
what is sent is neither hidden nor signed, so across networks you do not own, connect loopback ports by tunnels.

Examples:
  quorumlab serve --id 1
  quorumlab serve --id 1 --peers 1=127.0.0.1:7101/127.0.0.1:7001,2=127.0.0.1:7102/127.0.0.1:7002,3=127.0.0.1:7103/127.0.0.1:7003
  quorumlab serve --config n1.json
      {"nodeId":1,"clusterId":"demo","dataDir":"n1","peers":[{"id":1,"peer":"127.0.0.1:7101","client":"127.0.0.1:7001"}],
       "electionTimeoutMs":[150,300],"heartbeatIntervalMs":50,"limits":{"valueBytesMax":1048576}}

Exit codes: 0 stopped by you, 2 a setting, port or folder is unusable, 70 a bug, 74 the disk failed.`,
    )
    .action(async (flags: ServeFlags) => {
      const config = await configOf(flags);
      // The node is most of this program's weight: commands that need none start faster without it.
      const { serveNode } = await import('./serve-node.ts');
      await serveNode(config, { json: flags.json === true });
    });
}

/** Flags over file over defaults; checked by the node itself. */
async function configOf(flags: ServeFlags): Promise<NodeConfigInput> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const nodeId = flags.id ?? file.nodeId;
  if (nodeId === undefined) throw new UsageError('which node is this? Give --id, or nodeId in --config');
  // What stands in the file is unchecked here; the node's own parser names what is wrong with it.
  const members = flags.peers ?? (Array.isArray(file.peers) ? file.peers : []);
  const named = members.find((member) => member?.id === nodeId);
  const host = flags.host ?? file.client?.host ?? HOST_DEFAULT;
  const clientPort =
    flags.clientPort ?? file.client?.port ?? portOf(named?.client) ?? CLIENT_PORT_BASE + nodeId;
  const peerPort = flags.peerPort ?? file.peer?.port ?? portOf(named?.peer) ?? PEER_PORT_BASE + nodeId;
  const alone = [
    { id: nodeId, peer: `${bracketed(host)}:${peerPort}`, client: `${bracketed(host)}:${clientPort}` },
  ];
  return {
    ...file,
    // Not as flags: everybody on this machine can read those.
    ...secretsOf(process.env),
    nodeId,
    clusterId: flags.clusterId ?? file.clusterId ?? 'quorumlab',
    dataDir: flags.dataDir ?? file.dataDir ?? `quorumlab-data/n${nodeId}`,
    client: { host, port: clientPort },
    peer: { host: flags.host ?? file.peer?.host ?? host, port: peerPort },
    peers: flags.peers ?? file.peers ?? alone,
    join: flags.join ?? file.join ?? false,
    leaseReads: flags.leaseReads ?? file.leaseReads ?? false,
  };
}

function secretsOf(env: NodeJS.ProcessEnv): Pick<NodeConfigInput, 'password' | 'peerSecret'> {
  const { QUORUMLAB_PASSWORD: password, QUORUMLAB_PEER_SECRET: peerSecret } = env;
  return { ...(password ? { password } : {}), ...(peerSecret ? { peerSecret } : {}) };
}

async function readConfigFile(path: string): Promise<Partial<NodeConfigInput>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is no JSON object');
    return parsed as Partial<NodeConfigInput>;
  } catch (error) {
    throw new UsageError(`--config ${path}: ${(error as Error).message}`);
  }
}

function portOf(address: string | undefined): number | undefined {
  return address === undefined ? undefined : Number(address.slice(address.lastIndexOf(':') + 1));
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
