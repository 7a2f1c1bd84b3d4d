// The stores that are compared, each started in a temporary folder of its own with every write synced before it is
// acknowledged, and stopped again: ours and etcd as three processes, Redis as one.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBenchCluster } from './bench-cluster.ts';
import { endWithThisProcess } from './end-with-this-process.ts';
import { runEtcdLoad } from './etcd-load.ts';
import { freePorts } from './free-ports.ts';
import type { LoadResult, LoadShape } from './load.ts';
import { redisBenchmarkVersion, runRedisBenchmark } from './redis-benchmark.ts';
import { JSON_LINES, RESP, runSocketLoad } from './socket-load.ts';

export const STORE_NAMES = ['ours', 'ours-json', 'etcd', 'redis'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

export interface Store {
  name: StoreName;
  /** What it is and what loads it, for the foot of a table. */
  description: string;
  /** Null: this load cannot be made on this store. */
  drive(shape: LoadShape, durationMs: number): Promise<LoadResult | null>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const READY_MS = 20_000;
const POLL_MS = 50;
const STOP_GRACE_MS = 3_000;

/** Null when the store's programs are not installed. `cli`: our own bundled command line. */
export async function startStore(name: StoreName, cli: string): Promise<Store | null> {
  switch (name) {
    case 'ours':
    case 'ours-json':
      return startOurs(name, cli);
    case 'etcd':
      return startEtcd();
    case 'redis':
      return startRedis();
  }
}

async function startOurs(name: 'ours' | 'ours-json', cli: string): Promise<Store> {
  const cluster = await startBenchCluster(cli, { restart: false });
  await cluster.whole();
  const { client: address } = await cluster.leader();
  const generator = await redisBenchmarkVersion();
  const byJson = name === 'ours-json';
  return {
    name,
    description: `Quorumlab, 3 nodes, ${byJson ? 'JSON lines, own generator' : respGenerator(generator)}`,
    drive: (shape, durationMs) =>
      byJson
        ? runSocketLoad({ ...shape, address, durationMs, codec: JSON_LINES })
        : driveResp(address, shape, durationMs, generator),
    stop: () => cluster.stop(),
  };
}

function respGenerator(version: string | null): string {
  return version === null ? 'RESP, own generator' : `RESP, redis-benchmark ${version}`;
}

/** The third-party generator where it can make the load, ours on either store where it cannot. */
function driveResp(
  address: string,
  shape: LoadShape,
  durationMs: number,
  generator: string | null,
): Promise<LoadResult> {
  if (generator === null || shape.operation === 'mixed') {
    return runSocketLoad({ ...shape, address, durationMs, codec: RESP });
  }
  return runRedisBenchmark(Number(address.slice(address.lastIndexOf(':') + 1)), { ...shape, durationMs });
}

async function startRedis(): Promise<Store | null> {
  const version = await outputOf('redis-server', ['--version']);
  if (version === null) return null;
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-redis-'));
  const server = launch('redis-server', [
    ...['--port', String(port), '--bind', HOST, '--dir', folder, '--save', '', '--daemonize', 'no'],
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--loglevel', 'warning'],
  ]);
  await ready('redis-server', () => canConnect(port));
  const generator = await redisBenchmarkVersion();
  return {
    name: 'redis',
    description: `Redis ${/v=(\S+)/.exec(version)?.[1] ?? ''}, 1 process, appendfsync always, ${respGenerator(generator)}`,
    drive: (shape, durationMs) => driveResp(`${HOST}:${port}`, shape, durationMs, generator),
    stop: () => stopAll([server], folder),
  };
}

async function startEtcd(): Promise<Store | null> {
  const version = await outputOf('etcd', ['--version']);
  if (version === null) return null;
  const ports = await freePorts(6);
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-etcd-'));
  const names = ['n1', 'n2', 'n3'];
  const client = (position: number): string => `http://${HOST}:${ports[position]}`;
  const peer = (position: number): string => `http://${HOST}:${ports[3 + position]}`;
  const cluster = names.map((name, position) => `${name}=${peer(position)}`).join(',');
  const servers = names.map((name, position) =>
    launch('etcd', [
      ...['--name', name, '--data-dir', join(folder, name), '--log-level', 'error'],
      ...['--listen-client-urls', client(position), '--advertise-client-urls', client(position)],
      ...['--listen-peer-urls', peer(position), '--initial-advertise-peer-urls', peer(position)],
      ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
    ]),
  );
  let leader = '';
  await ready('etcd', async () => {
    leader = (await etcdLeader(names.map((_, position) => client(position)))) ?? '';
    return leader !== '';
  });
  return {
    name: 'etcd',
    description: `etcd ${/Version: (\S+)/.exec(version)?.[1] ?? ''}, 3 nodes, gRPC on the leader, own generator`,
    drive: async (shape, durationMs) =>
      // gRPC has calls under way, not pipelines; what etcd does with many is in the row of many clients.
      shape.pipeline > 1 ? null : runEtcdLoad({ ...shape, url: leader, durationMs }),
    stop: () => stopAll(servers, folder),
  };
}

async function etcdLeader(urls: readonly string[]): Promise<string | null> {
  for (const url of urls) {
    const response = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' }).catch(
      () => null,
    );
    if (response === null) return null;
    const status = (await response.json()) as { header?: { member_id?: string }; leader?: string };
    if (status.leader !== undefined && status.leader === status.header?.member_id) return url;
  }
  return null;
}

function launch(program: string, flags: readonly string[]): ChildProcess {
  return endWithThisProcess(spawn(program, flags, { stdio: 'ignore' }));
}

async function stopAll(children: readonly ChildProcess[], folder: string): Promise<void> {
  await Promise.all(
    children.map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve();
          const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
          child.once('exit', () => {
            clearTimeout(timer);
            resolve();
          });
          child.kill('SIGTERM');
        }),
    ),
  );
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Standard output of a program that ends by itself; null when it is not installed. */
function outputOf(program: string, flags: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, flags, { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', () => resolve(null));
    child.on('close', () => resolve(output));
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function ready(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`${what} was not ready within ${READY_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
