// One node's process and its life: started, running, paused, dead, started again on the same ports and folder.
// It never guesses: `running` is the process's own word, dead is its exit event.
import type { NodeAction, NodeMessage, ParentMessage } from '../../../engine/protocol/control.ts';
import type { NodeFaults } from '../../../engine/protocol/faults.ts';
import type { NodeEvent, NodeStatus } from '../../../engine/protocol/node-status.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ProcessState, ProcessView } from '../../shared/cluster-view.ts';
import { exitReason } from './exit-reason.ts';
import type { NodeLauncher, NodeProcess, NodeSettings, ProcessEnd } from './node-launcher.ts';
import { guardPausedProcess, type PauseGuard } from './pause-guard.ts';

/** How long a node has to open its log and listen. */
const READY_MS_MAX = 20_000;
/** How long a graceful stop may take before it becomes a SIGKILL. */
const STOP_MS_MAX = 4_000;
const REPLY_MS_MAX = 5_000;
/** A snapshot of a large state on a slow disk. */
const SNAPSHOT_MS_MAX = 600_000;

const NO_FAULTS: NodeFaults = { disk: [], links: [] };

export interface ManagedNodeListener {
  onProcess(process: ProcessView): void;
  onStatus(status: NodeStatus): void;
  onEvents(events: readonly NodeEvent[]): void;
  /** Something that happened because of the panel and is worth telling. */
  onDeed(text: string, nodeId: NodeId | null): void;
}

export interface ManagedNodeOptions {
  /** Who it is and where it is found, for good; the rest of its settings may differ at each start. */
  settings: Pick<NodeSettings, 'nodeId' | 'dataDir' | 'client' | 'peer'>;
  logPath: string;
  launcher: NodeLauncher;
  listener: ManagedNodeListener;
}

type ParentRequest = ParentMessage extends infer M
  ? M extends ParentMessage
    ? Omit<M, 'requestId'>
    : never
  : never;

interface Waiting {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Waits for the next change that satisfies `done`. */
interface Watcher extends Waiting {
  done: (process: ProcessView) => boolean;
}

export class ManagedNode {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly #options: ManagedNodeOptions;
  #view: ProcessView;
  #process: NodeProcess | null = null;
  #pauseGuard: PauseGuard | null = null;
  #faults: NodeFaults = NO_FAULTS;
  /** Set while a graceful stop is under way: then an end with code 0 was asked for. */
  #stopping = false;
  #killWanted = false;
  #startedBefore = false;
  #nextRequestId = 1;
  readonly #requests = new Map<number, Waiting>();
  readonly #watchers = new Set<Watcher>();

  constructor(options: ManagedNodeOptions) {
    const { settings } = options;
    this.#options = options;
    this.nodeId = settings.nodeId;
    this.name = `n${settings.nodeId}`;
    this.#view = {
      nodeId: settings.nodeId,
      state: 'stopped',
      pid: 0,
      clientAddress: `${settings.client.host}:${settings.client.port}`,
      peerAddress: `${settings.peer.host}:${settings.peer.port}`,
      dataDir: settings.dataDir,
      restarts: 0,
      exit: null,
      at: Date.now(),
    };
  }

  get view(): ProcessView {
    return this.#view;
  }

  get faults(): NodeFaults {
    return this.#faults;
  }

  get alive(): boolean {
    return this.#process !== null;
  }

  /** Its SIGKILL is sent, and its end not known yet. */
  get dying(): boolean {
    return this.alive && this.#killWanted;
  }

