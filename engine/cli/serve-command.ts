// serve: one node in this process. The same command on several machines makes one cluster.
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Command } from 'commander';
import pc from 'picocolors';
import { installHostCodecs } from '../node/host-codecs.ts';
import { startNode } from '../node/node.ts';
import { ConfigError, type NodeConfig, type NodeConfigInput, parseNodeConfig } from '../node/node-config.ts';
import { integer } from './client-options.ts';
import { describeEvent } from './event-text.ts';
import { CliExitCode, UsageError } from './exit-code.ts';
import { parsePeers } from './peers-option.ts';
import { printJson, printLine, remark } from './terminal.ts';

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
    .option('--json', 'print one line of JSON when it is up, and nothing else')
    .addHelpText(
      'after',
      `
Every node gets the same --peers. Without --peers it is a cluster of one.

Listening beyond this machine would need a password for clients and a secret between peers; this version has
neither, so it refuses. To span machines, let each node listen on loopback and connect them by tunnels.

Examples:
  quorumlab serve --id 1
  quorumlab serve --id 1 --peers 1=127.0.0.1:7101/127.0.0.1:7001,2=127.0.0.1:7102/127.0.0.1:7002,3=127.0.0.1:7103/127.0.0.1:7003
  quorumlab serve --config n1.json
      {"nodeId":1,"clusterId":"demo","dataDir":"n1","peers":[{"id":1,"peer":"127.0.0.1:7101","client":"127.0.0.1:7001"}],
       "electionTimeoutMs":[150,300],"heartbeatIntervalMs":50,"limits":{"valueBytesMax":1048576}}

Exit codes: 0 stopped by you, 2 a setting, port or folder is unusable, 70 a bug, 74 the disk failed.`,
    )
    .action(async (flags: ServeFlags) => {
      await serve(await configOf(flags), flags);
    });
}

async function serve(config: NodeConfig, flags: ServeFlags): Promise<void> {
  refuseBeyondLoopback(config);
  installHostCodecs();
  const say = (text: string, at = Date.now()): void => {
    if (!flags.json) printLine(`${pc.dim(new Date(at).toISOString().slice(11, 23))}  ${text}`);
  };
  const node = await startNode(config, {
    events: (events) => {
      for (const { at, event } of events) {
        const text = describeEvent(event);
        if (text !== null) say(text, at);
      }
    },
    fatal: (code, message) => {
      remark(message);
      // The ports are shut; what was said needs a moment to leave.
      setTimeout(() => process.exit(code), 20);
    },
    log: { info: () => {}, warn: (_fields, message) => remark(message) },
  }).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  });
  const { clientAddress: client, peerAddress: peer } = node;
  if (flags.json) printJson({ id: config.nodeId, pid: process.pid, client, peer });
  else
    printLine(
      `n${config.nodeId} is up: clients ${client}, peers ${peer}, data ${config.dataDir}. Stop: Ctrl-C`,
    );
  const signal = await stopSignal();
  if (!flags.json) remark('stopping …');
  await node.stop(signal);
  process.exitCode = CliExitCode.ok;
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
}

async function configOf(flags: ServeFlags): Promise<NodeConfig> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const nodeId = flags.id ?? file.nodeId;
  if (nodeId === undefined) throw new UsageError('which node is this? Give --id, or nodeId in --config');
  const named = (flags.peers ?? file.peers)?.find((member) => member.id === nodeId);
  const host = flags.host ?? file.client?.host ?? HOST_DEFAULT;
  const clientPort =
    flags.clientPort ?? file.client?.port ?? portOf(named?.client) ?? CLIENT_PORT_BASE + nodeId;
  const peerPort = flags.peerPort ?? file.peer?.port ?? portOf(named?.peer) ?? PEER_PORT_BASE + nodeId;
  const alone = [
    { id: nodeId, peer: `${bracketed(host)}:${peerPort}`, client: `${bracketed(host)}:${clientPort}` },
  ];
  const input = {
    ...file,
    nodeId,
    clusterId: flags.clusterId ?? file.clusterId ?? 'quorumlab',
    dataDir: flags.dataDir ?? file.dataDir ?? `quorumlab-data/n${nodeId}`,
    client: { host, port: clientPort },
    peer: { host: flags.host ?? file.peer?.host ?? host, port: peerPort },
    peers: flags.peers ?? file.peers ?? alone,
  };
  try {
    return parseNodeConfig(input);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
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

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function refuseBeyondLoopback(config: NodeConfig): void {
  for (const { host } of [config.client, config.peer]) {
    if (isLoopback(host)) continue;
    throw new UsageError(
      `refusing to listen on ${host}: beyond this machine, clients need a password and peers a shared secret, ` +
        'and this version has neither. Listen on 127.0.0.1 and connect machines by tunnels (ssh -L)',
    );
  }
}
