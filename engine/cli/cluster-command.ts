// cluster: a whole cluster on this machine, without the panel.
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import type { NodeEvent } from '../protocol/node-status.ts';
import { integer } from './client-options.ts';
import { type ClusterFolder, ephemeralFolder, persistentFolder } from './cluster-folder.ts';
import { BASE_PORT_DEFAULT, freePorts, type NodePorts, portsFrom, requirePorts } from './cluster-ports.ts';
import { describeEvent } from './event-text.ts';
import { CliExitCode, UsageError } from './exit-code.ts';
import { LocalCluster, type LocalClusterListener, type RunningNode } from './local-cluster.ts';
import { findNodeEntry } from './node-process.ts';
import { plainTable } from './plain-table.ts';
import { printJson, printLine, remark } from './terminal.ts';

interface ClusterFlags {
  nodes: number;
  basePort?: number;
  dataDir?: string;
  ephemeral?: true;
  restart?: true;
  json?: true;
}

const HOST = '127.0.0.1';
const DATA_DIR_DEFAULT = 'quorumlab-data';
const LEADER_DEADLINE_MS = 30_000;

export function addCluster(program: Command): void {
  program
    .command('cluster')
    .description('run a whole cluster on this machine, each node a process of its own')
    .option('-n, --nodes <count>', 'how many nodes', integer(1, 9), 3)
    .addOption(
      new Option('-p, --base-port <port>', 'client ports from here up, peer ports 100 higher').argParser(
        integer(1, 65_000),
      ),
    )
    .option('--data-dir <dir>', `where the data lives (default: ${DATA_DIR_DEFAULT})`)
    .option('--ephemeral', 'keep the data in a temporary folder, removed at the end')
    .option('--restart', 'start a node that dies again; without it, it stays dead')
    .option('--json', 'print one line of JSON once a leader is elected, and nothing else')
    .addHelpText(
      'after',
      `
Runs until Ctrl-C or SIGTERM, which stop every node. However this process dies, its nodes end with it.
Without --base-port the clients' ports are ${BASE_PORT_DEFAULT} and up, or the next free ones.

Examples:
  quorumlab cluster --ephemeral
  quorumlab cluster --data-dir ./data --restart
  quorumlab cluster --ephemeral --base-port 9001 --json
      {"nodes":[{"id":1,"pid":4711,"client":"127.0.0.1:9001","peer":"127.0.0.1:9101"},…],"leader":1}

Then, in another terminal:
  quorumlab status
  quorumlab set greeting hello
  kill -9 <pid of the leader>          and watch another one take over

Exit codes: 0 stopped by you, 2 a port or folder is unusable, 3 it did not start or every node died.`,
    )
    .action((flags: ClusterFlags) => runCluster(flags));
}

async function runCluster(flags: ClusterFlags): Promise<void> {
  if (flags.ephemeral && flags.dataDir !== undefined) {
    throw new UsageError('--ephemeral and --data-dir contradict each other: choose one');
  }
  const entry = findNodeEntry();
  const ports = await choosePorts(flags);
  const folder = flags.ephemeral
    ? await ephemeralFolder()
    : await persistentFolder(flags.dataDir ?? DATA_DIR_DEFAULT, flags.nodes);
  try {
    await superviseUntilStopped(flags, { entry, ports, folder });
  } finally {
    await folder.release();
  }
}

async function choosePorts({ basePort, nodes }: ClusterFlags): Promise<NodePorts[]> {
  if (basePort !== undefined) return requirePorts(basePort, nodes, HOST);
  const free = await freePorts(nodes, HOST);
  if (free.taken.length > 0) {
    remark(
      `port ${free.taken.join(', ')} taken: using ${free.basePort} and up, peers ${free.basePort + 100} and up`,
    );
  }
  return portsFrom(free.basePort, nodes);
}

