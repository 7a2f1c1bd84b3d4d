// The panel's host side, whoever carries it: implements every call and push of the contract on one cluster.
import { type Client, createClient } from '../../../engine/client/client.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView } from '../../shared/cluster-view.ts';
import type {
  AppInfo,
  CallArgument,
  CallChannel,
  CallResult,
  PushChannel,
  Pushes,
} from '../../shared/contract.ts';
import { parseCallArgument } from '../../shared/contract-schemas.ts';
import { membersOf } from '../../shared/membership.ts';
import { type ClusterFolder, openClusterFolder } from './cluster-folder.ts';
import { PanelConsole } from './console.ts';
import { ConsoleWatches } from './console-watches.ts';
import { type Acknowledgement, FailoverStopwatch } from './failover-stopwatch.ts';
import { MemberChanges } from './member-changes.ts';
import type { NodeLauncher } from './node-launcher.ts';
import { type ChosenPorts, chooseNodePorts, HOST, type NodePorts } from './node-ports.ts';
import { Recorder } from './recorder.ts';
import { Supervisor } from './supervisor.ts';
import { wallClockMs } from './wall-clock.ts';
import { Workload } from './workload.ts';

/** The nodes of a new cluster. */
const FOUNDERS: readonly NodeId[] = [1, 2, 3];
/** Deleting it is a write through the whole log that changes nothing: no client can have written this key. */
const PROBE_KEY = '\u0000quorumlab:failover-probe';
const CONSOLE_DEADLINE_MS = 10_000;

export interface PanelHostOptions {
  launcher: NodeLauncher;
  /** Null: a temporary folder that is removed at the end. */
  dataDir: string | null;
  host: AppInfo['host'];
  version: string;
  /** `Electron 45.4.1`, `Node.js 20.20.0` */
  runtime: string;
  /** Tests run side by side: any free ports instead of the defaults. */
  anyPorts?: boolean;
}

export interface PanelHost {
  readonly info: AppInfo;
  /** Parses the argument, then does it. Rejects with a plain message. */
  call<C extends CallChannel>(channel: C, argument: unknown): Promise<CallResult<C>>;
  /** Returns the unsubscribe. */
  on<P extends PushChannel>(channel: P, listener: (payload: Pushes[P]) => void): () => void;
  /** Resolves when every node serves or has failed. */
  readonly started: Promise<void>;
  /** Stops all nodes and gives the folder free. Safe to call twice. */
  close(): Promise<void>;
  /** For the last moment of a process: SIGKILL to all nodes, without waiting. */
  killNow(): void;
}

type Handlers = { [C in CallChannel]: (argument: CallArgument<C>) => Promise<CallResult<C>> | CallResult<C> };

/** Starts the cluster. Rejects when the folder is in use or unusable. */
export async function createPanelHost(options: PanelHostOptions): Promise<PanelHost> {
  const owner = options.host === 'desktop' ? 'desktop app' : 'browser panel';
  const folder = await openClusterFolder({ path: options.dataDir, nodeIds: FOUNDERS, owner });
  const { chosen, moved } = await choosePorts(folder, options.anyPorts ?? false);
  const parts = wire(options, folder, chosen);
  const started = parts.supervisor.startAll();
  void started.then(() => parts.changes.announceMoved(moved));
  const handlers = createHandlers(parts);
  let closing: Promise<void> | null = null;
  return {
    info: parts.info,
    started,
    async call(channel, argument) {
      if (closing !== null) throw new Error('Quorumlab is closing.');
      return handlers[channel](parseCallArgument(channel, argument));
    },
    on: (_channel, listener) => parts.recorder.subscribe(listener),
    close: () => {
      closing ??= closeAll(parts, folder);
      return closing;
    },
    killNow: () => parts.supervisor.killAll(),
  };
}