  /** Starts the process. Resolves once it serves; rejects with the reason when it ends before. */
  async start(settings: NodeSettings): Promise<void> {
    if (this.alive) throw new Error(`${this.name} is ${this.#view.state} already.`);
    const { launcher, logPath } = this.#options;
    const restarts = this.#view.restarts + (this.#startedBefore ? 1 : 0);
    this.#startedBefore = true;
    this.#stopping = false;
    this.#killWanted = false;
    this.#faults = NO_FAULTS;
    // What an earlier process still says must not be taken for this one's word.
    let current: NodeProcess | null = null;
    const isCurrent = () => current === null || this.#process === current;
    const process = launcher.launch({
      settings,
      logPath,
      listener: {
        onSpawned: (pid) => isCurrent() && this.#spawned(pid),
        onMessage: (message) => isCurrent() && this.#received(message),
        onExit: (end) => isCurrent() && this.#ended(end),
      },
    });
    current = process;
    this.#process = process;
    this.#change('starting', { restarts, pid: 0 });
    await this.#until((view) => view.state !== 'starting', READY_MS_MAX, 'did not say that it serves');
    if (!this.alive) throw new Error(`${this.name} ended at once: ${this.#view.exit?.reason}.`);
  }

  /** SIGKILL: no goodbye, no flush. */
  kill(): void {
    this.#mustBeAlive();
    this.#killWanted = true;
    if (this.#view.pid !== 0) process.kill(this.#view.pid, 'SIGKILL');
  }

  /** SIGSTOP. Throws on Windows, which has no such thing. */
  pause(): void {
    this.#mustBeAlive();
    if (this.#view.state === 'paused') throw new Error(`${this.name} is paused already.`);
    if (this.#view.state === 'starting') throw new Error(`${this.name} is still starting.`);
    if (process.platform === 'win32') {
      throw new Error(
        'Windows cannot freeze a process. Cut its links instead: they have the same effect on others.',
      );
    }
    this.#pauseGuard = guardPausedProcess(this.#view.pid);
    process.kill(this.#view.pid, 'SIGSTOP');
    this.#change('paused');
  }

  /** SIGCONT. */
  resume(): void {
    this.#mustBeAlive();
    if (this.#view.state !== 'paused') throw new Error(`${this.name} is not paused.`);
    this.#unfreeze();
    this.#change('running');
  }

  /** Graceful; after four seconds without an end by SIGKILL. Resolves once the process is gone. */
  async stop(): Promise<void> {
    this.#mustBeAlive();
    if (this.#view.state === 'paused') this.resume();
    this.#stopping = true;
    this.#request({ type: 'stop' }).catch(() => undefined);
    await this.gone(STOP_MS_MAX).catch(() => {
      this.#options.listener.onDeed(
        `${this.name} did not stop within ${STOP_MS_MAX / 1000} s: SIGKILL`,
        this.nodeId,
      );
      if (this.alive) this.kill();
      return this.gone();
    });
  }

  /** Resolves once there is no process; rejects after `timeoutMs`. */
  gone(timeoutMs = STOP_MS_MAX): Promise<void> {
    return this.#until(() => !this.alive, timeoutMs, 'did not end');
  }

  act(action: NodeAction): Promise<void> {
    this.#mustAnswer();
    const timeoutMs = action.kind === 'snapshot' ? SNAPSHOT_MS_MAX : REPLY_MS_MAX;
    return this.#request({ type: 'act', action }, timeoutMs);
  }

  /** Resolves once the process is dead: a node without power does not say that it obeys. */
  async cutPower(seed: number): Promise<void> {
    const dead = this.act({ kind: 'powerCut', seed }).catch((error: unknown) => {
      if (this.alive) throw error;
    });
    await dead;
    await this.gone();
  }

  /** Its folder was emptied: what the last process said is of no use for the next one. */
  noteWiped(): void {
    const reason = 'its folder was emptied: no memory left';
    this.#change('stopped', { exit: { code: null, signal: null, reason, at: Date.now() } });
  }

  /** Replaces all faults. What the node refuses is not in force. */
  async setFaults(faults: NodeFaults): Promise<void> {
    this.#mustAnswer();
    const before = this.#faults;
    this.#faults = faults;
    try {
      await this.#request({ type: 'setFaults', faults });
    } catch (error) {
      this.#faults = before;
      throw error;
    }
  }

  #mustBeAlive(): void {
    if (!this.alive) throw new Error(`${this.name} is not running: ${this.#howToStart()}.`);
  }

  #mustAnswer(): void {
    this.#mustBeAlive();
    if (this.#view.state === 'paused') throw new Error(`${this.name} is paused: resume ${this.name} first.`);
    if (this.#view.state === 'starting') throw new Error(`${this.name} is still starting.`);
  }

  #howToStart(): string {
    return `restart ${this.name} starts it`;
  }

  #unfreeze(): void {
    this.#pauseGuard?.release();
    this.#pauseGuard = null;
    if (this.#view.pid !== 0) process.kill(this.#view.pid, 'SIGCONT');
  }

  #spawned(pid: number): void {
    this.#change(this.#view.state, { pid });
    if (this.#killWanted && pid !== 0) process.kill(pid, 'SIGKILL');
  }

  #received(message: NodeMessage): void {
    switch (message.type) {
      case 'ready':
        if (this.#view.state === 'starting') this.#change('running', { pid: message.pid });
        break;
      case 'status':
        this.#options.listener.onStatus(message.status);
        break;
      case 'events':
        this.#options.listener.onEvents(message.events);
        break;
      case 'done':
        this.#requests.get(message.requestId)?.resolve();
        break;
      case 'refused':
        this.#requests.get(message.requestId)?.reject(new Error(`${this.name}: ${message.message}`));
        break;
    }
  }

  #ended(end: ProcessEnd): void {
    this.#process = null;
    this.#pauseGuard?.release();
    this.#pauseGuard = null;
    const hadFaults = this.#faults.disk.length + this.#faults.links.length > 0;
    this.#faults = NO_FAULTS;
    const asked = this.#stopping && end.code === 0;
    // A host that cannot tell a signal from a code still knows what was sent.
    const signal = end.signal ?? (this.#killWanted && end.code !== 0 ? 'SIGKILL' : null);
    const reason = exitReason({ ...end, signal });
    const at = Date.now();
    this.#change(asked ? 'stopped' : 'crashed', { pid: 0, exit: { code: end.code, signal, reason, at } });
    for (const request of [...this.#requests.values()]) {
      request.reject(new Error(`${this.name} ended before it answered: ${reason}.`));
    }
    if (hadFaults)
      this.#options.listener.onDeed(`The faults of ${this.name} ended with its process`, this.nodeId);
  }

  #change(state: ProcessState, changes: Partial<ProcessView> = {}): void {
    const at = state === this.#view.state ? this.#view.at : Date.now();
    this.#view = { ...this.#view, ...changes, state, at };
    this.#options.listener.onProcess(this.#view);
    for (const watcher of [...this.#watchers]) {
      if (watcher.done(this.#view)) watcher.resolve();
    }
  }

  #request(request: ParentRequest, timeoutMs = REPLY_MS_MAX): Promise<void> {
    const requestId = this.#nextRequestId++;
    const what = request.type === 'act' ? request.action.kind : request.type;
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.name} did not answer to ${what} within ${timeoutMs / 1000} s.`));
      }, timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        this.#requests.delete(requestId);
      };
      this.#requests.set(requestId, {
        resolve: () => {
          settle();
          resolve();
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#process?.send({ ...request, requestId });
    });
  }

  #until(done: (view: ProcessView) => boolean, timeoutMs: number, failure: string): Promise<void> {
    if (done(this.#view)) return Promise.resolve();
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        reject(new Error(`${this.name} ${failure} within ${timeoutMs / 1000} s.`));
      }, timeoutMs);
      const watcher: Watcher = {
        done,
        resolve: () => {
          clearTimeout(timer);
          this.#watchers.delete(watcher);
          resolve();
        },
        reject,
      };
      this.#watchers.add(watcher);
    });
  }
}