async function superviseUntilStopped(
  flags: ClusterFlags,
  { entry, ports, folder }: { entry: string; ports: NodePorts[]; folder: ClusterFolder },
): Promise<void> {
  const stop = stopRequest();
  const started = performance.now();
  let up = false;
  const listener = flags.json ? quietListener(stop) : talkativeListener(stop, () => up);
  const cluster = new LocalCluster({ entry, folder, ports, restart: flags.restart === true, listener });
  try {
    // A stop that comes while it starts ends the wait.
    await Promise.race([cluster.start(LEADER_DEADLINE_MS), stop.wanted]);
    up = true;
    if (!stop.isWanted() && flags.json) printJson({ nodes: cluster.nodes, leader: cluster.leader.id });
    else if (!stop.isWanted()) introduce(cluster, { folder, flags, elapsedMs: performance.now() - started });
    await stop.wanted;
  } finally {
    if (!flags.json) remark('stopping …');
    await cluster.stop();
    stop.dispose();
  }
}

interface StopRequest {
  wanted: Promise<void>;
  isWanted(): boolean;
  request(exitCode: number): void;
  dispose(): void;
}

/** Asked by a signal, or from inside when nothing is left to run. */
function stopRequest(): StopRequest {
  let resolve: () => void = () => {};
  let wanted = false;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const request = (exitCode: number): void => {
    if (wanted) return;
    wanted = true;
    process.exitCode = exitCode;
    resolve();
  };
  const onSignal = (): void => request(CliExitCode.ok);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    wanted: promise,
    isWanted: () => wanted,
    request,
    dispose: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

function exitText({ code, signal }: { code: number | null; signal: NodeJS.Signals | null }): string {
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
}

/** With --json: standard output is the one line; deaths go to standard error. */
function quietListener(stop: StopRequest): LocalClusterListener {
  return {
    onEvent: () => {},
    onNodeLine: () => {},
    onNodeExit: (id, exit) =>
      process.stderr.write(`n${id} ${exitText(exit)}${exit.restarts ? ', restarting' : ''}\n`),
    onNodeStart: () => {},
    onAllDead: () => stop.request(CliExitCode.unavailable),
  };
}

/** Until all are `up`, that nodes miss each other and find empty folders is no news. */
function talkativeListener(stop: StopRequest, isUp: () => boolean): LocalClusterListener {
  const say = (id: number, text: string, at = Date.now()): void => {
    printLine(`${pc.dim(new Date(at).toISOString().slice(11, 23))}  ${pc.bold(`n${id}`)}  ${text}`);
  };
  return {
    onEvent: (event: NodeEvent) => {
      if (!isUp() && event.event.type === 'recovery' && event.event.lostBytes === 0) return;
      const text = describeEvent(event.event);
      if (text !== null) say(event.nodeId, text, event.at);
    },
    onNodeLine: (id, line) => {
      if (isUp()) remark(`n${id}: ${line}`);
    },
    onNodeExit: (id, exit) =>
      say(id, pc.red(`${exitText(exit)}${exit.restarts ? '; restarting' : '; it stays dead'}`)),
    onNodeStart: (node: RunningNode) => say(node.id, `up, process ${node.pid}, clients ${node.client}`),
    onAllDead: () => {
      remark('no node is left');
      stop.request(CliExitCode.unavailable);
    },
  };
}

function introduce(
  cluster: LocalCluster,
  { folder, flags, elapsedMs }: { folder: ClusterFolder; flags: ClusterFlags; elapsedMs: number },
): void {
  const leader = cluster.leader;
  const rows = cluster.nodes.map(({ id, pid, client, peer }) => {
    const role = id === leader.id ? pc.green(`leader, term ${leader.term}`) : pc.cyan('follower');
    return [`n${id}`, pid, client, peer, role];
  });
  printLine(`\n${plainTable(['node', 'pid', 'clients', 'peers', 'role'], rows)}\n`);
  const endpoints = cluster.nodes.map((node) => node.client).join(',');
  printLine(
    `Up in ${Math.round(elapsedMs)} ms. Data: ${folder.path}${flags.ephemeral ? ' (removed at the end)' : ''}`,
  );
  printLine(`Try: ${pc.bold(`quorumlab set greeting hello -e ${endpoints}`)}   Stop: Ctrl-C`);
}