/** `moved`: nodes that others know on other ports, since the ones they had are taken. */
async function choosePorts(
  folder: ClusterFolder,
  anyPorts: boolean,
): Promise<{ chosen: ChosenPorts; moved: readonly NodePorts[] }> {
  const present = folder.nodes.filter((node) => node.present);
  const ids = present.map(({ nodeId }) => nodeId);
  // Founders are told of each other at every start, and so may have the usual ports again.
  const remembered = anyPorts ? folder.nodes : folder.nodes.filter(({ joined }) => joined);
  const reserved = folder.nodes.filter((node) => !node.present);
  const chosen = await chooseNodePorts(ids, { anyPorts, remembered, reserved });
  const moved = chosen.ports.filter(({ nodeId, client, peer }) =>
    present.some(
      (had) => had.nodeId === nodeId && had.joined && (had.client !== client || had.peer !== peer),
    ),
  );
  return { chosen, moved };
}

interface Parts {
  info: AppInfo;
  clients: readonly Client[];
  stopwatch: FailoverStopwatch;
  supervisor: Supervisor;
  changes: MemberChanges;
  recorder: Recorder;
  workload: Workload;
  panelConsole: PanelConsole;
  reset: () => Promise<void>;
}

async function closeAll(parts: Parts, folder: ClusterFolder): Promise<void> {
  parts.workload.stop();
  parts.changes.close();
  parts.stopwatch.close();
  for (const client of parts.clients) client.close();
  await parts.supervisor.stopAll();
  parts.recorder.close();
  folder.close();
}

function wire(options: PanelHostOptions, folder: ClusterFolder, { ports, notes }: ChosenPorts): Parts {
  const addresses = ports.map(({ client }) => `${HOST}:${client}`);
  const client = createClient({ addresses, deadlineMs: CONSOLE_DEADLINE_MS });
  // Without sessions: hundreds of probes must not make the cluster remember hundreds of them.
  const probeClient = createClient({ addresses, sessions: false });
  const stopwatch = new FailoverStopwatch({
    now: wallClockMs,
    probe: (deadlineMs) => probeWrite(probeClient, deadlineMs),
    onFailover: (failover) => recorder.add({ type: 'failover', failover }),
  });
  const onAcknowledged = (ack: Acknowledgement) => stopwatch.acknowledged(ack);
  const onDeed = (text: string, nodeId: NodeId | null) =>
    recorder.add({ type: 'deed', at: wallClockMs(), text, nodeId });
  const supervisor = new Supervisor({
    folder,
    ports,
    launcher: options.launcher,
    listener: {
      onProcess: (process) => {
        recorder.add({ type: 'process', process });
        stopwatch.process(process);
      },
      onStatus: (status) => recorder.add({ type: 'status', status }),
      onEvents: (events) => {
        for (const event of events) {
          recorder.add({ type: 'event', event });
          stopwatch.event(event);
        }
      },
      onDeed,
      onStrike: (nodeId) => stopwatch.struck(nodeId),
      onCluster: (clusterId) => {
        stopwatch.forget();
        recorder.add({ type: 'cluster', clusterId, at: wallClockMs() });
      },
      onGone: (nodeId) => recorder.add({ type: 'nodeGone', nodeId }),
    },
    voters: () => votersOf(recorder.view()),
  });
  const recorder: Recorder = new Recorder({
    clusterId: folder.clusterId,
    processes: supervisor.processes(),
    now: wallClockMs,
  });
  for (const text of notes) onDeed(text, null);
  const changes = createChanges({
    supervisor,
    folder,
    client,
    recorder,
    anyPorts: options.anyPorts ?? false,
  });
  const workload = new Workload({
    addresses: () => supervisor.processes().map(({ clientAddress }) => clientAddress),
    onStatus: (status) => recorder.add({ type: 'workload', workload: status }),
    onAcknowledged,
  });
  const reset = async () => {
    workload.stop();
    // The end of the old leader is no failover.
    stopwatch.forget();
    await supervisor.reset();
  };
  const watches = new ConsoleWatches({
    client,
    onLines: (watchId, lines, ended) => recorder.add({ type: 'watch', watchId, lines, ended }),
  });
  const panelConsole = new PanelConsole({
    client,
    supervisor,
    changes,
    watches,
    view: () => recorder.view(),
    startWorkload: (request) => workload.start(request),
    stopWorkload: () => workload.stop(),
    reset,
    onAcknowledged,
  });
  const clients = [client, probeClient];
  const info = appInfo(options, folder);
  return { info, clients, stopwatch, supervisor, changes, recorder, workload, panelConsole, reset };
}

function createChanges(of: {
  supervisor: Supervisor;
  folder: ClusterFolder;
  client: Client;
  recorder: Recorder;
  anyPorts: boolean;
}): MemberChanges {
  const { supervisor, folder, client, recorder, anyPorts } = of;
  return new MemberChanges({
    supervisor,
    folder,
    members: client.members,
    view: () => recorder.view(),
    choosePorts: async (nodeId) => {
      const { ports } = await chooseNodePorts([nodeId], { anyPorts, reserved: folder.nodes });
      return { nodeId, client: ports[0]?.client ?? 0, peer: ports[0]?.peer ?? 0 };
    },
    onChange: (change) => recorder.add({ type: 'memberChange', change }),
    onDeed: (text, nodeId) => recorder.add({ type: 'deed', at: wallClockMs(), text, nodeId }),
    now: wallClockMs,
  });
}

function votersOf(view: ClusterView): readonly NodeId[] | null {
  const { voters, votersOutgoing } = membersOf(view);
  return voters.length === 0 ? null : [...new Set([...voters, ...votersOutgoing])];
}

function appInfo({ version, host, runtime }: PanelHostOptions, folder: ClusterFolder): AppInfo {
  return {
    name: 'Quorumlab',
    version,
    host,
    platform: process.platform,
    runtime,
    dataDir: folder.path,
    ephemeral: folder.ephemeral,
  };
}

async function probeWrite(client: Client, deadlineMs: number): Promise<Acknowledgement> {
  const startedAt = wallClockMs();
  const { receipt } = await client.delete(PROBE_KEY, { deadlineMs });
  return { startedAt, at: wallClockMs(), nodeId: receipt.nodeId, term: receipt.term };
}

function createHandlers(parts: Parts): Handlers {
  const { supervisor, changes, recorder, workload } = parts;
  const nothing = async (work: Promise<void> | void) => {
    await work;
    return undefined;
  };
  return {
    'app:info': () => parts.info,
    'cluster:view': () => recorder.view(),
    'cluster:reset': () => nothing(parts.reset()),
    'cluster:heal': () => nothing(supervisor.heal()),
    'cluster:powerCut': ({ seed }) => nothing(supervisor.powerCutAll(seed)),
    'node:kill': ({ nodeId }) => nothing(supervisor.kill(nodeId)),
    'node:pause': ({ nodeId }) => nothing(supervisor.pause(nodeId)),
    'node:resume': ({ nodeId }) => nothing(supervisor.resume(nodeId)),
    'node:restart': ({ nodeId }) => nothing(supervisor.restart(nodeId)),
    'node:stop': ({ nodeId }) => nothing(supervisor.stop(nodeId)),
    'node:stepDown': ({ nodeId, target }) => nothing(supervisor.act(nodeId, { kind: 'stepDown', target })),
    'node:campaign': ({ nodeId }) => nothing(supervisor.act(nodeId, { kind: 'campaign' })),
    'node:powerCut': ({ nodeId, seed }) => nothing(supervisor.powerCut(nodeId, seed)),
    'node:snapshot': ({ nodeId }) => nothing(supervisor.act(nodeId, { kind: 'snapshot' })),
    'node:corruptRecord': ({ nodeId, index, seed }) => supervisor.corruptRecord(nodeId, { index, seed }),
    'node:wipe': ({ nodeId }) => nothing(supervisor.wipe(nodeId)),
    'member:add': async ({ nodeId }) => ({ nodeId: await changes.add(nodeId) }),
    'member:promote': ({ nodeId }) => nothing(changes.promote(nodeId)),
    'member:remove': ({ nodeId, folder }) => nothing(changes.remove(nodeId, folder)),
    'fault:applyDisk': ({ nodeId, fault }) => nothing(supervisor.applyDisk(nodeId, fault)),
    'fault:applyLink': ({ nodeId, fault }) => nothing(supervisor.applyLink(nodeId, fault)),
    'fault:remove': ({ nodeId, faultId }) => nothing(supervisor.removeFault(nodeId, faultId)),
    'console:execute': ({ line }) => parts.panelConsole.execute(line),
    'workload:start': (request) => nothing(workload.start(request)),
    'workload:stop': () => nothing(workload.stop()),
  };
}
